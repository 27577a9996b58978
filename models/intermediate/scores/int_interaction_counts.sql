{# How many customers share each count of interactions: over the distinct counts, so that no window
   runs over all customers. #}
with measures as (
    select * from {{ ref('int_customer_measures') }}
),

signals as (
    select * from {{ ref('int_customer_signals') }}
),

interacting as (
    select
        measures.period_index,
        measures.customer_status,
        signals.active_days,
        signals.channels,
        signals.usage_seconds,
        signals.contact_months
    from measures
    inner join signals
        on
            measures.customer_key = signals.customer_key
            and measures.period_index = signals.period_index
    where measures.customer_status <> 'prospect' and signals.active_days > 0
),

counted as (
    {%- for input, own_count in interaction_inputs() %}
    select
        period_index,
        '{{ input }}' as input,
        cast({{ own_count }} as bigint) as own_count,
        cast(count(case when customer_status = 'active' then 1 end) as integer) as customers
    from interacting
    where {{ own_count }} > 0
    group by period_index, {{ own_count }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
)

select * from counted
