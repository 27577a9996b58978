{# The contribution of each amount of revenue among a period's active customers. Customers keep
   their order on disk, as no window runs over all of them. #}
with measures as (
    select * from {{ ref('int_customer_measures') }}
),

amounts as (
    select
        period_index,
        monetary,
        count(*) as customers
    from measures
    where customer_status = 'active'
    group by period_index, monetary
),

normalised as (
    {{ contributions('amounts', 'monetary') }}
)

select * from normalised
