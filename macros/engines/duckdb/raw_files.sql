{# Which files a raw table is read from, and how. Names of files and folders only say which table and format a file is
   of: nothing else in them means anything. #}

{% macro duckdb__raw_relation_in_folder(source) %}
    {% set folder = customer_tiering.raw_folder() %}
    {% set place = customer_tiering.find_files(source).get(source.name) %}
    {% if not place %}
        {{ return({
            'name': folder ~ source.name ~ '.parquet, ' ~ folder ~ source.name ~ '.csv and the folder '
                ~ folder ~ source.name,
            'query': none, 'files': [], 'is_text': true, 'newest_by': none
        }) }}
    {% endif %}
    {{ return(customer_tiering.files_relation(folder ~ place)) }}
{% endmacro %}


{# Lists the files, and gives the place of each name that has any. #}
{% macro find_files(source) %}
    {% call customer_tiering.run_statement() %}
        create or replace table builds.found_files as
        {{ customer_tiering.found_files(source) }}
    {% endcall %}
    {% set places = {} %}
    {% set query %}
        select distinct source_name, place from builds.found_files where is_read order by all
    {% endset %}
    {% for name, place in run_query(query).rows %}
        {% if name in places %}
            {% set folder = customer_tiering.raw_folder() %}
            {{ exceptions.raise_compiler_error(
                "raw table " ~ name ~ " is there more than once: " ~ folder ~ places[name] ~ " and " ~ folder ~ place
                ~ "; allowed is one file, or one folder of files of one format."
            ) }}
        {% endif %}
        {% do places.update({name: place}) %}
    {% endfor %}
    {{ return(places) }}
{% endmacro %}


{% macro raw_folder() %}
    {% set path = customer_tiering.setting('raw_path') %}
    {% if '://' in path %}{{ return(path.rstrip('/') ~ '/') }}{% endif %}
    {% set parts = [] %}
    {% for part in path.split('/') %}
        {% if part == '..' and parts and parts[-1] != '..' %}
            {% do parts.pop() %}
        {% elif part not in ('', '.') %}
            {% do parts.append(part) %}
        {% endif %}
    {% endfor %}
    {{ return(('/' if path.startswith('/') else '') ~ parts | join('/') ~ ('/' if parts else '')) }}
{% endmacro %}


{# Those of a raw table or, where a mapping makes it, of all sources that it is made of. A raw table beside a mapping has none
   of its sources' files. #}
{% macro found_files(source) %}
    {% set mapping = customer_tiering.mapping_in_use() %}
    {% if not mapping %}{{ return(customer_tiering.files_of_name(source.name)) }}{% endif %}
    {% if source.name in mapping.sql %}
        {{ return(customer_tiering.files_of_sources(customer_tiering.sources_read(source, mapping), mapping)) }}
    {% endif %}
    {% set query %}
        select *
        from ({{ customer_tiering.files_of_name(source.name) }}) as found
        where file not in (select file from ({{ customer_tiering.files_of_sources(mapping.sources, mapping) }}) as mapped)
    {% endset %}
    {{ return(query) }}
{% endmacro %}


{% macro files_of_sources(names, mapping) %}
    {% set queries = [] %}
    {% for name in names %}
        {% do queries.append('select * from (' ~ customer_tiering.files_of_name(name, mapping.sources[name].files)
            ~ ') as found') %}
    {% endfor %}
    {{ return(queries | join('\nunion all\n')) }}
{% endmacro %}


{% macro sources_read(source, mapping) %}
    {% set names = [] %}
    {% for name in customer_tiering.relations_read(mapping, mapping.sql[source.name]).split() if name in mapping.sources %}
        {% do names.append(name) %}
    {% endfor %}
    {{ return(names) }}
{% endmacro %}


{# Contents are not read. `**` does not enter a folder that is a link, so that three levels are named. What is hidden,
   or in a folder that writers hide (_temporary, _delta_log), is not read. While the clock still shows a file's time,
   or an earlier one, it may change and keep it: it is not settled. `named` are the patterns of a mapping; whatever they
   find is Parquet by its name, or CSV. #}
{% macro files_of_name(name, named=[]) %}
    {% set folder = customer_tiering.raw_folder() %}
    {% set patterns = [] %}
    {% for pattern in named %}
        {% do patterns.append(customer_tiering.literal_path(folder) ~ pattern) %}
    {% endfor %}
    {% for pattern in ([] if named else ['.*', '/**/*', '/*/**/*', '/*/*/**/*', '/*/*/*/**/*']) %}
        {% do patterns.append(customer_tiering.literal_path(folder) ~ customer_tiering.in_any_letter_case(name) ~ pattern) %}
    {% endfor %}
    {% set query %}
        with listed as (
            select distinct
                filename as file,
                substr(filename, {{ folder | length + 1 }}) as path,
                size as size_bytes,
                last_modified as modified_at,
                last_modified < now() - interval '2 seconds' as is_settled
            from read_blob({{ customer_tiering.list_of(patterns) }})
        ),

        formats as (
            select
                *,
                case
                    when regexp_matches(path, '[.]parquet$', 'i') then 'parquet'
                    when {{ named | length > 0 }} or regexp_matches(path, '[.]csv([.]gz|[.]zst)?$', 'i') then 'csv'
                end as format,
                case
                    when regexp_matches(path, '[.]gz$', 'i') then 'gzip'
                    when regexp_matches(path, '[.]zst$', 'i') then 'zstd'
                    else 'none'
                end as compression,
                regexp_matches(path, '/[.~][^/]*$|/[._][^/]*/') as is_hidden
            from listed
        )

        select
            '{{ name }}' as source_name,
            * exclude (is_hidden),
            case
                when {{ named | length > 0 }} then 'files of ' || format
                when contains(path, '/') then split_part(path, '/', 1) || '/*.' || format
                else path
            end as place,
            format is not null and not is_hidden as is_read,
            false as is_known,
            cast(null as varchar[]) as column_names,
            cast(null as bigint) as row_count
        from formats
        where
            {{ named | length > 0 }}
            or contains(path, '/')
            or regexp_matches(path, '^[^.]*[.](parquet|csv|csv[.]gz|csv[.]zst)$', 'i')
    {% endset %}
    {{ return(query) }}
{% endmacro %}


{# CSV is all text: a typed one would stop the build at the first bad cell. No line is skipped as a comment or a
   preamble, and one with more or fewer cells than the header stops the run: in which columns its cells belong nobody
   knows. #}
{% macro files_relation(name) %}
    {% set files = [] %}
    {% set readers = [] %}
    {% for compression, listed in customer_tiering.files_to_read().items() %}
        {% do files.extend(listed) %}
        {% do readers.append(customer_tiering.file_reader(
            name, listed, compression, "union_by_name = true, filename = 'landed_from_file'"
        )) %}
    {% endfor %}
    {% set query %}
        (
            {% for reader in readers %}
            select * from {{ reader }}
            {{ 'union all by name' if not loop.last }}
            {% endfor %}
        )
    {% endset %}
    {{ return({
        'name': name,
        'query': query,
        'files': files,
        'is_text': not customer_tiering.is_parquet(name),
        'newest_by': none,
    }) }}
{% endmacro %}


{# By compression, as DuckDB before 2.0 does not know it by a name in upper case. #}
{% macro files_to_read() %}
    {% set files = {} %}
    {% set query %}
        select compression, file from builds.found_files where is_read and not is_known order by 1, 2
    {% endset %}
    {% for compression, file in run_query(query).rows %}
        {% do files.setdefault(compression, []).append(file) %}
    {% endfor %}
    {{ return(files) }}
{% endmacro %}


{% macro list_of_files_to_read() %}
    {{ return(customer_tiering.list_of_files(customer_tiering.files_to_read().values() | sum(start=[]))) }}
{% endmacro %}


{# `form` says how CSV is written, as a mapping's source does; the contract's own is that of a spreadsheet in UTF-8. #}
{% macro file_reader(name, files, compression, option, has_header=true, form={}) %}
    {% set quote = customer_tiering.text_literal(form.quote | default('"')) %}
    {% if name.lower().endswith('.parquet') %}
        read_parquet({{ customer_tiering.list_of_files(files) }}, hive_partitioning = false, {{ option }})
    {% else %}
        read_csv(
            {{ customer_tiering.list_of_files(files) }},
            hive_partitioning = false,
            compression = '{{ compression }}',
            all_varchar = true,
            header = {{ has_header }},
            delim = {{ customer_tiering.text_literal(form.delimiter | default(',')) }},
            quote = {{ quote }},
            escape = {{ quote }},
            comment = '',
            skip = {{ form.skip_lines | default(0) }},
            {{ option }}
        )
    {% endif %}
{% endmacro %}


{% macro is_parquet(name) %}
    {{ return((name | lower).endswith('.parquet')) }}
{% endmacro %}


{% macro list_of(texts) %}
    {% set quoted = [] %}
    {% for text in texts %}{% do quoted.append(customer_tiering.text_literal(text)) %}{% endfor %}
    {{ return('[' ~ quoted | join(', ') ~ ']') }}
{% endmacro %}


{% macro list_of_files(files) %}
    {% set literal = [] %}
    {% for file in files %}{% do literal.append(customer_tiering.literal_path(file)) %}{% endfor %}
    {{ return(customer_tiering.list_of(literal)) }}
{% endmacro %}


{# DuckDB takes every path for a pattern. #}
{% macro literal_path(path) %}
    {{ return(path | replace('[', '[[]') | replace('*', '[*]') | replace('?', '[?]')) }}
{% endmacro %}


{% macro in_any_letter_case(name) %}
    {% set signs = [] %}
    {% for sign in name %}{% do signs.append('[' ~ sign | lower ~ sign | upper ~ ']') %}{% endfor %}
    {{ return(signs | join) }}
{% endmacro %}


{# Files of another folder are told apart by their paths. #}
{% macro duckdb__raw_origin() %}
    {% if not customer_tiering.setting('raw_schema') %}{{ return("'files'") }}{% endif %}
    {% set schema = customer_tiering.raw_schema_parts() %}
    {% set query %}
        (
            select concat_ws('|', 'schema', type, path, '{{ schema.name | lower }}')
            from duckdb_databases()
            where lower(database_name) = '{{ schema.database | lower }}'
        )
    {% endset %}
    {{ return(query) }}
{% endmacro %}


{# Seeds are built later. #}
{% macro duckdb__seed_file(seed) %}
    {% for node in graph.nodes.values()
        if node.resource_type == 'seed' and node.package_name == 'customer_tiering' and node.name == seed %}
        {% set file = customer_tiering.text_literal(node.root_path ~ '/' ~ node.original_file_path) %}
        {{ return('read_csv(' ~ file ~ ', all_varchar = true, header = true)') }}
    {% endfor %}
{% endmacro %}


{% macro duckdb__digest_of_files(root, patterns) %}
    {% set files = [] %}
    {% for pattern in patterns %}
        {% do files.append(customer_tiering.literal_path(root) ~ '/' ~ pattern) %}
    {% endfor %}
    {% set query %}
        (
            select string_agg(substr(filename, {{ root | length + 1 }}) || sha256(content), '' order by filename)
            from read_blob({{ customer_tiering.list_of(files) }})
        )
    {% endset %}
    {{ return(query) }}
{% endmacro %}
