-- One row per sale: a won opportunity or an activated order, as sales.sql says.
--
-- Revenue: amount of an opportunity, which its sales team entered; total_amount of an order, with
--   neither tax nor shipping.
-- Dated: an opportunity by its close date, as of noon in UTC, so that it is the same day in nearly
--   every time zone. An order by its activation, else by its start.
-- Without an amount a sale is rejected and listed.
select
    read_id(id) as order_id,
    read_id(account_id) as customer_id,
    cast(read_date(close_date) as timestamp) + interval '12 hours' as ordered_at,
    'closed won' as status,
    read_text(amount) as order_amount,
    read_text(currency_iso_code) as currency_code,
    read_text(last_modified_date) as updated_at,
    source_file,
    source_line
from won_opportunities
union all
select
    read_id(id) as order_id,
    read_id(account_id) as customer_id,
    coalesce(
        read_timestamp(activated_date, 'UTC'), read_timestamp(effective_date, 'UTC')
    ) as ordered_at,
    'activated' as status,
    read_text(total_amount) as order_amount,
    read_text(currency_iso_code) as currency_code,
    read_text(last_modified_date) as updated_at,
    source_file,
    source_line
from activated_orders
where read_boolean(is_reduction_order) is not true
