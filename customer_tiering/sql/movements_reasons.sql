select
    moves.is_up,
    coalesce(labels.label_en, moves.reason_code) as reason_en,
    coalesce(labels.label_zh, '') as reason_zh,
    count(*) as customers,
    count(*) / sum(count(*)) over (partition by moves.is_up) as share
from moves
left join marts.labels as labels
    on labels.kind = 'reason_code' and moves.reason_code = labels.code
where moves.from_rank <> moves.to_rank
group by 1, 2, 3
order by 1 desc, 4 desc, 2
