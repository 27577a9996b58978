{% macro delete_customers_to_compute() %}
    {# named outside the fork, so that dbt knows the dependency #}
    {% set customers = ref('int_customers_to_compute') %}
    {% if is_incremental() %}
        delete from {{ this }} where customer_key in (select customer_key from {{ customers }})
    {% endif %}
{% endmacro %}
