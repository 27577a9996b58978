{% macro delete_changed_intervals() %}
    {# named outside the fork, so that dbt knows the dependency #}
    {% set cells = ref('int_campaign_cells') %}
    {% if is_incremental() %}
        delete from {{ this }}
        where interval_key not in (select interval_key from {{ cells }} where interval_key is not null)
    {% endif %}
{% endmacro %}
