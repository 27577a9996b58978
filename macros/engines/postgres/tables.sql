{# Where later sessions of this role find the functions, and how they plan. Compiling costs more than it saves on queries as many
   and as short as these. Of steps as long as these the planner expects one row where there are thousands, and would read the other
   side anew for each of them (a hundred seconds instead of a tenth for int_score_weights of the sample). #}
{% macro postgres__prepare_session() %}
    {% set encoding = customer_tiering.value_of("select current_setting('server_encoding')") %}
    {% if encoding != 'UTF8' %}
        {{ exceptions.raise_compiler_error(
            "PostgreSQL database " ~ target.database ~ ": found the encoding " ~ encoding ~ "; allowed is UTF8."
        ) }}
    {% endif %}
    {% set schema = adapter.quote(target.schema) %}
    {% call customer_tiering.run_statement() %}
        create schema if not exists {{ schema }}
    {% endcall %}
    {% for name, value in {
        'search_path': schema, 'jit': 'off', 'enable_nestloop': 'off', 'timezone': "'UTC'"
    }.items() %}
        {% call customer_tiering.run_statement() %}
            set {{ name }} = {{ value }}
        {% endcall %}
        {% call customer_tiering.run_statement() %}
            alter role current_user in database {{ adapter.quote(target.database) }} set {{ name }} = {{ value }}
        {% endcall %}
    {% endfor %}
    {% if customer_tiering.setting('pseudonymise_ids') %}{% do customer_tiering.postgres__prepare_pseudonyms() %}{% endif %}
    {# dbt replaces a view by dropping it with all that are made of it: two at once would wait for each other #}
    {% if flags.WHICH in ('build', 'run') %}
        {% do customer_tiering.postgres__drop_views(selected_only=true) %}
    {% endif %}
{% endmacro %}


{% macro postgres__types_of(query) %}
    {% call customer_tiering.run_statement() %}
        create temporary view described as
        select * from {{ query }}
    {% endcall %}
    {% set columns %}
        select attname, format_type(atttypid, null)
        from pg_attribute
        where attrelid = 'pg_temp.described'::regclass and attnum > 0
        order by attnum
    {% endset %}
    {% set types = {} %}
    {% for name, data_type in run_query(columns).rows %}{% do types.update({name: data_type}) %}{% endfor %}
    {% do run_query('drop view pg_temp.described') %}
    {{ return(types) }}
{% endmacro %}


{# A table that keeps its columns keeps the views that are made of it. Otherwise they go, by dbt, which has listed them before it
   ran this. #}
{% macro postgres__replace_table_by(name, query) %}
    {% set schema, table = (name | replace('"', '')).split('.') %}
    {% set exists = customer_tiering.table_exists(schema, table) %}
    {% if exists and customer_tiering.types_of(name) == customer_tiering.types_of('(' ~ query ~ ') as replacing') %}
        {% call customer_tiering.run_statement() %}
            truncate table {{ name }}
        {% endcall %}
        {% call customer_tiering.run_statement() %}
            insert into {{ name }}
            {{ query }}
        {% endcall %}
    {% else %}
        {% if exists %}
            {% do customer_tiering.postgres__drop_views() %}
            {% call customer_tiering.run_statement() %}
                drop table {{ name }} cascade
            {% endcall %}
        {% endif %}
        {% call customer_tiering.run_statement() %}
            create table {{ name }} as
            {{ query }}
        {% endcall %}
    {% endif %}
{% endmacro %}


{% macro postgres__drop_views(selected_only=false) %}
    {% for node in graph.nodes.values()
        if node.package_name == 'customer_tiering' and node.config.materialized == 'view'
        and (not selected_only or node.unique_id in selected_resources) %}
        {% set view = load_cached_relation(api.Relation.create(
            database=node.database, schema=node.schema, identifier=node.alias
        )) %}
        {% if view %}{% do adapter.drop_relation(view) %}{% endif %}
    {% endfor %}
{% endmacro %}


{% macro postgres__keeps_still() %}
    {{ return(false) }}
{% endmacro %}


{# Texts are ordered by their bytes from here on, whatever the database's locale: what is made of a column goes by its
   collation. #}
{% macro postgres__rows_to_land(query) %}
    {% set types = customer_tiering.types_of('(' ~ query ~ ') as source_rows') %}
    {% set ordered %}
        select
            {% for name, data_type in types.items() %}
            {{ adapter.quote(name) }}
            {%- if data_type in ('text', 'character varying', 'character') %} collate "C"{% endif %}
            as {{ adapter.quote(name) }}
            {{- ',' if not loop.last }}
            {% endfor %}
        from ({{ query }}) as source_rows
    {% endset %}
    {{ return(ordered) }}
{% endmacro %}
