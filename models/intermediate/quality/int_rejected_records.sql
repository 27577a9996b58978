with flawed_rows as (
    select * from {{ ref('int_flawed_rows') }}
),

cross_table_rejects as (
    select * from {{ ref('int_cross_table_rejects') }}
),

nullable_columns as (
    {%- set nullable = [] %}
    {%- for source_name, table_name in raw_tables() %}
    {%- for name in nulled_columns(source_name, table_name) %}
    {%- do nullable.append([table_name, name]) %}
    {%- endfor %}
    {%- endfor %}
    {%- for table_name, name in nullable %}
    select '{{ table_name }}' as source_table, '{{ name }}' as column_name
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

nulled as (
    select
        flawed_rows.source_table,
        flawed_rows.source_key,
        'nulled' as action,
        split_part(
            split_part(flawed_rows.nulled_values, '|' || nullable_columns.column_name || ':', 2),
            '|', 1
        ) as reject_reason,
        nullable_columns.column_name,
        flawed_rows.raw_record,
        flawed_rows.raw_record_restricted
    from flawed_rows
    inner join nullable_columns
        on
            flawed_rows.source_table = nullable_columns.source_table
            and position('|' || nullable_columns.column_name || ':' in flawed_rows.nulled_values)
            > 0
    where flawed_rows.reject_reason is null
),

-- what another table shows is wrong with the row that staging keeps of its key
accepted_rows as (
    {%- for source_name, table_name in raw_tables() %}
    {{ accepted_rows_of_keys(source_name, table_name, 'cross_table_rejects') }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

ranked as (
    select
        *,
        row_number() over (
            partition by source_table, row_key
            order by changed_at desc nulls last, newest_event_at desc nulls last, row_text
        ) as place
    from accepted_rows
),

rejected as (
    select
        source_table,
        source_key,
        'rejected' as action,
        reject_reason,
        rejected_column as column_name,
        raw_record,
        raw_record_restricted
    from flawed_rows
    where reject_reason is not null
    union all
    select * from nulled
    union all
    select
        ranked.source_table,
        ranked.source_key,
        cross_table_rejects.action,
        cross_table_rejects.reject_reason,
        cross_table_rejects.column_name,
        ranked.raw_record,
        ranked.raw_record_restricted
    from ranked
    inner join cross_table_rejects
        on
            ranked.source_table = cross_table_rejects.source_table
            and ranked.row_key = cross_table_rejects.row_key
    where ranked.place = 1
),

-- a number distinguishes rows that are equal to the letter
numbered as (
    select
        *,
        row_number() over (
            partition by source_table, source_key, action, reject_reason, column_name, raw_record
            order by raw_record_restricted
        ) as occurrence
    from rejected
),

valued as (
    select
        *,
        {{ json_value('raw_record', "'$.' || column_name") }} as raw_value
    from numbered
),

personal_values as (
    {{ personal_values('valued') }}
),

identified as (
    select
        md5(concat_ws(
            '|', valued.source_table, valued.source_key, valued.action, valued.reject_reason,
            valued.column_name, valued.raw_record,
            cast(valued.occurrence as {{ string_type() }})
        )) as reject_id,
        valued.source_table,
        valued.source_key,
        valued.action,
        valued.reject_reason,
        valued.column_name,
        {{ shown_value(
            'valued.source_table', 'valued.column_name', 'valued.raw_value',
            'personal_values.raw_value is not null'
        ) }} as shown_value,
        valued.raw_record,
        valued.raw_record_restricted
    from valued
    left join personal_values on valued.raw_value = personal_values.raw_value
)

select * from identified
