{# Checks all rules of a relation in one scan. `rules` maps a name that says the promise to a condition that
   holds for every row; a condition that is NULL counts as broken. Failing rows say which rules they break.
   With `period`, the column of the period, a build leaves rows of kept ones out. #}
{% test row_rules(model, rules, period=none, column_name=none) %}
    with checked as (
        select
            *,
            concat_ws(
                ', '
                {%- for name, condition in rules.items() %},
                case when coalesce(({{ condition }}), false) then null else '{{ name }}' end
                {%- endfor %}
            ) as broken_rules
        from {{ model }}
        {%- if period %}
        where {{ customer_tiering.is_to_test(period) }}
        {%- endif %}
    )

    select * from checked where broken_rules <> ''
{% endtest %}
