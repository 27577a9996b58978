{# Rows that only another table shows to be wrong. #}
{#- Parents and facts of customers: the model that has them identified, what its rows are told
    apart by, why they are rejected, and for which column. -#}
{%- set unknown_customer = "case when customer_key is null then 'unknown_customer' end" -%}
{%- set facts = {
    'customers': ['int_customer_parents', 'record_id', 'reject_reason', "'parent_customer_id'"],
    'interactions': ['int_identified_interactions', 'interaction_id', unknown_customer, "'customer_id'"],
    'tickets': ['int_identified_tickets', 'ticket_id', unknown_customer, "'customer_id'"],
    'survey_responses': ['int_identified_survey_responses', 'response_id', unknown_customer, "'customer_id'"],
    'customer_attributes': [
        'int_identified_customer_attributes', "concat_ws('|', customer_id, attribute, value)", unknown_customer,
        "'customer_id'",
    ],
    'referrals': [
        'int_referrals', 'referral_id', 'reject_reason',
        "case reject_reason when 'self_referral' then 'referred_customer_id' else 'referrer_customer_id' end",
    ],
    'campaign_contacts': [
        'int_campaign_contacts', "concat_ws('|', campaign_id, customer_id)", 'reject_reason',
        "case reject_reason when 'unknown_campaign' then 'campaign_id' else 'customer_id' end",
    ],
} -%}

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

account_balances as (
    select * from {{ ref('int_account_balances') }}
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
    {%- for table_name, (model, key, reject_reason, column_name) in facts.items() %}
    union all
    select
        '{{ table_name }}' as source_table,
        {{ key }} as row_key,
        '{{ 'nulled' if table_name == 'customers' else 'rejected' }}' as action,
        {{ reject_reason }} as reject_reason,
        {{ column_name }} as column_name,
        cast(null as decimal(18, 2)) as rejected_amount
    from {{ ref(model) }}
    where {{ reject_reason }} is not null
    {%- endfor %}
    union all
    select
        'account_balances' as source_table,
        concat_ws(
            '|', customer_id, account_id, currency_code, cast(balance_date as {{ string_type() }})
        ) as row_key,
        'rejected' as action,
        reject_reason,
        case reject_reason
            when 'unknown_customer' then 'customer_id'
            when 'no_exchange_rate' then 'currency_code'
            else 'balance_amount'
        end as column_name,
        balance_amount as rejected_amount
    from account_balances
    where reject_reason is not null
)

select * from rejects
