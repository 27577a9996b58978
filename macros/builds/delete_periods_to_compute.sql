{% macro delete_periods_to_compute(period='period_index') %}
    {# named outside the fork, so that dbt knows the dependency #}
    {% set periods = ref('int_review_periods') %}
    {% if is_incremental() %}
        delete from {{ this }} where {{ period }} not in (select {{ period }} from {{ periods }} where is_kept)
    {% endif %}
{% endmacro %}
