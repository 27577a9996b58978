{# Lands the raw tables before anything is built: every table and every column of the raw contract, as the
   source YAML declares them, is there afterwards. A missing optional table is empty, a missing optional
   column NULL; a missing required one stops the run with a sentence. #}

{% macro land_raw_tables() %}
    {% if execute and flags.WHICH in ('build', 'run', 'test', 'snapshot', 'run-operation') %}
        {% do customer_tiering.check_vars() %}
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
    {% set landed = [] %}
    {% if sources %}
        {% do run_query('create schema if not exists ' ~ adapter.quote(sources[0].schema)) %}
    {% endif %}
    {% set is_erasing = customer_tiering.land_erased_ids(sources) %}
    {% set is_pseudonymising = customer_tiering.is_pseudonymising() %}
    {% for source in sources %}
        {% do run_query('create schema if not exists ' ~ adapter.quote(source.schema)) %}
        {% set relation = customer_tiering.raw_relation(source) %}
        {% set present = customer_tiering.columns_of(relation) if relation.query else {} %}
        {% set columns = [] %}
        {% set masked = {'columns': {}, 'from': relation.query} %}
        {% if relation.query and (is_erasing or is_pseudonymising) %}
            {% set masked = customer_tiering.masked(source, relation, present, is_erasing) %}
        {% endif %}
        {% for column in source.columns.values() %}
            {% set as_text = relation.kind == 'table' or not relation.query %}
            {% if column.name in present %}
                {% set value = masked.columns.get(column.name, adapter.quote(present[column.name])) %}
                {% do columns.append(value ~ ' as ' ~ adapter.quote(column.name)) %}
            {% elif relation.query and column.config.meta.get('required') %}
                {{ exceptions.raise_compiler_error(
                    relation.name ~ " has no column " ~ column.name ~ "; found are "
                    ~ present.values() | join(', ') ~ ", and " ~ column.name ~ " is required."
                ) }}
            {% else %}
                {% set data_type = 'varchar' if as_text else column.data_type %}
                {% do columns.append('cast(null as ' ~ data_type ~ ') as ' ~ adapter.quote(column.name)) %}
            {% endif %}
            {% do landed.append("('" ~ source.name ~ "', '" ~ column.name ~ "', "
                ~ (column.config.meta.get('required', false) | string | lower) ~ ", "
                ~ ((column.name in present) | string | lower) ~ ")") %}
        {% endfor %}
        {% set target_name = adapter.quote(source.schema) ~ '.' ~ adapter.quote(source.identifier) %}
        {% do customer_tiering.drop_landed(source) %}
        {# a view would make the pseudonyms each time it is read #}
        {% do run_query(
            'create ' ~ ('table' if is_pseudonymising else relation.kind) ~ ' ' ~ target_name ~ ' as select ' ~ columns | join(', ')
            ~ (' from ' ~ masked.from if relation.query else ' where false')
        ) %}
    {% endfor %}
    {% if sources %}
        {% set name = adapter.quote(sources[0].schema) ~ '.landed_columns' %}
        {% do run_query(
            'create or replace table ' ~ name ~ ' as select * from (values ' ~ landed | join(', ')
            ~ ') as landed (source_table, column_name, is_required, is_landed)'
        ) %}
        {% do customer_tiering.keep_contract(sources) %}
    {% endif %}
    {% do customer_tiering.hand_over_erased_ids(sources, is_erasing) %}
    {% do customer_tiering.carry_published_history(sources, is_erasing) %}
    {% do customer_tiering.guard_raw_tables(sources) %}
{% endmacro %}


{# Where a raw table is: {name: for messages, query: what to select from (none: missing), kind: of the
   relation to land it as}. #}
{% macro raw_relation(source) %}
    {% if var('raw_schema') | string %}
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


{% macro raw_relation_in_schema(source) %}
    {% set parts = (var('raw_schema') | string).split('.') %}
    {% for part in parts %}
        {% if not modules.re.fullmatch('[A-Za-z_][A-Za-z0-9_]*', part) or parts | length > 2 %}
            {{ exceptions.raise_compiler_error(
                "dbt_project.yml, vars: raw_schema is '" ~ var('raw_schema')
                ~ "'; allowed is a schema or database.schema of letters, digits and underscores."
            ) }}
        {% endif %}
    {% endfor %}
    {% set found = run_query(
        "select count(*) from information_schema.tables where lower(table_name) = '" ~ source.name
        ~ "' and lower(table_schema) = '" ~ parts[-1] | lower ~ "'"
        ~ (" and lower(table_catalog) = '" ~ parts[0] | lower ~ "'" if parts | length == 2 else "")
    ).columns[0].values()[0] %}
    {% set name = parts | join('.') ~ '.' ~ source.name %}
    {{ return({'name': name, 'query': name if found else none, 'kind': 'view'}) }}
{% endmacro %}


{% macro raw_relation_in_folder(source) %}
    {% set base = (var('raw_path') | string).rstrip('/') ~ '/' ~ source.name %}
    {% set found = [] %}
    {% for pattern in ['.parquet', '.csv', '/*.parquet', '/*.csv'] %}
        {% set files = run_query(
            "select file from glob('" ~ (base ~ pattern) | replace("'", "''") ~ "') order by 1"
        ).columns[0].values() %}
        {% if files %}{% do found.append({'pattern': pattern, 'files': files}) %}{% endif %}
    {% endfor %}
    {% if found | length > 1 %}
        {{ exceptions.raise_compiler_error(
            "raw table " ~ source.name ~ " is there more than once: " ~ base ~ found[0].pattern ~ " and "
            ~ base ~ found[1].pattern ~ "; allowed is one file, or one folder of files of one format."
        ) }}
    {% elif not found %}
        {{ return({
            'name': base ~ '.parquet, ' ~ base ~ '.csv and the folder ' ~ base, 'query': none, 'kind': 'view'
        }) }}
    {% endif %}
    {% set files = [] %}
    {% for file in found[0].files %}{% do files.append("'" ~ file | replace("'", "''") ~ "'") %}{% endfor %}
    {% set list = '[' ~ files | join(', ') ~ ']' %}
    {% set name = base ~ found[0].pattern %}
    {% if found[0].pattern.endswith('parquet') %}
        {{ return({
            'name': name, 'query': 'read_parquet(' ~ list ~ ', union_by_name = true)', 'kind': 'view'
        }) }}
    {% endif %}
    {# All text and a table: a typed CSV view would stop the build at the first bad cell. No line is skipped as
       a comment or a preamble, and one with more or fewer cells than the header stops the run: in which
       columns its cells belong nobody knows. #}
    {{ return({
        'name': name,
        'query': 'read_csv(' ~ list ~ ", all_varchar = true, header = true, delim = ',', quote = '\"', "
            ~ "escape = '\"', comment = '', skip = 0, union_by_name = true)",
        'kind': 'table',
    }) }}
{% endmacro %}


{# The columns that a relation has: {lower-case name: name as it is written}. #}
{% macro columns_of(relation) %}
    {% set columns = {} %}
    {% for row in run_query('describe select * from ' ~ relation.query).rows %}
        {% do columns.update({row[0] | lower: row[0]}) %}
    {% endfor %}
    {{ return(columns) }}
{% endmacro %}


{# Drops what an earlier run landed, whichever kind it was. #}
{% macro drop_landed(source) %}
    {% for row in run_query(
        "select table_type from information_schema.tables where table_catalog = current_database() "
        ~ "and table_schema = '" ~ source.schema ~ "' and table_name = '" ~ source.identifier ~ "'"
    ).rows %}
        {% do run_query(
            'drop ' ~ ('view' if row[0] == 'VIEW' else 'table') ~ ' ' ~ adapter.quote(source.schema) ~ '.'
            ~ adapter.quote(source.identifier)
        ) %}
    {% endfor %}
{% endmacro %}


{# Keeps what the source YAML declares of each raw table beside them: dbt gives unit tests no graph to read. #}
{% macro keep_contract(sources) %}
    {% set declared = [] %}
    {% for source in sources %}
        {% set columns = {} %}
        {% for column in source.columns.values() %}
            {% do columns.update({column.name: {
                'name': column.name, 'data_type': column.data_type, 'config': {'meta': column.config.meta}
            }}) %}
        {% endfor %}
        {% set declaration = tojson({'columns': columns, 'config': {'meta': source.config.meta}}) %}
        {% do declared.append("('" ~ source.source_name ~ "', '" ~ source.name ~ "', '"
            ~ declaration | replace("'", "''") ~ "')") %}
    {% endfor %}
    {% do run_query(
        'create or replace table ' ~ adapter.quote(sources[0].schema) ~ '.contract as select * from (values '
        ~ declared | join(', ') ~ ') as contract (source_name, source_table, declaration)'
    ) %}
{% endmacro %}
