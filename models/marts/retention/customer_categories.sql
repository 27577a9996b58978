with items as (
    select * from {{ ref('int_order_items') }}
    where is_entered and member_key is not null and category is not null
),

as_of as (
    select * from {{ ref('int_as_of') }}
),

customers as (
    select customer_key, customer_id from {{ ref('int_customers') }}
),

lines_of_orders as (
    select
        items.order_id,
        items.member_key as customer_key,
        items.category,
        items.order_date,
        sum({{ in_reporting_currency(
            'coalesce(items.line_amount, 0)', 'items.rate_to_reporting'
        ) }}) as revenue
    from items
    inner join as_of
        on
            items.order_date <= as_of.as_of_date
            and (items.undone_on is null or items.undone_on > as_of.as_of_date)
    group by 1, 2, 3, 4
),

bought as (
    select
        customer_key,
        category,
        count(*) as orders,
        sum(revenue) as revenue,
        min(order_date) as first_order_on,
        max(order_date) as last_order_on
    from lines_of_orders
    group by 1, 2
),

ranked as (
    select
        customer_key,
        category,
        row_number() over (
            partition by customer_key order by revenue desc, category
        ) as place,
        orders,
        cast({{ rounded('revenue', 2) }} as decimal(38, 2)) as revenue,
        first_order_on,
        last_order_on
    from bought
),

totalled as (
    select
        *,
        sum(greatest(revenue, 0)) over (partition by customer_key) as revenue_of_customer
    from ranked
),

shared as (
    select
        *,
        case
            when revenue_of_customer > 0
                then
                    {{ rounded_ratio(
                        '1000000 * ' ~ cents('greatest(revenue, 0)'), cents('revenue_of_customer')
                    ) }}
        end as share_millionths
    from totalled
)

select
    customers.customer_id,
    shared.category,

    cast(shared.place as integer) as category_rank,
    cast(shared.orders as integer) as orders,
    shared.revenue,
    {{ share_with_remainder('shared.customer_key') }} as revenue_share,

    shared.first_order_on,
    shared.last_order_on
from shared
inner join customers on shared.customer_key = customers.customer_key
