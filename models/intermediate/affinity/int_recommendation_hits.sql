with predictions as (
    select * from {{ ref('int_tested_recommendations') }}
),

purchases as (
    select * from {{ ref('int_next_purchases') }}
),

dates as (
    select * from {{ ref('int_learning_dates') }}
),

by_customer as (
    select
        predictions.predictor,
        predictions.recommended_kind,
        predictions.customer_key,
        predictions.learned_on,
        max(case when purchases.item_id is not null then 1 else 0 end) as hits
    from predictions
    left join purchases
        on
            predictions.customer_key = purchases.customer_key
            and predictions.learned_on = purchases.learned_on
            and predictions.item_kind = purchases.item_kind
            and predictions.item_id = purchases.item_id
    group by 1, 2, 3, 4
),

hits as (
    select
        by_customer.predictor,
        by_customer.recommended_kind,
        dates.tested_period_index as period_index,
        count(*) as customers,
        cast(sum(by_customer.hits) as bigint) as hits,
        dates.learned_on
    from by_customer
    inner join dates on by_customer.learned_on = dates.learned_on
    group by 1, 2, 3, 6
)

select * from hits
