{% macro duckdb__replace_table_by(name, query) %}
    {% call customer_tiering.run_statement() %}
        create or replace table {{ name }} as
        {{ query }}
    {% endcall %}
{% endmacro %}


{% macro duckdb__types_of(query) %}
    {% set statement %}
        describe select * from {{ query }}
    {% endset %}
    {% set types = {} %}
    {% for row in run_query(statement).rows %}{% do types.update({row[0]: row[1]}) %}{% endfor %}
    {{ return(types) }}
{% endmacro %}
