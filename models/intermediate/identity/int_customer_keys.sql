{# Every id that a customer may be named by, with who that is and a small number that stands for the
   customer wherever something is computed per customer and period. #}
with customers as (
    select * from {{ ref('stg_crm__customers') }}
),

orders as (
    select * from {{ ref('base_shop__orders') }}
),

identities as (
    select * from {{ ref('int_customer_identities') }}
),

named as (
    select customer_id from customers
    union
    select customer_id from orders where customer_id is not null
    union
    select customer_id from identities
    union
    select resolved_customer_id as customer_id from identities
),

resolved as (
    select
        named.customer_id,
        coalesce(identities.resolved_customer_id, named.customer_id) as resolved_customer_id
    from named
    left join identities on named.customer_id = identities.customer_id
),

numbered as (
    select
        customer_id,
        resolved_customer_id,
        cast(dense_rank() over (order by resolved_customer_id) as integer) as customer_key
    from resolved
)

select * from numbered
