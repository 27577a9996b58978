{# Where each category's revenue went from one period to the next, customer by customer. Falls are
   matched to rises in proportion: what fell by 30 and 10 while another rose by 20 gave it 15 and 5,
   and 15 and 5 went to none. #}
with periods as (
    select * from {{ ref('int_periods_to_compute') }} where period_index > 1
),

revenue as (
    select * from {{ ref('int_category_revenue') }}
),

compared_periods as (
    select
        period_index,
        period_index - 1 as revenue_period_index,
        true as is_before
    from periods
    union all
    select
        period_index,
        period_index as revenue_period_index,
        false as is_before
    from periods
),

compared as (
    select
        revenue.customer_key,
        revenue.category,
        compared_periods.period_index,
        {{ cents('sum(case when compared_periods.is_before then revenue.revenue else 0 end)') }}
            as cents_before,
        {{ cents('sum(case when compared_periods.is_before then 0 else revenue.revenue end)') }}
            as cents_after
    from revenue
    inner join compared_periods on revenue.period_index = compared_periods.revenue_period_index
    group by 1, 2, 3
),

changes as (
    select
        *,
        greatest(cents_before - cents_after, 0) as fall,
        greatest(cents_after - cents_before, 0) as rise,
        sum(greatest(cents_before - cents_after, 0)) over of_customer as fell,
        sum(greatest(cents_after - cents_before, 0)) over of_customer as rose
    from compared
    window of_customer as (partition by period_index, customer_key)
),

-- down to whole cents, so that no category gives or takes more than its change
matched as (
    select
        falls.customer_key,
        falls.period_index,
        falls.category as from_category,
        rises.category as to_category,
        {{ whole_quotient('falls.fall * rises.rise', 'greatest(falls.fell, falls.rose)') }} as cents
    from changes as falls
    inner join changes as rises
        on
            falls.customer_key = rises.customer_key
            and falls.period_index = rises.period_index
    where falls.fall > 0 and rises.rise > 0
),

given as (
    select
        customer_key,
        period_index,
        from_category as category,
        sum(cents) as cents
    from matched
    group by 1, 2, 3
),

taken as (
    select
        customer_key,
        period_index,
        to_category as category,
        sum(cents) as cents
    from matched
    group by 1, 2, 3
),

flows as (
    select
        period_index,
        from_category,
        to_category,
        cents,
        1 as customers
    from matched
    union all
    select
        period_index,
        category as from_category,
        category as to_category,
        least(cents_before, cents_after) as cents,
        1 as customers
    from changes
    union all
    -- cents that rounding left over have no customer who spent less, or more
    select
        changes.period_index,
        changes.category as from_category,
        'none' as to_category,
        changes.fall - coalesce(given.cents, 0) as cents,
        case when changes.fell > changes.rose then 1 else 0 end as customers
    from changes
    left join given
        on
            changes.customer_key = given.customer_key
            and changes.period_index = given.period_index
            and changes.category = given.category
    union all
    select
        changes.period_index,
        'none' as from_category,
        changes.category as to_category,
        changes.rise - coalesce(taken.cents, 0) as cents,
        case when changes.rose > changes.fell then 1 else 0 end as customers
    from changes
    left join taken
        on
            changes.customer_key = taken.customer_key
            and changes.period_index = taken.period_index
            and changes.category = taken.category
),

summed as (
    select
        period_index,
        from_category,
        to_category,
        cast(sum(customers) as bigint) as customers,
        cast(cast(sum(cents) as decimal(18, 0)) * 0.01 as decimal(18, 2)) as revenue
    from flows
    where cents <> 0
    group by 1, 2, 3
)

select * from summed
