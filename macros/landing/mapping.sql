{# The mapping by which the sources become raw tables, see docs/bring-your-data.md; none when they are raw tables already. What
   has been landed from files has been mapped. #}
{% macro mapping_in_use() %}
    {% if not customer_tiering.setting('mapping') or customer_tiering.landed_files() %}{{ return(none) }}{% endif %}
    {{ return(adapter.dispatch('read_mapping', 'customer_tiering')()) }}
{% endmacro %}


{# The command line reads it as a whole and says all that is wrong with it (customer_tiering/mappings.py). #}
{% macro mapping_of_texts(folder, declaration, texts) %}
    {% set said = fromyaml(declaration) %}
    {% set mapping = {
        'folder': folder, 'sources': {}, 'sql': {}, 'steps': [], 'words': said.get('words') or {},
        'source_time_zone': said.get('source_time_zone'), 'reporting_currency': said.get('reporting_currency'),
        'personal_ids': said.get('personal_ids', false),
    } %}
    {% set form = {
        'files': [], 'table': '', 'encoding': 'utf-8', 'delimiter': ',', 'quote': '"', 'skip_lines': 0, 'optional': false,
        'optional_columns': [],
    } %}
    {% for name in said.sources.keys() | list + texts.keys() | list if not modules.re.fullmatch('[a-z_][a-z0-9_]*', name) %}
        {% do customer_tiering.refuse_mapping(folder, 'the name ' ~ name, 'names of small letters, digits and _') %}
    {% endfor %}
    {% for name, source in said.sources.items() %}
        {% if (source or {}).skip_lines | default(0) is not integer %}
            {% do customer_tiering.refuse_mapping(
                folder ~ '/mapping.yml, sources.' ~ name ~ '.skip_lines', source.skip_lines, 'a whole number'
            ) %}
        {% endif %}
        {% for key in source or {} if key not in form %}
            {% do customer_tiering.refuse_mapping(
                folder ~ '/mapping.yml, sources.' ~ name, 'an unknown key ' ~ key, form | join(', ')
            ) %}
        {% endfor %}
        {% set source = dict(form, **(source or {})) %}
        {% if source.files is string %}{% do source.update({'files': [source.files]}) %}{% endif %}
        {% if source.encoding | lower in ('utf8', 'utf-8-sig', 'utf_8') %}{% do source.update({'encoding': 'utf-8'}) %}{% endif %}
        {% do mapping.sources.update({name: source}) %}
    {% endfor %}
    {% set tables = graph.sources.values() | selectattr('package_name', 'equalto', 'customer_tiering')
        | map(attribute='name') | list %}
    {% for name, text in texts.items() %}
        {% do mapping.sql.update({name: text}) %}
        {% if name not in tables %}{% do mapping.steps.append(name) %}{% endif %}
    {% endfor %}
    {{ return(mapping) }}
{% endmacro %}


{% macro refuse_mapping(where, found, allowed) %}
    {{ exceptions.raise_compiler_error(where ~ ": found " ~ found ~ "; allowed is " ~ allowed ~ ".") }}
{% endmacro %}


{# What a mapping says of vars holds; `tiering` gives them to dbt. #}
{% macro check_vars_of_mapping(mapping) %}
    {% set said = {
        'source_time_zone': mapping.source_time_zone,
        'reporting_currency': mapping.reporting_currency,
        'pseudonymise_ids': mapping.personal_ids or none,
    } %}
    {% for name, value in said.items()
        if value is not none and value != customer_tiering.setting(name)
        and (name not in customer_tiering.command_line_vars() or name == 'pseudonymise_ids') %}
        {% do customer_tiering.refuse_mapping(
            "var " ~ name, "'" ~ customer_tiering.setting(name) ~ "'",
            "'" ~ value ~ "', as " ~ mapping.folder ~ "/mapping.yml says: give it with --vars"
        ) %}
    {% endfor %}
{% endmacro %}


{# Its rows are landed as those of a table of the raw contract are. `is_by_row`: each comes from one row of a source, as the
   query over `unnumbered` shows, which are the readers without what numbers their own lines. #}
{% macro mapped_relation(source, mapping, readers, unnumbered, files=[]) %}
    {% set name = mapping.folder ~ '/' ~ source.name ~ '.sql' %}
    {% set query = customer_tiering.mapped_rows(mapping, source.name, readers) %}
    {% set columns = customer_tiering.columns_of(query ~ ' as mapped_rows') %}
    {% do customer_tiering.refuse_columns_of_mapping(source, name, columns) %}
    {% set query = customer_tiering.mapped_rows(mapping, source.name, readers, columns.values() | list) %}
    {% set is_by_row = 'source_file' in columns
        and customer_tiering.is_by_row(customer_tiering.mapped_rows(mapping, source.name, unnumbered)) %}
    {{ return({
        'name': name, 'query': query, 'files': files, 'is_text': false, 'columns': columns, 'is_by_row': is_by_row,
        'newest_by': customer_tiering.native_column(source.config.meta.get('newest_by'), query ~ ' as mapped_rows')
            if is_by_row and not files,
    }) }}
{% endmacro %}


{% macro no_mapped_relation(source, mapping) %}
    {{ return({
        'name': mapping.folder ~ '/' ~ source.name ~ '.sql', 'query': none, 'files': [], 'is_text': false, 'columns': {},
        'newest_by': none,
    }) }}
{% endmacro %}


{# A raw table that the mapping does not make, such as exchange rates or requests to be erased, is read as it is where no source
   has its name and it has the columns that are required. #}
{% macro relation_beside_mapping(source, mapping) %}
    {% if source.name not in mapping.sources and source.name not in mapping.sources.values() | map(attribute='table') %}
        {% if customer_tiering.setting('raw_schema') %}
            {% set relation = customer_tiering.raw_relation_in_schema(source) %}
        {% else %}
            {% set relation = customer_tiering.raw_relation_in_folder(source) %}
        {% endif %}
        {% set present = customer_tiering.columns_of(relation.query ~ ' as raw_rows') if relation.query else {} %}
        {% set required = source.columns.values() | selectattr('config.meta.required') | map(attribute='name') | list %}
        {% if relation.query and required | select('in', present) | list == required %}{{ return(relation) }}{% endif %}
    {% endif %}
    {{ return(customer_tiering.no_mapped_relation(source, mapping)) }}
{% endmacro %}


{% macro refuse_columns_of_mapping(source, name, columns) %}
    {% set known = source.columns.keys() | list + ['source_file', 'source_line'] %}
    {% for column in columns if column not in known %}
        {% do customer_tiering.refuse_mapping(name, 'a column ' ~ column, known | join(', ')) %}
    {% endfor %}
    {% for column in source.columns.values() if column.config.meta.get('required') and column.name not in columns %}
        {% do customer_tiering.refuse_mapping(
            name, 'no column ' ~ column.name ~ ', which is required (it gives ' ~ columns | join(', ') ~ ')', 'a select that gives it'
        ) %}
    {% endfor %}
{% endmacro %}


{% macro is_by_row(query) %}
    {{ return(adapter.dispatch('is_by_row', 'customer_tiering')(query)) }}
{% endmacro %}

{% macro default__is_by_row(query) %}
    {{ return(false) }}
{% endmacro %}


{% macro mapped_relation_in_schema(source, mapping) %}
    {% set readers = {} %}
    {% for name in customer_tiering.relations_read(mapping, mapping.sql[source.name]).split() if name in mapping.sources %}
        {% set form = mapping.sources[name] %}
        {% set table = customer_tiering.table_in_schema(form.table or name) %}
        {% if not table and not form.optional %}
            {% do customer_tiering.refuse_mapping(
                'source ' ~ name, 'no table ' ~ (form.table or name) ~ ' in ' ~ customer_tiering.setting('raw_schema'), 'one'
            ) %}
        {% endif %}
        {% do readers.update({name: customer_tiering.rows_of_table(form, table)}) %}
    {% endfor %}
    {{ return(customer_tiering.mapped_relation(source, mapping, readers, readers)) }}
{% endmacro %}


{% macro rows_of_table(form, table) %}
    {% set columns = customer_tiering.columns_of(table) if table else {} %}
    {% set query %}
        select
            {% if table %}*,{% endif %}
            {% for name in form.optional_columns if name | lower not in columns %}
            cast(null as {{ customer_tiering.string_type() }}) as {{ customer_tiering.quoted(name) }},
            {% endfor %}
            cast(
                {{ customer_tiering.text_literal((table or '') | replace('"', '')) }} as {{ customer_tiering.string_type() }}
            ) as source_file,
            cast(null as bigint) as source_line
        {{ 'from ' ~ table if table else 'where false' }}
    {% endset %}
    {{ return(query) }}
{% endmacro %}
