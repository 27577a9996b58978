{#- Tables whose rows say something only of an order or customer that is known: by which column,
    and which are known. -#}
{%- set known_orders = 'select order_id from known_orders' -%}
{%- set known_customers = 'select customer_id from known_customers' -%}
{%- set naming = {
    'order_items': ['order_id', known_orders],
    'refunds': ['order_id', known_orders],
    'interactions': ['customer_id', known_customers],
    'tickets': ['customer_id', known_customers],
    'survey_responses': ['customer_id', known_customers],
    'referrals': ['referrer_customer_id', known_customers],
    'customer_attributes': ['customer_id', known_customers],
    'campaign_contacts': ['customer_id', known_customers],
    'account_balances': ['customer_id', known_customers],
} -%}

with flawed_rows as (
    select * from {{ ref('int_flawed_rows') }}
),

customers as (
    select * from {{ ref('base_crm__customers') }}
),

customer_keys as (
    select * from {{ ref('int_customer_keys') }}
),

orders as (
    select * from {{ ref('int_orders') }}
),

known_orders as (
    select order_id from orders where not is_rejected
),

known_keys as (
    select customer_keys.customer_key
    from customers
    inner join customer_keys on customers.customer_id = customer_keys.customer_id
    where customers.reject_reason is null
    union
    select orders.member_key as customer_key from orders
    where not orders.is_rejected
),

known_customers as (
    select customer_keys.customer_id
    from customer_keys
    inner join known_keys on customer_keys.customer_key = known_keys.customer_key
),

read as (
    {%- for source_name, table_name in raw_tables() %}
    {%- set base = ref('base_' ~ source_name ~ '__' ~ table_name) %}
    {%- set amount = source_meta(source_name, table_name, 'amount') %}
    {%- set naming_column, known_ids = naming.get(table_name, ['', '']) %}
    select
        '{{ table_name }}' as source_table,
        '{{ naming_column }}' as naming_column,
        count(*) as rows_in,
        {%- if naming_column %}
        exists (
            select 1
            from {{ base }} as named
            where
                named.reject_reason is null
                and named.{{ naming_column }} in ({{ known_ids }})
        )
        -- of the table in which none is known it is said what is wrong
        or not exists ({{ known_ids }}) as has_known_rows,
        {%- else %}
        true as has_known_rows,
        {%- endif %}
        {{ 'true' if amount else 'false' }} as has_amount,
        sum({{ amount or 'cast(null as decimal(18, 2))' }}) as amount_in
    from {{ base }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

rejected as (
    select
        source_table,
        count(*) as row_count,
        sum(amount) as amount
    from flawed_rows
    where reject_reason is not null
    group by 1
),

-- a row is accepted unless it is rejected: the faults of all rows are looked for once
accepted as (
    select
        read.*,
        read.rows_in - coalesce(rejected.row_count, 0) as rows_accepted,
        coalesce(read.amount_in, 0) - coalesce(rejected.amount, 0) as amount_accepted
    from read
    left join rejected on read.source_table = rejected.source_table
),

counted as (
    select
        source_table,
        case when rows_accepted > 0 and not has_known_rows then naming_column end
            as unmatched_column,

        rows_in,
        rows_accepted,
        coalesce(amount_in, 0) as amount_in,
        amount_accepted,

        has_amount
    from accepted
)

select * from counted
