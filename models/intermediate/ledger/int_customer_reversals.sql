with reversals as (
    select * from {{ ref('int_order_reversals') }}
),

effective as (
    select
        order_id,

        reversed_amount_reporting,

        is_order_undone,

        known_date
    from reversals
    where customer_key is not null and (reversed_amount <> 0 or is_order_undone)
)

select * from effective
