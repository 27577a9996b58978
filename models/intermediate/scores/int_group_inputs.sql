{# The scores of groups of companies at the newest period, by the edges and among the amounts of
   the customers. #}
with measured as (
    select * from {{ ref('int_group_measures') }}
),

newest_period as (
    select * from {{ ref('int_newest_period') }}
),

edges as (
    select * from {{ ref('int_rfm_score_edges') }}
),

edges_by_period as (
    {{ edges_by_period('edges') }}
),

revenue_ranks as (
    select ranks.*
    from {{ ref('int_revenue_ranks') }} as ranks
    inner join newest_period on ranks.period_index = newest_period.period_index
),

-- the smallest amount of a customer that is not below the group's has its contribution
amounts as (
    select
        cast(null as {{ string_type() }}) as root_customer_id,
        monetary,
        contribution,
        0 as place
    from revenue_ranks
    union all
    select
        root_customer_id,
        monetary,
        cast(null as decimal(5, 2)) as contribution,
        1 as place
    from measured
    where customer_status = 'active'
),

contributions as (
    select
        root_customer_id,
        min(contribution) over (
            order by monetary desc, place rows between unbounded preceding and current row
        ) as contribution
    from amounts
),

scored as (
    select
        measured.*,
        {{ rfm_scores('measured') }},
        case measured.customer_status
            when 'active' then coalesce(contributions.contribution, cast(100 as decimal(5, 2)))
            when 'lapsed' then cast(0 as decimal(5, 2))
        end as contribution_normalised
    from measured
    left join edges_by_period on measured.period_index = edges_by_period.period_index
    left join contributions on measured.root_customer_id = contributions.root_customer_id
),

normalised as (
    select
        *,
        {{ normalised('2500 * (r_score - 1)') }} as recency_normalised,
        {{ normalised('2500 * (f_score - 1)') }} as frequency_normalised,
        {{ normalised('2500 * (m_score - 1)') }} as monetary_normalised,
        case
            when has_trend
                then {{ revenue_trend_normalised(
                    'first_half_cents', 'second_half_cents', 'frequency'
                ) }}
        end as revenue_trend_normalised,
        case customer_status
            when 'active' then {{ repeat_rate_normalised('frequency') }}
            when 'lapsed' then cast(0 as decimal(5, 2))
        end as repeat_rate_normalised,
        {{ share_of_enough('tenure_days', 1095) }} as tenure_normalised
    from scored
)

select
    root_customer_id,
    period_index,
    customer_status,

    recency_days,
    frequency,
    monetary,
    r_score,
    f_score,
    m_score,
    {%- for input in order_inputs() %}
    {{ input }}_normalised,
    {%- endfor %}
    0
    {%- for component, input in score_inputs() %}
    {%- if input in order_inputs() %}
    + case when {{ input }}_normalised is null then 0 else {{ 2 ** loop.index0 }} end
    {%- endif %}
    {%- endfor %} as known_inputs,

    first_order_on,
    last_order_on
from normalised
