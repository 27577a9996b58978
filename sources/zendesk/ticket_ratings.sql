-- One row per ticket with a rating: the newest one. Zendesk knows two words, good and bad: 5 and 1
--   of five.
with ratings as (
    select
        read_id(ticket_id) as ticket_id,
        case
            when lower_case(read_text(score)) like 'good%' then 5
            when lower_case(read_text(score)) like 'bad%' then 1
        end as satisfaction_score,
        row_number() over (
            partition by read_id(ticket_id)
            order by read_timestamp(updated_at, 'UTC') desc nulls last, read_whole_number(id) desc
        ) as place
    from satisfaction_rating
    -- The others are offered and unoffered: nobody has answered.
    where
        lower_case(read_text(score)) like 'good%'
        or lower_case(read_text(score)) like 'bad%'
)

select ticket_id, satisfaction_score
from ratings
where place = 1
