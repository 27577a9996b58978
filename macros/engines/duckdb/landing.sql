{# `tiering refresh` has made the file for that, outside of the warehouse, and removes it in the end. #}
{% macro duckdb__hand_over_erased_ids(sources, is_erasing) %}
    {% set file = env_var('TIERING_ERASED_IDS', '') %}
    {% if file and is_erasing %}
        {% call customer_tiering.run_statement() %}
            copy (select customer_id, erased_id from {{ adapter.quote(sources[0].schema) }}.erased_ids)
            to {{ customer_tiering.text_literal(file) }} (format parquet)
        {% endcall %}
    {% endif %}
{% endmacro %}


{% macro duckdb__carry_published_history(sources, is_erasing) %}
    {% set file = env_var('TIERING_LAST_PUBLICATION', '') %}
    {% if file and sources %}
        {% call customer_tiering.run_statement() %}
            attach {{ customer_tiering.text_literal(file) }} as published_before (read_only)
        {% endcall %}
        {% for name in customer_tiering.published_history() %}
            {% set found %}
                select count(*)
                from duckdb_tables()
                where database_name = 'published_before' and schema_name = 'history' and table_name = '{{ name }}'
            {% endset %}
            {% if customer_tiering.value_of(found) %}
                {% set relation = api.Relation.create(
                    database=target.database, schema='history', identifier=name, type='table'
                ) %}
                {% do run_query('create schema if not exists history') %}
                {% call customer_tiering.run_statement() %}
                    create or replace table {{ relation }} as
                    select *
                    from published_before.history.{{ name }}
                    where
                        not regexp_full_match(customer_id, 'erased_[0-9]{6,}(_[0-9]+)?')
                        {% if customer_tiering.setting('pseudonymise_ids') %}
                        {# nothing goes over that was published before ids were pseudonyms #}
                        and regexp_full_match(customer_id, '[0-9a-f]{32}')
                        {% endif %}
                        {% if is_erasing %}
                        and customer_id not in (
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
                {# dbt has listed the existing relations before it ran this #}
                {% do adapter.cache_added(relation) %}
            {% endif %}
        {% endfor %}
        {% do run_query('detach published_before') %}
    {% endif %}
{% endmacro %}
