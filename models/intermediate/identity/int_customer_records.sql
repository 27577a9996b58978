{# Which record speaks for a customer: that of the id that stayed; without one, the newest of
   those merged into it. #}
with customers as (
    select * from {{ ref('stg_crm__customers') }}
),

identities as (
    select * from {{ ref('int_customer_identities') }}
),

own_records as (
    select
        customers.customer_id,
        customers.customer_id as resolved_customer_id,
        customers.parent_customer_id,
        customers.industry,
        customers.company_size
    from customers
    left join identities on customers.customer_id = identities.customer_id
    where identities.customer_id is null
),

-- only merged ids are sorted, and they are few
merged_records as (
    select
        customers.customer_id,
        identities.resolved_customer_id,
        customers.parent_customer_id,
        customers.industry,
        customers.company_size,
        row_number() over (
            partition by identities.resolved_customer_id
            order by customers.updated_at desc nulls last, customers.customer_id
        ) as place
    from customers
    inner join identities on customers.customer_id = identities.customer_id
    left join own_records
        on identities.resolved_customer_id = own_records.resolved_customer_id
    where own_records.resolved_customer_id is null
),

records as (
    select * from own_records
    union all
    select
        customer_id,
        resolved_customer_id,
        parent_customer_id,
        industry,
        company_size
    from merged_records
    where place = 1
)

select * from records
