select
    -- One review may be about several orders; each is an answer of its own.
    reviews.review_id || '-' || reviews.order_id as response_id,
    buyers.customer_unique_id as customer_id,
    -- When the answer was given, not when it was asked for.
    reviews.review_answer_timestamp as responded_at,
    'csat' as survey_type,
    reviews.review_score as score
from reviews
inner join source_orders on reviews.order_id = source_orders.order_id
inner join buyers on source_orders.customer_id = buyers.customer_id
