{# Not built unless the raw tables are within their limits. #}
{% if not execute %}{% do ref('int_source_findings') %}{% endif -%}
with customers as (
    select * from {{ ref('stg_crm__customers') }}
),

records as (
    select * from {{ ref('int_customer_records') }}
),

groups as (
    select * from {{ ref('int_customer_groups') }}
),

customer_keys as (
    select * from {{ ref('int_customer_keys') }}
),

orders as (
    select * from {{ ref('int_orders') }}
),

industry_words as (
    select * from {{ ref('int_industry_words') }}
),

company_size_words as (
    select * from {{ ref('int_company_size_words') }}
),

erased as (
    select distinct customer_keys.customer_key
    from {{ ref('stg_crm__erasure_requests') }} as erasure_requests
    inner join customer_keys on erasure_requests.customer_id = customer_keys.customer_id
),

known as (
    select
        customers.*,
        records.resolved_customer_id,
        customer_keys.customer_key
    from customers
    inner join records on customers.customer_id = records.customer_id
    inner join customer_keys on customers.customer_id = customer_keys.customer_id
),

named_by_orders as (
    select distinct orders.member_key
    from orders
    where orders.member_key is not null and not orders.is_rejected
),

joined as (
    select
        coalesce(known.customer_key, named_by_orders.member_key) as customer_key,
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
    full outer join named_by_orders on known.customer_key = named_by_orders.member_key
),

resolved as (
    select
        survivors.customer_id,
        joined.customer_key,
        survivors.group_key,
        groups.parent_customer_id,
        coalesce(groups.root_customer_id, survivors.customer_id) as root_customer_id,
        joined.customer_type,
        joined.full_name,
        joined.email,
        joined.phone,
        joined.gender,
        joined.country_code,
        joined.region,
        joined.city,
        joined.postal_code,
        industry_words.industry,
        industry_words.industry_group,
        industry_words.industry_in_source,
        company_size_words.company_size,
        company_size_words.company_size_in_source,
        joined.acquisition_channel,
        joined.owner,

        coalesce(groups.group_depth, 0) as group_depth,

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
    left join groups on survivors.customer_id = groups.customer_id
    left join erased on joined.customer_key = erased.customer_key
    left join industry_words on joined.industry = industry_words.word
    left join company_size_words on joined.company_size = company_size_words.word
)

select * from resolved
