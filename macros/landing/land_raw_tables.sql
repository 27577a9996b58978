{% macro land_raw_tables() %}
    {% if execute and flags.WHICH in ('build', 'run', 'test', 'snapshot', 'run-operation') %}
        {% do customer_tiering.check_vars() %}
        {% if env_var('TIERING_SIMULATION', '') %}
            {% do customer_tiering.begin_simulation() %}
            {{ return('') }}
        {% endif %}
        {% set mapping = customer_tiering.mapping_in_use() %}
        {% if mapping %}{% do customer_tiering.check_vars_of_mapping(mapping) %}{% endif %}
        {% set sources = [] %}
        {% for source in graph.sources.values() | sort(attribute='name') %}
            {% if source.package_name == 'customer_tiering' and 'key' in source.config.meta %}
                {% do sources.append(source) %}
            {% endif %}
        {% endfor %}
        {% do adapter.dispatch('land_raw_tables', 'customer_tiering')(sources) %}
    {% endif %}
{% endmacro %}


{% macro default__land_raw_tables(sources) %}
    {% do customer_tiering.prepare_session() %}
    {% if sources %}
        {% call customer_tiering.run_statement() %}
            create schema if not exists {{ adapter.quote(sources[0].schema) }}
        {% endcall %}
        {% do run_query('create schema if not exists builds') %}
        {% do customer_tiering.note_landing() %}
        {% call customer_tiering.replace_table('builds.landing_notes') %}
            select cast(null as {{ customer_tiering.string_type() }}) as note where false
        {% endcall %}
    {% endif %}
    {% do customer_tiering.create_reading_functions() %}
    {% set is_erasing = customer_tiering.land_erased_ids(sources) %}
    {% set continues = customer_tiering.begin_build(sources, is_erasing) %}
    {% set landed = [] %}
    {% for source in sources %}
        {% call customer_tiering.run_statement() %}
            create schema if not exists {{ adapter.quote(source.schema) }}
        {% endcall %}
        {% set relation = customer_tiering.raw_relation(source) %}
        {% if relation.files %}
            {% set present = customer_tiering.land_files(source, relation, is_erasing) %}
        {% else %}
            {% set present = customer_tiering.land_table(source, relation, is_erasing, continues) %}
        {% endif %}
        {% for column in source.columns.values() %}
            {% set is_required = column.config.meta.get('required', false) %}
            {% do landed.append([source.name, column.name, is_required, column.name in present]) %}
        {% endfor %}
    {% endfor %}
    {% if sources %}
        {% do customer_tiering.note_landed_columns(sources[0].schema, landed) %}
        {% do customer_tiering.keep_contract(sources) %}
    {% endif %}
    {% do customer_tiering.hand_over_erased_ids(sources, is_erasing) %}
    {% do customer_tiering.carry_published_history(sources, is_erasing) %}
    {% do customer_tiering.land_published_counts() %}
    {% do customer_tiering.guard_raw_tables(sources) %}
{% endmacro %}


