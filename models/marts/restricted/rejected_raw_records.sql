{{ config(alias='rejected_records') }}

with rejected as (
    select * from {{ ref('int_rejected_records') }}
)

select
    reject_id,
    source_table,
    source_key,
    raw_record_restricted as raw_record
from rejected
