{# Rows that only another table shows to be wrong. #}
with orders as (
    select * from {{ ref('int_orders') }}
),

order_items as (
    select * from {{ ref('int_order_items') }}
),

reversals as (
    select * from {{ ref('int_order_reversals') }}
),

customer_merges as (
    select * from {{ ref('int_customer_merges') }}
),

erasure_requests as (
    select * from {{ ref('stg_crm__erasure_requests') }}
),

known_ids as (
    select * from {{ ref('int_known_customer_ids') }}
),

interactions as (
    select * from {{ ref('int_identified_interactions') }}
),

tickets as (
    select * from {{ ref('int_identified_tickets') }}
),

survey_responses as (
    select * from {{ ref('int_identified_survey_responses') }}
),

referrals as (
    select * from {{ ref('int_referrals') }}
),

rejects as (
    select
        'orders' as source_table,
        order_id as row_key,
        'rejected' as action,
        reject_reason,
        case reject_reason
            when 'no_exchange_rate' then 'currency_code'
            else 'order_amount'
        end as column_name,
        order_amount as rejected_amount
    from orders
    where is_rejected
    union all
    select
        'order_items' as source_table,
        concat_ws('|', order_id, cast(line_number as {{ string_type() }}))
            as row_key,
        'rejected' as action,
        'unknown_order' as reject_reason,
        'order_id' as column_name,
        line_amount as rejected_amount
    from order_items
    where is_of_unknown_order
    union all
    select
        'refunds' as source_table,
        refund_id as row_key,
        -- a refund that only partly exceeds its order is kept up to the order's amount
        case
            when reject_reason = 'refund_exceeds_order' and reversed_amount > 0 then 'nulled'
            else 'rejected'
        end as action,
        reject_reason,
        case when reject_reason = 'unknown_order' then 'order_id' else 'refund_amount' end
            as column_name,
        case when reject_reason = 'unknown_order' then refund_amount else excess_amount end
            as rejected_amount
    from reversals
    where reject_reason is not null
    union all
    select
        'customer_merges' as source_table,
        concat_ws('|', from_customer_id, into_customer_id) as row_key,
        'rejected' as action,
        reject_reason,
        'into_customer_id' as column_name,
        cast(null as decimal(18, 2)) as rejected_amount
    from customer_merges
    where reject_reason is not null
    union all
    select
        'erasure_requests' as source_table,
        erasure_requests.customer_id as row_key,
        'rejected' as action,
        'unknown_customer' as reject_reason,
        'customer_id' as column_name,
        cast(null as decimal(18, 2)) as rejected_amount
    from erasure_requests
    left join known_ids on erasure_requests.customer_id = known_ids.customer_id
    where known_ids.customer_id is null
    union all
    select
        'interactions' as source_table,
        interaction_id as row_key,
        'rejected' as action,
        'unknown_customer' as reject_reason,
        'customer_id' as column_name,
        cast(null as decimal(18, 2)) as rejected_amount
    from interactions
    where customer_key is null
    union all
    select
        'tickets' as source_table,
        ticket_id as row_key,
        'rejected' as action,
        'unknown_customer' as reject_reason,
        'customer_id' as column_name,
        cast(null as decimal(18, 2)) as rejected_amount
    from tickets
    where customer_key is null
    union all
    select
        'survey_responses' as source_table,
        response_id as row_key,
        'rejected' as action,
        'unknown_customer' as reject_reason,
        'customer_id' as column_name,
        cast(null as decimal(18, 2)) as rejected_amount
    from survey_responses
    where customer_key is null
    union all
    select
        'referrals' as source_table,
        referral_id as row_key,
        'rejected' as action,
        reject_reason,
        case
            when reject_reason = 'self_referral' then 'referred_customer_id'
            else 'referrer_customer_id'
        end as column_name,
        cast(null as decimal(18, 2)) as rejected_amount
    from referrals
    where reject_reason is not null
)

select * from rejects
