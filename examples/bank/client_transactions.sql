-- What clients do by themselves. What the bank books (interest, fees) and what others pay in
-- (salaries, transfers) is nothing that a client does, and would keep everybody active.
select
    transactions.txn_no,
    accounts.client_no,
    accounts.currency,
    transactions.txn_type,
    transactions.posted_at,
    transactions.status,
    transactions.channel,
    transactions.reversed_at,
    -- What the bank earns by it, not what is moved: 100,000 transferred are no revenue.
    transactions.bank_income
from transactions
inner join accounts on transactions.account_no = accounts.account_no
where
    transactions.txn_type in (
        'card_purchase', 'transfer_out', 'cash_withdrawal', 'fund_purchase', 'bill_discount',
        'currency_purchase'
    )
