{% macro run_statement() %}
    {% do run_query(caller()) %}
{% endmacro %}


{% macro value_of(query) %}
    {{ return(run_query(query).columns[0].values()[0]) }}
{% endmacro %}


{% macro text_literal(text) %}
    {{ return("'" ~ text | replace("'", "''") ~ "'") }}
{% endmacro %}


{% macro quoted(name) -%}
    "{{ name | replace('"', '""') }}"
{%- endmacro %}


{% macro replace_table(name) %}
    {% do customer_tiering.replace_table_by(name, caller()) %}
{% endmacro %}
