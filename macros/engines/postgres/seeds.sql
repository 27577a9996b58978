{# Texts of seeds are ordered by their bytes, like those of raw tables, whatever the database's locale. #}
{% macro postgres__create_csv_table(model, agate_table) %}
    {% set created = dbt.default__create_csv_table(model, agate_table) %}
    {% for name, data_type in model.config.column_types.items() if data_type == 'varchar' %}
        {% call customer_tiering.run_statement() %}
            alter table {{ this }} alter column {{ adapter.quote(name) }} type text collate "C"
        {% endcall %}
    {% endfor %}
    {{ return(created) }}
{% endmacro %}
