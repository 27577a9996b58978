{# Whether a build may continue from the last one: that was complete, successful and under the same rules. Otherwise
   everything is computed. Which periods are kept is decided later, by the facts
   (int_fact_fingerprints, int_first_change). #}

{# A build under way is recorded: no build continues from one that was cut off. #}
{% macro begin_build(sources, is_erasing) %}
    {{ return(adapter.dispatch('begin_build', 'customer_tiering')(sources, is_erasing)) }}
{% endmacro %}

{% macro default__begin_build(sources, is_erasing) %}
    {% set last = customer_tiering.last_build() %}
    {% set salt = last.salt or customer_tiering.value_of('select ' ~ customer_tiering.random_id()) %}
    {% set basis = customer_tiering.build_basis(sources, is_erasing, salt) %}
    {% set continues = last.is_complete and last.basis == basis and not flags.FULL_REFRESH
        and (customer_tiering.is_whole_build() or not customer_tiering.selected_period_models()) %}
    {% if continues %}
        {% do run_query('update builds.last_build set is_complete = false') %}
    {% else %}
        {% if env_var('TIERING_REFRESH', '') and last.salt %}
            {{ exceptions.raise_compiler_error(
                "work.duckdb: found one that this build cannot continue from; allowed is a new one, or what a whole build "
                ~ "with the same rules and the same erased persons left."
            ) }}
        {% endif %}
        {% do customer_tiering.begin_anew(salt, basis) %}
    {% endif %}
    {{ return(continues) }}
{% endmacro %}


{% macro begin_anew(salt, basis) %}
    {% for node in customer_tiering.selected_period_models() %}
        {% if customer_tiering.table_exists(node.schema, node.alias) %}
            {% set relation = api.Relation.create(
                database=node.database, schema=node.schema, identifier=node.alias, type='table'
            ) %}
            {# by dbt, which has listed the existing relations before it ran this: on PostgreSQL views go with their table #}
            {% do adapter.drop_relation(relation) %}
        {% endif %}
    {% endfor %}
    {% do customer_tiering.keep_no_period() %}
    {% call customer_tiering.replace_table('builds.last_build') %}
        select
            '{{ salt }}' as salt,
            '{{ basis }}' as basis,
            false as is_complete,
            cast(null as date) as as_of_date,
            cast(null as integer) as periods,
            cast(null as integer) as periods_kept
    {% endcall %}
    {% call customer_tiering.replace_table('builds.fact_fingerprints') %}
        select
            cast(null as {{ customer_tiering.string_type() }}) as fact_table,
            cast(null as date) as known_on,
            cast(null as decimal(38, 0)) as fingerprint
        where false
    {% endcall %}
    {% call customer_tiering.replace_table('builds.ledger_fingerprints') %}
        select
            cast(null as integer) as customer_key,
            cast(null as decimal(38, 0)) as fingerprint
        where false
    {% endcall %}
    {% call customer_tiering.replace_table('builds.customer_keys') %}
        select
            cast(null as {{ customer_tiering.string_type() }}) as resolved_customer_id,
            cast(null as integer) as customer_key
        where false
    {% endcall %}
    {% call customer_tiering.replace_table('builds.landed_files') %}
        select
            cast(null as {{ customer_tiering.string_type() }}) as source_table,
            cast(null as {{ customer_tiering.string_type() }}) as file,
            cast(null as bigint) as size_bytes,
            cast(null as timestamptz) as modified_at,
            cast(null as boolean) as is_settled,
            cast(null as {{ customer_tiering.string_type() }}[]) as column_names,
            cast(null as bigint) as row_count,
            cast(null as timestamptz) as run_started_at
        where false
    {% endcall %}
{% endmacro %}


{% macro last_build() %}
    {% if customer_tiering.table_exists('builds', 'last_build') %}
        {% set query %}
            select salt, basis, is_complete from builds.last_build
        {% endset %}
        {% for salt, basis, is_complete in run_query(query).rows %}
            {{ return({'salt': salt, 'basis': basis, 'is_complete': is_complete}) }}
        {% endfor %}
    {% endif %}
    {{ return({'salt': none, 'basis': none, 'is_complete': false}) }}
{% endmacro %}


{% macro build_basis(sources, is_erasing, salt) %}
    {# only seeds have a path to the project #}
    {% set root = (
        graph.nodes.values() | selectattr('resource_type', 'equalto', 'seed')
        | selectattr('package_name', 'equalto', 'customer_tiering') | first
    ).root_path %}
    {% set files = [
        'dbt_project.yml', 'macros/**/*.sql', 'models/**/*.sql', 'models/**/*.yml', 'seeds/*', 'tests/**/*.sql',
        'customer_tiering/**/*.py'
    ] %}
    {% set settings = customer_tiering.settings() %}
    {% set rules = {} %}
    {% for name, value in customer_tiering.command_line_vars().items() | sort
        if not settings.get(name, {}).get('keeps_build') %}
        {% do rules.update({name: value}) %}
    {% endfor %}
    {% set digested %}
        concat_ws(
            '|',
            '{{ salt }}',
            {{ customer_tiering.digest_of_files(root, files) }},
            {{ customer_tiering.text_literal(tojson(rules, sort_keys=true)) }},
            version(),
            '{{ dbt_version }}',
            {% if customer_tiering.mapping_in_use() %}
            {{ customer_tiering.text_literal(tojson(dict(customer_tiering.mapping_in_use(), folder=''), sort_keys=true)) }},
            {% endif %}
            {% if is_erasing %}
            (
                select string_agg(customer_id || '=' || erased_id, ';' order by customer_id)
                from {{ adapter.quote(sources[0].schema) }}.erased_ids
            ),
            {% endif %}
            {% if customer_tiering.setting('pseudonymise_ids') %}
            {{ customer_tiering.customer_pseudonym("'basis'") }},
            {% endif %}
            {{ customer_tiering.raw_origin() }}
        )
    {% endset %}
    {{ return(customer_tiering.value_of('select ' ~ customer_tiering.sha256(digested))) }}
{% endmacro %}


{% macro table_exists(schema, name) %}
    {% set query %}
        select count(*) > 0
        from information_schema.tables
        where
            table_catalog = '{{ target.database }}'
            and table_schema = '{{ schema }}'
            and table_name = '{{ name }}'
            and table_type = 'BASE TABLE'
    {% endset %}
    {{ return(customer_tiering.value_of(query)) }}
{% endmacro %}


{% macro command_line_vars() %}
    {% set vars = invocation_args_dict.get('vars') or {} %}
    {{ return(fromyaml(vars) if vars is string else vars) }}
{% endmacro %}


{% macro selected_period_models() %}
    {% set selected = [] %}
    {% if flags.WHICH in ('build', 'run') %}
        {% for node in graph.nodes.values()
            if node.package_name == 'customer_tiering' and node.config.materialized == 'incremental'
            and node.config.full_refresh is not false and node.unique_id in selected_resources %}
            {% do selected.append(node) %}
        {% endfor %}
    {% endif %}
    {{ return(selected) }}
{% endmacro %}


{% macro is_whole_build() %}
    {% for node in graph.nodes.values()
        if node.package_name == 'customer_tiering' and node.resource_type in ('model', 'seed', 'snapshot')
        and node.unique_id not in selected_resources %}
        {{ return(false) }}
    {% endfor %}
    {{ return(flags.WHICH == 'build') }}
{% endmacro %}
