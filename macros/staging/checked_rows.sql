{# Whatever a reader does not select is not computed: the models over it are views. #}
{% macro checked_rows(source_name, table_name, relation, more=[]) %}
    {%- if not execute -%}
        select * from {{ relation }}
    {%- else -%}
    {%- set meta = customer_tiering.source_node(source_name, table_name).config.meta -%}
    {%- set columns = customer_tiering.source_node(source_name, table_name).columns.values() | list -%}
    {%- set rejecting = columns | selectattr('name', 'in', customer_tiering.rejecting_columns(columns)) | list -%}
    {%- set nulled = columns | selectattr('name', 'in', customer_tiering.nulled_when_bad(columns)) | list -%}
        select
            {%- for column in columns %}
            {%- if column in nulled %}
            case when checked.{{ column.name }}_fault is null then checked.{{ column.name }} end as {{ column.name }},
            {%- else %}
            checked.{{ column.name }},
            {%- endif %}
            {%- if column.data_type == 'timestamp' %}
            checked.{{ column.name[:-3] }}_on,
            {%- endif %}
            {%- endfor %}
            {%- for name in more %}
            checked.{{ name }},
            {%- endfor %}
            case
                {%- for column in rejecting %}
                when checked.{{ column.name }}_fault is not null then '{{ column.name }}'
                {%- endfor %}
            end as rejected_column,
            coalesce(
                {%- for column in rejecting %}
                checked.{{ column.name }}_fault,
                {%- endfor %}
                null
            ) as reject_reason,
            coalesce(
                {%- for column in nulled %}
                checked.{{ column.name }}_fault,
                {%- endfor %}
                null
            ) is not null as has_nulled_values,
            '|'
            {%- for column in nulled %}
            || coalesce('{{ column.name }}:' || checked.{{ column.name }}_fault || '|', '')
            {%- endfor %} as nulled_values,
            {{ customer_tiering.raw_documents(source_name, table_name, 'checked') }}
        from (
            select
                *
                {%- for column in rejecting + nulled %},
                {{ customer_tiering.fault_of(column, meta.get('dated_by') == column.name) }} as {{ column.name }}_fault
                {%- endfor %}
            from {{ relation }}
        ) as checked
    {%- endif -%}
{% endmacro %}


{% macro raw_values(source_name, table_name) %}
    {%- for name in customer_tiering.columns_with_place(customer_tiering.column_names(source_name, table_name)) %}
        landed.{{ name }} as raw_{{ name }}{{ ',' if not loop.last }}
    {%- endfor %}
{% endmacro %}


{# Where a mapping makes the rows, it says too where each was found. #}
{% macro columns_with_place(columns) %}
    {{ return((['source_place'] if customer_tiering.setting('mapping') else []) + columns) }}
{% endmacro %}


{% macro raw_documents(source_name, table_name, relation) %}
    {%- set node = customer_tiering.source_node(source_name, table_name) -%}
    {%- set columns = node.columns.values() | list -%}
    {%- set all = columns | map(attribute='name') | list -%}
    {%- set public = [] -%}
    {%- for column in columns if not column.config.meta.get('pii') -%}{%- do public.append(column.name) -%}{%- endfor -%}
            {% for name in node.config.meta['key'] -%}
            coalesce(read_text({{ relation }}.raw_{{ name }}), ''){{ " || '|' || " if not loop.last }}
            {%- endfor %} as source_key,
            {% for name in node.config.meta['key'] -%}
            cast({{ relation }}.{{ name }} as {{ customer_tiering.string_type() }})
            {{- " || '|' || " if not loop.last }}
            {%- endfor %} as row_key,
            {% for column in columns -%}
            coalesce(cast({{ relation }}.raw_{{ column.name }} as {{ customer_tiering.string_type() }}), '')
            {%- if not loop.last %} || chr(31) || {% endif %}
            {%- endfor %} as row_text,
            {{ customer_tiering.json_of_columns(customer_tiering.columns_with_place(public), relation ~ '.raw_') }}
                as raw_record,
            {{ customer_tiering.json_of_columns(customer_tiering.columns_with_place(all), relation ~ '.raw_') }}
                as raw_record_restricted
{% endmacro %}


{% macro source_node(source_name, table_name) %}
    {% if not graph.sources %}
        {# a unit test, which dbt runs without a graph: the contract as it was landed #}
        {% set query %}
            select declaration
            from raw.contract
            where source_name = '{{ source_name }}' and source_table = '{{ table_name }}'
        {% endset %}
        {{ return(fromjson(customer_tiering.value_of(query))) }}
    {% endif %}
    {% for node in graph.sources.values()
        if node.package_name == 'customer_tiering' and node.source_name == source_name and node.name == table_name %}
        {{ return(node) }}
    {% endfor %}
{% endmacro %}


{% macro rejecting_columns(columns) %}
    {% set names = [] %}
    {% for column in columns if column.config.meta.get('required') or column.config.meta.get('reject_when_bad') %}
        {% do names.append(column.name) %}
    {% endfor %}
    {{ return(names) }}
{% endmacro %}


{% macro nulled_when_bad(columns) %}
    {% set rejecting = customer_tiering.rejecting_columns(columns) %}
    {% set names = [] %}
    {% for column in columns if column.name not in rejecting
        and (column.data_type != 'string' or column.name.endswith('_id') or customer_tiering.rule_of(column)) %}
        {% do names.append(column.name) %}
    {% endfor %}
    {{ return(names) }}
{% endmacro %}


{% macro fault_of(column, is_dated_by) %}
    {%- set name = column.name -%}
    {%- set meta = column.config.meta -%}
    {%- set day = name[:-3] ~ '_on' if column.data_type == 'timestamp' else name -%}
    {%- set rule = customer_tiering.rule_of(column) -%}
                case
                    {%- if name.endswith('_id') %}
                    when is_unreadable_id(raw_{{ name }}) then 'unreadable_value'
                    {%- if meta.get('customer_id') %}
                    when is_marked({{ name }}) then 'reserved_id'
                    {%- endif %}
                    {%- else %}
                    when {{ name }} is null and read_text(raw_{{ name }}) is not null then 'unreadable_value'
                    {%- endif %}
                    {%- if meta.get('required') %}
                    when {{ name }} is null then 'missing_value'
                    {%- endif %}
                    {%- if is_dated_by %}
                    when {{ day }} > {{ customer_tiering.run_date() }} then 'after_run_date'
                    {%- endif %}
                    {%- if meta.get('within_history') %}
                    when {{ day }} < {{ customer_tiering.history_starts_on() }} then 'before_history'
                    {%- endif %}
                    {%- if rule %}
                    when not {{ rule }} then '{{ meta.get('reason_not_allowed', 'not_allowed') }}'
                    {%- endif %}
                end
{%- endmacro %}


{% macro rule_of(column) %}
    {%- if 'letters' in column.config.meta -%}
        {{ return(customer_tiering.is_letters(column.name, column.config.meta['letters'])) }}
    {%- elif 'allowed' in column.config.meta -%}
        {{ return('(' ~ column.config.meta['allowed'] | replace(':run_date', customer_tiering.run_date()) ~ ')') }}
    {%- endif -%}
    {{ return(none) }}
{% endmacro %}


{# The base models say the same by hand; a test compares the two. #}
{% macro read_value(expression, column) %}
    {%- set reading = {
        'timestamp': 'read_timestamp(' ~ expression ~ ', ' ~ customer_tiering.source_time_zone() ~ ')',
        'date': 'read_date(' ~ expression ~ ')',
        'boolean': 'read_boolean(' ~ expression ~ ')',
        'bigint': 'read_whole_number(' ~ expression ~ ')',
        'decimal(18, 2)': 'read_amount(' ~ expression ~ ')',
        'decimal(18, 3)': 'read_quantity(' ~ expression ~ ')',
        'decimal(18, 8)': 'read_rate(' ~ expression ~ ')',
        'string': ('read_id(' if column.name.endswith('_id') else 'read_text(') ~ expression ~ ')',
    }[column.data_type] -%}
    {%- set in_case = {'lower': 'lower_case', 'upper': 'upper'}.get(column.config.meta.get('letter_case')) -%}
    {{ return(in_case ~ '(' ~ reading ~ ')' if in_case else reading) }}
{% endmacro %}
