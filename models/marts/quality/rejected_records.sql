with rejected as (
    select * from {{ ref('int_rejected_records') }}
)

select
    reject_id,
    source_table,
    source_key,
    action,
    reject_reason,
    column_name,
    shown_value,
    raw_record
from rejected
