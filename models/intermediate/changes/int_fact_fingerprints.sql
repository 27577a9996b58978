{# What is known by period is computed from these facts alone: the same fingerprints up to a day are
   the same facts up to it. A fact that ends later than it begins, such as an order that is undone, is
   two: what was known before the end does not depend on it. #}
with ledger as (
    select * from {{ ref('int_customer_ledger') }}
),

orders as (
    select * from {{ ref('int_customer_orders') }}
),

reversals as (
    select * from {{ ref('int_customer_reversals') }}
),

items as (
    select * from {{ ref('int_order_items') }} where is_entered and customer_key is not null
),

interactions as (
    select * from {{ ref('int_interactions') }}
),

tickets as (
    select * from {{ ref('int_tickets') }}
),

responses as (
    select * from {{ ref('int_survey_responses') }}
),

referrals as (
    select * from {{ ref('int_referrals') }} where reject_reason is null
),

balances as (
    select * from {{ ref('int_account_balances') }} where reject_reason is null
),

fingerprints as (
    select
        'ledger' as fact_table,
        known_date as known_on,
        {{ fingerprint([
            'customer_key', 'orders_delta', 'revenue_delta', 'refunded_amount', 'order_date'
        ]) }} as fingerprint
    from ledger
    group by known_date
    union all
    select
        'orders' as fact_table,
        order_date as known_on,
        {{ fingerprint(['order_id', 'customer_key', 'channel', 'order_amount_reporting']) }}
            as fingerprint
    from orders
    group by order_date
    union all
    select
        'reversals' as fact_table,
        known_date as known_on,
        {{ fingerprint(['order_id', 'reversed_amount_reporting', 'is_order_undone']) }}
            as fingerprint
    from reversals
    group by known_date
    union all
    select
        'items' as fact_table,
        order_date as known_on,
        {{ fingerprint([
            'order_id', 'line_number', 'customer_key', 'product_id', 'category', 'product_type',
            'line_amount', 'rate_to_reporting',
        ]) }} as fingerprint
    from items
    group by order_date
    union all
    select
        'undone_items' as fact_table,
        undone_on as known_on,
        {{ fingerprint([
            'customer_key', 'product_id', 'category', 'product_type', 'line_amount',
            'rate_to_reporting', 'order_date',
        ]) }} as fingerprint
    from items
    where undone_on is not null
    group by undone_on
    union all
    select
        'interactions' as fact_table,
        occurred_on as known_on,
        {{ fingerprint([
            'customer_key', 'channel', 'interaction_type', 'duration_seconds'
        ]) }} as fingerprint
    from interactions
    group by occurred_on
    union all
    select
        'opened_tickets' as fact_table,
        opened_on as known_on,
        {{ fingerprint([
            'customer_key', 'ticket_type',
            'case when closed_on is null then satisfaction_score end',
        ]) }} as fingerprint
    from tickets
    group by opened_on
    union all
    select
        'closed_tickets' as fact_table,
        closed_on as known_on,
        {{ fingerprint([
            'customer_key', 'ticket_type', 'satisfaction_score', 'opened_on'
        ]) }} as fingerprint
    from tickets
    where closed_on is not null
    group by closed_on
    union all
    select
        'survey_responses' as fact_table,
        responded_on as known_on,
        {{ fingerprint([
            'customer_key', 'survey_type', 'score', 'responded_at', 'response_id'
        ]) }} as fingerprint
    from responses
    group by responded_on
    union all
    select
        'referrals' as fact_table,
        referred_on as known_on,
        {{ fingerprint(['customer_key']) }} as fingerprint
    from referrals
    group by referred_on
    union all
    select
        'converted_referrals' as fact_table,
        converted_on as known_on,
        {{ fingerprint(['customer_key']) }} as fingerprint
    from referrals
    where converted_on is not null
    group by converted_on
    union all
    select
        'account_balances' as fact_table,
        balance_date as known_on,
        {{ fingerprint([
            'customer_key', 'customer_id', 'account_id', 'currency_code', 'balance_reporting'
        ]) }} as fingerprint
    from balances
    group by balance_date
)

select * from fingerprints
