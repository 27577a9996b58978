{# Ids that differ only in spelling: the same id, if both tables wrote it alike. #}
{%- set spellings = {
    'decimals': replaced('customer_id', '[.]0+$', ''),
    'blanks': replaced('customer_id', '\\s', ''),
    'letter_case': 'lower_case(customer_id)',
    'leading_zeros': replaced('customer_id', '^0+([0-9])', '\\1'),
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

orders_of_unknown as (
    select orders.*
    from orders
    left join known_keys on orders.member_key = known_keys.customer_key
    where orders.member_key is not null and known_keys.customer_key is null
),

unknown_customers as (
    select
        customer_keys.customer_id,
        customer_keys.customer_key,
        count(*) as orders,
        sum(orders_of_unknown.order_amount_reporting) as revenue
    from orders_of_unknown
    inner join customer_keys
        on
            orders_of_unknown.member_key = customer_keys.customer_key
            and customer_keys.customer_id = customer_keys.resolved_customer_id
    group by 1, 2
),

-- spellings of customers are made only if there is an unknown one to compare
compared_customers as (
    select customers.customer_id
    from customers
    cross join (select count(*) as customers from unknown_customers) as counted
    where counted.customers > 0
),

equally_spelt as (
    {%- for spelling, spelt in spellings.items() %}
    select
        unknown_spelt.customer_id,
        '{{ spelling }}' as matches_without,
        {{ loop.index }} as place
    from (select customer_id, {{ spelt }} as spelt from unknown_customers) as unknown_spelt
    inner join
        (select {{ spelt }} as spelt from compared_customers) as known_spelt
        on unknown_spelt.spelt = known_spelt.spelt
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

first_spelling as (
    select
        customer_id,
        {{ first_in_order('matches_without', 'place') }} as matches_without
    from equally_spelt
    group by 1
),

matched as (
    select
        unknown_customers.customer_id,
        unknown_customers.customer_key,
        first_spelling.matches_without,

        unknown_customers.orders,
        unknown_customers.revenue
    from unknown_customers
    left join first_spelling on unknown_customers.customer_id = first_spelling.customer_id
)

select * from matched
