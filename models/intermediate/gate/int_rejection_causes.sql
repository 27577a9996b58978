{# Why rows are rejected of tables of which too many are, with the commonest values at fault. #}
with source_counts as (
    select * from {{ ref('int_source_counts') }}
),

orders as (
    select * from {{ ref('int_orders') }}
),

too_many_rejected as (
    select * from {{ ref('int_exceeded_limits') }} where finding = 'rejected'
),

rejected_values as (
    {%- for source_name, table_name, staged_model in raw_tables() %}
    {{ rejected_values(source_name, table_name, 'too_many_rejected') }}
    union all
    {%- endfor %}
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
),

unmatched_rows as (
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

values_at_fault as (
    select * from rejected_values
    union all
    select * from unmatched_rows
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
