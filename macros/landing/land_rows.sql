{# Landing of a schema's tables: rows that are new or have changed, on top of what the last whole build landed. #}

{% macro raw_relation_in_schema(source) %}
    {% set name = customer_tiering.table_in_schema(source.name) %}
    {# files may change without a newer time, so that all rows of theirs are landed anew #}
    {% set newest_by = customer_tiering.native_column(source.config.meta.get('newest_by'), name)
        if name and not customer_tiering.landed_files() %}
    {{ return({
        'name': customer_tiering.setting('raw_schema') ~ '.' ~ source.name, 'query': name,
        'files': [], 'is_text': not name, 'newest_by': newest_by
    }) }}
{% endmacro %}


{% macro table_in_schema(name) %}
    {% set schema = customer_tiering.raw_schema_parts() %}
    {% set query %}
        select table_catalog, table_schema, table_name
        from information_schema.tables
        where
            lower_case(table_name) = {{ customer_tiering.text_literal(name | lower) }}
            and lower_case(table_schema) = '{{ schema.name | lower }}'
            and lower_case(table_catalog) = '{{ schema.database | lower }}'
    {% endset %}
    {% for parts in run_query(query).rows %}
        {{ return('"' ~ parts | map('replace', '"', '""') | join('"."') ~ '"') }}
    {% endfor %}
    {{ return(none) }}
{% endmacro %}


{% macro raw_schema_parts() %}
    {% set parts = customer_tiering.setting('raw_schema').split('.') %}
    {{ return({'database': parts[0] if parts | length == 2 else target.database, 'name': parts[-1]}) }}
{% endmacro %}


{% macro native_column(column, query) %}
    {% if column %}
        {% for name, data_type in customer_tiering.types_of(query).items()
            if name | lower == column and modules.re.match('DATE|TIMESTAMP', data_type | upper) %}
            {{ return(name) }}
        {% endfor %}
    {% endif %}
    {{ return(none) }}
{% endmacro %}


{# A source with one row per key has replaced older versions; one that keeps all versions has not. #}
{% macro land_new_rows(source, relation, present, is_erasing) %}
    {% if not relation.newest_by or not customer_tiering.table_exists(source.schema, source.identifier) %}
        {{ return(false) }}
    {% endif %}
    {% set landed = customer_tiering.landed_name(source) %}
    {% set query = '(' ~ customer_tiering.landing_query(source, relation, present, is_erasing) ~ ') as source_rows' %}
    {% set types = customer_tiering.types_of(landed) %}
    {% set age = source.config.meta.newest_by %}
    {% set newest = customer_tiering.newest_landed(landed, age, types[age]) %}
    {% if newest is none or customer_tiering.types_of(query) != types %}{{ return(false) }}{% endif %}
    {% set late_arrival_days = customer_tiering.setting('late_arrival_days') %}
    {% set recent %}
        (
            {{ age }} is null
            or {{ age }} >= cast('{{ newest }}' as {{ types[age] }}) - interval '{{ late_arrival_days }} day'
        )
    {% endset %}
    {% call customer_tiering.run_statement() %}
        delete from {{ landed }} where {{ recent }}
    {% endcall %}
    {% call customer_tiering.run_statement() %}
        insert into {{ landed }}
        select * from {{ query }} where {{ recent }}
    {% endcall %}
    {% set key = source.config.meta.key | map('string') | list %}
    {% if customer_tiering.holds_the_same_rows(landed, query, key + [age]) %}{{ return(true) }}{% endif %}
    {% call customer_tiering.run_statement() %}
        delete from {{ landed }}
        where
            not {{ recent }}
            and ({{ key | join(', ') }}) in (select {{ key | join(', ') }} from {{ landed }} where {{ recent }})
    {% endcall %}
    {{ return(customer_tiering.holds_the_same_rows(landed, query, key + [age])) }}
{% endmacro %}


{# A time after the run's start is an error, and makes no row before it old. #}
{% macro newest_landed(landed, age, data_type) %}
    {% set run_start = "timestamptz '" ~ run_started_at.isoformat() ~ "'" %}
    {% if data_type | upper != 'TIMESTAMP WITH TIME ZONE' %}
        {% set run_start = "timezone(" ~ customer_tiering.source_time_zone() ~ ', ' ~ run_start ~ ')' %}
    {% endif %}
    {% set query %}
        select cast(max({{ age }}) as {{ customer_tiering.string_type() }}) from {{ landed }} where {{ age }} <= {{ run_start }}
    {% endset %}
    {{ return(customer_tiering.value_of(query)) }}
{% endmacro %}


{% macro holds_the_same_rows(one, other, columns) %}
    {% set query %}
        select count(*) as row_count, {{ customer_tiering.fingerprint(columns) }} as fingerprint from {{ one }}
        intersect
        select count(*) as row_count, {{ customer_tiering.fingerprint(columns) }} as fingerprint from {{ other }}
    {% endset %}
    {{ return(run_query(query).rows | length == 1) }}
{% endmacro %}
