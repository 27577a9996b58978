{% macro delete_alerts_to_compute() %}
    {# named outside the fork, so that dbt knows the dependency #}
    {% set periods = ref('int_review_periods') %}
    {% if is_incremental() %}
        delete from {{ this }}
        where
            resolved_on is null
            or resolved_on not in (select period_end from {{ periods }} where is_kept)
    {% endif %}
{% endmacro %}
