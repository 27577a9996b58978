{# Few days and currencies stand for all amounts: the search for the newest rate runs over them only. #}
{% macro newest_rates(amounts, day, exchange_rates) %}
    with foreign_days as (
        select distinct currency_code, {{ day }}
        from {{ amounts }}
        where currency_code <> '{{ customer_tiering.setting("reporting_currency") }}'
    ),

    ranked as (
        select
            foreign_days.currency_code,
            rates.rate_to_reporting,
            foreign_days.{{ day }},
            row_number() over (
                partition by foreign_days.currency_code, foreign_days.{{ day }}
                order by rates.rate_date desc
            ) as place
        from foreign_days
        inner join {{ exchange_rates }} as rates
            on
                foreign_days.currency_code = rates.currency_code
                and foreign_days.{{ day }} >= rates.rate_date
    )

    select currency_code, rate_to_reporting, {{ day }} from ranked where place = 1
{% endmacro %}
