{# Whether a day lies in the RFM window of a period: after its end less rfm_window_days, up to its end. #}
{% macro in_window(day, period_end) -%}
    {{ day }} <= {{ period_end }}
    and {{ day }} > {{ period_end }} - {{ customer_tiering.setting('rfm_window_days') }}
{%- endmacro %}


{# The days in which complaints are recent, for alerts. #}
{% macro recent_days() -%}
    {{ return(customer_tiering.setting('alert_recent_days')) }}
{%- endmacro %}
