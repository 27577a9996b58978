{# All facts of a customer and period other than orders, in one row. #}
with categories as (
    select * from {{ ref('int_customer_categories') }}
),

new_categories as (
    select * from {{ ref('int_new_categories') }}
),

demand as (
    select * from {{ ref('int_customer_demand') }}
),

engagement as (
    select * from {{ ref('int_customer_engagement') }}
),

satisfaction as (
    select * from {{ ref('int_customer_satisfaction') }}
),

referrals as (
    select * from {{ ref('int_customer_referrals') }}
),

balances as (
    select * from {{ ref('int_customer_balances') }}
),

customer_periods as (
    select customer_key, period_index from categories
    union
    select customer_key, period_index from new_categories
    union
    select customer_key, period_index from demand
    union
    select customer_key, period_index from engagement
    union
    select customer_key, period_index from satisfaction
    union
    select customer_key, period_index from referrals
    union
    select customer_key, period_index from balances
),

joined as (
    select
        customer_periods.customer_key,
        customer_periods.period_index,
        categories.categories,
        new_categories.new_categories,
        demand.typed_revenue,
        demand.service_revenue,
        engagement.active_days,
        engagement.channels,
        engagement.usage_seconds,
        engagement.contact_months,
        satisfaction.nps_answer,
        satisfaction.csat_sum,
        satisfaction.csat_answers,
        satisfaction.complaints,
        satisfaction.open_complaints,
        referrals.converted_referrals,
        balances.newest_balance,
        balances.average_balance
    from customer_periods
    left join categories
        on
            customer_periods.customer_key = categories.customer_key
            and customer_periods.period_index = categories.period_index
    left join new_categories
        on
            customer_periods.customer_key = new_categories.customer_key
            and customer_periods.period_index = new_categories.period_index
    left join demand
        on
            customer_periods.customer_key = demand.customer_key
            and customer_periods.period_index = demand.period_index
    left join engagement
        on
            customer_periods.customer_key = engagement.customer_key
            and customer_periods.period_index = engagement.period_index
    left join satisfaction
        on
            customer_periods.customer_key = satisfaction.customer_key
            and customer_periods.period_index = satisfaction.period_index
    left join referrals
        on
            customer_periods.customer_key = referrals.customer_key
            and customer_periods.period_index = referrals.period_index
    left join balances
        on
            customer_periods.customer_key = balances.customer_key
            and customer_periods.period_index = balances.period_index
)

select * from joined
