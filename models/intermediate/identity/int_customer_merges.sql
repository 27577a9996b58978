with recursive customer_merges as (
    select * from {{ ref('stg_crm__customer_merges') }}
),

ranked as (
    select
        from_customer_id,
        into_customer_id,
        merged_at,
        row_number() over (
            partition by from_customer_id order by merged_at desc, into_customer_id
        ) as place
    from customer_merges
    where from_customer_id <> into_customer_id
),

targets as (
    select from_customer_id, into_customer_id, merged_at from ranked where place = 1
),

-- every id that following the targets from an id leads to; an id that leads to itself is on a cycle
reached as (
    select from_customer_id, into_customer_id as reached_customer_id from targets
    union
    select reached.from_customer_id, targets.into_customer_id
    from reached
    inner join targets on reached.reached_customer_id = targets.from_customer_id
),

on_cycle as (
    select from_customer_id from reached where from_customer_id = reached_customer_id
),

cycles as (
    select reached.from_customer_id, min(reached.reached_customer_id) as cycle_id
    from reached
    inner join on_cycle on reached.from_customer_id = on_cycle.from_customer_id
    group by 1
),

-- the newest decision wins, so the cycle is opened at its oldest
oldest_of_cycle as (
    select
        targets.from_customer_id,
        row_number() over (
            partition by cycles.cycle_id order by targets.merged_at, targets.from_customer_id
        ) as place
    from targets
    inner join cycles on targets.from_customer_id = cycles.from_customer_id
),

judged as (
    select
        customer_merges.from_customer_id,
        customer_merges.into_customer_id,
        case
            when customer_merges.from_customer_id = customer_merges.into_customer_id
                then 'self_merge'
            when customer_merges.into_customer_id <> targets.into_customer_id then 'second_target'
            when oldest_of_cycle.place = 1 then 'merge_cycle'
        end as reject_reason,

        customer_merges.merged_at
    from customer_merges
    left join targets on customer_merges.from_customer_id = targets.from_customer_id
    left join oldest_of_cycle
        on customer_merges.from_customer_id = oldest_of_cycle.from_customer_id
)

select * from judged
