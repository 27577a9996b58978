{% macro end_build(results) %}
    {% if execute and flags.WHICH in ('build', 'run', 'test', 'snapshot') %}
        {% do adapter.dispatch('end_build', 'customer_tiering')(results) %}
        {% do customer_tiering.tell_source_findings(results) %}
    {% endif %}
{% endmacro %}

{% macro default__end_build(results) %}
    {% set succeeded = results | map(attribute='status') | map('string') | reject('in', ['success', 'pass', 'warn', 'no-op']) | list == [] %}
    {% if customer_tiering.is_whole_build() and succeeded %}
        {% call customer_tiering.replace_table('builds.fact_fingerprints') %}
            select * from intermediate.int_fact_fingerprints
        {% endcall %}
        {% call customer_tiering.replace_table('builds.ledger_fingerprints') %}
            select * from intermediate.int_ledger_fingerprints
        {% endcall %}
        {% call customer_tiering.replace_table('builds.customer_keys') %}
            select distinct resolved_customer_id, customer_key from intermediate.int_customer_keys
        {% endcall %}
        {% call customer_tiering.run_statement() %}
            update builds.last_build
            set
                is_complete = true,
                as_of_date = (select as_of_date from intermediate.int_as_of),
                periods = (select count(*) from intermediate.int_review_periods),
                periods_kept = (select count(*) from intermediate.int_review_periods where is_kept)
        {% endcall %}
    {% elif succeeded and not customer_tiering.selected_period_models() %}
        {# no model by period was touched; without a date there was nothing to continue from #}
        {% do run_query('update builds.last_build set is_complete = true where as_of_date is not null') %}
    {% endif %}
    {% if succeeded %}
        {# a later build, test or query of a part of the project sees all periods #}
        {% do customer_tiering.keep_no_period() %}
    {% endif %}
{% endmacro %}


{% macro keep_no_period() %}
    {% if customer_tiering.table_exists('intermediate', 'int_review_periods')
        and 'is_kept' in customer_tiering.types_of('intermediate.int_review_periods') %}
        {% do run_query('update intermediate.int_review_periods set is_kept = false where is_kept') %}
    {% endif %}
{% endmacro %}


{# Of a test that failed dbt shows how many rows it found, not what they say. #}
{% macro tell_source_findings(results) %}
    {% for result in results
        if result.node.name == 'raw_tables_are_within_their_limits' and result.status | string == 'fail' %}
        {% set query %}
            select message from intermediate.int_source_findings order by finding_number
        {% endset %}
        {% for row in run_query(query).rows %}
            {% do log(row[0], info=true) %}
        {% endfor %}
    {% endfor %}
{% endmacro %}
