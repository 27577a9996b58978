{# The rows of a mapping's source, as a query. The command line renders it too, see mapped_rows. `files` are what found_files
   lists, of one format, and `columns` those that they have; when `is_empty`, no row is read, and without `has_lines` rows are
   not numbered. Files without rows of their own are still read for their columns. #}
{% macro duckdb__source_rows(source, files, columns, folder, is_empty=false, has_lines=true) %}
    select
        {% if files %}* exclude (landed_from_file, row_place),{% endif %}
        {%- for name in source.optional_columns if name | lower not in columns %}
        cast(null as varchar) as {{ customer_tiering.quoted(name) }},
        {%- endfor %}
        {%- if not files %}
        cast(null as varchar) as source_file,
        cast(null as bigint) as source_line
        {%- else %}
        substr(regexp_replace(landed_from_file, '^encoded://[^/]*/', ''), {{ folder | length + 1 }}) as source_file,
        {%- set is_of_several = has_lines and files | length > 1 %}
        row_place{{ ' - min(row_place) over (partition by landed_from_file)' if is_of_several }}
        + {{ source.skip_lines + (2 if is_of_several else 1) }} as source_line
    from (
        {%- for compression, listed in files | groupby('compression') %}
        select *, {{ 'row_number() over ()' if has_lines else 'cast(null as bigint)' }} as row_place
        from {{ customer_tiering.file_reader(
            listed[0].file, customer_tiering.paths_to_read(source, listed).split('\n'),
            compression if source.encoding == 'utf-8' else 'none',
            "union_by_name = true, filename = 'landed_from_file'", form=source
        ) }}
        {{ 'union all by name' if not loop.last }}
        {%- endfor %}
    ) as source_rows
        {%- endif %}
    {{ 'where false' if is_empty or not files }}
{% endmacro %}


{% macro paths_to_read(source, files) -%}
    {%- for file in files -%}
        {{ 'encoded://' ~ source.encoding ~ '/' if source.encoding != 'utf-8' and file.format == 'csv' }}{{ file.file -}}
        {{ '\n' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}
