{% macro check_vars() %}
    {% for name in customer_tiering.settings() %}
        {% do customer_tiering.setting(name) %}
    {% endfor %}
    {% do customer_tiering.run_date() %}
    {% if customer_tiering.setting('rfm_edges') == 'frozen' and not customer_tiering.setting('rfm_edges_frozen_on') %}
        {{ exceptions.raise_compiler_error(
            "dbt_project.yml, vars: rfm_edges_frozen_on is ''; allowed is "
            ~ customer_tiering.settings().rfm_edges_frozen_on.allowed ~ ", as rfm_edges is frozen."
        ) }}
    {% endif %}
{% endmacro %}
