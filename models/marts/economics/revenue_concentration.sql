with tiers as (
    select * from {{ ref('int_current_tiers') }}
),

as_of as (
    select * from {{ ref('int_as_of') }}
),

-- many customers become few amounts, so that no window runs over all customers
amounts as (
    select
        tier_code,
        greatest(monetary, 0) as revenue,
        count(*) as customers
    from tiers
    where frequency >= 1
    group by 1, 2
),

by_dimension as (
    select
        'tier' as dimension,
        tier_code as dimension_value,
        revenue,
        customers
    from amounts
    union all
    select
        'all' as dimension,
        'all' as dimension_value,
        revenue,
        sum(customers) as customers
    from amounts
    group by 1, 2, 3
),

placed as (
    select
        *,
        sum(customers) over (
            partition by dimension, dimension_value order by revenue
        ) as customers_up_to,
        sum(customers) over (partition by dimension, dimension_value) as all_customers
    from by_dimension
),

-- equal amounts are alike: of those at the edge of the first customers, only their number counts
summed as (
    select
        dimension,
        dimension_value,
        max(all_customers) as customers,
        sum({{ cents('revenue') }} * customers) as revenue,
        {%- for percent in top_percents() %}
        sum(
            {{ cents('revenue') }} * least(
                customers,
                greatest(
                    {{ customers_in_percent('all_customers', percent) }}
                    - (all_customers - customers_up_to),
                    0
                )
            )
        ) as top_{{ percent }}_revenue,
        {%- endfor %}
        -- of the ranks i of those with one amount, the sum of 2i - n - 1
        sum(
            {{ cents('revenue') }} * customers * (2 * customers_up_to - customers - all_customers)
        ) as differences
    from placed
    group by 1, 2
)

select
    summed.dimension,
    summed.dimension_value,

    cast(summed.customers as bigint) as customers,
    cast(cast(summed.revenue as decimal(18, 0)) * 0.01 as decimal(18, 2)) as revenue,
    {%- for percent in top_percents() %}
    {{ share('summed.top_' ~ percent ~ '_revenue', 'summed.revenue') }}
        as top_{{ percent }}_share,
    {%- endfor %}
    {{ share('summed.differences', '(summed.customers * summed.revenue)') }} as gini,

    as_of.as_of_date
from summed
cross join as_of
