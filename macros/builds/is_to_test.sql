{# Rows of kept periods were tested by the build that computed them. The last kept period is looked up first: with a
   literal, unlike with a subquery, databases leave rows out before they read them, below views too. #}
{% macro is_to_test(period) %}
    {# named outside the fork, so that dbt knows the dependency #}
    {% set periods = ref('int_review_periods') %}
    {% set query %}
        select cast(max({{ period }}) as {{ customer_tiering.string_type() }}) from {{ periods }} where is_kept
    {% endset %}
    {% set last_kept = customer_tiering.value_of(query) if execute and flags.WHICH in ('build', 'test') %}
    {% if last_kept %}
        ({{ period }} > {{ customer_tiering.text_literal(last_kept) }} or {{ period }} is null)
    {% else %}
        true
    {% endif %}
{% endmacro %}
