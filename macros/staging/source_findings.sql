{# What the gate lets pass, and the words in which it says what it found. #}

{% macro source_limits(source_name, table_name) %}
    {% set limits = {} %}
    {% do limits.update(customer_tiering.source_meta(source_name, table_name, 'limits', {})) %}
    {% do limits.update(customer_tiering.setting('source_limits').get(table_name, {})) %}
    {{ return(limits) }}
{% endmacro %}


{% macro check_source_limits(sources) %}
    {% set given = customer_tiering.setting('source_limits') %}
    {% set rule = customer_tiering.settings().source_limits %}
    {% set known = {} %}
    {% for source in sources %}
        {% do known.update({source.name: ['lost_rows'] + (source.config.meta.get('limits', {}) | list)}) %}
    {% endfor %}
    {% for table, limits in given.items() %}
        {% if table not in known or limits is not mapping %}
            {{ exceptions.raise_compiler_error(
                "dbt_project.yml, vars: source_limits has '" ~ table ~ ": " ~ limits
                ~ "'; allowed is a mapping of raw tables (" ~ known | join(', ') ~ ") to limits."
            ) }}
        {% endif %}
        {% for name, percent in limits.items() %}
            {% if name not in known[table] or not modules.re.fullmatch('[0-9]{1,3}', percent | string)
                or not rule.from <= percent | int <= rule.to %}
                {{ exceptions.raise_compiler_error(
                    "dbt_project.yml, vars: source_limits has '" ~ table ~ ": {" ~ name ~ ": " ~ percent
                    ~ "}'; allowed is " ~ known[table] | join(', ') ~ ", each from " ~ rule.from ~ " to " ~ rule.to
                    ~ " per cent."
                ) }}
            {% endif %}
        {% endfor %}
    {% endfor %}
{% endmacro %}


{% macro shown_value(table, column, value, is_personal) %}
        {%- set words, shapes = customer_tiering.shown_columns() %}
        case
            when {{ table }} || '.' || {{ column }} in ('{{ words | join("', '") }}') and not ({{ is_personal }})
                then word_of(read_text({{ value }}))
            when {{ table }} || '.' || {{ column }} in ('{{ (words + shapes) | join("', '") }}')
                then shape_of(read_text({{ value }}))
        end
{%- endmacro %}


{# Customers are not read when there is no value. #}
{% macro personal_values(relation) %}
    with customers as (
        select customers.customer_id, customers.full_name, customers.email, customers.phone
        from {{ ref('base_crm__customers') }} as customers
        cross join (select raw_value from {{ relation }} where raw_value is not null limit 1) as first_value
    ),

    of_customers as (
        {%- for name in ['customer_id', 'full_name', 'email', 'phone'] %}
        select lower_case({{ name }}) as personal_value from customers
        {{ 'union all' if not loop.last }}
        {%- endfor %}
    )

    select distinct raw_value
    from {{ relation }}
    where
        not is_short_number(read_text(raw_value))
        and lower_case(read_text(raw_value)) in (select personal_value from of_customers)
{% endmacro %}


{% macro shown_columns() %}
    {% set words, shapes = [], [] %}
    {% for source_name, table_name in customer_tiering.raw_tables() if execute %}
        {% for column in customer_tiering.source_node(source_name, table_name).columns.values()
            if not column.name.endswith('_id') and not column.config.meta.get('pii') %}
            {% do (words if column.data_type in ('string', 'boolean') else shapes).append(
                table_name ~ '.' ~ column.name
            ) %}
        {% endfor %}
    {% endfor %}
    {{ return([words, shapes]) }}
{% endmacro %}


{% macro fault_in_words(table, column, reason) %}
        case
            {%- for source_name, table_name in customer_tiering.raw_tables() if execute %}
            {%- for name, declared in customer_tiering.source_node(source_name, table_name).columns.items()
                if 'words_of' in declared.config.meta %}
            when {{ table }} = '{{ table_name }}' and {{ column }} = '{{ name }}' and {{ reason }} = 'not_allowed'
                then 'is none of the known words'
            {%- endfor %}
            {%- endfor %}
            when {{ reason }} = 'missing_value' then 'is empty'
            when {{ reason }} = 'unreadable_value' then 'cannot be read'
            when {{ reason }} = 'not_allowed' then 'is not allowed'
            when {{ reason }} = 'after_run_date' then 'lies after the date of the run'
            when {{ reason }} = 'before_history' then 'lies before history begins'
            when {{ reason }} = 'reserved_id' then 'has the form of an erased person''s id'
            when {{ reason }} = 'credit_note_without_order' then 'is below zero, as of a credit note'
            when {{ reason }} = 'no_exchange_rate' then 'has no exchange rate by the date of the order'
            when {{ reason }} = 'amount_too_large' then 'is worth more than 10^12 in the reporting currency'
            when {{ reason }} = 'unknown_order' then 'names no order that was taken'
            when {{ reason }} = 'unknown_customer' then 'names no known customer'
            when {{ reason }} = 'unknown_campaign' then 'names no known campaign'
        end
{%- endmacro %}


{% macro advice_in_words(table, column, reason) %}
        case
            {%- for source_name, table_name in customer_tiering.raw_tables() if execute %}
            {%- set columns = customer_tiering.source_node(source_name, table_name).columns %}
            {%- for name in customer_tiering.rejecting_columns(columns.values()) %}
            {%- for fault, advice in customer_tiering.advice_on(columns[name]).items() %}
            when {{ table }} = '{{ table_name }}' and {{ column }} = '{{ name }}' and {{ reason }} = '{{ fault }}'
                then '{{ advice | replace("'", "''") }}'
            {%- endfor %}
            {%- endfor %}
            {%- endfor %}
            when {{ reason }} = 'missing_value' then 'Fill it in the source, or give it from another column.'
            when {{ reason }} = 'after_run_date' then 'Correct it, or set the var run_date.'
            when {{ reason }} = 'before_history' then 'Correct it, or set the var history_starts_on.'
            when {{ reason }} = 'credit_note_without_order'
                then 'Give it in refunds, with the order that it takes back.'
            when {{ reason }} = 'no_exchange_rate' then 'Give the rates in exchange_rates.'
            when {{ reason }} = 'amount_too_large' then 'Correct it, or report in a currency with larger units.'
            when {{ reason }} in ('unknown_order', 'unknown_customer', 'unknown_campaign')
                then 'Write the id alike in both tables.'
            else 'Correct it in the source.'
        end
{%- endmacro %}


{% macro advice_on(column) %}
    {% set meta = column.config.meta %}
    {% set advice = {} %}
    {% if column.data_type in ('date', 'timestamp') %}
        {% do advice.update({'unreadable_value':
            'Write it like 2025-12-31 or 2025-12-31 10:37:33 +0800, or declare its form (docs/reading.md).'}) %}
    {% elif column.data_type == 'boolean' %}
        {% do advice.update({'unreadable_value': 'Write true or false.'}) %}
    {% elif column.data_type != 'string' %}
        {% do advice.update({'unreadable_value': 'Write it like 1234.50, or declare its form (docs/reading.md).'}) %}
    {% endif %}
    {% if 'words_of' in meta %}
        {% do advice.update({'not_allowed': 'Add them to seeds/' ~ meta.words_of.split('.')[0] ~ '.csv.'}) %}
    {% elif 'letters' in meta %}
        {% do advice.update({'not_allowed': 'Allowed are ' ~ meta.letters ~ ' letters from A to Z.'}) %}
    {% elif 'allowed' in meta %}
        {% do advice.update({'not_allowed': 'Allowed is ' ~ meta.allowed | replace(':run_date', 'the date of the run') ~ '.'}) %}
    {% endif %}
    {{ return(advice) }}
{% endmacro %}


{# Every table is limited: of one without limits of its own some row must be taken. #}
{% macro source_measures(counts) %}
    {%- set measures = {
        'rejected': ['rows_rejected', 'rows_in'],
        'undecided_duplicates': ['rows_undecided', 'rows_in'],
        'unknown_customers': [
            'rows_of_unknown_customers', 'rows_of_known_customers + rows_of_unknown_customers'
        ],
        'guests': [
            'rows_of_guests', 'rows_of_known_customers + rows_of_unknown_customers + rows_of_guests'
        ],
    } -%}
    {%- set queries = [] -%}
    {%- for source_name, table_name in customer_tiering.raw_tables() -%}
        {%- set limits = customer_tiering.source_limits(source_name, table_name) -%}
        {%- for finding, rows in measures.items() if finding == 'rejected' or finding in limits -%}
            {%- set query %}
        select
            '{{ table_name }}' as source_table,
            '{{ finding }}' as finding,
            {{ limits.get(finding, 100) }} as percent_allowed,
            {{ rows[0] }} as rows_at_fault,
            {{ rows[1] }} as rows_checked
        from {{ counts }}
        where source_table = '{{ table_name }}'
            {%- endset -%}
            {%- do queries.append(query) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ queries | join('\n        union all') }}
{% endmacro %}
