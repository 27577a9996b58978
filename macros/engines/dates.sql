{% macro date_series(first, last, step) -%}
    {{ return(adapter.dispatch('date_series', 'customer_tiering')(first, last, step)) }}
{%- endmacro %}


{% macro period_start(date) -%}
    cast(date_trunc('{{ customer_tiering.setting("review_period") }}', {{ date }}) as date)
{%- endmacro %}

{% macro period_end(period_start) -%}
    cast({{ period_start }} + interval '{{ customer_tiering.period_length() }}' as date) - 1
{%- endmacro %}

{% macro period_length() -%}
    {{ return({'month': '1 month', 'week': '7 day', 'quarter': '3 month'}[customer_tiering.setting('review_period')]) }}
{%- endmacro %}


{% macro periods_a_year() -%}
    {{ return({'month': 12, 'week': 52, 'quarter': 4}[customer_tiering.setting('review_period')]) }}
{%- endmacro %}


{% macro unnest_range(first, last) -%}
    {{ return(adapter.dispatch('unnest_range', 'customer_tiering')(first, last)) }}
{%- endmacro %}


{% macro far_ahead() -%}
    999999
{%- endmacro %}


{% macro days_between(first, last) -%}
    {{ return(adapter.dispatch('days_between', 'customer_tiering')(first, last)) }}
{%- endmacro %}

{% macro default__days_between(first, last) -%}
    cast({{ last }} - {{ first }} as integer)
{%- endmacro %}


{% macro month_day(date) -%}
    cast(100 * extract(month from {{ date }}) + extract(day from {{ date }}) as integer)
{%- endmacro %}


{% macro add_periods(period_end, count) -%}
    {{ return(adapter.dispatch('add_periods', 'customer_tiering')(period_end, count)) }}
{%- endmacro %}

{% macro default__add_periods(period_end, count) -%}
    cast({{ period_end }} + 1 + ({{ count }}) * interval '{{ customer_tiering.period_length() }}' as date) - 1
{%- endmacro %}
