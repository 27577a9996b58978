{# Checks all rules of a relation in one scan. `rules` maps a name that says the promise to a condition that
   holds for every row; a condition that is NULL counts as broken. Failing rows say which rules they break. #}
{% test row_rules(model, rules, column_name=none) %}
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
    )

    select * from checked where broken_rules <> ''
{% endtest %}
