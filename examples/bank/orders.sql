select
    txn_no as order_id,
    client_no as customer_id,
    posted_at as ordered_at,
    status,
    bank_income as order_amount,
    currency as currency_code,
    channel,
    reversed_at as cancelled_at
from client_transactions
