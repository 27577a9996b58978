-- who was not scored at both ends has no change of scores to divide
select
    is_up,
    count(*) as customers,
    avg(points_gained) as gained,
    avg(points_gained_by_self) as gained_by_self
from moves
where from_rank <> to_rank and points_gained is not null
group by is_up
order by is_up desc
