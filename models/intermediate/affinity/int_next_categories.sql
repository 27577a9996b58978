{# Of today alone: nothing is recommended by it, so that it needs no test. #}
with lines as (
    select lines.*
    from {{ ref('int_basket_lines') }} as lines
    inner join {{ ref('int_newest_period') }} as newest_period
        on lines.learned_on = newest_period.period_end
),

categories as (
    select distinct
        customer_key,
        category,
        order_date
    from lines
    where category is not null
),

order_days as (
    select distinct
        customer_key,
        order_date,
        learned_on
    from lines
),

steps as (
    select
        *,
        lead(order_date) over (partition by customer_key order by order_date) as next_order_date
    from order_days
),

all_steps as (
    select
        learned_on,
        count(*) as steps
    from steps
    where next_order_date is not null
    group by 1
),

firsts as (
    select
        categories.customer_key,
        categories.category,
        steps.next_order_date
    from categories
    inner join steps
        on
            categories.customer_key = steps.customer_key
            and categories.order_date = steps.order_date
            and steps.next_order_date is not null
),

-- every order day but a customer's first one is the next of another
seconds as (
    select
        categories.category,
        count(*) as steps
    from categories
    inner join steps
        on
            categories.customer_key = steps.customer_key
            and categories.order_date = steps.next_order_date
    group by 1
),

of_firsts as (
    select
        category,
        count(*) as steps
    from firsts
    group by 1
),

of_customers as (
    select
        firsts.customer_key,
        firsts.category as first_id,
        categories.category as second_id,
        count(*) as steps
    from firsts
    inner join categories
        on
            firsts.customer_key = categories.customer_key
            and firsts.next_order_date = categories.order_date
    group by 1, 2, 3
),

pairs as (
    select
        first_id,
        second_id,
        cast(sum(steps) as bigint) as steps,
        count(*) as customers
    from of_customers
    group by 1, 2
    having sum(steps) >= {{ setting('affinity_min_baskets') }}
),

counted as (
    select
        'next_category' as affinity_kind,
        pairs.first_id,
        pairs.second_id,
        pairs.steps as baskets,
        of_firsts.steps as first_baskets,
        seconds.steps as second_baskets,
        all_steps.steps as all_baskets,
        pairs.customers,
        all_steps.learned_on
    from pairs
    cross join all_steps
    inner join of_firsts on pairs.first_id = of_firsts.category
    inner join seconds on pairs.second_id = seconds.category
)

select * from counted
