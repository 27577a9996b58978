{%- set segments = {
    'segment': 'segment_code',
    'tier': 'tier_code',
    'value_class': 'value_class',
    'lifecycle_stage': 'lifecycle_stage',
} %}
{%- set codes = segments.values() | join(', ') %}
{%- set attributes = setting('profile_dimensions') %}
{#- named outside the fork, so that dbt knows the dependency #}
{%- set customer_attributes = ref('customer_attributes') %}
with customers as (
    select * from {{ ref('customers') }}
),

rfm as (
    select * from {{ ref('customer_rfm') }}
),

{% if attributes -%}
attributes as (
    select * from {{ customer_attributes }}
),

{% endif -%}
described as (
    select
        customers.*,
        coalesce(rfm.monetary, 0) as window_revenue
    from customers
    left join rfm on customers.customer_id = rfm.customer_id
),

-- many customers become few rows before each kind of segment is counted
counted as (
    {%- for dimension in profiled_dimensions() %}
    select
        '{{ dimension }}' as dimension,
        coalesce({{ dimension }}, 'unknown') as dimension_value,
        {{ codes }},
        count(*) as customers,
        sum(window_revenue) as window_revenue
    from described
    group by 1, 2, 3, 4, 5, 6
    {{ 'union all' if not loop.last or attributes }}
    {%- endfor %}
    {%- for attribute in attributes %}
    select
        {{ text_literal(attribute) }} as dimension,
        coalesce(attributes.value, 'unknown') as dimension_value,
        {{ codes }},
        count(*) as customers,
        sum(described.window_revenue) as window_revenue
    from described
    left join attributes
        on
            described.customer_id = attributes.customer_id
            and attributes.attribute = {{ text_literal(attribute) }}
    group by 1, 2, 3, 4, 5, 6
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

by_kind as (
    {%- for kind, code in segments.items() %}
    select
        '{{ kind }}' as segment_kind,
        {{ code }} as segment_code,
        dimension,
        dimension_value,
        sum(customers) as customers,
        sum(window_revenue) as window_revenue
    from counted
    group by 1, 2, 3, 4
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

-- each customer has one value of a built-in dimension, and one code of each kind
segments as (
    select
        segment_kind,
        segment_code,
        sum(customers) as customers
    from by_kind
    where dimension = '{{ profiled_dimensions() | first }}'
    group by 1, 2
),

dimension_values as (
    select
        dimension,
        dimension_value,
        sum(customers) as customers
    from by_kind
    where segment_kind = 'tier'
    group by 1, 2
),

everybody as (
    select count(*) as customers from customers
),

compared as (
    select
        by_kind.*,
        segments.customers as customers_of_segment,
        {{ rounded_ratio(
            '10000 * cast(by_kind.customers as ' ~ wide_integer_type() ~ ') * everybody.customers',
            'cast(segments.customers as ' ~ wide_integer_type() ~ ') * dimension_values.customers'
        ) }} as index_hundredths
    from by_kind
    cross join everybody
    inner join segments
        on
            by_kind.segment_kind = segments.segment_kind
            and by_kind.segment_code = segments.segment_code
    inner join dimension_values
        on
            by_kind.dimension = dimension_values.dimension
            and by_kind.dimension_value = dimension_values.dimension_value
)

select
    segment_kind,
    segment_code,
    dimension,
    dimension_value,

    cast(customers as bigint) as customers,
    cast(window_revenue as decimal(18, 2)) as window_revenue,
    {{ share('customers', 'customers_of_segment') }} as customer_share,
    cast(cast(index_hundredths as decimal(18, 0)) * 0.01 as decimal(18, 2)) as index_to_average,

    customers < {{ setting('min_group_size') }} as is_small_group
from compared
