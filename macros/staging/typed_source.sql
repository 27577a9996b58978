{# A raw table in the types of its source YAML, one row a raw row, with what is wrong with it:
   the contract's columns   read, standardised; NULL when empty, unreadable or not allowed
   *_on                     the business date of each *_at
   rejected_column, reject_reason   the first fault that rejects the row, NULL when there is none
   has_nulled_values        whether a value of an accepted row was turned into NULL
   and the row's documents, see raw_documents.
   Whatever a reader does not select is not computed: the models over it are views. #}

{% macro typed_source(source_name, table_name) %}
    {%- if not execute -%}
        select * from {{ source(source_name, table_name) }}
    {%- else -%}
    {%- set columns = customer_tiering.source_node(source_name, table_name).columns.values() | list -%}
    select
        {%- for column in columns %}
        {{ column.name }},
        {%- if column.data_type == 'timestamp' %}
        {{ column.name[:-3] }}_on,
        {%- endif %}
        {%- endfor %}
        rejected_column,
        reject_reason,
        has_nulled_values,
        {{ customer_tiering.raw_documents(source_name, table_name, 'typed') }}
    from (
        {{ customer_tiering.typed_values(source_name, table_name) }}
    ) as typed
    {%- endif -%}
{% endmacro %}


{# What typed_source gives but the documents, with what they are made of: every raw_* value, and
   *_is_allowed where a column has a rule. #}
{% macro typed_values(source_name, table_name) %}
    {%- if not execute -%}
        select * from {{ source(source_name, table_name) }}
    {%- else -%}
    {%- set columns = customer_tiering.source_node(source_name, table_name).columns.values() | list -%}
    select
        {%- for column in columns %}
        {%- set value = 'case when ' ~ column.name ~ '_is_allowed then ' ~ column.name ~ ' end'
            if customer_tiering.is_nulled_when_bad(column) and customer_tiering.has_rule(column)
            else column.name %}
        {{ value }} as {{ column.name }},
        raw_{{ column.name }},
        {%- if column.data_type == 'timestamp' %}
        {{ column.name[:-3] }}_on,
        {%- endif %}
        {%- if customer_tiering.has_rule(column) %}
        {{ column.name }}_is_allowed,
        {%- endif %}
        {%- endfor %}
        case
            {%- for column in columns %}
            {%- if column.config.meta.get('required') %}
            when {{ column.name }} is null then '{{ column.name }}'
            {%- elif column.config.meta.get('reject_when_bad') %}
            when {{ column.name }} is null and {{ customer_tiering.read_text('raw_' ~ column.name) }} is not null
                then '{{ column.name }}'
            {%- endif %}
            {%- if column.config.meta.get('required') or column.config.meta.get('reject_when_bad') %}
            {%- if customer_tiering.has_rule(column) %}
            when not {{ column.name }}_is_allowed then '{{ column.name }}'
            {%- endif %}
            {%- endif %}
            {%- endfor %}
        end as rejected_column,
        case
            {%- for column in columns %}
            {%- if column.config.meta.get('required') %}
            when {{ column.name }} is null and {{ customer_tiering.read_text('raw_' ~ column.name) }} is null
                then 'missing_value'
            {%- endif %}
            {%- if column.config.meta.get('required') or column.config.meta.get('reject_when_bad') %}
            when {{ column.name }} is null and {{ customer_tiering.read_text('raw_' ~ column.name) }} is not null
                then 'unreadable_value'
            {%- if customer_tiering.has_rule(column) %}
            when not {{ column.name }}_is_allowed then 'not_allowed'
            {%- endif %}
            {%- endif %}
            {%- endfor %}
        end as reject_reason,
        {%- set optional = [] %}
        {%- for column in columns if customer_tiering.is_nulled_when_bad(column) %}
        {%- do optional.append(column) %}
        {%- endfor %}
        {{ 'false' if not optional }}
        {%- for column in optional %}
        {{ 'or ' if not loop.first }}(
            {{ column.name }} is null and {{ customer_tiering.read_text('raw_' ~ column.name) }} is not null
            {%- if customer_tiering.has_rule(column) %}
            or not {{ column.name }}_is_allowed
            {%- endif %}
        )
        {%- endfor %} as has_nulled_values
    from (
        select
            *
            {%- for column in columns if customer_tiering.has_rule(column) %},
            {{ customer_tiering.rule_of(column) }} as {{ column.name }}_is_allowed
            {%- endfor %}
        from (
            select
                {%- for column in columns %}
                {{ customer_tiering.read_value('landed.' ~ column.name, column) }} as {{ column.name }},
                {%- if column.data_type == 'timestamp' %}
                {{ customer_tiering.read_business_date('landed.' ~ column.name) }} as {{ column.name[:-3] }}_on,
                {%- endif %}
                landed.{{ column.name }} as raw_{{ column.name }}{{ ',' if not loop.last }}
                {%- endfor %}
            from {{ source(source_name, table_name) }} as landed
        ) as values_read
    ) as values_checked
    {%- endif -%}
{% endmacro %}


{# Texts about a raw row, of the relation that typed_values became:
   source_key, row_key      the key's raw text and the key as read, parts joined by |
   nulled_values            which values were turned into NULL and why: |column:reason|column:reason|
   row_text                 the whole raw row, for ties between duplicates
   raw_record, raw_record_restricted   the raw row as JSON, without and with personal data
   Computed last, above every join: a reader that wants few rows then has them made for those only. #}
{% macro raw_documents(source_name, table_name, relation) %}
    {%- if not execute -%}
        null as source_key
    {%- else -%}
    {%- set node = customer_tiering.source_node(source_name, table_name) -%}
    {%- set columns = node.columns.values() | list -%}
    {%- set public = [] -%}
    {%- for column in columns if not column.config.meta.get('pii') -%}{%- do public.append(column.name) -%}{%- endfor -%}
        {% for name in node.config.meta['key'] -%}
        coalesce({{ customer_tiering.read_text(relation ~ '.raw_' ~ name) }}, ''){{ " || '|' || " if not loop.last }}
        {%- endfor %} as source_key,
        {% for name in node.config.meta['key'] -%}
        cast({{ relation }}.{{ name }} as {{ customer_tiering.string_type() }}){{ " || '|' || " if not loop.last }}
        {%- endfor %} as row_key,
        '|'
        {%- for column in columns if customer_tiering.is_nulled_when_bad(column) %}
        || case
            {%- if customer_tiering.has_rule(column) %}
            when not {{ relation }}.{{ column.name }}_is_allowed then '{{ column.name }}:not_allowed|'
            {%- endif %}
            when
                {{ relation }}.{{ column.name }} is null
                and {{ customer_tiering.read_text(relation ~ '.raw_' ~ column.name) }} is not null
                then '{{ column.name }}:unreadable_value|'
            else ''
        end
        {%- endfor %} as nulled_values,
        {% for column in columns %}
        {{- 'coalesce(cast(' ~ relation ~ '.raw_' ~ column.name ~ " as varchar), '')" }}
        {%- if not loop.last %} || chr(31) || {% endif %}
        {%- endfor %} as row_text,
        {{ customer_tiering.json_of_columns(public, relation ~ '.raw_') }} as raw_record,
        {{ customer_tiering.json_of_columns(columns | map(attribute='name') | list, relation ~ '.raw_') }}
            as raw_record_restricted
    {%- endif -%}
{% endmacro %}


{% macro source_node(source_name, table_name) %}
    {% if not graph.sources %}
        {# a unit test, which dbt runs without a graph: the contract as it was landed #}
        {{ return(fromjson(run_query(
            "select declaration from raw.contract where source_name = '" ~ source_name
            ~ "' and source_table = '" ~ table_name ~ "'"
        ).columns[0].values()[0])) }}
    {% endif %}
    {% for node in graph.sources.values()
        if node.package_name == 'customer_tiering' and node.source_name == source_name and node.name == table_name %}
        {{ return(node) }}
    {% endfor %}
{% endmacro %}


{# Whether a bad value of the column becomes NULL: it is optional and can be bad at all. #}
{% macro is_nulled_when_bad(column) %}
    {{ return(
        not column.config.meta.get('required')
        and not column.config.meta.get('reject_when_bad')
        and (column.data_type != 'string' or customer_tiering.has_rule(column))
    ) }}
{% endmacro %}


{% macro has_rule(column) %}
    {{ return('allowed' in column.config.meta or 'letters' in column.config.meta) }}
{% endmacro %}


{# The condition that an allowed value of a column meets; NULL for NULL. #}
{% macro rule_of(column) %}
    {%- if 'letters' in column.config.meta -%}
        {{ return(customer_tiering.is_letters(column.name, column.config.meta['letters'])) }}
    {%- endif -%}
    {{ return('(' ~ column.config.meta['allowed'] | replace(':run_date', customer_tiering.run_date()) ~ ')') }}
{% endmacro %}


{# A raw value in its column's type, text in its column's letter case; NULL when it cannot be read. #}
{% macro read_value(expression, column) %}
    {%- if column.data_type == 'string' -%}
        {%- set text = customer_tiering.read_text(expression) -%}
        {%- set letter_case = column.config.meta.get('letter_case') -%}
        {{ return(letter_case ~ '(' ~ text ~ ')' if letter_case else text) }}
    {%- elif column.data_type == 'timestamp' -%}
        {{ return(customer_tiering.read_timestamp(expression)) }}
    {%- elif column.data_type == 'date' -%}
        {{ return(customer_tiering.read_date(expression)) }}
    {%- elif column.data_type == 'boolean' -%}
        {{ return(customer_tiering.read_boolean(expression)) }}
    {%- elif column.data_type == 'bigint' -%}
        {{ return(customer_tiering.read_whole_number(expression)) }}
    {%- else -%}
        {{ return(customer_tiering.try_cast(expression, column.data_type)) }}
    {%- endif -%}
{% endmacro %}
