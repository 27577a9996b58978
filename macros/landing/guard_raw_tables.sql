{% macro guard_raw_tables(sources) %}
    {% do customer_tiering.check_source_limits(sources) %}
    {% set limits = customer_tiering.source_age_limits(sources) %}
    {% set rows_before = customer_tiering.rows_last_published() %}
    {% for source in sources %}
        {% set name = customer_tiering.landed_name(source) %}
        {% if rows_before.get(source.name, 0) > 0 %}
            {% do customer_tiering.refuse_shrunken(source, name, rows_before[source.name]) %}
        {% endif %}
        {% if source.name in limits %}
            {% do customer_tiering.refuse_stale(source, name, limits[source.name]) %}
        {% endif %}
    {% endfor %}
{% endmacro %}


{% macro source_age_limits(sources) %}
    {% set limits = customer_tiering.setting('source_max_age_days') %}
    {% set dated = [] %}
    {% for source in sources if 'dated_by' in source.config.meta %}{% do dated.append(source.name) %}{% endfor %}
    {% set rule = customer_tiering.settings().source_max_age_days %}
    {% set allowed = 'a mapping of ' ~ dated | join(', ') ~ ' to days from ' ~ rule.from ~ ' to ' ~ rule.to %}
    {% for table, days in limits.items() %}
        {% if table not in dated or not modules.re.fullmatch('[0-9]{1,5}', days | string)
            or not rule.from <= days | int <= rule.to %}
            {{ exceptions.raise_compiler_error(
                "dbt_project.yml, vars: source_max_age_days has '" ~ table ~ ": " ~ days ~ "'; allowed is "
                ~ allowed ~ "."
            ) }}
        {% endif %}
    {% endfor %}
    {{ return(limits) }}
{% endmacro %}


{% macro land_published_counts() %}
    {% call customer_tiering.replace_table('builds.published_counts') %}
        select
            cast(null as {{ customer_tiering.string_type() }}) as source_table,
            cast(null as bigint) as rows_in,
            cast(null as bigint) as rows_rejected,
            cast(null as bigint) as rows_undecided,
            cast(null as bigint) as rows_of_known_customers,
            cast(null as bigint) as rows_of_unknown_customers,
            cast(null as bigint) as rows_of_guests
        where false
    {% endcall %}
    {% set schema = customer_tiering.schema_of_last_publication() %}
    {% if customer_tiering.table_exists(schema, 'reconciliation') %}
        {% set published = customer_tiering.columns_of(schema ~ '.reconciliation') %}
        {% set columns = customer_tiering.columns_of('builds.published_counts') | select('in', published) | join(', ') %}
        {% call customer_tiering.run_statement() %}
            insert into builds.published_counts ({{ columns }})
            select {{ columns }} from {{ schema }}.reconciliation
        {% endcall %}
    {% endif %}
{% endmacro %}


{% macro schema_of_last_publication() %}
    {{ return(adapter.dispatch('schema_of_last_publication', 'customer_tiering')()) }}
{% endmacro %}

{% macro default__schema_of_last_publication() %}
    {{ return('last_publication') }}
{% endmacro %}


{% macro rows_last_published() %}
    {% set rows = {} %}
    {% for row in run_query('select source_table, rows_in from builds.published_counts').rows %}
        {% do rows.update({row[0]: row[1] | int}) %}
    {% endfor %}
    {{ return(rows) }}
{% endmacro %}


{# Fewer than ten rows may always go, such as a merge that is undone, but not all of a required table. #}
{% macro refuse_shrunken(source, name, before) %}
    {% set limits = customer_tiering.setting('source_limits').get(source.name, {}) %}
    {% set most = limits.get('lost_rows', customer_tiering.setting('source_max_shrink_percent')) | int %}
    {% set query %}
        select count(*) from {{ name }}
    {% endset %}
    {% set rows = customer_tiering.value_of(query) | int %}
    {% set is_emptied = rows == 0 and source.config.meta.get('required', false) %}
    {% if 100 * (before - rows) > most * before and (before - rows >= 10 or is_emptied) %}
        {{ exceptions.raise_compiler_error(
            "raw table " ~ source.name ~ ": found " ~ rows ~ " rows, where the last publication had " ~ before
            ~ "; allowed is at most " ~ most ~ " % fewer ("
            ~ ("var source_limits" if 'lost_rows' in limits else "var source_max_shrink_percent") ~ ")."
        ) }}
    {% endif %}
{% endmacro %}


{# Rows dated after the run are errors, and make nothing fresh. #}
{% macro refuse_stale(source, name, most) %}
    {% set dated_by = source.config.meta.dated_by %}
    {% set day = customer_tiering.read_value(adapter.quote(dated_by), source.columns[dated_by]) %}
    {% if source.columns[dated_by].data_type == 'timestamp' %}
        {% set day = 'business_date(' ~ day ~ ', ' ~ customer_tiering.business_time_zone() ~ ')' %}
    {% endif %}
    {% set query %}
        select
            cast(max(day) as {{ customer_tiering.string_type() }}),
            {{ customer_tiering.days_between('max(day)', customer_tiering.run_date()) }}
        from (select {{ day }} as day from {{ name }}) as dated
        where day <= {{ customer_tiering.run_date() }}
    {% endset %}
    {% set newest, age = run_query(query).rows[0] %}
    {% if newest is none or age | int > most | int %}
        {{ exceptions.raise_compiler_error(
            "raw table " ~ source.name ~ ": found "
            ~ ("no " ~ dated_by ~ " up to the run's date" if newest is none
                else "a newest " ~ dated_by ~ " of " ~ newest ~ ", " ~ age ~ " days before the run's date")
            ~ "; allowed is at most " ~ most ~ " days (var source_max_age_days)."
        ) }}
    {% endif %}
{% endmacro %}
