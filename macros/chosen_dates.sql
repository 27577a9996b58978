{% macro as_of_date(latest) -%}
    {%- set choice = customer_tiering.setting('as_of_date') -%}
    {%- if choice == 'latest' -%}
        {{ latest }}
    {%- elif choice == 'yesterday' -%}
        {{ customer_tiering.run_date() }} - 1
    {%- else -%}
        date '{{ choice }}'
    {%- endif -%}
{%- endmacro %}


{% macro edges_frozen_on() -%}
    {%- if customer_tiering.setting('rfm_edges') == 'frozen' -%}
        date '{{ customer_tiering.setting('rfm_edges_frozen_on') }}'
    {%- else -%}
        cast(null as date)
    {%- endif -%}
{%- endmacro %}
