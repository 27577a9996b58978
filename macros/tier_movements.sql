{# `tiering movements` renders this file by itself, so it calls no macro of another one. Reasons name what changed; a
   customer's sum of r, f and m by the edges of the earlier end shows whether the edges alone did it. For example: 9
   before, 11 now, and 9 again by the edges of the earlier end. The customer did nothing, so a rise of tier has the
   cause `others`. #}
{% macro tier_movements(customer_periods, rfm_score_edges, from_end, to_end) -%}
with before as (
    select
        customer_id,
        tier_code,
        tier_rank,
        r_score + f_score + m_score as points
    from {{ customer_periods }}
    where period_end = {{ from_end }}
),

after as (
    select
        customer_id,
        tier_code,
        tier_rank,
        r_score + f_score + m_score as points,
        monetary
    from {{ customer_periods }}
    where period_end = {{ to_end }}
),

points_by_earlier_edges as (
    {{ points_by_earlier_edges(customer_periods, rfm_score_edges, from_end, to_end) | indent(4) }}
),

changes as (
    select
        customer_id,
        reason_code,
        change_type in ('enter', 'upgrade') as is_up,
        row_number() over (
            partition by customer_id, change_type in ('enter', 'upgrade')
            order by period_end desc
        ) as place
    from {{ customer_periods }}
    where
        period_end > {{ from_end }}
        and period_end <= {{ to_end }}
        and change_type in ('enter', 'upgrade', 'downgrade', 'leave')
),

-- earlier releases published NULL for no tier
net_moves as (
    select
        after.customer_id,
        coalesce(before.tier_code, 'none') as from_tier_code,
        coalesce(after.tier_code, 'none') as to_tier_code,
        coalesce(before.tier_rank, 0) as from_rank,
        after.tier_rank as to_rank,
        after.points - before.points as points_gained,
        points_by_earlier_edges.points - before.points as points_gained_by_self,
        after.monetary,
        after.tier_rank > coalesce(before.tier_rank, 0) as is_up
    from after
    left join before on after.customer_id = before.customer_id
    left join points_by_earlier_edges on after.customer_id = points_by_earlier_edges.customer_id
),

-- a customer may change tier more than once in between: the last change in the direction of the
-- net move counts
moves_and_reasons as (
    select
        net_moves.*,
        changes.reason_code
    from net_moves
    left join changes
        on
            net_moves.customer_id = changes.customer_id
            and net_moves.is_up = changes.is_up
            and changes.place = 1
)

select
    customer_id,
    from_tier_code,
    to_tier_code,
    reason_code,
    case
        when reason_code = 'rule_change' then 'rules'
        when reason_code = 'relative_position' then 'others'
        when is_up and points_gained > 0 and points_gained_by_self <= 0 then 'others'
        when not is_up and points_gained < 0 and points_gained_by_self >= 0 then 'others'
        else 'own'
    end as cause,

    from_rank,
    to_rank,
    points_gained,
    points_gained_by_self,
    monetary,

    is_up
from moves_and_reasons
{%- endmacro %}


{% macro points_by_earlier_edges(customer_periods, rfm_score_edges, from_end, to_end) -%}
with measures_and_edges as (
    select
        periods.customer_id,
        edges.metric,
        periods.frequency,
        case edges.metric
            when 'recency' then periods.recency_days
            when 'frequency' then periods.frequency
            when 'monetary' then periods.monetary
        end as measure,
        edges.edge_1,
        edges.edge_2,
        edges.edge_3,
        edges.edge_4
    from {{ customer_periods }} as periods
    cross join {{ rfm_score_edges }} as edges
    where periods.period_end = {{ to_end }} and edges.period_end = {{ from_end }}
),

edges_below as (
    select
        customer_id,
        metric,
        frequency,
        measure,
        case when edge_1 < measure then 1 else 0 end
        + case when edge_2 < measure then 1 else 0 end
        + case when edge_3 < measure then 1 else 0 end
        + case when edge_4 < measure then 1 else 0 end as edges_below
    from measures_and_edges
)

select
    customer_id,
    sum(
        case
            when frequency = 0 then 1
            when metric = 'recency' then 5 - edges_below
            when metric = 'monetary' and measure <= 0 then 1
            else 1 + edges_below
        end
    ) as points
from edges_below
group by 1
{%- endmacro %}
