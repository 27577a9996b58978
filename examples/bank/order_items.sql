select
    txn_no as order_id,
    1 as line_number,
    txn_type as product_id,
    1 as quantity,
    bank_income as line_amount
from client_transactions
