{# Law: rows in = staged + duplicate + rejected, and so for money, to the cent. The reconciliation
   has every table of the raw contract, and is compared with counts taken elsewhere: the raw tables,
   the list of rejected records, and the rows that go on. #}
with contract as (
    select distinct source_table from {{ source('landing', 'landed_columns') }}
),

reconciliation as (
    select * from {{ ref('reconciliation') }}
),

raw_counts as (
    {%- for source_name, table_name in raw_tables() %}
    select
        '{{ table_name }}' as source_table,
        count(*) as row_count
    from {{ source(source_name, table_name) }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

rejected_counts as (
    select
        source_table,
        count(*) as row_count
    from {{ ref('rejected_records') }}
    where action = 'rejected'
    group by source_table
),

staged as (
    select
        'customers' as source_table,
        count(*) as row_count,
        cast(null as decimal(18, 2)) as amount
    from {{ ref('stg_crm__customers') }}
    union all
    select 'customer_merges' as source_table, count(*) as row_count, null as amount
    from {{ ref('int_customer_merges') }}
    where reject_reason is null
    union all
    select 'erasure_requests' as source_table, count(*) as row_count, null as amount
    from {{ ref('stg_crm__erasure_requests') }} as requests
    inner join {{ ref('int_known_customer_ids') }} as known_ids
        on requests.customer_id = known_ids.customer_id
    union all
    select 'orders' as source_table, count(*) as row_count, coalesce(sum(order_amount), 0) as amount
    from {{ ref('int_orders') }}
    where not is_rejected
    union all
    select
        'order_items' as source_table,
        count(*) as row_count,
        coalesce(sum(line_amount), 0) as amount
    from {{ ref('int_order_items') }}
    where not is_of_unknown_order
    union all
    select 'products' as source_table, count(*) as row_count, null as amount
    from {{ ref('stg_shop__products') }}
    union all
    select
        'refunds' as source_table,
        sum(case when reject_reason is null or reversed_amount > 0 then 1 else 0 end) as row_count,
        coalesce(
            sum(case when reject_reason is null then refund_amount else reversed_amount end), 0
        ) as amount
    from {{ ref('int_order_reversals') }}
    where refund_id is not null
    union all
    select 'exchange_rates' as source_table, count(*) as row_count, null as amount
    from {{ ref('stg_shop__exchange_rates') }}
    union all
    select 'interactions' as source_table, count(*) as row_count, null as amount
    from {{ ref('int_interactions') }}
    union all
    select 'tickets' as source_table, count(*) as row_count, null as amount
    from {{ ref('int_tickets') }}
    union all
    select 'survey_responses' as source_table, count(*) as row_count, null as amount
    from {{ ref('int_survey_responses') }}
    union all
    select 'referrals' as source_table, count(*) as row_count, null as amount
    from {{ ref('int_referrals') }}
    where reject_reason is null
    union all
    select 'customer_attributes' as source_table, count(*) as row_count, null as amount
    from {{ ref('int_identified_customer_attributes') }}
    where customer_key is not null
    union all
    select 'campaigns' as source_table, count(*) as row_count, null as amount
    from {{ ref('stg_marketing__campaigns') }}
    union all
    select 'campaign_contacts' as source_table, count(*) as row_count, null as amount
    from {{ ref('int_campaign_contacts') }}
    where reject_reason is null
    union all
    select
        'account_balances' as source_table,
        count(*) as row_count,
        coalesce(sum(balance_amount), 0) as amount
    from {{ ref('int_account_balances') }}
    where reject_reason is null
)

select
    coalesce(contract.source_table, raw_counts.source_table) as table_of_contract,
    reconciliation.*,
    raw_counts.row_count as raw_rows,
    coalesce(rejected_counts.row_count, 0) as rows_in_rejected_records,
    coalesce(staged.row_count, 0) as rows_going_on,
    staged.amount as amount_going_on
from contract
full outer join raw_counts on contract.source_table = raw_counts.source_table
left join reconciliation on raw_counts.source_table = reconciliation.source_table
left join rejected_counts on raw_counts.source_table = rejected_counts.source_table
left join staged on raw_counts.source_table = staged.source_table
where
    contract.source_table is null
    or reconciliation.source_table is null
    or reconciliation.rows_in is distinct from raw_counts.row_count
    or reconciliation.rows_rejected is distinct from coalesce(rejected_counts.row_count, 0)
    or reconciliation.rows_staged is distinct from coalesce(staged.row_count, 0)
    or reconciliation.rows_in is distinct from
    reconciliation.rows_staged + reconciliation.rows_duplicate + reconciliation.rows_rejected
    or reconciliation.rows_duplicate < 0
    or reconciliation.amount_staged is distinct from staged.amount
    or reconciliation.amount_in is distinct from
    reconciliation.amount_staged
    + reconciliation.amount_duplicate
    + reconciliation.amount_rejected
