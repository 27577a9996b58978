{{ deduplicated(
    'finance', 'account_balances',
    columns=['customer_id', 'account_id', 'currency_code', 'balance_amount', 'balance_date'],
) }}
