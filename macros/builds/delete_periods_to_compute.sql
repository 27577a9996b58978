{# Removes from an incremental model the periods that are computed anew, and those that are no more, before they are
   appended. A model that is made from nothing has none. #}
{% macro delete_periods_to_compute(period='period_index') %}
    {# named outside the fork, so that dbt knows the dependency #}
    {% set periods = ref('int_review_periods') %}
    {% if is_incremental() %}
        delete from {{ this }} where {{ period }} not in (select {{ period }} from {{ periods }} where is_kept)
    {% endif %}
{% endmacro %}


{# One number for the rows of a group, whatever their order: equal rows give equal numbers, and others, but for a chance of
   one in billions of billions, another one. #}
{% macro fingerprint(columns) %}
    {{ return(adapter.dispatch('fingerprint', 'customer_tiering')(columns)) }}
{% endmacro %}

{% macro default__fingerprint(columns) -%}
    cast(sum(hash({{ columns | join(', ') }})) as decimal(38, 0))
{%- endmacro %}
