{# What was landed stays as it is; the models that are selected are computed for all periods. #}
{% macro begin_simulation() %}
    {% do customer_tiering.prepare_session() %}
    {% do customer_tiering.create_reading_functions() %}
    {% do customer_tiering.begin_anew(customer_tiering.last_build().salt, 'simulation') %}
{% endmacro %}
