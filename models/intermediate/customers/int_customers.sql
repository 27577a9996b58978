{# Not built unless the raw tables are within their limits. #}
{% if not execute %}{% do ref('int_source_findings') %}{% endif -%}
with customers as (
    select * from {{ ref('stg_crm__customers') }}
),

customer_keys as (
    select * from {{ ref('int_customer_keys') }}
),

orders as (
    select * from {{ ref('int_orders') }}
),

erased as (
    select distinct customer_keys.customer_key
    from {{ ref('stg_crm__erasure_requests') }} as erasure_requests
    inner join customer_keys on erasure_requests.customer_id = customer_keys.customer_id
),

members as (
    select
        customers.*,
        customer_keys.resolved_customer_id,
        customer_keys.customer_key
    from customers
    inner join customer_keys on customers.customer_id = customer_keys.customer_id
),

-- the surviving id's own record speaks for the customer; without one, the newest of those merged
-- into it
ranked as (
    select
        members.*,
        row_number() over (
            partition by customer_key
            order by
                case when customer_id = resolved_customer_id then 0 else 1 end,
                updated_at desc nulls last,
                customer_id
        ) as place
    from members
),

named_by_orders as (
    select distinct orders.customer_key
    from orders
    where orders.customer_key is not null and not orders.is_rejected
),

known as (
    select * from ranked where place = 1
),

joined as (
    select
        coalesce(known.customer_key, named_by_orders.customer_key) as customer_key,
        known.parent_customer_id,
        known.customer_type,
        known.full_name,
        known.email,
        known.phone,
        known.gender,
        known.country_code,
        known.region,
        known.city,
        known.postal_code,
        known.industry,
        known.company_size,
        known.acquisition_channel,
        known.owner,

        known.marketing_consent as has_marketing_consent,
        known.customer_key is null as is_inferred,

        known.birth_date,
        known.signed_up_on
    from known
    full outer join named_by_orders on known.customer_key = named_by_orders.customer_key
),

resolved as (
    select
        survivors.customer_id,
        joined.customer_key,
        coalesce(parents.resolved_customer_id, joined.parent_customer_id) as parent_customer_id,
        joined.customer_type,
        joined.full_name,
        joined.email,
        joined.phone,
        joined.gender,
        joined.country_code,
        joined.region,
        joined.city,
        joined.postal_code,
        joined.industry,
        joined.company_size,
        joined.acquisition_channel,
        joined.owner,

        case
            when erased.customer_key is null then joined.has_marketing_consent else false
        end as has_marketing_consent,
        erased.customer_key is not null as is_erased,
        joined.is_inferred,

        joined.birth_date,
        joined.signed_up_on
    from joined
    inner join customer_keys as survivors
        on
            joined.customer_key = survivors.customer_key
            and survivors.customer_id = survivors.resolved_customer_id
    left join erased on joined.customer_key = erased.customer_key
    left join customer_keys as parents on joined.parent_customer_id = parents.customer_id
)

select * from resolved
