{# The accepted rows of a base model, one a key: the newest wins, unknown age is oldest, ties go to the
   smallest row text in byte order. Only keys that occur more than once are sorted: the others, nearly
   all, cost one count. The relation is named three times rather than once in a CTE, which would be
   written out with every column it has. #}

{% macro deduplicated(relation, key, columns, newest_by=none) %}
    {%- set keys = key | join(', ') -%}
    with repeated_keys as (
        select {{ keys }}
        from {{ relation }}
        where reject_reason is null
        group by {{ keys }}
        having count(*) > 1
    ),

    unique_rows as (
        select {% for name in columns %}accepted.{{ name }}{{ ', ' if not loop.last }}{% endfor %}

        from {{ relation }} as accepted
        left join repeated_keys
            on {% for name in key %}accepted.{{ name }} = repeated_keys.{{ name }}{{ ' and ' if not loop.last }}{% endfor %}

        where accepted.reject_reason is null and repeated_keys.{{ key[0] }} is null
    ),

    ranked as (
        select
            {% for name in columns %}accepted.{{ name }}, {% endfor %}

            row_number() over (
                partition by {% for name in key %}accepted.{{ name }}{{ ', ' if not loop.last }}{% endfor %}

                order by {% if newest_by %}accepted.{{ newest_by }} desc nulls last, {% endif %}accepted.row_text
            ) as place
        from {{ relation }} as accepted
        inner join repeated_keys
            on {% for name in key %}accepted.{{ name }} = repeated_keys.{{ name }}{{ ' and ' if not loop.last }}{% endfor %}

        where accepted.reject_reason is null
    ),

    deduplicated as (
        select * from unique_rows
        union all
        select {{ columns | join(', ') }} from ranked where place = 1
    )

    select * from deduplicated
{% endmacro %}
