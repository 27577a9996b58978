{# The rows that a mapping makes of files. #}

{% macro duckdb__read_mapping() %}
    {% set folder = customer_tiering.setting('mapping').rstrip('/') %}
    {% set texts = {} %}
    {% set found %}
        select file
        from glob({{ customer_tiering.text_literal(customer_tiering.literal_path(folder) ~ '/*') }})
        where regexp_full_match(file, '.*/(mapping[.]yml|[^/]*[.]sql)')
        order by file
    {% endset %}
    {% set files = run_query(found).columns[0].values() %}
    {% if folder ~ '/mapping.yml' not in files %}
        {% do customer_tiering.refuse_mapping(
            'var mapping', "'" ~ folder ~ "', which has no mapping.yml", 'a folder with mapping.yml and SQL files'
        ) %}
    {% endif %}
    {% set query %}
        select split_part(filename, '/', -1), content
        from read_text({{ customer_tiering.list_of_files(files) }})
        order by all
    {% endset %}
    {% for name, content in run_query(query).rows %}
        {% set question = modules.re.search('(?:--|#) *ASK: *(.*)', content) %}
        {% if question %}
            {% do customer_tiering.refuse_mapping(
                folder ~ '/' ~ name, 'a question that is not answered: ' ~ question.group(1),
                'an answer: change what stands below where it is wrong, and delete the line of the question'
            ) %}
        {% endif %}
        {% do texts.update({name: content}) %}
    {% endfor %}
    {% set declaration = texts.pop('mapping.yml', none) %}
    {% set sql = {} %}
    {% for name, text in texts.items() %}{% do sql.update({name[:-4]: text.rstrip().removesuffix(';')}) %}{% endfor %}
    {{ return(customer_tiering.mapping_of_texts(folder, declaration, sql)) }}
{% endmacro %}


{# Which files there are is listed in builds.found_files, with the columns of each. #}
{% macro duckdb__mapped_relation_in_folder(source, mapping) %}
    {% set names = customer_tiering.sources_read(source, mapping) %}
    {% if not names %}{{ return(customer_tiering.mapped_relation(source, mapping, {}, {})) }}{% endif %}
    {% set places = customer_tiering.find_files(source) %}
    {% for name in names if name not in places and not mapping.sources[name].optional %}
        {% set folder = customer_tiering.raw_folder() %}
        {% do customer_tiering.refuse_mapping(
            mapping.folder ~ '/mapping.yml, source ' ~ name, 'no file of it in ' ~ folder,
            mapping.sources[name].files | join(' or ') or name ~ '.parquet, ' ~ name ~ '.csv or a folder ' ~ name
        ) %}
    {% endfor %}
    {% if not places %}{{ return(customer_tiering.no_mapped_relation(source, mapping)) }}{% endif %}
    {% do customer_tiering.read_column_names(mapping.sources) %}
    {{ return(customer_tiering.relation_of_mapped_files(source, mapping)) }}
{% endmacro %}


{# Of a source without a new file only the columns are read. A column that none of the new files has, but one of the others,
   is NULL in them, as when all are read. #}
{% macro relation_of_mapped_files(source, mapping) %}
    {% set readers = {} %}
    {% set unnumbered = {} %}
    {% set files = [] %}
    {% for name in customer_tiering.sources_read(source, mapping) %}
        {% set listed = customer_tiering.files_of_source(name) %}
        {% set new = listed | rejectattr('is_known') | list %}
        {% set read = new or listed[:1] %}
        {% do files.extend(new | map(attribute='file')) %}
        {% set all = customer_tiering.columns_of_files("source_name = '" ~ name ~ "'") %}
        {% set present = customer_tiering.columns_of_files(
            "source_name = '" ~ name ~ "' and list_contains("
            ~ customer_tiering.list_of(read | map(attribute='file')) ~ ', file)'
        ) if read else {} %}
        {% set form = mapping.sources[name] %}
        {% for optional in form.optional_columns %}{% do all.pop(optional | lower, none) %}{% endfor %}
        {% set form = dict(form, optional_columns=form.optional_columns + all.values() | list) %}
        {% set given = [form, read, present, customer_tiering.raw_folder()] %}
        {% do readers.update({name: customer_tiering.duckdb__source_rows(*given, is_empty=not new)}) %}
        {% do unnumbered.update({name: customer_tiering.duckdb__source_rows(*given, has_lines=false)}) %}
    {% endfor %}
    {{ return(customer_tiering.mapped_relation(source, mapping, readers, unnumbered, files)) }}
{% endmacro %}


{% macro files_of_source(name) %}
    {% set query %}
        select file, format, compression, is_known
        from builds.found_files
        where is_read and source_name = '{{ name }}'
        order by file
    {% endset %}
    {% set files = [] %}
    {% for file, format, compression, is_known in run_query(query).rows %}
        {% do files.append({'file': file, 'format': format, 'compression': compression, 'is_known': is_known}) %}
    {% endfor %}
    {{ return(files) }}
{% endmacro %}


{# By the plan, which has no join, sum, window, order or limit then. #}
{% macro duckdb__is_by_row(query) %}
    {% set plan = run_query('explain (format json) select * from ' ~ query).rows[0][1] %}
    {% for name in modules.re.findall('"name": *"([A-Z_ ]+)"', plan)
        if not modules.re.fullmatch('PROJECTION|FILTER|UNION|UNNEST|EMPTY_RESULT|READ_[A-Z]+|([A-Z]+_)?[A-Z]*_?SCAN *', name) %}
        {{ return(false) }}
    {% endfor %}
    {{ return(true) }}
{% endmacro %}
