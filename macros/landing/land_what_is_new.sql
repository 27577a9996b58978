{# Landing on top of what the last whole build landed: of files the new ones, of a schema's table the rows that are new or
   have changed. Whatever else is found - a file that has changed or is gone, other types, other counts - the table is
   landed whole. #}

{# Whether the table is up to date afterwards. #}
{% macro land_what_is_new(source, relation, present, is_erasing) %}
    {% if not relation.query or not customer_tiering.table_exists(source.schema, source.identifier) %}
        {{ return(false) }}
    {% elif relation.files %}
        {{ return(customer_tiering.land_new_files(source, relation, is_erasing)) }}
    {% elif relation.newest_by %}
        {{ return(customer_tiering.land_new_rows(source, relation, present, is_erasing)) }}
    {% endif %}
    {{ return(false) }}
{% endmacro %}


{% macro land_new_files(source, relation, is_erasing) %}
    {% set new_files = customer_tiering.new_files(source, relation.files) %}
    {% if new_files is none %}
        {{ return(false) }}
    {% elif new_files %}
        {% set added = customer_tiering.files_relation(relation.name, new_files) %}
        {% set present = customer_tiering.columns_of(added.query) %}
        {% set types = customer_tiering.types_of(customer_tiering.landed_name(source)) %}
        {% set query = customer_tiering.landing_query(source, added, present, is_erasing, types) %}
        {% if customer_tiering.types_of('(' ~ query ~ ')') != types %}{{ return(false) }}{% endif %}
        {% do run_query('insert into ' ~ customer_tiering.landed_name(source) ~ ' ' ~ query) %}
        {% do customer_tiering.note_landed_files(source, new_files) %}
    {% endif %}
    {{ return(true) }}
{% endmacro %}


{# The files that were not there at the last landing; none when one of those that were is gone or has changed. A file
   that was changed while the run that landed it went on, or just before, may have been read before the change; times are
   whole seconds. #}
{% macro new_files(source, files) %}
    {% set table = "builds.landed_files where source_table = '" ~ source.name ~ "'" %}
    {% set unchanged = run_query(
        'select landed.file from (select * from ' ~ table ~ ') as landed inner join ('
        ~ customer_tiering.listed_files(files) ~ ') as listed on landed.file = listed.file '
        ~ 'and landed.size_bytes = listed.size_bytes and landed.modified_at = listed.modified_at '
        ~ "and landed.modified_at < landed.run_started_at - interval '2 seconds'"
    ).columns[0].values() | list %}
    {% if unchanged | length < run_query('select count(*) from ' ~ table).columns[0].values()[0] or not unchanged %}
        {{ return(none) }}
    {% endif %}
    {{ return(files | reject('in', unchanged) | list) }}
{% endmacro %}


{% macro note_landed_files(source, files) %}
    {% if files %}
        {% do run_query(
            "insert into builds.landed_files select '" ~ source.name ~ "', file, size_bytes, modified_at, "
            ~ "timestamptz '" ~ run_started_at.isoformat() ~ "' from (" ~ customer_tiering.listed_files(files)
            ~ ') as listed'
        ) %}
    {% endif %}
{% endmacro %}


{# Query of the sizes and times of files, which are not read for it. #}
{% macro listed_files(files) %}
    {{ return(
        'select filename as file, size as size_bytes, last_modified as modified_at from read_blob('
        ~ customer_tiering.list_of_files(files) ~ ')'
    ) }}
{% endmacro %}


{# Reads the rows again that are at most late_arrival_days older than the newest landed, and those of unknown age. A source
   that keeps one row a key has replaced older versions, one that keeps them all has not: by the count of rows we
   know. #}
{% macro land_new_rows(source, relation, present, is_erasing) %}
    {% set landed = customer_tiering.landed_name(source) %}
    {% set age = adapter.quote(source.config.meta.newest_by) %}
    {% set newest = run_query(
        'select cast(max(' ~ age ~ ') as varchar) from ' ~ landed
    ).columns[0].values()[0] %}
    {% set query = customer_tiering.landing_query(source, relation, present, is_erasing) %}
    {% set types = customer_tiering.types_of(landed) %}
    {% if newest is none or customer_tiering.types_of('(' ~ query ~ ')') != types %}{{ return(false) }}{% endif %}
    {% set from_then = "cast('" ~ newest ~ "' as " ~ types[source.config.meta.newest_by] ~ ') - interval '
        ~ customer_tiering.whole_number('late_arrival_days', 0, 36600) ~ ' day' %}
    {% set recent = age ~ ' is null or ' ~ age ~ ' >= ' ~ from_then %}
    {% do run_query('delete from ' ~ landed ~ ' where ' ~ recent) %}
    {% do run_query(
        'insert into ' ~ landed ~ ' select * from (' ~ query ~ ') as source_rows where ' ~ recent
    ) %}
    {% set key = source.config.meta.key | map('string') | join(', ') %}
    {% set all_rows = 'select count(*) from ' ~ relation.query %}
    {% set landed_rows = 'select count(*) from ' ~ landed %}
    {% set count = run_query(all_rows).columns[0].values()[0] %}
    {% if run_query(landed_rows).columns[0].values()[0] > count %}
        {% do run_query(
            'delete from ' ~ landed ~ ' where not (' ~ recent ~ ') and (' ~ key ~ ') in (select ' ~ key
            ~ ' from ' ~ landed ~ ' where ' ~ recent ~ ')'
        ) %}
    {% endif %}
    {{ return(run_query(landed_rows).columns[0].values()[0] == count) }}
{% endmacro %}


{# {column: type} of a relation or a query in brackets. #}
{% macro types_of(query) %}
    {% set types = {} %}
    {% for row in run_query('describe select * from ' ~ query).rows %}{% do types.update({row[0]: row[1]}) %}{% endfor %}
    {{ return(types) }}
{% endmacro %}
