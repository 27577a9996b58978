-- One row per ticket that was ever solved: when for the last time.
select
    read_id(ticket_id) as ticket_id,
    max(read_timestamp(updated, 'UTC')) as solved_at
from ticket_field_history
where
    lower_case(read_text(field_name)) = 'status'
    and lower_case(read_text(value)) = 'solved'
group by 1
