-- a publication of an earlier release has no shown_value
with rejected_records as (
    select * from quality.rejected_records
    union all by name
    select cast(null as varchar) as shown_value
    where false
)

select
    rejected_records.source_table || '.' || rejected_records.column_name as column_name,
    rejected_records.action,
    coalesce(labels.label_en, rejected_records.reject_reason) as reason_en,
    coalesce(labels.label_zh, '') as reason_zh,
    coalesce(
        mode(rejected_records.shown_value order by rejected_records.shown_value), ''
    ) as commonest,
    count(*) as records
from rejected_records
left join marts.labels
    on labels.kind = 'reject_reason' and rejected_records.reject_reason = labels.code
group by 1, 2, 3, 4
order by 6 desc, 1, 2, 3, 4
