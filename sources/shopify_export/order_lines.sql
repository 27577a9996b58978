-- One row per line of the export, with the id of its order, which only the order's first line has.
--
-- The lines of an order follow its first one under the same Name. Of orders with one Name each has
--   its own lines.
with numbered as (
    select
        *,
        count(coalesce("Financial Status", "Total")) over (
            partition by "Name" order by source_file, source_line
        ) as order_of_name
    from orders_export
)

select
    *,
    max(case when coalesce("Financial Status", "Total") is not null then coalesce("Id", "Name") end)
        over (partition by "Name", order_of_name) as order_id,
    row_number() over (
        partition by "Name", order_of_name order by source_file, source_line
    ) as line_number,
    coalesce("Lineitem sku", "Lineitem name") as product_id
from numbered
