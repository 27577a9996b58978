{# The accepted rows of a base model, one a key: the newest wins, unknown age is oldest, ties go to the
   smallest row text in byte order. Only keys that occur more than once are sorted: the others, nearly
   all, cost one count. #}

{% macro deduplicated(relation, key, columns, newest_by=none) %}
    {%- set keys = key | join(', ') -%}
    with accepted as (
        select * from {{ relation }} where reject_reason is null
    ),

    repeated_keys as (
        select {{ keys }} from accepted group by {{ keys }} having count(*) > 1
    ),

    ranked as (
        select
            accepted.*,
            row_number() over (
                partition by {% for name in key %}accepted.{{ name }}, {% endfor %}1
                order by {% if newest_by %}accepted.{{ newest_by }} desc nulls last, {% endif %}accepted.row_text
            ) as place
        from accepted
        inner join repeated_keys
            on {% for name in key %}accepted.{{ name }} = repeated_keys.{{ name }}{{ ' and ' if not loop.last }}{% endfor %}

    ),

    deduplicated as (
        select {% for name in columns %}accepted.{{ name }}{{ ', ' if not loop.last }}{% endfor %}

        from accepted
        left join repeated_keys
            on {% for name in key %}accepted.{{ name }} = repeated_keys.{{ name }}{{ ' and ' if not loop.last }}{% endfor %}

        where repeated_keys.{{ key[0] }} is null
        union all
        select {% for name in columns %}{{ name }}{{ ', ' if not loop.last }}{% endfor %}

        from ranked
        where place = 1
    )

    select * from deduplicated
{% endmacro %}
