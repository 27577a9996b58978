-- One row per account that was merged into another: Salesforce deletes it and keeps the id of the
--   other.
--
-- Dated: by the last change of the row, else by the time at which the connector saw it.
select
    id as from_customer_id,
    master_record_id as into_customer_id,
    coalesce(read_text(last_modified_date), read_text(_fivetran_synced)) as merged_at,
    source_file,
    source_line
from account
where
    read_text(master_record_id) is not null
    and read_boolean(_fivetran_active) is not false
