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
    {{ json_value('raw_record', "'$.source_place'") }} as source_place,
    raw_record
from rejected
