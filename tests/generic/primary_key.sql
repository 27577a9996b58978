{# Each combination of the columns occurs once and none of them is NULL. With `period`, one of the columns, a build leaves
   rows of kept periods out. #}
{% test primary_key(model, columns, period=none) %}
    select
        {{ columns | join(', ') }},
        count(*) as row_count
    from {{ model }}
    {%- if period %}
    where {{ customer_tiering.is_to_test(period) }}
    {%- endif %}
    group by {{ columns | join(', ') }}
    having
        count(*) > 1
        {%- for column in columns %}
        or {{ column }} is null
        {%- endfor %}
{% endtest %}
