-- One row per group of customers whom no table of the page tells apart.
with periods as (
    select * from marts.customer_periods
    where period_end in ($as_of, $closed_on)
),

standing as (
    select
        customer_id,
        tier_code,
        r_score,
        f_score,
        frequency,
        monetary
    from periods
    where period_end = $as_of
),

-- customers with orders in the window, the one with the largest revenue first
ranked as (
    select
        customer_id,
        100 * row_number() over (order by monetary desc, customer_id) as place,
        count(*) over () as customers
    from standing
    where frequency > 0
),

reviewed as (
    select
        customer_id,
        tier_code_before,
        tier_code,
        change_type,
        reason_code
    from periods
    where period_end = $closed_on
),

alerts as (
    select
        customer_id,
        list_sort(list(struct_pack(code := alert_code, severity := severity))) as alerts
    from marts.customer_alerts
    where is_open
    group by customer_id
),

-- those due within a week, or overdue
actions as (
    select
        customer_id,
        list_sort(
            list(struct_pack(department := coalesce(owner_department, ''), code := action_code))
        ) as actions
    from marts.customer_actions
    where action_code <> 'none' and due_on <= cast($as_of as date) + 7
    group by customer_id
)

select
    customers.segment_code,
    customers.lifecycle_stage,
    standing.tier_code,
    standing.r_score,
    standing.f_score,
    standing.frequency > 0 as is_active,
    coalesce(standing.monetary, 0) <> 0 as has_revenue,
    case
        when ranked.place <= 1 * ranked.customers then 1
        when ranked.place <= 5 * ranked.customers then 5
        when ranked.place <= 10 * ranked.customers then 10
        when ranked.place <= 20 * ranked.customers then 20
        when ranked.place <= 50 * ranked.customers then 50
        when ranked.place is not null then 100
    end as top_percent,
    reviewed.tier_code_before,
    reviewed.tier_code as tier_code_after,
    reviewed.change_type,
    reviewed.reason_code,
    alerts.alerts,
    actions.actions,
    count(*) as customers,
    coalesce(sum(standing.monetary), 0) as revenue
from marts.customers
left join standing on customers.customer_id = standing.customer_id
left join ranked on customers.customer_id = ranked.customer_id
left join reviewed on customers.customer_id = reviewed.customer_id
left join alerts on customers.customer_id = alerts.customer_id
left join actions on customers.customer_id = actions.customer_id
-- of a group that is one customer, its root
where customers.customer_id = customers.reviewed_customer_id
group by all
order by all
