{# Erasure where the raw tables are landed: nothing that is built afterwards can hold the person. The mapping
   of ids to anonymous ids is a view over the raw files or tables, so that it is stored nowhere. #}

{# The same as base_crm__nobody, which is not yet built. #}
{% macro land_nobody_words(sources) %}
    {% for source in sources if source.name == 'customers' %}
        {% set relation = customer_tiering.raw_relation(source) %}
        {% set present = customer_tiering.columns_of_relation(relation) %}
        {% call customer_tiering.replace_table(adapter.quote(source.schema) ~ '.nobody_words') %}
            select lower_case(coalesce(word, 'null')) as word
            from {{ customer_tiering.seed_file('nobody_words') }}
            {% if 'customer_id' in present %}
            where
                holds = 'always'
                or word not in (
                    select customer_id
                    from (
                        select read_id({{ adapter.quote(present.customer_id) }}) as customer_id
                        from {{ relation.query }} as raw_rows
                    ) as ids
                    where customer_id is not null
                )
            {% endif %}
        {% endcall %}
    {% endfor %}
{% endmacro %}


{% macro land_erased_ids(sources) %}
    {{ return(adapter.dispatch('land_erased_ids', 'customer_tiering')(sources)) }}
{% endmacro %}

{% macro default__land_erased_ids(sources) %}
    {% if not sources %}{{ return(false) }}{% endif %}
    {% set schema = adapter.quote(sources[0].schema) %}
    {% set found = {} %}
    {% for source in sources if source.name in ('erasure_requests', 'customer_merges') %}
        {% do found.update({source.name: customer_tiering.rows_as_read(source)}) %}
    {% endfor %}
    {% if found.get('erasure_requests') or customer_tiering.setting('pseudonymise_ids') %}
        {% do customer_tiering.land_nobody_words(sources) %}
    {% endif %}
    {% if found.get('erasure_requests') %}
        {% set words = schema ~ '.nobody_words' %}
        {% set requests %}
            select customer_id, requested_at
            from ({{ found.erasure_requests }}) as requests
            where requested_at is not null and {{ customer_tiering.is_person('customer_id', words) }}
        {% endset %}
        {% set no_merges %}
            select
                cast(null as {{ customer_tiering.string_type() }}) as from_customer_id,
                cast(null as {{ customer_tiering.string_type() }}) as into_customer_id,
                cast(null as timestamp) as merged_at
        {% endset %}
        {% set merges %}
            select *
            from ({{ found.get('customer_merges') or no_merges }}) as merged
            where
                {{ customer_tiering.is_person('from_customer_id', words) }}
                and {{ customer_tiering.is_person('into_customer_id', words) }}
        {% endset %}
        {% set request_count %}
            select count(*) from ({{ requests }}) as requests
        {% endset %}
        {% if customer_tiering.value_of(request_count) %}
            {% call customer_tiering.run_statement() %}
                create or replace view {{ schema }}.erased_ids as
                {{ customer_tiering.erased_ids(requests, merges) }}
            {% endcall %}
            {{ return(true) }}
        {% endif %}
    {% endif %}
    {% call customer_tiering.run_statement() %}
        drop view if exists {{ schema }}.erased_ids
    {% endcall %}
    {{ return(false) }}
{% endmacro %}


{# A missing required column stops the run with a sentence when the table itself is landed. #}
{% macro rows_as_read(source) %}
    {% set relation = customer_tiering.raw_relation(source) %}
    {% set present = customer_tiering.columns_of_relation(relation) %}
    {% for column in source.columns.values() if column.name not in present %}
        {{ return(none) }}
    {% endfor %}
    {% set query %}
        select
            {% for column in source.columns.values() %}
            {{ customer_tiering.read_value(adapter.quote(present[column.name]), column) }} as {{ column.name }}
            {{- ',' if not loop.last }}
            {% endfor %}
        from {{ relation.query }} as raw_rows
    {% endset %}
    {{ return(query) }}
{% endmacro %}


{% macro is_person(id, words) -%}
    (lower_case({{ id }}) not in (select word from {{ words }}) and not is_reserved_id({{ id }}))
{%- endmacro %}


{# A number is an id's place among all that were asked for, by when and then by id, so that a later request moves
   none; an id that only merges name gets the number of the person's first one and, behind it, a place of its own. Of
   targets merged into at the same moment both count. #}
{% macro erased_ids(requests, merges) -%}
    with recursive requests as (
        select customer_id, row_number() over (order by min(requested_at), customer_id) as number
        from ({{ requests }}) as asked
        group by customer_id
    ),

    ranked_merges as (
        select
            from_customer_id,
            into_customer_id,
            rank() over (partition by from_customer_id order by merged_at desc) as place
        from ({{ merges }}) as merged
        where from_customer_id <> into_customer_id and merged_at is not null
    ),

    links as (
        select from_customer_id as customer_id, into_customer_id as linked_id
        from ranked_merges where place = 1
        union
        select into_customer_id as customer_id, from_customer_id as linked_id
        from ranked_merges where place = 1
    ),

    reached as (
        select customer_id, number from requests
        union
        select links.linked_id, reached.number
        from reached inner join links on reached.customer_id = links.customer_id
    ),

    persons as (
        select customer_id, min(number) as number from reached group by customer_id
    ),

    placed as (
        select
            persons.customer_id,
            persons.number,
            row_number() over (
                partition by persons.number
                order by case when persons.number = requests.number then 0 else 1 end, persons.customer_id
            ) as place
        from persons
        left join requests on persons.customer_id = requests.customer_id
    )

    select
        customer_id,
        'erased_' || {{ customer_tiering.six_digits('number') }}
        || case when place > 1 then '_' || place else '' end as erased_id
    from placed
{%- endmacro %}


{% macro masked(source, present, is_erasing) %}
    {% set schema = adapter.quote(source.schema) %}
    {% set columns = {} %}
    {% set erased = [] %}
    {% for column in source.columns.values() if column.name in present %}
        {% set raw = 'raw_rows.' ~ adapter.quote(present[column.name]) %}
        {% if column.config.meta.get('customer_id') and not customer_tiering.landed_files() %}
            {% do columns.update({column.name: customer_tiering.masked_id(schema, column, raw, is_erasing)}) %}
            {% if is_erasing %}{% do erased.append([column.name, raw]) %}{% endif %}
        {% else %}
            {% do columns.update({column.name: raw}) %}
        {% endif %}
    {% endfor %}
    {% if 'customer_id' in erased | map('first') %}
        {% for column in source.columns.values() if column.name in present and column.name != 'customer_id' %}
            {% set raw = 'raw_rows.' ~ adapter.quote(present[column.name]) %}
            {% do columns.update({
                column.name: customer_tiering.without_erased(
                    column, raw, columns[column.name], 'raw_rows.' ~ adapter.quote(present['customer_id'])
                )
            }) %}
        {% endfor %}
    {% endif %}
    {{ return({'columns': columns, 'erased': erased}) }}
{% endmacro %}


{% macro masked_id(schema, column, raw, is_erasing) %}
    {% set kept = 'marked_id(' ~ raw ~ ')' %}
    {% if is_erasing or customer_tiering.setting('pseudonymise_ids') %}
        {% set kept = 'id_as_text(' ~ kept ~ ')' %}
    {% endif %}
    {% if customer_tiering.setting('pseudonymise_ids') %}
        {# staging finds out who is nobody, and what is marked #}
        {% set id = 'read_id(' ~ raw ~ ')' %}
        {% set kept %}
            case
                when is_marked({{ kept }}) or lower_case({{ id }}) in (select word from {{ schema }}.nobody_words)
                    then {{ kept }}
                else {{ customer_tiering.customer_pseudonym(id) }}
            end
        {% endset %}
    {% endif %}
    {% if is_erasing %}
        {% set kept = 'coalesce(erased_' ~ column.name ~ '.erased_id, ' ~ kept ~ ')' %}
    {% endif %}
    {{ return(kept) }}
{% endmacro %}


{% macro without_erased(column, raw, kept, customer_id) %}
    {% set meta = column.config.meta %}
    {% set is_plain = customer_tiering.is_plain(raw, column) if not meta.get('customer_id') else none %}
    {% if meta.get('erase') == 'hashed' %}
        {# it only distinguishes the person's rows; their id, which nobody knows any more, keeps others from trying values #}
        {% set kept %}
            case
                when erased_customer_id.customer_id is null then id_as_text({{ kept }})
                else 'erased_' || md5(read_id({{ customer_id }}) || '|' || read_id({{ raw }}))
            end
        {% endset %}
    {% elif meta.get('pii') or meta.get('erase') %}
        {% set kept %}
            case when erased_customer_id.customer_id is null then {{ kept }} end
        {% endset %}
    {% elif is_plain %}
        {% set kept %}
            case when erased_customer_id.customer_id is null or {{ is_plain }} then {{ kept }} end
        {% endset %}
    {% endif %}
    {{ return(kept) }}
{% endmacro %}


{# What cannot be read may be any text that somebody typed. #}
{% macro is_plain(raw, column) %}
    {% set meta = column.config.meta %}
    {% set value = customer_tiering.read_value(raw, column) %}
    {% if column.data_type != 'string' %}
        {{ return('(' ~ value ~ ') is not null') }}
    {% elif 'letters' in meta %}
        {{ return(customer_tiering.is_letters(value, meta.letters)) }}
    {% elif 'words_of' in meta %}
        {% set seed, words = meta.words_of.split('.') %}
        {% set condition %}
            (lower_case({{ value }}) in (select lower_case({{ words }}) from {{ customer_tiering.seed_file(seed) }}))
        {% endset %}
        {{ return(condition) }}
    {% elif 'allowed' in meta %}
        {{ return('(' ~ modules.re.sub('\\b' ~ column.name ~ '\\b', '(' ~ value ~ ')', meta.allowed) ~ ')') }}
    {% endif %}
    {{ return(none) }}
{% endmacro %}


{% macro hand_over_erased_ids(sources, is_erasing) %}
    {% do adapter.dispatch('hand_over_erased_ids', 'customer_tiering')(sources, is_erasing) %}
{% endmacro %}


{% macro published_history() %}
    {{ return(['published_tiers', 'published_holdouts']) }}
{% endmacro %}


{# Neither under an id that is erased now, nor under an anonymous one, whose number may have moved. #}
{% macro carry_published_history(sources, is_erasing) %}
    {% do adapter.dispatch('carry_published_history', 'customer_tiering')(sources, is_erasing) %}
{% endmacro %}


{% macro customer_pseudonym(expression) %}
    {{ return('customer_pseudonym(' ~ expression ~ ')') }}
{% endmacro %}


{# `tiering refresh` sets it when DuckDB has landed files, masked, and they are copied into another database. #}
{% macro landed_files() %}
    {{ return(env_var('TIERING_LANDED_FILES', '')) }}
{% endmacro %}
