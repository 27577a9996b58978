{% macro in_window(day, period_end) -%}
    {{ day }} <= {{ period_end }}
    and {{ day }} > {{ period_end }} - {{ customer_tiering.setting('rfm_window_days') }}
{%- endmacro %}


{% macro recent_days() -%}
    {{ return(customer_tiering.setting('alert_recent_days')) }}
{%- endmacro %}
