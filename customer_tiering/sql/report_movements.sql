with movements as (
    select
        change_type,
        reason_code,
        count(*) as customers
    from marts.customer_periods
    where period_end = $closed_on and list_contains($movements, change_type)
    group by change_type, reason_code
)

select
    movements.change_type,
    coalesce(changes.label_en, movements.change_type) as change_en,
    coalesce(changes.label_zh, '') as change_zh,
    coalesce(reasons.label_en, movements.reason_code, '') as reason_en,
    coalesce(reasons.label_zh, '') as reason_zh,
    movements.customers
from movements
left join marts.labels as changes
    on changes.kind = 'change_type' and movements.change_type = changes.code
left join marts.labels as reasons
    on reasons.kind = 'reason_code' and movements.reason_code = reasons.code
order by list_position($movements, movements.change_type), movements.customers desc, reason_en
