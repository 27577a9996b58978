{# Whether a day lies in the RFM window of a period: after its end less rfm_window_days, up to its end. #}
{% macro in_window(day, period_end) -%}
    {{ day }} <= {{ period_end }}
    and {{ day }} > {{ period_end }} - {{ customer_tiering.whole_number('rfm_window_days', 1, 3660) }}
{%- endmacro %}


{# The days in which complaints are recent, for alerts. #}
{% macro recent_days() -%}
    {{ return(customer_tiering.whole_number('alert_recent_days', 1, 366)) }}
{%- endmacro %}
