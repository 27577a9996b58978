-- What counts as a sale: 'opportunity' for won opportunities, 'order' for activated orders. Never
--   both, as an order usually follows from an opportunity.
select 'opportunity' as kind
