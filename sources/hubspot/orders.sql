-- One row per won deal: one in a stage with closed_won. Deals in all other stages are left out.
--
-- Revenue: property_amount, as entered, in the deal's currency; whether tax is in it the sales team
--   decides. Without an amount a deal is rejected and listed.
-- Dated: by the close date.
-- Deleted deals are left out, and those that were merged into another one, which has their amount.
--   To count deleted ones: without the lines of is_deleted and _fivetran_deleted
select
    deal.deal_id as order_id,
    deal_customers.customer_id,
    deal.property_closedate as ordered_at,
    'closed won' as status,
    deal.property_amount as order_amount,
    deal.property_deal_currency_code as currency_code,
    deal.property_hs_lastmodifieddate as updated_at,
    deal.source_file,
    deal.source_line
from deal
left join deal_customers on read_id(deal.deal_id) = deal_customers.deal_id
where
    read_boolean(deal.is_deleted) is not true
    and read_boolean(deal._fivetran_deleted) is not true
    and not exists (
        select 1
        from merged_deal
        where read_id(merged_deal.merged_deal_id) = read_id(deal.deal_id)
    )
    and exists (
        select 1
        from deal_pipeline_stage as stage
        where
            read_text(stage.stage_id) = read_text(deal.deal_pipeline_stage_id)
            and read_text(stage.pipeline_id) = read_text(deal.deal_pipeline_id)
            and read_boolean(stage.closed_won)
    )
