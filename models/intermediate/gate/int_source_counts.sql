with raw_row_counts as (
    select * from {{ ref('int_raw_row_counts') }}
),

duplicates as (
    select * from {{ ref('int_duplicate_counts') }}
),

orders as (
    select * from {{ ref('int_orders') }}
),

unknown_customers as (
    select * from {{ ref('int_unknown_customers') }}
),

order_counts as (
    select
        'orders' as source_table,
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
        raw_row_counts.source_table,
        raw_row_counts.unmatched_column,

        raw_row_counts.rows_in,
        raw_row_counts.rows_accepted,
        raw_row_counts.rows_accepted - duplicates.rows_duplicate as rows_kept,
        case
            when raw_row_counts.unmatched_column is not null then raw_row_counts.rows_in
            else
                raw_row_counts.rows_in - raw_row_counts.rows_accepted
                + coalesce(order_counts.rows_rejected_later, 0)
        end as rows_rejected,
        duplicates.rows_undecided,
        order_counts.rows_of_customers - unknown.row_count as rows_of_known_customers,
        unknown.row_count as rows_of_unknown_customers,
        order_counts.rows_of_guests,
        raw_row_counts.amount_in,
        raw_row_counts.amount_accepted,
        raw_row_counts.amount_accepted - duplicates.amount_duplicate as amount_kept,
        duplicates.amount_undecided,

        raw_row_counts.has_amount,
        duplicates.has_different_amounts
    from raw_row_counts
    inner join duplicates on raw_row_counts.source_table = duplicates.source_table
    left join order_counts on raw_row_counts.source_table = order_counts.source_table
    left join unknown on raw_row_counts.source_table = unknown.source_table
)

select * from counted
