{# The currencies without rates, if there is no order in the reporting currency. #}
with orders as (
    select * from {{ ref('int_orders') }}
),

orders_by_currency as (
    select
        currency_code,
        count(*) as orders,
        count(case when reject_reason = 'no_exchange_rate' then 1 end) as orders_without_rate,
        bool_or(currency_code = '{{ setting("reporting_currency") }}') over ()
            as has_reporting_currency
    from orders
    group by 1
),

foreign_currencies as (
    select
        currency_code,
        orders,
        row_number() over (order by orders desc, currency_code) as place
    from orders_by_currency
    where orders_without_rate > 0 and not has_reporting_currency
),

currencies as (
    select
        string_agg(currency_code, ', ' order by place)
        || case count(*) when 1 then ' has no rate' else ' have no rates' end as fault,
        min(case when place = 1 then currency_code end) as commonest_currency
    from foreign_currencies
)

select * from currencies
