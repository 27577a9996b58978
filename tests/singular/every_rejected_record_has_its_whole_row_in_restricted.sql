select
    coalesce(records.reject_id, raw_records.reject_id) as reject_id,
    records.source_key,
    raw_records.source_key as source_key_in_restricted
from {{ ref('rejected_records') }} as records
full outer join {{ ref('rejected_raw_records') }} as raw_records
    on records.reject_id = raw_records.reject_id
where records.reject_id is null or raw_records.reject_id is null
