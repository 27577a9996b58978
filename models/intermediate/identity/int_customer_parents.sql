{# Which parent of a customer is followed, and why another is not. Cycles are found by doubling:
   the pairs of one step, joined with themselves, lead twice as far. Who still has an ancestor
   2^24 levels up is on a cycle or below one, and such ancestors are on cycles, each of its
   customers once. Without cycles the pairs of a step soon run out, however many customers there
   are. #}
{%- set doublings = 24 -%}
with records as (
    select * from {{ ref('int_customer_records') }}
),

identities as (
    select * from {{ ref('int_customer_identities') }}
),

named as (
    select
        records.customer_id as record_id,
        records.resolved_customer_id as customer_id,
        coalesce(identities.resolved_customer_id, records.parent_customer_id)
            as parent_customer_id
    from records
    left join identities on records.parent_customer_id = identities.customer_id
    where records.parent_customer_id is not null
),

judged as (
    select
        named.record_id,
        named.customer_id,
        named.parent_customer_id,
        case
            when named.customer_id = named.parent_customer_id then 'self_parent'
            when parents.resolved_customer_id is null then 'unknown_parent'
        end as reject_reason
    from named
    left join records as parents on named.parent_customer_id = parents.resolved_customer_id
),

ancestors_0 as (
    select
        customer_id,
        parent_customer_id as ancestor_id
    from judged
    where reject_reason is null
),

{% for step in range(1, doublings + 1) -%}
ancestors_{{ step }} as (
    select
        lower_half.customer_id,
        upper_half.ancestor_id
    from ancestors_{{ step - 1 }} as lower_half
    inner join ancestors_{{ step - 1 }} as upper_half
        on lower_half.ancestor_id = upper_half.customer_id
),

{% endfor -%}
on_cycle as (
    select distinct ancestor_id as customer_id from ancestors_{{ doublings }}
),

parents as (
    select
        judged.record_id,
        judged.customer_id,
        judged.parent_customer_id,
        case when on_cycle.customer_id is not null then 'parent_cycle' else judged.reject_reason end
            as reject_reason
    from judged
    left join on_cycle on judged.customer_id = on_cycle.customer_id
)

select * from parents
