{# Dates from first to last, one per row, `step` apart (an interval such as 1 month), as a column `day`. #}
{% macro date_series(first, last, step) -%}
    {{ return(adapter.dispatch('date_series', 'customer_tiering')(first, last, step)) }}
{%- endmacro %}

{% macro default__date_series(first, last, step) -%}
    select cast(unnest(generate_series({{ first }}, {{ last }}, interval '{{ step }}')) as date) as day
{%- endmacro %}


{# The first day of the review period that holds a date, and the last day of the one that starts on it. #}
{% macro period_start(date) -%}
    cast(date_trunc('{{ customer_tiering.setting("review_period") }}', {{ date }}) as date)
{%- endmacro %}

{% macro period_end(period_start) -%}
    cast({{ period_start }} + interval '{{ customer_tiering.period_length() }}' as date) - 1
{%- endmacro %}

{% macro period_length() -%}
    {{ return({'month': '1 month', 'week': '7 day', 'quarter': '3 month'}[customer_tiering.setting('review_period')]) }}
{%- endmacro %}


{# How many review periods make a year. #}
{% macro periods_a_year() -%}
    {{ return({'month': 12, 'week': 52, 'quarter': 4}[customer_tiering.setting('review_period')]) }}
{%- endmacro %}


{# One row per whole number from first to before last. #}
{% macro unnest_range(first, last) -%}
    {{ return(adapter.dispatch('unnest_range', 'customer_tiering')(first, last)) }}
{%- endmacro %}

{% macro default__unnest_range(first, last) -%}
    cast(unnest(range({{ first }}, {{ last }})) as integer)
{%- endmacro %}


{# A period index that lies after every real one. #}
{% macro far_ahead() -%}
    999999
{%- endmacro %}


{# A date's month and day as one number: 1231 for 31 December. #}
{% macro month_day(date) -%}
    cast(100 * extract(month from {{ date }}) + extract(day from {{ date }}) as integer)
{%- endmacro %}


{# The last day of the review period that comes `count` periods after the one ending on a date. #}
{% macro add_periods(period_end, count) -%}
    {{ return(adapter.dispatch('add_periods', 'customer_tiering')(period_end, count)) }}
{%- endmacro %}

{% macro default__add_periods(period_end, count) -%}
    cast({{ period_end }} + 1 + ({{ count }}) * interval '{{ customer_tiering.period_length() }}' as date) - 1
{%- endmacro %}
