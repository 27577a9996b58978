{%- set names = (setting('profile_attributes') + setting('profile_dimensions')) | unique | list %}
with attributes as (
    select * from {{ ref('int_customer_attributes') }}
),

named as (
    select
        cast(null as {{ string_type() }}) as attribute,
        0 as values_known
    from attributes
    where false
    {%- for name in names %}
    union all
    select
        {{ text_literal(name) }} as attribute,
        count(*) as values_known
    from attributes
    where attribute = {{ text_literal(name) }}
    {%- endfor %}
),

-- that nobody has an attribute may be as it is, or its name is mistyped
warnings as (
    select
        'unknown_attribute' as warning_code,
        attribute as subject,
        values_known as observed
    from named
    where values_known = 0
)

select * from warnings
