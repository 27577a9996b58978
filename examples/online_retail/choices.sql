-- true: cancellations become refunds of the orders that they take back. false: no cancellations and
-- no lines without a price, as the published RFM tables of this data have it.
select true as has_cancellations
