with rejects as (
    select * from {{ ref('int_cross_table_rejects') }}
),

survey_responses as (
    select * from {{ ref('int_survey_responses') }} where not is_of_unknown_customer
),

tickets as (
    select * from {{ ref('int_tickets') }} where not is_of_unknown_customer
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

counted as (
    {%- for source_name, table_name, staged_model in customer_tiering.raw_tables() %}
    {%- set amount = customer_tiering.source_meta(source_name, table_name, 'amount') %}
    {%- set has_amount = 'true' if amount else 'false' %}
    {%- set amount = amount or 'cast(null as decimal(18, 2))' %}
    select
        '{{ table_name }}' as source_table,
        base.rows_in,
        base.rows_accepted,
        staged.row_count as rows_kept,
        {{ has_amount }} as has_amount,
        base.amount_in,
        base.amount_accepted,
        staged.amount as amount_kept
    from (
        select
            count(*) as rows_in,
            count(case when reject_reason is null then 1 end) as rows_accepted,
            sum({{ amount }}) as amount_in,
            sum(case when reject_reason is null then {{ amount }} end) as amount_accepted
        from {{ ref('base_' ~ source_name ~ '__' ~ table_name) }}
    ) as base
    cross join (
        select
            count(*) as row_count,
            sum({{ amount }}) as amount
        from {{ ref(staged_model) }}
    ) as staged
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

undecided as (
    {%- for source_name, table_name, staged_model in customer_tiering.raw_tables() %}
    select *
    from (
        {{ customer_tiering.undecided_duplicates(source_name, table_name, 'counted') }}
    ) as {{ table_name }}_undecided
    {{ 'union all' if not loop.last }}
    {%- endfor %}
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
        counted.source_table,

        counted.rows_in,
        counted.rows_kept - coalesce(rejected_later.row_count, 0) as rows_staged,
        counted.rows_accepted - counted.rows_kept as rows_duplicate,
        counted.rows_in - counted.rows_accepted
        + coalesce(rejected_later.row_count, 0) as rows_rejected,
        counted.has_amount,
        coalesce(counted.amount_in, 0) as amount_in,
        coalesce(counted.amount_kept, 0) - coalesce(rejected_later.amount, 0) as amount_staged,
        coalesce(counted.amount_accepted, 0) - coalesce(counted.amount_kept, 0) as amount_duplicate,
        coalesce(counted.amount_in, 0) - coalesce(counted.amount_accepted, 0)
        + coalesce(rejected_later.amount, 0) as amount_rejected,
        undecided.row_count as rows_undecided,
        coalesce(unused.row_count, 0) as rows_unused,
        coalesce(undecided.amount, 0) as amount_undecided
    from counted
    inner join undecided on counted.source_table = undecided.source_table
    left join rejected_later on counted.source_table = rejected_later.source_table
    left join unused on counted.source_table = unused.source_table
)

select
    source_table,

    cast(rows_in as bigint) as rows_in,
    cast(rows_staged as bigint) as rows_staged,
    cast(rows_duplicate as bigint) as rows_duplicate,
    cast(rows_rejected as bigint) as rows_rejected,
    cast(rows_undecided as bigint) as rows_undecided,
    cast(rows_unused as bigint) as rows_unused,
    case when has_amount then cast(amount_in as decimal(38, 2)) end as amount_in,
    case when has_amount then cast(amount_staged as decimal(38, 2)) end as amount_staged,
    case when has_amount then cast(amount_duplicate as decimal(38, 2)) end as amount_duplicate,
    case when has_amount then cast(amount_rejected as decimal(38, 2)) end as amount_rejected,
    case when has_amount then cast(amount_undecided as decimal(38, 2)) end as amount_undecided
from reconciled
