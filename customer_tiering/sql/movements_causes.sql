select
    cause,
    count(*) as customers,
    count(*) / sum(count(*)) over () as share
from moves
where from_rank <> to_rank
group by cause
order by customers desc, cause
