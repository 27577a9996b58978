{# Every id that a customer may be named by, with who that is and a small number that stands for
   the customer wherever something is computed per customer and period: under tier_level group the
   number of the root stands for all members of a group. A customer keeps the number of the last
   build, as the periods that are kept from it do. #}
with customers as (
    select * from {{ ref('stg_crm__customers') }}
),

orders as (
    select * from {{ ref('base_shop__orders') }}
),

identities as (
    select * from {{ ref('int_customer_identities') }}
),

-- none unless tier_level is group
groups as (
    select * from {{ ref('int_customer_groups') }} where '{{ setting("tier_level") }}' = 'group'
),

keys_before as (
    select * from {{ source('builds', 'customer_keys') }}
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

newcomers as (
    select distinct resolved.resolved_customer_id
    from resolved
    left join keys_before on resolved.resolved_customer_id = keys_before.resolved_customer_id
    where keys_before.resolved_customer_id is null
),

highest as (
    select coalesce(max(customer_key), 0) as customer_key from keys_before
),

numbered as (
    select
        newcomers.resolved_customer_id,
        cast(
            highest.customer_key + row_number() over (order by newcomers.resolved_customer_id)
            as integer
        ) as customer_key
    from newcomers
    cross join highest
    union all
    select
        resolved_customer_id,
        customer_key
    from keys_before
),

keyed as (
    select
        resolved.customer_id,
        resolved.resolved_customer_id,
        numbered.customer_key,
        coalesce(roots.customer_key, numbered.customer_key) as group_key
    from resolved
    inner join numbered on resolved.resolved_customer_id = numbered.resolved_customer_id
    left join groups on resolved.resolved_customer_id = groups.customer_id
    left join numbered as roots on groups.root_customer_id = roots.resolved_customer_id
)

select * from keyed
