with raw_row_counts as (
    select * from {{ ref('int_raw_row_counts') }}
),

customers as (
    select * from {{ ref('stg_crm__customers') }}
),

orders as (
    select * from {{ ref('int_orders') }}
),

unknown_customers as (
    select * from {{ ref('int_unknown_customers') }}
),

kept as (
    select
        'customers' as source_table,
        count(*) as rows_kept,
        0 as rows_rejected_later,
        cast(null as bigint) as rows_of_customers,
        cast(null as bigint) as rows_of_guests
    from customers
    union all
    select
        'orders' as source_table,
        count(*) as rows_kept,
        count(case when is_rejected then 1 end) as rows_rejected_later,
        count(case when not is_rejected and not is_test then customer_key end) as rows_of_customers,
        count(case when not is_rejected and not is_test and customer_key is null then 1 end)
            as rows_of_guests
    from orders
),

unknown as (
    select
        'orders' as source_table,
        coalesce(sum(orders), 0) as row_count
    from unknown_customers
),

counted as (
    select
        raw_row_counts.*,
        kept.rows_kept,
        case
            when raw_row_counts.unmatched_column is not null then raw_row_counts.rows_in
            else
                raw_row_counts.rows_in - raw_row_counts.rows_accepted
                + coalesce(kept.rows_rejected_later, 0)
        end as rows_rejected,
        kept.rows_of_customers - unknown.row_count as rows_of_known_customers,
        unknown.row_count as rows_of_unknown_customers,
        kept.rows_of_guests
    from raw_row_counts
    left join kept on raw_row_counts.source_table = kept.source_table
    left join unknown on raw_row_counts.source_table = unknown.source_table
),

undecided as (
    select *
    from (
        {{ undecided_duplicates('crm', 'customers', 'counted') }}
    ) as undecided_customers
    union all
    select *
    from (
        {{ undecided_duplicates('shop', 'orders', 'counted') }}
    ) as undecided_orders
),

completed as (
    select
        counted.source_table,
        counted.unmatched_column,

        counted.rows_in,
        counted.rows_accepted,
        counted.rows_kept,
        counted.rows_rejected,
        undecided.row_count as rows_undecided,
        counted.rows_of_known_customers,
        counted.rows_of_unknown_customers,
        counted.rows_of_guests,
        counted.amount_in,
        counted.amount_accepted,
        undecided.amount as amount_undecided,

        counted.has_amount,
        undecided.has_different_amounts
    from counted
    left join undecided on counted.source_table = undecided.source_table
)

select * from completed
