select
    from_tier_code,
    to_tier_code,
    count(*) as customers,
    sum(monetary) as window_revenue
from moves
where from_rank <> to_rank
group by from_tier_code, to_tier_code, from_rank, to_rank
order by from_rank desc, to_rank desc
