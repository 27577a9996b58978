with rejected as (
    {%- for source_name, table_name, staged_model in customer_tiering.raw_tables() %}
    {{ customer_tiering.rejected_rows(source_name, table_name, ref('int_cross_table_rejects')) }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

-- rows that are equal to the letter are told apart by a number
numbered as (
    select
        *,
        row_number() over (
            partition by source_table, source_key, action, reject_reason, column_name, raw_record
            order by raw_record_restricted
        ) as occurrence
    from rejected
),

identified as (
    select
        md5(concat_ws(
            '|', source_table, source_key, action, reject_reason, column_name, raw_record,
            cast(occurrence as {{ customer_tiering.string_type() }})
        )) as reject_id,
        source_table,
        source_key,
        action,
        reject_reason,
        column_name,
        raw_record,
        raw_record_restricted
    from numbered
)

select * from identified
