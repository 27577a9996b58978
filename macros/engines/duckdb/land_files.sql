{# Landing of files: all of them, each once, and on top of what the last whole build landed only the new ones. #}

{# What the files are is listed before they are read, by raw_relation, and again afterwards. #}
{% macro duckdb__land_files(source, relation, is_erasing, is_second) %}
    {% do customer_tiering.recognise_landed_files(source) %}
    {% if not relation.columns %}
        {% do customer_tiering.read_column_names() %}
        {% do customer_tiering.refuse_columns_of_files(source) %}
    {% endif %}
    {% if not customer_tiering.land_new_files(source, relation, is_erasing) %}
        {% do customer_tiering.land_all_files(source, relation, is_erasing) %}
    {% endif %}
    {% set changed = customer_tiering.changed_file(source, is_second) %}
    {% if not changed %}
        {% do customer_tiering.refuse_files_not_read_once(source, relation.name, is_erasing) %}
        {% do customer_tiering.note_files(source) %}
        {{ return(relation.columns or customer_tiering.columns_of_files('true')) }}
    {% endif %}
    {% set relation = customer_tiering.raw_relation(source) %}
    {% if is_second or not relation.files %}
        {{ exceptions.raise_compiler_error(
            "raw table " ~ source.name ~ ": " ~ changed ~ " changed while it was read, and again when it was read again; "
            ~ "allowed are files that nobody writes to: write them elsewhere, and move them here when they are whole."
        ) }}
    {% endif %}
    {{ return(customer_tiering.land_files(source, relation, is_erasing, true)) }}
{% endmacro %}


{# One that was not settled then may have been read before a change. #}
{% macro recognise_landed_files(source) %}
    {% call customer_tiering.run_statement() %}
        update builds.found_files
        set is_known = true, column_names = landed.column_names, row_count = landed.row_count
        from builds.landed_files as landed
        where
            landed.source_table = '{{ source.name }}'
            and found_files.file = landed.file
            and found_files.size_bytes = landed.size_bytes
            and found_files.modified_at = landed.modified_at
            and found_files.is_settled
            and landed.is_settled
    {% endcall %}
{% endmacro %}


{# `forms` say how the files of a mapping's sources are written. #}
{% macro read_column_names(forms={}) %}
    {% set queries = [] %}
    {% set listed %}
        select source_name, file, format, compression
        from builds.found_files
        where is_read and not is_known
        order by compression, file
    {% endset %}
    {% set parquet = [] %}
    {% for name, file, format, compression in run_query(listed).rows %}
        {% do queries.append(customer_tiering.column_names_of_file(file, format, compression, forms.get(name, {}))) %}
        {% if format == 'parquet' %}{% do parquet.append(file) %}{% endif %}
    {% endfor %}
    {% for some in queries | batch(200) %}
        {% call customer_tiering.run_statement() %}
            update builds.found_files
            set column_names = named.column_names
            from (
                {% for query in some %}
                select * from ({{ query }}) as one_file
                {{ 'union all' if not loop.last }}
                {% endfor %}
            ) as named
            where found_files.file = named.file
        {% endcall %}
    {% endfor %}
    {% if parquet %}{% do customer_tiering.take_back_renaming(parquet) %}{% endif %}
    {# a file without any content has none #}
    {% do run_query('update builds.found_files set column_names = [] where is_read and column_names is null') %}
{% endmacro %}


{% macro column_names_of_file(file, format, compression, form) %}
    {% if format == 'parquet' %}
        {% set reader = customer_tiering.file_reader('.parquet', [file], compression, 'union_by_name = true') %}
        {% set query %}
            select {{ customer_tiering.text_literal(file) }} as file, list(column_name) as column_names
            from (describe select * from {{ reader }})
        {% endset %}
    {% else %}
        {% set reader = customer_tiering.file_reader(
            '.csv', customer_tiering.paths_to_read(dict({'encoding': 'utf-8'}, **form), [{'file': file, 'format': format}]).split('\n'),
            compression, 'sample_size = 1', has_header=false, form=form
        ) %}
        {% set query %}
            select {{ customer_tiering.text_literal(file) }} as file, list_value(*columns(*)) as column_names
            from {{ reader }}
            limit 1
        {% endset %}
    {% endif %}
    {{ return(query) }}
{% endmacro %}


{% macro take_back_renaming(files) %}
    {% call customer_tiering.run_statement() %}
        update builds.found_files
        set
            column_names = [
                case when list_contains(written.names, name) then name else regexp_replace(name, '_[0-9]+$', '') end
                for name in column_names
            ]
        from (
            select file_name, list(name) as names
            from parquet_schema({{ customer_tiering.list_of_files(files) }})
            group by 1
        ) as written
        where found_files.file = written.file_name
    {% endcall %}
{% endmacro %}


{# Each query is of the first file at fault. #}
{% macro refuse_columns_of_files(source) %}
    {% set names = [] %}
    {% set required = [] %}
    {% for column in source.columns.values() %}
        {% do names.append(column.name) %}
        {% if column.config.meta.get('required') %}{% do required.append(column.name) %}{% endif %}
    {% endfor %}
    {# a file without any content lacks nothing, if others say what the columns are #}
    {% set files %}
        select file, path, column_names, [lower(name) for name in column_names] as lower_names
        from builds.found_files
        where
            is_read
            and (
                column_names <> []
                or not exists (select 1 from builds.found_files as others where others.column_names <> [])
            )
    {% endset %}
    {% set in_folders %}
        select file, folder, lower(split_part(folder, '=', 1)) as name
        from (
            select *, unnest(string_split(path, '/')[:-2]) as folder from ({{ files }}) as files
        ) as folders
        where
            contains(folder, '=')
            and list_contains({{ customer_tiering.list_of(names) }}, name)
            and not list_contains(lower_names, name)
        order by all
        limit 1
    {% endset %}
    {% for file, folder, column in run_query(in_folders).rows %}
        {{ exceptions.raise_compiler_error(
            "raw table " ~ source.name ~ ": column " ~ column ~ " is only in the name of the folder " ~ folder ~ ", not in "
            ~ file ~ "; names of folders are not read: write the column into the files."
        ) }}
    {% endfor %}
    {% set missing %}
        select
            file,
            required.name,
            array_to_string(
                [name for name in column_names if list_contains({{ customer_tiering.list_of(names) }}, lower(name))],
                ', '
            ),
            len([name for name in lower_names if not list_contains({{ customer_tiering.list_of(names) }}, name)])
        from ({{ files }}) as files
        cross join (select unnest({{ customer_tiering.list_of(required) }}) as name) as required
        where not list_contains(lower_names, required.name)
        order by file
        limit 1
    {% endset %}
    {% for file, column, found, others in run_query(missing).rows %}
        {# without a header the other names are values of a row #}
        {% set others = others ~ ' of other names' if others else none %}
        {{ exceptions.raise_compiler_error(
            file ~ " has no column " ~ column ~ "; found are " ~ ([found, others] | select | join(', ') or 'none') ~ ", and "
            ~ column ~ " is required."
        ) }}
    {% endfor %}
    {% set repeated %}
        select file, string_agg(name, ' and ' order by name)
        from (select file, unnest(column_names) as name from builds.found_files where is_read) as named
        where name <> ''
        group by file, lower(name)
        having count(*) > 1
        order by all
        limit 1
    {% endset %}
    {% for file, columns in run_query(repeated).rows %}
        {{ exceptions.raise_compiler_error(
            file ~ " has one column twice: " ~ columns ~ "; allowed is each name once, whatever its letter case."
        ) }}
    {% endfor %}
{% endmacro %}


{% macro columns_of_files(condition) %}
    {% set query %}
        select lower(name), min(name)
        from (
            select unnest(column_names) as name from builds.found_files where is_read and {{ condition }}
        ) as named
        where name <> ''
        group by 1
    {% endset %}
    {% set columns = {} %}
    {% for lower_name, name in run_query(query).rows %}{% do columns.update({lower_name: name}) %}{% endfor %}
    {{ return(columns) }}
{% endmacro %}


{% macro land_new_files(source, relation, is_erasing) %}
    {% set landed = customer_tiering.landed_name(source) %}
    {% set counts %}
        select
            count(*) filter (where is_known),
            count(*) filter (where not is_known),
            (select count(*) from builds.landed_files where source_table = '{{ source.name }}')
        from builds.found_files
        where is_read
    {% endset %}
    {% set known, new, landed_before = run_query(counts).rows[0] %}
    {% if relation.columns and not relation.is_by_row %}{{ return(false) }}{% endif %}
    {% if not known or known < landed_before or not customer_tiering.table_exists(source.schema, source.identifier) %}
        {{ return(false) }}
    {% elif new %}
        {% set types = customer_tiering.types_of(landed) %}
        {% set query = customer_tiering.landing_query(
            source,
            customer_tiering.relation_of_files(source, relation),
            relation.columns or customer_tiering.columns_of_files('not is_known'),
            is_erasing,
            types
        ) %}
        {% set types_of_new = customer_tiering.types_of('(' ~ query ~ ')') %}
        {% do types_of_new.pop('landed_from_file') %}
        {% if types_of_new != types %}{{ return(false) }}{% endif %}
        {% call customer_tiering.run_statement() %}
            create or replace table builds.new_rows as
            {{ query }}
        {% endcall %}
        {% do customer_tiering.count_rows_by_file('builds.new_rows') %}
        {% call customer_tiering.run_statement() %}
            insert into {{ landed }}
            select * exclude (landed_from_file) from builds.new_rows
        {% endcall %}
        {% do run_query('drop table builds.new_rows') %}
        {% do customer_tiering.note_landed_files(source) %}
    {% endif %}
    {{ return(true) }}
{% endmacro %}


{% macro relation_of_files(source, relation) %}
    {% if relation.columns %}
        {{ return(customer_tiering.relation_of_mapped_files(source, customer_tiering.mapping_in_use())) }}
    {% endif %}
    {{ return(customer_tiering.files_relation(relation.name)) }}
{% endmacro %}


{% macro land_all_files(source, relation, is_erasing) %}
    {% set landed = customer_tiering.landed_name(source) %}
    {% do run_query('update builds.found_files set is_known = false') %}
    {% set relation = customer_tiering.relation_of_files(source, relation) %}
    {% set present = relation.columns or customer_tiering.columns_of_files('true') %}
    {% do customer_tiering.land_whole(source, relation, present, is_erasing) %}
    {% do customer_tiering.count_rows_by_file(landed) %}
    {% call customer_tiering.run_statement() %}
        alter table {{ landed }} drop column landed_from_file
    {% endcall %}
    {% do customer_tiering.note_landed_files(source) %}
{% endmacro %}


{% macro count_rows_by_file(rows) %}
    {% do run_query('update builds.found_files set row_count = 0 where is_read and not is_known') %}
    {% call customer_tiering.run_statement() %}
        update builds.found_files
        set row_count = read.row_count
        from (select landed_from_file, count(*) as row_count from {{ rows }} group by 1) as read
        where read.landed_from_file in (found_files.file, found_files.path)
    {% endcall %}
{% endmacro %}


{# A file without rows counts as read. #}
{% macro refuse_files_not_read_once(source, name, is_erasing) %}
    {% if not customer_tiering.files_to_read() %}{{ return(none) }}{% endif %}
    {% set files = customer_tiering.list_of_files_to_read() %}
    {% set query %}
        with listed as (
            select file, row_count from builds.found_files where is_read and not is_known
        ),

        opened as (
            select file, count(*) as times from glob({{ files }}) group by 1
        ),

        counted as (
            {% if customer_tiering.is_parquet(name) and not customer_tiering.leaves_out_erased(source, is_erasing) %}
                select file_name as file, sum(num_rows) as row_count from parquet_file_metadata({{ files }}) group by 1
            {% else %}
                select file, row_count from listed
            {% endif %}
        )

        select coalesce(listed.file, opened.file), coalesce(opened.times, 0), coalesce(listed.row_count, 0), counted.row_count
        from listed
        full join opened on listed.file = opened.file
        left join counted on listed.file = counted.file
        where listed.file is null or opened.times is distinct from 1 or listed.row_count <> counted.row_count
        order by 1
        limit 1
    {% endset %}
    {% for file, times, read, held in run_query(query).rows %}
        {{ exceptions.raise_compiler_error(
            "raw table " ~ source.name ~ ": " ~ file ~ " was opened " ~ times ~ " times, and " ~ read ~ " rows of it were read"
            ~ (", of " ~ held if held is not none else "") ~ "; allowed is each row of each file once."
        ) }}
    {% endfor %}
{% endmacro %}


{% macro note_landed_files(source) %}
    {% call customer_tiering.run_statement() %}
        insert into builds.landed_files
        select
            '{{ source.name }}', file, size_bytes, modified_at, is_settled, column_names, row_count,
            timestamptz '{{ run_started_at.isoformat() }}'
        from builds.found_files
        where is_read and not is_known
    {% endcall %}
{% endmacro %}


{# A new file is read at once, but only once: if a feed never stops, the next run reads the rest. #}
{% macro changed_file(source, is_second) %}
    {% set query %}
        with before as (
            select file, size_bytes, modified_at from builds.found_files where is_read
        ),

        after as (
            select file, size_bytes, modified_at from ({{ customer_tiering.found_files(source) }}) as found where is_read
        )

        select coalesce(before.file, after.file)
        from before
        full join after
            on
                before.file = after.file
                and before.size_bytes = after.size_bytes
                and before.modified_at = after.modified_at
        where after.file is null {{ '' if is_second else 'or before.file is null' }}
        order by 1
        limit 1
    {% endset %}
    {% for row in run_query(query).rows %}{{ return(row[0]) }}{% endfor %}
    {{ return(none) }}
{% endmacro %}


{# Columns cannot be known before, and are kept for who runs dbt. #}
{% macro note_files(source) %}
    {% set query %}
        select path from builds.found_files where not is_read order by 1
    {% endset %}
    {% set unread = run_query(query).columns[0].values() %}
    {% if unread %}
        {% do log(
            "raw table " ~ source.name ~ ": not read, as neither Parquet nor CSV, or hidden: "
            ~ customer_tiering.first_of(unread) ~ ".", info=true
        ) %}
    {% endif %}
    {% set query %}
        with files as (
            select source_name, path, list_sort([lower(name) for name in column_names if name <> '']) as names
            from builds.found_files
            where is_read
        ),

        usual as (
            select
                source_name,
                names,
                row_number() over (partition by source_name order by count(*) desc, min(path)) as place
            from files
            where names <> []
            group by source_name, names
        ),

        others as (
            select
                files.path,
                files.names = [] as is_empty,
                [name for name in usual.names if not list_contains(files.names, name)] as missing,
                [name for name in files.names if not list_contains(usual.names, name)] as more
            from files
            inner join usual on files.source_name = usual.source_name and usual.place = 1
            where files.names <> usual.names
        ),

        differences as (
            select
                path,
                concat_ws(
                    '; ',
                    case when is_empty then 'empty' end,
                    case when missing <> [] and not is_empty then 'without ' || array_to_string(missing, ', ') end,
                    case when more <> [] then 'with ' || array_to_string(more, ', ') end
                ) as difference
            from others
        )

        select path || ' (' || difference || ')' from differences order by path
    {% endset %}
    {% set others = run_query(query).columns[0].values() %}
    {% if others %}
        {% set note = "raw table " ~ source.name ~ ": columns differ from those of most files in "
            ~ customer_tiering.first_of(others) ~ "." %}
        {% do log(note, info=true) %}
        {% call customer_tiering.run_statement() %}
            insert into builds.landing_notes values ({{ customer_tiering.text_literal(note) }})
        {% endcall %}
    {% endif %}
{% endmacro %}


{% macro first_of(texts) %}
    {% set more = texts | length - 3 %}
    {{ return((texts | list)[:3] | join(', ') ~ (' and ' ~ more ~ ' more' if more > 0 else '')) }}
{% endmacro %}