{# From here on the work database is no longer what was published: `tiering refresh` notes it again. #}
{% macro note_landing() %}
    {% call customer_tiering.replace_table('builds.last_landing') %}
        select
            cast(null as {{ customer_tiering.string_type() }}) as published_run,
            cast(null as {{ customer_tiering.string_type() }}) as project_digest,
            {{ customer_tiering.run_date() }} as run_date
    {% endcall %}
{% endmacro %}


{% macro note_landed_columns(schema, landed) %}
    {% call customer_tiering.replace_table(adapter.quote(schema) ~ '.landed_columns') %}
        select *
        from (
            values
            {% for source_table, column_name, is_required, is_landed in landed %}
            ('{{ source_table }}', '{{ column_name }}', {{ is_required }}, {{ is_landed }}){{ ',' if not loop.last }}
            {% endfor %}
        ) as landed (source_table, column_name, is_required, is_landed)
    {% endcall %}
{% endmacro %}


{% macro landing_query(source, relation, present, is_erasing, types={}) %}
    {% set masked = customer_tiering.masked(source, present, is_erasing) %}
    {% set values = {} %}
    {% for column in source.columns.values() %}
        {% if column.name in present %}
            {% do values.update({column.name: masked.columns[column.name]}) %}
        {% else %}
            {% set is_text = relation.is_text or column.data_type == 'string' %}
            {% set declared = customer_tiering.string_type() if is_text else column.data_type %}
            {% set data_type = types.get(column.name) or declared %}
            {% do values.update({column.name: 'cast(null as ' ~ data_type ~ ')'}) %}
        {% endif %}
    {% endfor %}
    {% if customer_tiering.setting('mapping') %}
        {% do values.update({'source_place': customer_tiering.source_place(relation)}) %}
    {% endif %}
    {% if relation.files %}
        {% do values.update({'landed_from_file': 'source_file' if 'source_file' in relation.columns
            else customer_tiering.null_text() if relation.columns else 'landed_from_file'}) %}
    {% endif %}
    {% set query %}
        select
            {% for name, value in values.items() %}
            {{ value }} as {{ adapter.quote(name) }}{{ ',' if not loop.last }}
            {% endfor %}
        {% if relation.query %}
        from {{ relation.query }} as raw_rows
        {% for name, raw in masked.erased %}
        left join {{ adapter.quote(source.schema) }}.erased_ids as erased_{{ name }}
            on read_id({{ raw }}) = erased_{{ name }}.customer_id
        {% endfor %}
        {% if masked.erased and customer_tiering.leaves_out_erased(source, is_erasing) %}
        where erased_customer_id.customer_id is null
        {% endif %}
        {% else %}
        where false
        {% endif %}
    {% endset %}
    {{ return(query) }}
{% endmacro %}


{# What another database landed from files is without them already. #}
{% macro leaves_out_erased(source, is_erasing) %}
    {{ return(is_erasing and source.config.meta.get('erase_rows', false) and not customer_tiering.landed_files()) }}
{% endmacro %}


{% macro null_text() %}
    {{ return('cast(null as ' ~ customer_tiering.string_type() ~ ')') }}
{% endmacro %}


{# Where the row that a mapping has made is found in its source. What was landed from files says so itself. #}
{% macro source_place(relation) %}
    {% if customer_tiering.landed_files() and relation.query %}{{ return('raw_rows.source_place') }}{% endif %}
    {% set parts = [] %}
    {% if 'source_file' in relation.columns %}{% do parts.append('raw_rows.source_file') %}{% endif %}
    {% if 'source_line' in relation.columns %}
        {% do parts.append("coalesce(', line ' || cast(raw_rows.source_line as " ~ customer_tiering.string_type() ~ "), '')") %}
    {% endif %}
    {{ return(parts | join(' || ') if 'source_file' in relation.columns else customer_tiering.null_text()) }}
{% endmacro %}


{% macro land_table(source, relation, is_erasing, continues) %}
    {% set present = customer_tiering.columns_of_relation(relation) %}
    {% for column in source.columns.values()
        if relation.query and column.config.meta.get('required') and column.name not in present %}
        {{ exceptions.raise_compiler_error(
            relation.name ~ " has no column " ~ column.name ~ "; found are "
            ~ present.values() | join(', ') ~ ", and " ~ column.name ~ " is required."
        ) }}
    {% endfor %}
    {% if not continues or not customer_tiering.land_new_rows(source, relation, present, is_erasing) %}
        {% do customer_tiering.land_whole(source, relation, present, is_erasing) %}
    {% endif %}
    {{ return(present) }}
{% endmacro %}


{# Files become a table, so that a build reads each once and nobody changes them while it runs. A table of a schema is
   a view, but for one that can be landed row by row, and pseudonyms, which a view would make each time it is read. #}
{% macro land_whole(source, relation, present, is_erasing) %}
    {% set is_view = relation.query and not relation.files and not relation.newest_by and not relation.columns
        and not customer_tiering.setting('pseudonymise_ids') and customer_tiering.keeps_still() %}
    {% set query = customer_tiering.rows_to_land(
        customer_tiering.landing_query(source, relation, present, is_erasing)
    ) %}
    {% do customer_tiering.drop_landed(source) %}
    {% if is_view %}
        {% call customer_tiering.run_statement() %}
            create view {{ customer_tiering.landed_name(source) }} as
            {{ query }}
        {% endcall %}
    {% else %}
        {% call customer_tiering.replace_table(customer_tiering.landed_name(source)) %}
            {{ query }}
        {% endcall %}
    {% endif %}
    {% call customer_tiering.run_statement() %}
        delete from builds.landed_files where source_table = '{{ source.name }}'
    {% endcall %}
{% endmacro %}


{% macro landed_name(source) %}
    {{ return(adapter.quote(source.schema) ~ '.' ~ adapter.quote(source.identifier)) }}
{% endmacro %}


{% macro raw_relation(source) %}
    {% set mapping = customer_tiering.mapping_in_use() %}
    {% if mapping and source.name not in mapping.sql %}
        {% set relation = customer_tiering.relation_beside_mapping(source, mapping) %}
    {% elif mapping and customer_tiering.setting('raw_schema') %}
        {% set relation = customer_tiering.mapped_relation_in_schema(source, mapping) %}
    {% elif mapping %}
        {% set relation = customer_tiering.mapped_relation_in_folder(source, mapping) %}
    {% elif customer_tiering.setting('raw_schema') %}
        {% set relation = customer_tiering.raw_relation_in_schema(source) %}
    {% else %}
        {% set relation = customer_tiering.raw_relation_in_folder(source) %}
    {% endif %}
    {% if not relation.query and source.config.meta.get('required') %}
        {{ exceptions.raise_compiler_error(
            "raw table " ~ source.name ~ " is missing: looked for " ~ relation.name ~ "; it is required."
        ) }}
    {% endif %}
    {{ return(relation) }}
{% endmacro %}


{% macro columns_of(query) %}
    {% set columns = {} %}
    {% for name in customer_tiering.types_of(query) %}{% do columns.update({name | lower: name}) %}{% endfor %}
    {{ return(columns) }}
{% endmacro %}


{% macro columns_of_relation(relation) %}
    {{ return(relation.columns or (customer_tiering.columns_of(relation.query) if relation.query else {})) }}
{% endmacro %}


{% macro drop_landed(source) %}
    {% do adapter.dispatch('drop_landed', 'customer_tiering')(source) %}
{% endmacro %}

{% macro default__drop_landed(source) %}
    {% set query %}
        select case when table_type = 'VIEW' then 'view' else 'table' end
        from information_schema.tables
        where
            table_catalog = current_database()
            and table_schema = '{{ source.schema }}'
            and table_name = '{{ source.identifier }}'
    {% endset %}
    {% for row in run_query(query).rows %}
        {% call customer_tiering.run_statement() %}
            drop {{ row[0] }} {{ customer_tiering.landed_name(source) }}
        {% endcall %}
    {% endfor %}
{% endmacro %}


{% macro keep_contract(sources) %}
    {% call customer_tiering.replace_table(adapter.quote(sources[0].schema) ~ '.contract') %}
        select *
        from (
            values
            {% for source in sources %}
            (
                '{{ source.source_name }}',
                '{{ source.name }}',
                {{ customer_tiering.text_literal(customer_tiering.declaration_of(source)) }}
            ){{ ',' if not loop.last }}
            {% endfor %}
        ) as contract (source_name, source_table, declaration)
    {% endcall %}
{% endmacro %}


{% macro declaration_of(source) %}
    {% set columns = {} %}
    {% for column in source.columns.values() %}
        {% do columns.update({column.name: {
            'name': column.name, 'data_type': column.data_type, 'config': {'meta': column.config.meta}
        }}) %}
    {% endfor %}
    {{ return(tojson({'columns': columns, 'config': {'meta': source.config.meta}})) }}
{% endmacro %}
