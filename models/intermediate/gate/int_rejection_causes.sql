{# Why rows are rejected of tables of which too many are, with the commonest values at fault. #}
with source_counts as (
    select * from {{ ref('int_source_counts') }}
),

flawed_rows as (
    select * from {{ ref('int_flawed_rows') }}
),

customers as (
    select * from {{ ref('base_crm__customers') }}
),

orders as (
    select * from {{ ref('int_orders') }}
),

too_many_rejected as (
    select * from {{ ref('int_exceeded_limits') }} where finding = 'rejected'
),

rejected_rows as (
    select flawed_rows.*
    from flawed_rows
    inner join too_many_rejected on flawed_rows.source_table = too_many_rejected.source_table
    where flawed_rows.reject_reason is not null
),

-- keys of accepted rows, in tables that are required
accepted_keys as (
    select distinct 'customers' as source_table, customers.customer_id as row_key
    from customers
    where
        customers.reject_reason is null
        and customers.customer_id in (select rejected_rows.row_key from rejected_rows)
    union all
    -- not the CTE above: DuckDB writes out one that is read twice
    select 'orders' as source_table, orders.order_id as row_key
    from {{ ref('int_orders') }} as orders
    where orders.order_id in (select rejected_rows.row_key from rejected_rows)
),

values_at_fault as (
    select
        rejected_rows.source_table,
        rejected_rows.rejected_column as column_name,
        rejected_rows.reject_reason,
        {{ json_value('rejected_rows.raw_record', "'$.' || rejected_rows.rejected_column") }}
            as raw_value,
        count(*) as row_count,
        count(accepted_keys.row_key) as rows_of_accepted_keys
    from rejected_rows
    left join accepted_keys
        on
            rejected_rows.source_table = accepted_keys.source_table
            and rejected_rows.row_key = accepted_keys.row_key
    group by 1, 2, 3, 4
    union all
    select
        'orders' as source_table,
        case reject_reason
            when 'no_exchange_rate' then 'currency_code' else 'order_amount'
        end as column_name,
        reject_reason,
        case reject_reason when 'no_exchange_rate' then currency_code end as raw_value,
        count(*) as row_count,
        0 as rows_of_accepted_keys
    from orders
    where is_rejected
    group by 1, 2, 3, 4
    union all
    select
        source_table,
        unmatched_column as column_name,
        case unmatched_column
            when 'order_id' then 'unknown_order' else 'unknown_customer'
        end as reject_reason,
        cast(null as {{ string_type() }}) as raw_value,
        rows_accepted as row_count,
        0 as rows_of_accepted_keys
    from source_counts
    where unmatched_column is not null
),

personal_values as (
    {{ personal_values('values_at_fault') }}
),

shown_values as (
    select
        values_at_fault.source_table,
        values_at_fault.column_name,
        values_at_fault.reject_reason,
        {{ shown_value(
            'values_at_fault.source_table', 'values_at_fault.column_name', 'values_at_fault.raw_value',
            'personal_values.raw_value is not null'
        ) }} as shown_value,
        sum(values_at_fault.row_count) as row_count,
        sum(values_at_fault.rows_of_accepted_keys) as rows_of_accepted_keys
    from values_at_fault
    left join personal_values on values_at_fault.raw_value = personal_values.raw_value
    group by 1, 2, 3, 4
),

ranked_values as (
    select
        *,
        shown_value || ' (' || {{ in_thousands('row_count') }} || ')'
            as value_with_rows,
        row_number() over (
            partition by source_table, column_name, reject_reason
            order by row_count desc, shown_value
        ) as place
    from shown_values
),

causes as (
    select
        source_table,
        column_name,
        reject_reason,
        string_agg(case when place <= 5 then value_with_rows end, ', ' order by place)
        || case
            when count(shown_value) <= 5 then ''
            else ' and ' || {{ in_thousands('count(shown_value) - 5') }} || ' more'
        end as shown_values,

        sum(row_count) as row_count,
        sum(rows_of_accepted_keys) as rows_of_accepted_keys
    from ranked_values
    group by 1, 2, 3
),

in_words as (
    select
        source_table,
        column_name,
        reject_reason,
        shown_values,
        column_name || ' '
        || {{ fault_in_words('source_table', 'column_name', 'reject_reason') }}
        || coalesce(': ' || shown_values, '') || '.' as fault,
        {{ advice_in_words('source_table', 'column_name', 'reject_reason') }} as advice,

        row_count,
        rows_of_accepted_keys
    from causes
)

select * from in_words
