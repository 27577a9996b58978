{# How raw tables are landed on PostgreSQL: from a schema of the same database, as tables, so that a build sees one state of them.
   The whole landing is one transaction. #}


{# The table is filled anew, see replace_table. #}
{% macro postgres__drop_landed(source) %}
{% endmacro %}


{# What DuckDB has landed from files has no erased persons any more. #}
{% macro postgres__land_erased_ids(sources) %}
    {% if not customer_tiering.landed_files() %}{{ return(customer_tiering.default__land_erased_ids(sources)) }}{% endif %}
    {% call customer_tiering.run_statement() %}
        drop view if exists {{ adapter.quote(sources[0].schema) }}.erased_ids
    {% endcall %}
    {{ return(false) }}
{% endmacro %}


{# `tiering refresh` reads raw.erased_ids itself, after the build. #}
{% macro postgres__hand_over_erased_ids(sources, is_erasing) %}
{% endmacro %}


{# What was published of persons erased since is forgotten: neither their ids nor their anonymous ones, whose numbers may
   have moved, stay. #}
{% macro postgres__carry_published_history(sources, is_erasing) %}
    {% for name in customer_tiering.published_history()
        if sources and customer_tiering.table_exists('history', name) %}
        {% call customer_tiering.run_statement() %}
            delete from history.{{ name }}
            where
                is_reserved_id(customer_id)
                {% if customer_tiering.setting('pseudonymise_ids') %}
                {# nothing stays that was published before ids were pseudonyms #}
                or customer_id !~ '^[0-9a-f]{32}$'
                {% endif %}
                {% if is_erasing %}
                or customer_id in (
                    select
                        {% if customer_tiering.setting('pseudonymise_ids') %}
                        {{ customer_tiering.customer_pseudonym('customer_id') }}
                        {% else %}
                        customer_id
                        {% endif %}
                    from {{ adapter.quote(sources[0].schema) }}.erased_ids
                )
                {% endif %}
        {% endcall %}
    {% endfor %}
{% endmacro %}


{% macro postgres__schema_of_last_publication() %}
    {{ return('quality') }}
{% endmacro %}
