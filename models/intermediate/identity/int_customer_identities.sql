with recursive merges as (
    select from_customer_id, into_customer_id
    from {{ ref('int_customer_merges') }}
    where reject_reason is null
),

followed as (
    select from_customer_id as customer_id, into_customer_id as reached_customer_id from merges
    union all
    select followed.customer_id, merges.into_customer_id
    from followed
    inner join merges on followed.reached_customer_id = merges.from_customer_id
),

-- the end of each chain: the id that is not merged any further
resolved as (
    select
        followed.customer_id,
        followed.reached_customer_id as resolved_customer_id
    from followed
    left join merges on followed.reached_customer_id = merges.from_customer_id
    where merges.from_customer_id is null
)

select * from resolved
