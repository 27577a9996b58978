{%- set names = setting('profile_attributes') %}
{%- set places = [] %}
{%- for name in names %}
{%- do places.append('when ' ~ text_literal(name) ~ ' then ' ~ loop.index) %}
{%- endfor %}
with attributes as (
    select * from {{ ref('int_customer_attributes') }}
),

customers as (
    select customer_key, customer_id from {{ ref('int_customers') }}
),

named as (
    select
        customer_key,
        attribute,
        value,
        {{ 'case attribute ' ~ places | join(' ') ~ ' end' if names else 'cast(null as integer)' }}
            as place
    from attributes
),

attribute_lists as (
    select
        customer_key,
        attribute || ': ' || string_agg(value, ', ' order by value) as attribute_list,
        place
    from named
    where place is not null
    group by customer_key, attribute, place
),

joined as (
    select
        customers.customer_id,
        string_agg(attribute_lists.attribute_list, '; ' order by attribute_lists.place)
            as attributes
    from attribute_lists
    inner join customers on attribute_lists.customer_key = customers.customer_key
    group by customers.customer_id
)

select * from joined
