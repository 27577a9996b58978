{# How much customers spend on services and solutions, of all that has a product type, over the
   window of each period. Amounts are whole numbers of 10^-10 of the reporting currency: exact, as
   cents times rates of 8 decimals. #}
with items as (
    select
        customer_key,
        product_type,
        coalesce({{ cents('line_amount') }}, 0)
        * cast(
            100000000 * cast(rate_to_reporting as decimal(38, 8))
            as {{ wide_integer_type() }}
        )
            as revenue,
        order_date,
        undone_on
    from {{ ref('int_order_items') }}
    where is_entered and customer_key is not null and product_type is not null
),

periods as (
    select * from {{ ref('int_periods_to_compute') }}
),

summed as (
    select
        items.customer_key,
        periods.period_index,
        sum(items.revenue) as typed_revenue,
        sum(case when items.product_type in ('service', 'solution') then items.revenue else 0 end)
            as service_revenue
    from items
    inner join periods
        on
            {{ in_window('items.order_date', 'periods.period_end') }}
            and (items.undone_on is null or items.undone_on > periods.period_end)
    group by items.customer_key, periods.period_index
)

select * from summed
