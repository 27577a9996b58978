select
    read_id(basket_id) as order_id,
    read_id(household_id) as customer_id,
    read_id(store_id) as store_id,
    read_id(product_id) as product_id,
    quantity,
    -- The casts also clear float dust: amounts of 1e-15 dollars are zero.
    cast(sales_value as decimal(18, 2)) as line_amount,
    cast(retail_disc as decimal(18, 2))
    + cast(coupon_disc as decimal(18, 2))
    + cast(coupon_match_disc as decimal(18, 2)) as discount_amount,
    -- The file's times are UTC, though nothing says so: its own weeks begin at 05:00 in winter and
    -- at 04:00 in summer. The shops' day is the one that counts.
    transaction_timestamp at time zone 'UTC' at time zone 'America/New_York' as ordered_at
from transactions
