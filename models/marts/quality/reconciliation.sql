with source_counts as (
    select * from {{ ref('int_source_counts') }}
),

rejects as (
    select * from {{ ref('int_cross_table_rejects') }}
),

survey_responses as (
    select * from {{ ref('int_survey_responses') }}
),

tickets as (
    select * from {{ ref('int_tickets') }}
),

products as (
    select * from {{ ref('stg_shop__products') }}
),

rejected_later as (
    select
        source_table,
        sum(case when action = 'rejected' then 1 else 0 end) as row_count,
        sum(rejected_amount) as amount
    from rejects
    group by source_table
),

-- staged rows that lack all that a model could read of them: a score on an unknown scale, a ticket
-- neither rated nor of a type, a product that is in no category and of no type
unused as (
    select
        'survey_responses' as source_table,
        count(*) as row_count
    from survey_responses
    where survey_type is null
    union all
    select
        'tickets' as source_table,
        count(*) as row_count
    from tickets
    where ticket_type is null and satisfaction_score is null
    union all
    select
        'products' as source_table,
        count(*) as row_count
    from products
    where category is null and product_type is null
),

reconciled as (
    select
        source_counts.source_table,

        source_counts.rows_in,
        source_counts.rows_kept - coalesce(rejected_later.row_count, 0) as rows_staged,
        source_counts.rows_accepted - source_counts.rows_kept as rows_duplicate,
        source_counts.rows_in - source_counts.rows_accepted
        + coalesce(rejected_later.row_count, 0) as rows_rejected,
        source_counts.has_amount,
        source_counts.amount_in,
        source_counts.amount_kept - coalesce(rejected_later.amount, 0) as amount_staged,
        source_counts.amount_accepted - source_counts.amount_kept as amount_duplicate,
        source_counts.amount_in - source_counts.amount_accepted
        + coalesce(rejected_later.amount, 0) as amount_rejected,
        source_counts.rows_of_known_customers,
        source_counts.rows_of_unknown_customers,
        source_counts.rows_of_guests,
        source_counts.rows_undecided,
        coalesce(unused.row_count, 0) as rows_unused,
        source_counts.amount_undecided
    from source_counts
    left join rejected_later on source_counts.source_table = rejected_later.source_table
    left join unused on source_counts.source_table = unused.source_table
)

select
    source_table,

    cast(rows_in as bigint) as rows_in,
    cast(rows_staged as bigint) as rows_staged,
    cast(rows_duplicate as bigint) as rows_duplicate,
    cast(rows_rejected as bigint) as rows_rejected,
    cast(rows_undecided as bigint) as rows_undecided,
    cast(rows_unused as bigint) as rows_unused,
    cast(rows_of_known_customers as bigint) as rows_of_known_customers,
    cast(rows_of_unknown_customers as bigint) as rows_of_unknown_customers,
    cast(rows_of_guests as bigint) as rows_of_guests,
    case when has_amount then cast(amount_in as decimal(38, 2)) end as amount_in,
    case when has_amount then cast(amount_staged as decimal(38, 2)) end as amount_staged,
    case when has_amount then cast(amount_duplicate as decimal(38, 2)) end as amount_duplicate,
    case when has_amount then cast(amount_rejected as decimal(38, 2)) end as amount_rejected,
    case when has_amount then cast(amount_undecided as decimal(38, 2)) end as amount_undecided
from reconciled
