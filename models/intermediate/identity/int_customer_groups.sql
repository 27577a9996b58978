{# Members of groups of companies. From the roots down, one level a step; no parent that is
   followed lies on a cycle, so it ends. #}
with recursive parents as (
    select customer_id, parent_customer_id
    from {{ ref('int_customer_parents') }}
    where reject_reason is null
),

roots as (
    select distinct parents.parent_customer_id as customer_id
    from parents
    left join parents as grandparents on parents.parent_customer_id = grandparents.customer_id
    where grandparents.customer_id is null
),

members as (
    select
        customer_id,
        customer_id as root_customer_id,
        0 as group_depth
    from roots
    union all
    select
        parents.customer_id,
        members.root_customer_id,
        members.group_depth + 1 as group_depth
    from members
    inner join parents on members.customer_id = parents.parent_customer_id
),

with_parents as (
    select
        members.customer_id,
        members.root_customer_id,
        parents.parent_customer_id,

        members.group_depth
    from members
    left join parents on members.customer_id = parents.customer_id
)

select * from with_parents
