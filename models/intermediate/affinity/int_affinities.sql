with counted as (
    select * from {{ ref('int_basket_pairs') }}
    union all
    select * from {{ ref('int_next_categories') }}
),

measured as (
    select
        affinity_kind,
        first_id,
        second_id,
        baskets,
        first_baskets,
        second_baskets,
        all_baskets,
        customers,
        {{ share('baskets', 'all_baskets') }} as support,
        {{ share('baskets', 'first_baskets') }} as confidence,
        {{ ratio_of_counts(
            ['baskets', 'all_baskets'], ['first_baskets', 'second_baskets']
        ) }} as lift,
        learned_on
    from counted
)

select * from measured
