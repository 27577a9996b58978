-- a publication of an earlier release has no shown_value
with rejected_records as (
    select * from quality.rejected_records
    union all by name
    select cast(null as varchar) as shown_value
    where false
)

select
    rejected_records.source_table || '.' || rejected_records.column_name as column_name,
    coalesce(actions.label_en, rejected_records.action) as action_en,
    coalesce(actions.label_zh, '') as action_zh,
    coalesce(labels.label_en, rejected_records.reject_reason) as reason_en,
    coalesce(labels.label_zh, '') as reason_zh,
    coalesce(
        mode(rejected_records.shown_value order by rejected_records.shown_value), ''
    ) as commonest,
    count(*) as records
from rejected_records
left join marts.labels
    on labels.kind = 'reject_reason' and rejected_records.reject_reason = labels.code
left join marts.labels as actions
    on actions.kind = 'reject_action' and rejected_records.action = actions.code
group by 1, 2, 3, 4, 5
order by 7 desc, 1, 2, 4, 3, 5
