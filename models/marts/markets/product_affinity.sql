with affinities as (
    select * from {{ ref('int_affinities') }}
),

newest_period as (
    select * from {{ ref('int_newest_period') }}
)

select
    affinities.affinity_kind,
    affinities.first_id,
    affinities.second_id,

    affinities.baskets,
    affinities.first_baskets,
    affinities.second_baskets,
    affinities.all_baskets,
    affinities.support,
    affinities.confidence,
    affinities.lift,
    affinities.customers,

    newest_period.period_end as as_of_date
from affinities
inner join newest_period on affinities.learned_on = newest_period.period_end
