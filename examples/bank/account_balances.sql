-- An account is of one client and has one currency.
select
    accounts.client_no as customer_id,
    balances.account_no as account_id,
    balances.balance_date,
    balances.ledger_balance as balance_amount,
    accounts.currency as currency_code
from balances
inner join accounts on balances.account_no = accounts.account_no
