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


{# A base model without duplicates is not read, as the empty side of the cross join ends it. #}
{% macro undecided_duplicates(source_name, table_name, counted) %}
    {%- set relation = ref('base_' ~ source_name ~ '__' ~ table_name) -%}
    {%- set key = customer_tiering.source_meta(source_name, table_name, 'key', ['parsed']) -%}
    {%- set amount = customer_tiering.source_meta(source_name, table_name, 'amount') -%}
    with has_duplicates as (
        select source_table
        from {{ counted }}
        where source_table = '{{ table_name }}' and rows_accepted > rows_kept
    ),

    repeated_keys as (
        {{ customer_tiering.repeated_keys(relation ~ ' cross join has_duplicates', key) }}
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
            rank() over (
                partition by {{ key | join(', ') }}
                order by changed_at desc nulls last, newest_event_at desc nulls last
            ) as place,
            min(row_text) over (
                partition by {{ key | join(', ') }}, changed_at, newest_event_at
            ) as first_row_text,
            min(amount) over (
                partition by {{ key | join(', ') }}, changed_at, newest_event_at
            ) as smallest_amount
        from versions
    )

    select
        '{{ table_name }}' as source_table,
        count(*) as row_count,
        sum(amount) as amount,
        count(case when amount > smallest_amount then 1 end) > 0 as has_different_amounts
    from ranked
    where place = 1 and row_text <> first_row_text
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
