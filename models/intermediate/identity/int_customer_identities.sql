with recursive customer_merges as (
    select from_customer_id, into_customer_id
    from {{ ref('int_customer_merges') }}
    where reject_reason is null
),

followed as (
    select from_customer_id as customer_id, into_customer_id as reached_customer_id
    from customer_merges
    union all
    select followed.customer_id, customer_merges.into_customer_id
    from followed
    inner join customer_merges on followed.reached_customer_id = customer_merges.from_customer_id
),

-- the end of each chain: the id that is not merged any further
resolved as (
    select
        followed.customer_id,
        followed.reached_customer_id as resolved_customer_id
    from followed
    left join customer_merges on followed.reached_customer_id = customer_merges.from_customer_id
    where customer_merges.from_customer_id is null
)

select * from resolved
