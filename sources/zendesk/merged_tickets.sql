-- One row per ticket that was merged into another, which names it: [2, 31].
with named as (
    select
        read_id(
            split_part(translate(read_text(ticket.merged_ticket_ids), '[] ', ''), ',', places.place)
        ) as ticket_id
    from ticket
    cross join generate_series(1, 1000) as places (place)
    where ticket.merged_ticket_ids is not null
)

select ticket_id
from named
where ticket_id is not null
