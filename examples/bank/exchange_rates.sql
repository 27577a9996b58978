-- Chinese banks quote 100 units of a currency in yuan.
select
    quoted_on as rate_date,
    currency as currency_code,
    cast(read_rate(cny_per_100) / 100 as decimal(18, 8)) as rate_to_reporting
from fx_rates
