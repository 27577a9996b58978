-- All are services, which tells no client from another: without a type the input demand_breadth is
-- unknown, and not 100 for everybody.
select distinct
    txn_type as product_id,
    case txn_type
        when 'fund_purchase' then 'wealth'
        when 'bill_discount' then 'lending'
        when 'currency_purchase' then 'foreign exchange'
        else 'payments'
    end as category
from client_transactions
