-- One row per customer, as on the newest order.
with newest_first as (
    select
        *,
        row_number() over (
            partition by customer_id
            order by read_timestamp("Created at", 'UTC') desc nulls last, order_id desc
        ) as place
    from order_heads
    where customer_id is not null
)

select
    customer_id,
    'person' as customer_type,
    "Billing Name" as full_name,
    "Email" as email,
    coalesce("Phone", "Billing Phone") as phone,
    coalesce("Billing Country", "Shipping Country") as country_code,
    coalesce("Billing Province", "Shipping Province") as region,
    coalesce("Billing City", "Shipping City") as city,
    -- Shopify writes an apostrophe before it, so that a spreadsheet keeps its zeros.
    replace(coalesce("Billing Zip", "Shipping Zip"), '''', '') as postal_code,
    "Accepts Marketing" as marketing_consent,
    "Created at" as updated_at,
    source_file,
    source_line
from newest_first
where place = 1
