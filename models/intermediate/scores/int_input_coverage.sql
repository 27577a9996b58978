{# Of how many customers the interactions speak: an input enters the score by this part alone, so
   that a source that knows few customers moves nobody far. #}
with counts as (
    select * from {{ ref('int_interaction_counts') }}
),

edges as (
    select
        period_index,
        customers
    from {{ ref('int_rfm_score_edges') }}
    where metric = 'frequency'
),

periods as (
    select * from {{ ref('int_periods_to_compute') }}
),

inputs as (
    {%- for input, own_count in interaction_inputs() %}
    select '{{ input }}' as input
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

covered as (
    select
        periods.period_index,
        inputs.input,
        edges.customers,
        cast(coalesce(sum(counts.customers), 0) as bigint) as covered_customers
    from periods
    inner join edges on periods.period_index = edges.period_index
    cross join inputs
    left join counts
        on
            periods.period_index = counts.period_index
            and inputs.input = counts.input
    group by periods.period_index, inputs.input, edges.customers
)

select
    period_index,
    input,

    customers,
    covered_customers,
    cast(
        case
            when customers > 0
                then {{ rounded_ratio('100 * covered_customers', 'customers') }}
            else 0
        end as integer
    ) as coverage_percent
from covered
