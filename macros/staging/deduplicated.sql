{# Only keys that occur more than once are sorted, in rejected rows too: whether a row is rejected costs more to say than its
   key. All others cost one count. The relation is named three times instead of once in a CTE, as a CTE would be written
   out with all of its columns. #}
{% macro deduplicated(source_name, table_name, columns) %}
    {%- set relation = ref('base_' ~ source_name ~ '__' ~ table_name) -%}
    {%- set key = customer_tiering.source_meta(source_name, table_name, 'key', ['parsed']) -%}
    with repeated_keys as (
        {{ customer_tiering.repeated_keys(relation, key) }}
    ),

    unique_rows as (
        select {% for name in columns %}accepted.{{ name }}{{ ', ' if not loop.last }}{% endfor %}

        from {{ relation }} as accepted
        left join repeated_keys
            on {{ customer_tiering.same_key(key, 'accepted', 'repeated_keys') }}
        where accepted.reject_reason is null and repeated_keys.{{ key[0] }} is null
    ),

    ranked as (
        select
            {% for name in columns %}accepted.{{ name }}, {% endfor %}

            row_number() over (
                partition by {% for name in key %}accepted.{{ name }}{{ ', ' if not loop.last }}{% endfor %}

                order by
                    {{ customer_tiering.changed_at(source_name, table_name, 'accepted') }} desc nulls last,
                    {{ customer_tiering.newest_event_at(source_name, table_name, 'accepted') }} desc nulls last,
                    accepted.row_text
            ) as place
        from {{ relation }} as accepted
        inner join repeated_keys
            on {{ customer_tiering.same_key(key, 'accepted', 'repeated_keys') }}
        where accepted.reject_reason is null
    ),

    deduplicated as (
        select * from unique_rows
        union all
        select {{ columns | join(', ') }} from ranked where place = 1
    )

    select * from deduplicated
{% endmacro %}


{% macro duplicate_counts(source_name, table_name) %}
    {%- set relation = ref('base_' ~ source_name ~ '__' ~ table_name) -%}
    {%- set key = customer_tiering.source_meta(source_name, table_name, 'key', ['parsed']) -%}
    {%- set amount = customer_tiering.source_meta(source_name, table_name, 'amount') -%}
    with repeated_keys as (
        {{ customer_tiering.repeated_keys(relation, key) }}
    ),

    versions as (
        select
            {% for name in key %}accepted.{{ name }}, {% endfor %}

            {{ 'accepted.' ~ amount if amount else 'cast(null as decimal(18, 2))' }} as amount,
            {{ customer_tiering.changed_at(source_name, table_name, 'accepted') }} as changed_at,
            {{ customer_tiering.newest_event_at(source_name, table_name, 'accepted') }} as newest_event_at,
            accepted.row_text
        from {{ relation }} as accepted
        inner join repeated_keys
            on {{ customer_tiering.same_key(key, 'accepted', 'repeated_keys') }}
        where accepted.reject_reason is null
    ),

    ranked as (
        select
            *,
            row_number() over (
                partition by {{ key | join(', ') }}
                order by changed_at desc nulls last, newest_event_at desc nulls last, row_text
            ) as place,
            rank() over (
                partition by {{ key | join(', ') }}
                order by changed_at desc nulls last, newest_event_at desc nulls last
            ) as age_rank,
            rank() over (
                partition by {{ key | join(', ') }}, changed_at, newest_event_at order by row_text
            ) as text_rank,
            min(amount) over (
                partition by {{ key | join(', ') }}, changed_at, newest_event_at
            ) as smallest_amount
        from versions
    ),

    judged as (
        select
            amount,
            amount > smallest_amount as has_other_amount,
            place > 1 as is_duplicate,
            age_rank = 1 and text_rank > 1 as is_undecided
        from ranked
    )

    select
        '{{ table_name }}' as source_table,
        count(case when is_duplicate then 1 end) as rows_duplicate,
        count(case when is_undecided then 1 end) as rows_undecided,
        coalesce(sum(case when is_duplicate then amount end), 0) as amount_duplicate,
        coalesce(sum(case when is_undecided then amount end), 0) as amount_undecided,
        count(case when is_undecided and has_other_amount then 1 end) > 0 as has_different_amounts
    from judged
{% endmacro %}


{% macro repeated_keys(relation, key) -%}
    select {{ key | join(', ') }}
    from {{ relation }}
    group by {{ key | join(', ') }}
    having count(*) > 1
{%- endmacro %}


{% macro same_key(key, left, right) -%}
    {% for name in key %}{{ left }}.{{ name }} = {{ right }}.{{ name }}{{ ' and ' if not loop.last }}{% endfor %}
{%- endmacro %}


{% macro changed_at(source_name, table_name, relation) -%}
    {%- set newest_by = customer_tiering.source_meta(source_name, table_name, 'newest_by') -%}
    {{ relation ~ '.' ~ newest_by if newest_by else 'cast(null as timestamp)' }}
{%- endmacro %}


{# A row that knows of what happened to it is newer than one that does not. #}
{% macro newest_event_at(source_name, table_name, relation) -%}
    {%- set events = [] -%}
    {%- for time in customer_tiering.source_meta(source_name, table_name, 'event_times', []) -%}
        {%- set event -%}
            case when {{ relation }}.{{ time[:-3] }}_on <= {{ customer_tiering.run_date() }} then {{ relation }}.{{ time }} end
        {%- endset -%}
        {%- do events.append(event) -%}
    {%- endfor -%}
    {%- if not events -%}
        cast(null as timestamp)
    {%- elif events | length == 1 -%}
        {{ events[0] }}
    {%- else -%}
        greatest({{ events | join(', ') }})
    {%- endif -%}
{%- endmacro %}
