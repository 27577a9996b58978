{# Tables and sessions, which engines make and keep in their own ways. #}

{% macro prepare_session() %}
    {% do adapter.dispatch('prepare_session', 'customer_tiering')() %}
{% endmacro %}

{% macro default__prepare_session() %}
{% endmacro %}


{% macro types_of(query) %}
    {{ return(adapter.dispatch('types_of', 'customer_tiering')(query)) }}
{% endmacro %}


{% macro replace_table_by(name, query) %}
    {% do adapter.dispatch('replace_table_by', 'customer_tiering')(name, query) %}
{% endmacro %}


{% macro keeps_still() %}
    {{ return(adapter.dispatch('keeps_still', 'customer_tiering')()) }}
{% endmacro %}

{% macro default__keeps_still() %}
    {{ return(true) }}
{% endmacro %}


{% macro rows_to_land(query) %}
    {{ return(adapter.dispatch('rows_to_land', 'customer_tiering')(query)) }}
{% endmacro %}

{% macro default__rows_to_land(query) %}
    {{ return(query) }}
{% endmacro %}
