{# Complaints and answers that may raise an alert, also of customers who have not ordered. #}
with tickets as (
    select * from {{ ref('int_tickets') }}
),

responses as (
    select * from {{ ref('int_survey_responses') }}
),

states as (
    select customer_key, period_index from {{ ref('int_tier_states') }}
),

periods as (
    select * from {{ ref('int_periods_to_compute') }}
),

complaints as (
    select * from tickets where ticket_type = 'complaint'
),

spans as (
    select
        period_index,
        period_end,
        period_end - {{ recent_days() }} as recent_after,
        period_end - 2 * {{ recent_days() }} as before_after
    from periods
),

counted as (
    select
        complaints.customer_key,
        spans.period_index,
        sum(case when complaints.opened_on > spans.recent_after then 1 else 0 end)
            as recent_complaints,
        sum(case when complaints.opened_on <= spans.recent_after then 1 else 0 end)
            as complaints_before
    from complaints
    inner join spans
        on
            complaints.opened_on <= spans.period_end
            and complaints.opened_on > spans.before_after
    group by complaints.customer_key, spans.period_index
),

surging as (
    select
        customer_key,
        period_index,
        'complaint_surge' as alert_code,
        {{ figure('recent_complaints - complaints_before') }} as measure,
        {{ figure('recent_complaints') }} as value_now,
        {{ figure('complaints_before') }} as value_before
    from counted
    where recent_complaints > complaints_before
),

waiting as (
    select
        complaints.customer_key,
        periods.period_index,
        periods.period_end,
        min(complaints.opened_on) as oldest_opened_on,
        count(*) as open_complaints
    from complaints
    inner join periods
        on
            complaints.opened_on <= periods.period_end
            and (complaints.closed_on is null or complaints.closed_on > periods.period_end)
    group by complaints.customer_key, periods.period_index, periods.period_end
),

waiting_before as (
    select
        complaints.customer_key,
        periods.period_index,
        count(*) as open_complaints
    from complaints
    inner join periods
        on
            complaints.opened_on <= periods.previous_period_end
            and (complaints.closed_on is null or complaints.closed_on > periods.previous_period_end)
    group by complaints.customer_key, periods.period_index
),

unanswered as (
    select
        waiting.customer_key,
        waiting.period_index,
        'unanswered_complaint' as alert_code,
        {{ figure(days_between('waiting.oldest_opened_on', 'waiting.period_end')) }} as measure,
        {{ figure('waiting.open_complaints') }} as value_now,
        {{ figure('coalesce(waiting_before.open_complaints, 0)') }} as value_before
    from waiting
    left join waiting_before
        on
            waiting.customer_key = waiting_before.customer_key
            and waiting.period_index = waiting_before.period_index
),

answers as (
    select
        responses.customer_key,
        periods.period_index,
        responses.score,
        row_number() over newest_first as place,
        lead(responses.score) over newest_first as score_before
    from responses
    inner join periods
        on {{ in_window('responses.responded_on', 'periods.period_end') }}
    where responses.survey_type = 'nps'
    window newest_first as (
        partition by responses.customer_key, periods.period_index
        order by responses.responded_at desc, responses.response_id desc
    )
),

-- customers who have not ordered have no tier, high or low
recommending as (
    select
        answers.customer_key,
        answers.period_index,
        'detractor_in_high_tier' as alert_code,
        {{ figure('answers.score') }} as measure,
        {{ figure('answers.score') }} as value_now,
        {{ figure('answers.score_before') }} as value_before
    from answers
    inner join states
        on
            answers.customer_key = states.customer_key
            and answers.period_index = states.period_index
    where answers.place = 1
),

candidates as (
    select * from surging
    union all
    select * from unanswered
    union all
    select * from recommending
)

select * from candidates
