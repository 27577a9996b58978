{# The rows that a mapping makes for a raw table, as a query. The command line renders these macros too
   (customer_tiering/mappings.py): they are texts made of their arguments alone. #}

{# `readers` are queries by source, as `source_rows` makes them; `columns` those of the mapping's own SQL, where words are to be
   replaced in them. #}
{% macro mapped_rows(mapping, table, readers, columns=[]) %}
(
    {%- for name in customer_tiering.relations_read(mapping, mapping.sql[table]).split() %}
    {{ 'with ' if loop.first }}"{{ name }}" as (
        {{ (mapping.sql[name] if name in mapping.sql else readers[name]) | trim }}
    ){{ ',' if not loop.last }}
    {%- endfor %}
    select
        {%- for name in columns or ['*'] %}
        {{ customer_tiering.worded(name, mapping.words[table ~ '.' ~ name]) }}{{ ',' if not loop.last }}
        {%- endfor %}
    from (
{{ mapping.sql[table] }}
    ) as mapped
)
{%- endmacro %}


{% macro worded(name, words) %}
    {%- if not words -%}
        {{ '*' if name == '*' else 'mapped."' ~ name ~ '"' }}
    {%- else -%}
        case lower_case(read_text(mapped."{{ name }}"))
            {%- for word, meaning in words.items() %}
            when {{ customer_tiering.text_literal(word | lower) }} then {{ customer_tiering.text_literal(meaning) }}
            {%- endfor %}
            else read_text(mapped."{{ name }}")
        end as "{{ name }}"
    {%- endif -%}
{% endmacro %}


{# Sources first, then steps, each behind those that it reads. `above` are the steps on the way here: one that reads itself,
   directly or through others, is not found by the database, which says so. #}
{% macro relations_read(mapping, sql, above=[]) -%}
    {%- set names = [] -%}
    {%- for name in mapping.steps if name not in above and customer_tiering.reads(sql, name) == 'yes' -%}
        {%- set below = customer_tiering.relations_read(mapping, mapping.sql[name], above + [name]).split() -%}
        {%- for read in below + [name] if read not in names -%}
            {%- do names.append(read) -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- for name in mapping.sources if customer_tiering.reads(sql, name) == 'yes' and name not in names -%}
        {%- do names.insert(0, name) -%}
    {%- endfor -%}
    {{ names | join(' ') }}
{%- endmacro %}


{% macro reads(sql, name) -%}
    {{ 'yes' if modules.re.search('(?<![\\w.])' ~ name ~ '(?!\\w)', modules.re.sub('--[^\\n]*', '', sql) | lower) }}
{%- endmacro %}
