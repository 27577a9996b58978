with orders as (
    select * from {{ ref('stg_shop__orders') }}
),

customer_keys as (
    select * from {{ ref('int_customer_keys') }}
),

exchange_rates as (
    select * from {{ ref('stg_shop__exchange_rates') }}
),

rates as (
    {{ newest_rates('orders', 'order_date', 'exchange_rates') }}
),

converted as (
    select
        orders.order_id,
        customer_keys.group_key as customer_key,
        customer_keys.customer_key as member_key,
        coalesce(orders.currency_code, '{{ setting("reporting_currency") }}') as currency_code,
        orders.channel,
        orders.store_id,
        orders.order_status,

        orders.order_amount,
        orders.discount_amount,
        case
            when coalesce(orders.currency_code, '{{ setting("reporting_currency") }}')
                = '{{ setting("reporting_currency") }}' then cast(1 as decimal(18, 8))
            else rates.rate_to_reporting
        end as rate_to_reporting,

        orders.is_test,

        orders.order_date,
        orders.cancelled_on,
        orders.returned_on,

        orders.ordered_at,
        orders.cancelled_at
    from orders
    left join customer_keys on orders.customer_id = customer_keys.customer_id
    left join rates
        on orders.currency_code = rates.currency_code and orders.order_date = rates.order_date
),

judged as (
    select
        *,
        case
            when rate_to_reporting is null then 'no_exchange_rate'
            when {{ is_too_large('order_amount', 'rate_to_reporting') }} then 'amount_too_large'
        end as reject_reason
    from converted
),

entered as (
    select
        order_id,
        customer_key,
        member_key,
        currency_code,
        channel,
        store_id,
        order_status,
        reject_reason,

        order_amount,
        discount_amount,
        rate_to_reporting,
        case
            when reject_reason is null
                then {{ reporting_amount('order_amount', 'rate_to_reporting') }}
        end as order_amount_reporting,

        is_test,
        reject_reason is not null as is_rejected,
        -- whether the order comes into the ledger at all; it may be undone there later
        not is_test
        and reject_reason is null
        and (
            order_status in ('completed', 'returned')
            or (order_status = 'cancelled' and coalesce(cancelled_at > ordered_at, false))
        ) as is_entered,

        order_date,
        cancelled_on,
        returned_on,

        ordered_at
    from judged
)

select * from entered
