{% macro budget_drivers() -%}
    {{ return(['window_revenue', 'revenue_at_risk', 'growth_potential', 'service_contacts']) }}
{%- endmacro %}


{% macro top_percents() -%}
    {{ return([1, 5, 20]) }}
{%- endmacro %}


{% macro customers_in_percent(customers, percent) -%}
    cast(ceil(cast({{ percent }} * {{ customers }} as decimal(18, 0)) * 0.01) as bigint)
{%- endmacro %}


{% macro in_millionths(share) -%}
    cast(1000000 * {{ share }} as {{ customer_tiering.wide_integer_type() }})
{%- endmacro %}
