with unknown_customers as (
    select * from {{ ref('int_unknown_customers') }}
),

-- on words and names that the seeds or the customers do not have
word_warnings as (
    select warning_code, subject, observed from {{ ref('int_company_warnings') }}
    union all
    select warning_code, subject, observed from {{ ref('int_attribute_warnings') }}
),

balance_warnings as (
    select * from {{ ref('int_balance_warnings') }}
),

campaign_cost_warnings as (
    select * from {{ ref('int_campaign_cost_warnings') }}
),

rejects as (
    select * from {{ ref('int_cross_table_rejects') }}
),

customers as (
    select * from {{ ref('int_customers') }} where not is_erased
),

orders as (
    select * from {{ ref('int_orders') }} where not is_rejected and not is_test
),

order_totals as (
    select
        count(*) as orders,
        count(case when customer_key is null then 1 end) as orders_of_guests,
        sum(order_amount_reporting) as revenue,
        sum(case when customer_key is null then order_amount_reporting end) as revenue_of_guests
    from orders
),

unknown_totals as (
    select
        count(*) as customers,
        sum(orders) as orders,
        sum(revenue) as revenue
    from unknown_customers
),

consents as (
    select
        count(*) as customers,
        count(case when has_marketing_consent is null then 1 end) as customers_unknown
    from customers
),

warnings as (
    select
        'unknown_customers' as warning_code,
        'orders' as subject,
        unknown_totals.customers as observed,
        unknown_totals.revenue as amount,
        {{ share('unknown_totals.orders', 'order_totals.orders') }} as share,
        {{ share('unknown_totals.revenue', 'order_totals.revenue') }}
            as amount_share
    from unknown_totals
    cross join order_totals
    where unknown_totals.customers > 0
    union all
    select
        'similar_customer_ids' as warning_code,
        matches_without as subject,
        count(*) as observed,
        sum(revenue) as amount,
        cast(null as decimal(7, 6)) as share,
        cast(null as decimal(7, 6)) as amount_share
    from unknown_customers
    where matches_without is not null
    group by matches_without
    union all
    -- some guests are usual
    select
        'guest_share' as warning_code,
        'orders' as subject,
        orders_of_guests as observed,
        revenue_of_guests as amount,
        {{ share('orders_of_guests', 'orders') }} as share,
        {{ share('revenue_of_guests', 'revenue') }} as amount_share
    from order_totals
    where
        100 * orders_of_guests
        > {{ setting('guest_share_percent') }} * orders
    union all
    select
        'consent_unknown' as warning_code,
        'customers' as subject,
        customers_unknown as observed,
        cast(null as decimal(18, 2)) as amount,
        {{ share('customers_unknown', 'customers') }} as share,
        cast(null as decimal(7, 6)) as amount_share
    from consents
    where
        100 * customers_unknown
        > {{ setting('consent_unknown_percent') }} * customers
    union all
    select
        'erasure_of_unknown_customer' as warning_code,
        source_table as subject,
        count(*) as observed,
        cast(null as decimal(18, 2)) as amount,
        cast(null as decimal(7, 6)) as share,
        cast(null as decimal(7, 6)) as amount_share
    from rejects
    where source_table = 'erasure_requests'
    group by source_table
    union all
    select
        warning_code,
        subject,
        observed,
        cast(null as decimal(18, 2)) as amount,
        cast(null as decimal(7, 6)) as share,
        cast(null as decimal(7, 6)) as amount_share
    from word_warnings
    union all
    select
        warning_code,
        subject,
        observed,
        amount,
        share,
        cast(null as decimal(7, 6)) as amount_share
    from balance_warnings
    union all
    select
        warning_code,
        subject,
        observed,
        amount,
        cast(null as decimal(7, 6)) as share,
        cast(null as decimal(7, 6)) as amount_share
    from campaign_cost_warnings
)

select * from warnings
