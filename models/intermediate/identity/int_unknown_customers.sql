{# Ids that differ in what nobody means: the same id, had both tables written it alike. #}
{%- set spellings = {
    'decimals': "regexp_replace(customer_id, '[.]0+$', '')",
    'blanks': "regexp_replace(customer_id, '\\s', '', 'g')",
    'letter_case': 'lower(customer_id)',
} -%}

with customers as (
    select * from {{ ref('stg_crm__customers') }}
),

customer_keys as (
    select * from {{ ref('int_customer_keys') }}
),

orders as (
    select * from {{ ref('int_orders') }} where not is_rejected and not is_test
),

known_keys as (
    select distinct customer_keys.customer_key
    from customers
    inner join customer_keys on customers.customer_id = customer_keys.customer_id
),

unknown_keys as (
    select
        orders.customer_key,
        count(*) as orders,
        sum(orders.order_amount_reporting) as revenue
    from orders
    left join known_keys on orders.customer_key = known_keys.customer_key
    where orders.customer_key is not null and known_keys.customer_key is null
    group by orders.customer_key
),

unknown_customers as (
    select
        customer_keys.customer_id,
        unknown_keys.customer_key,
        unknown_keys.orders,
        unknown_keys.revenue
    from unknown_keys
    inner join customer_keys
        on
            unknown_keys.customer_key = customer_keys.customer_key
            and customer_keys.customer_id = customer_keys.resolved_customer_id
),

-- customers are spelt only when there is an unknown one to compare them with
compared_customers as (
    select customers.customer_id
    from customers
    cross join (select count(*) as customers from unknown_customers) as counted
    where counted.customers > 0
),

{% for spelling, spelt in spellings.items() -%}
equal_without_{{ spelling }} as (
    select distinct unknown_customers.customer_id
    from (select customer_id, {{ spelt }} as spelt from unknown_customers) as unknown_customers
    inner join (select {{ spelt }} as spelt from compared_customers) as known_customers
        on unknown_customers.spelt = known_customers.spelt
),

{% endfor -%}
matched as (
    select
        unknown_customers.customer_id,
        unknown_customers.customer_key,
        case
            {%- for spelling in spellings %}
            when equal_without_{{ spelling }}.customer_id is not null then '{{ spelling }}'
            {%- endfor %}
        end as matches_without,

        unknown_customers.orders,
        unknown_customers.revenue
    from unknown_customers
    {%- for spelling in spellings %}
    left join equal_without_{{ spelling }}
        on unknown_customers.customer_id = equal_without_{{ spelling }}.customer_id
    {%- endfor %}
)

select * from matched
