with customers as (
    select * from {{ ref('stg_crm__customers') }}
),

identities as (
    select * from {{ ref('int_customer_identities') }}
),

orders as (
    select * from {{ ref('int_orders') }}
),

members as (
    select
        customers.*,
        coalesce(identities.resolved_customer_id, customers.customer_id) as resolved_customer_id
    from customers
    left join identities on customers.customer_id = identities.customer_id
),

-- the surviving id's own record speaks for the customer; without one, the newest of those merged into it
ranked as (
    select
        members.*,
        row_number() over (
            partition by resolved_customer_id
            order by
                case when customer_id = resolved_customer_id then 0 else 1 end,
                updated_at desc nulls last,
                customer_id
        ) as place
    from members
),

named_by_orders as (
    select distinct customer_id from orders where customer_id is not null and not is_without_rate
),

known as (
    select * from ranked where place = 1
),

joined as (
    select
        coalesce(known.resolved_customer_id, named_by_orders.customer_id) as customer_id,
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

        known.marketing_consent as has_marketing_consent,
        known.resolved_customer_id is null as is_inferred,

        known.birth_date,
        known.signed_up_on
    from known
    full outer join named_by_orders on known.resolved_customer_id = named_by_orders.customer_id
),

resolved as (
    select
        joined.customer_id,
        -- a small number stands for the id in everything that is computed per customer and period
        cast(row_number() over (order by joined.customer_id) as integer) as customer_key,
        coalesce(identities.resolved_customer_id, joined.parent_customer_id) as parent_customer_id,
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

        joined.has_marketing_consent,
        joined.is_inferred,

        joined.birth_date,
        joined.signed_up_on
    from joined
    left join identities on joined.parent_customer_id = identities.customer_id
)

select * from resolved
