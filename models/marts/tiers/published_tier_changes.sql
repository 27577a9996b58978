-- of two publications of one date only the later one counts
with published as (
    select *
    from {{ ref('published_tiers') }}
    where dbt_valid_to is null or dbt_valid_to > dbt_valid_from
),

customers as (
    select customer_id, reviewed_customer_id from {{ ref('customers') }}
),

customer_periods as (
    select * from {{ ref('customer_periods') }}
)

select
    published.customer_id,
    published.tier_code,
    case
        when customers.customer_id is not null then coalesce(customer_periods.tier_code, 'none')
    end as tier_code_now_known,

    published.tier_code <> coalesce(customer_periods.tier_code, 'none') as is_revised,

    published.reviewed_on as valid_from,
    lead(published.reviewed_on) over (
        partition by published.customer_id order by published.dbt_valid_from
    ) as valid_to,
    cast(published.dbt_valid_from as date) as published_on
from published
left join customers on published.customer_id = customers.customer_id
left join customer_periods
    on
        customers.reviewed_customer_id = customer_periods.customer_id
        and published.reviewed_on = customer_periods.period_end
