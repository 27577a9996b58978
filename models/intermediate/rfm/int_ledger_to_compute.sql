with ledger as (
    select * from {{ ref('int_customer_ledger') }}
),

customers as (
    select * from {{ ref('int_customers_to_compute') }}
),

to_compute as (
    select ledger.*
    from ledger
    inner join customers on ledger.customer_key = customers.customer_key
)

select * from to_compute
