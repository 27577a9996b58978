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
    {% if sources %}
        {% do run_query('create schema if not exists ' ~ adapter.quote(sources[0].schema)) %}
    {% endif %}
    {% do customer_tiering.create_reading_functions() %}
    {% set is_erasing = customer_tiering.land_erased_ids(sources) %}
    {% set goes_on = customer_tiering.begin_build(sources, is_erasing) %}
    {% set landed = [] %}
    {% for source in sources %}
        {% do run_query('create schema if not exists ' ~ adapter.quote(source.schema)) %}
        {% set relation = customer_tiering.raw_relation(source) %}
        {% set present = customer_tiering.columns_of(relation.query) if relation.query else {} %}
        {% for column in source.columns.values() %}
            {% if relation.query and column.config.meta.get('required') and column.name not in present %}
                {{ exceptions.raise_compiler_error(
                    relation.name ~ " has no column " ~ column.name ~ "; found are "
                    ~ present.values() | join(', ') ~ ", and " ~ column.name ~ " is required."
                ) }}
            {% endif %}
            {% do landed.append("('" ~ source.name ~ "', '" ~ column.name ~ "', "
                ~ (column.config.meta.get('required', false) | string | lower) ~ ", "
                ~ ((column.name in present) | string | lower) ~ ")") %}
        {% endfor %}
        {% if not goes_on or not customer_tiering.land_what_is_new(source, relation, present, is_erasing) %}
            {% do customer_tiering.land_whole(source, relation, present, is_erasing) %}
        {% endif %}
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


{# The query by which a raw table is landed: every column of the contract, in its order. `present` are the columns to
   read, by lower-case name; those that are missing are NULL, of the type that `types` gives, else of the contract's, or
   text where everything is read as text. #}
{% macro landing_query(source, relation, present, is_erasing, types={}) %}
    {% set masked = customer_tiering.masked(source, relation, present, is_erasing) if relation.query else {} %}
    {% set columns = [] %}
    {% for column in source.columns.values() %}
        {% if column.name in present %}
            {% set value = masked.columns[column.name] %}
        {% else %}
            {% set data_type = types.get(column.name) or ('varchar' if relation.is_text else column.data_type) %}
            {% set value = 'cast(null as ' ~ data_type ~ ')' %}
        {% endif %}
        {% do columns.append(value ~ ' as ' ~ adapter.quote(column.name)) %}
    {% endfor %}
    {{ return('select ' ~ columns | join(', ') ~ (' from ' ~ masked.from if relation.query else ' where false')) }}
{% endmacro %}


{# Files become a table, so that a build reads each once and nobody changes them while it runs. A table of a schema is
   a view, but for one that can be landed row by row, and pseudonyms, which a view would make each time it is read. #}
{% macro land_whole(source, relation, present, is_erasing) %}
    {% set is_view = relation.query and not relation.files and not relation.newest_by
        and not customer_tiering.is_pseudonymising() %}
    {% do customer_tiering.drop_landed(source) %}
    {% do run_query(
        'create ' ~ ('view' if is_view else 'table') ~ ' ' ~ customer_tiering.landed_name(source) ~ ' as '
        ~ customer_tiering.landing_query(source, relation, present, is_erasing)
    ) %}
    {% do run_query("delete from builds.landed_files where source_table = '" ~ source.name ~ "'") %}
    {% do customer_tiering.note_landed_files(source, relation.files) %}
{% endmacro %}


{% macro landed_name(source) %}
    {{ return(adapter.quote(source.schema) ~ '.' ~ adapter.quote(source.identifier)) }}
{% endmacro %}


{# Where a raw table is: {name: for messages, query: what to select from (none: missing), files: that it is read
   from (none: a schema), is_text: whether all is read as text, newest_by: the column of a schema's table by which
   its new rows are told (none: they are not)}. #}
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
    {% set newest_by = customer_tiering.native_column(source.config.meta.get('newest_by'), name) if found %}
    {{ return({
        'name': name, 'query': name if found else none, 'files': [], 'is_text': not found, 'newest_by': newest_by
    }) }}
{% endmacro %}


{# A column's name as it is written, if it is there and of a type of date and time; none otherwise. #}
{% macro native_column(column, query) %}
    {% if column %}
        {% for row in run_query('describe select * from ' ~ query).rows
            if row[0] | lower == column and modules.re.match('DATE|TIMESTAMP', row[1]) %}
            {{ return(row[0]) }}
        {% endfor %}
    {% endif %}
    {{ return(none) }}
{% endmacro %}


{% macro raw_relation_in_folder(source) %}
    {% set base = (var('raw_path') | string).rstrip('/') ~ '/' ~ source.name %}
    {% set literal_base = customer_tiering.literal_path(base) %}
    {% set found = [] %}
    {% for pattern in ['.parquet', '.csv', '/*.parquet', '/*.csv'] %}
        {% set files = run_query(
            "select file from glob('" ~ (literal_base ~ pattern) | replace("'", "''") ~ "') order by 1"
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
            'name': base ~ '.parquet, ' ~ base ~ '.csv and the folder ' ~ base, 'query': none, 'files': [],
            'is_text': true, 'newest_by': none
        }) }}
    {% endif %}
    {{ return(customer_tiering.files_relation(base ~ found[0].pattern, found[0].files)) }}
{% endmacro %}


{# CSV is all text: a typed one would stop the build at the first bad cell. No line is skipped as a comment or a preamble,
   and one with more or fewer cells than the header stops the run: in which columns its cells belong nobody knows. No
   name of a file or folder means anything: key=value makes no column. #}
{% macro files_relation(name, files) %}
    {% set is_text = not name.endswith('parquet') %}
    {% set reader = 'read_csv' if is_text else 'read_parquet' %}
    {% set options = "all_varchar = true, header = true, delim = ',', quote = '\"', escape = '\"', comment = '', skip = 0, "
        if is_text else '' %}
    {{ return({
        'name': name,
        'query': reader ~ '(' ~ customer_tiering.list_of_files(files) ~ ', ' ~ options
            ~ 'union_by_name = true, hive_partitioning = false)',
        'files': files,
        'is_text': is_text,
        'newest_by': none,
    }) }}
{% endmacro %}


{# Texts as an SQL list. #}
{% macro list_of(texts) %}
    {% set quoted = [] %}
    {% for text in texts %}{% do quoted.append("'" ~ text | replace("'", "''") ~ "'") %}{% endfor %}
    {{ return('[' ~ quoted | join(', ') ~ ']') }}
{% endmacro %}


{# Files as an SQL list, for DuckDB's readers. #}
{% macro list_of_files(files) %}
    {% set literal = [] %}
    {% for file in files %}{% do literal.append(customer_tiering.literal_path(file)) %}{% endfor %}
    {{ return(customer_tiering.list_of(literal)) }}
{% endmacro %}


{# A path that means itself alone to DuckDB, which takes it for a pattern. #}
{% macro literal_path(path) %}
    {{ return(path | replace('[', '[[]') | replace('*', '[*]') | replace('?', '[?]')) }}
{% endmacro %}


{# The columns that a query has: {lower-case name: name as it is written}. #}
{% macro columns_of(query) %}
    {% set columns = {} %}
    {% for row in run_query('describe select * from ' ~ query).rows %}
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
