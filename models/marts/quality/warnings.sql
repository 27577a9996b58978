with top_tier_warnings as (
    select * from {{ ref('int_top_tier_warnings') }}
),

plain_warnings as (
    select * from {{ ref('int_score_warnings') }}
    union all
    select * from {{ ref('int_campaign_warnings') }}
),

customer_warnings as (
    select * from {{ ref('int_customer_warnings') }}
),

reconciliation as (
    select * from {{ ref('reconciliation') }}
),

rejected_records as (
    select * from {{ ref('int_rejected_records') }}
),

published_counts as (
    select * from {{ source('builds', 'published_counts') }}
),

credit_notes as (
    select
        coalesce(
            upper(read_text({{ json_value('raw_record', "'$.currency_code'") }})),
            '{{ setting("reporting_currency") }}'
        ) as currency_code,
        read_amount({{ json_value('raw_record', "'$.order_amount'") }}) as order_amount
    from rejected_records
    where reject_reason = 'credit_note_without_order'
),

raw_table_warnings as (
    select
        'rows_rejected' as warning_code,
        source_table as subject,
        rows_rejected as observed,
        cast(null as decimal(18, 2)) as amount
    from reconciliation
    where rows_rejected > 0
    union all
    select
        'credit_notes_without_order' as warning_code,
        currency_code as subject,
        count(*) as observed,
        sum(order_amount) as amount
    from credit_notes
    group by currency_code
    union all
    select
        'undecided_duplicates' as warning_code,
        source_table as subject,
        rows_undecided as observed,
        amount_undecided as amount
    from reconciliation
    where rows_undecided > 0
    union all
    -- of orders, lines of one amount look like this
    select
        'many_duplicates' as warning_code,
        source_table as subject,
        rows_duplicate - rows_undecided as observed,
        amount_duplicate - amount_undecided as amount
    from reconciliation
    where
        source_table = 'orders'
        and 100 * (rows_duplicate - rows_undecided)
        > {{ setting('many_duplicates_percent') }} * rows_in
    union all
    select
        'unused_rows' as warning_code,
        source_table as subject,
        rows_unused as observed,
        cast(null as decimal(18, 2)) as amount
    from reconciliation
    where rows_unused > 0
    union all
    select
        'no_new_orders' as warning_code,
        'orders' as subject,
        reconciliation.rows_in as observed,
        cast(null as decimal(18, 2)) as amount
    from reconciliation
    inner join published_counts on reconciliation.source_table = published_counts.source_table
    where
        reconciliation.source_table = 'orders'
        and reconciliation.rows_in <= published_counts.rows_in
),

warnings as (
    select
        warning_code,
        subject,
        binding_rule,
        observed,
        cast(null as decimal(18, 2)) as amount,
        cast(null as decimal(7, 6)) as share,
        cast(null as decimal(7, 6)) as amount_share
    from top_tier_warnings
    union all
    select
        warning_code,
        subject,
        cast(null as {{ string_type() }}) as binding_rule,
        observed,
        cast(null as decimal(18, 2)) as amount,
        cast(null as decimal(7, 6)) as share,
        cast(null as decimal(7, 6)) as amount_share
    from plain_warnings
    union all
    select
        warning_code,
        subject,
        cast(null as {{ string_type() }}) as binding_rule,
        observed,
        amount,
        share,
        amount_share
    from customer_warnings
    union all
    select
        warning_code,
        subject,
        cast(null as {{ string_type() }}) as binding_rule,
        observed,
        amount,
        cast(null as decimal(7, 6)) as share,
        cast(null as decimal(7, 6)) as amount_share
    from raw_table_warnings
)

select
    warning_code,
    subject,
    binding_rule,

    cast(observed as bigint) as observed,
    cast(amount as decimal(38, 2)) as amount,
    share,
    amount_share
from warnings
