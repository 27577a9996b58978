{# What customers said of the company, over the window of each period, and the complaints still
   open. #}
with responses as (
    select * from {{ ref('int_survey_responses') }}
),

tickets as (
    select * from {{ ref('int_tickets') }}
),

periods as (
    select * from {{ ref('int_periods_to_compute') }}
),

recommendations as (
    select
        responses.customer_key,
        periods.period_index,
        responses.score,
        row_number() over (
            partition by responses.customer_key, periods.period_index
            order by responses.responded_at desc, responses.response_id desc
        ) as place
    from responses
    inner join periods
        on {{ in_window('responses.responded_on', 'periods.period_end') }}
    where responses.survey_type = 'nps'
),

-- a ticket is rated when it is closed
ratings as (
    select
        customer_key,
        score as rating,
        responded_on as rated_on
    from responses
    where survey_type = 'csat'
    union all
    select
        customer_key,
        satisfaction_score as rating,
        coalesce(closed_on, opened_on) as rated_on
    from tickets
    where satisfaction_score is not null
),

facts_in_window as (
    select
        customer_key,
        period_index,
        score as nps_answer,
        0 as csat_sum,
        0 as csat_answers,
        0 as complaints,
        0 as open_complaints
    from recommendations
    where place = 1
    union all
    select
        ratings.customer_key,
        periods.period_index,
        null as nps_answer,
        ratings.rating as csat_sum,
        1 as csat_answers,
        0 as complaints,
        0 as open_complaints
    from ratings
    inner join periods
        on {{ in_window('ratings.rated_on', 'periods.period_end') }}
    union all
    select
        tickets.customer_key,
        periods.period_index,
        null as nps_answer,
        0 as csat_sum,
        0 as csat_answers,
        1 as complaints,
        0 as open_complaints
    from tickets
    inner join periods
        on {{ in_window('tickets.opened_on', 'periods.period_end') }}
    where tickets.ticket_type = 'complaint'
    union all
    select
        tickets.customer_key,
        periods.period_index,
        null as nps_answer,
        0 as csat_sum,
        0 as csat_answers,
        0 as complaints,
        1 as open_complaints
    from tickets
    inner join periods
        on
            tickets.opened_on <= periods.period_end
            and (tickets.closed_on is null or tickets.closed_on > periods.period_end)
    where tickets.ticket_type = 'complaint'
),

summed as (
    select
        customer_key,
        period_index,
        cast(max(nps_answer) as integer) as nps_answer,
        cast(sum(csat_sum) as integer) as csat_sum,
        cast(sum(csat_answers) as integer) as csat_answers,
        cast(sum(complaints) as integer) as complaints,
        cast(sum(open_complaints) as integer) as open_complaints
    from facts_in_window
    group by customer_key, period_index
)

select * from summed
