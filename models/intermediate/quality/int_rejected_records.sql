with cross_table_rejects as (
    select * from {{ ref('int_cross_table_rejects') }}
),

flawed as (
    {%- for source_name, table_name, staged_model in raw_tables() %}
    {{ flawed_rows(source_name, table_name, 'cross_table_rejects') }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

nullable_columns as (
    {%- set nullable = [] %}
    {%- for source_name, table_name, staged_model in raw_tables() %}
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
        flawed.source_table,
        flawed.source_key,
        'nulled' as action,
        split_part(
            split_part(flawed.nulled_values, '|' || nullable_columns.column_name || ':', 2), '|', 1
        ) as reject_reason,
        nullable_columns.column_name,
        flawed.raw_record,
        flawed.raw_record_restricted
    from flawed
    inner join nullable_columns
        on
            flawed.source_table = nullable_columns.source_table
            and position('|' || nullable_columns.column_name || ':' in flawed.nulled_values) > 0
    where flawed.reject_reason is null
),

keys_at_fault as (
    select distinct source_table, row_key from cross_table_rejects
),

-- what another table shows is wrong with the row that staging keeps of its key
ranked as (
    select
        flawed.*,
        row_number() over (
            partition by flawed.source_table, flawed.row_key
            order by
                flawed.changed_at desc nulls last,
                flawed.newest_event_at desc nulls last,
                flawed.row_text
        ) as place
    from flawed
    inner join keys_at_fault
        on
            flawed.source_table = keys_at_fault.source_table
            and flawed.row_key = keys_at_fault.row_key
    where flawed.reject_reason is null
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
    from flawed
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
