-- One row per ticket of a customer.
--
-- Closed: when it was solved for the last time; without a history when it was last changed. Zendesk
--   closes a solved ticket some days later by itself. One that is open again is not closed.
-- Type: incident and problem are complaints, by the words in mapping.yml; a task is none.
-- Deleted tickets are left out, those that were merged into another one, and those that agents
--   opened for themselves.
select
    ticket.id as ticket_id,
    requesters.customer_id,
    ticket.created_at as opened_at,
    case
        when lower_case(read_text(ticket.status)) in ('solved', 'closed')
            then coalesce(solved_tickets.solved_at, read_timestamp(ticket.updated_at, 'UTC'))
    end as closed_at,
    nullif(lower_case(read_text(ticket.type)), 'task') as ticket_type,
    ticket.priority as severity,
    ticket_ratings.satisfaction_score,
    ticket.source_file,
    ticket.source_line
from ticket
left join requesters on read_id(ticket.requester_id) = requesters.requester_id
left join solved_tickets on read_id(ticket.id) = solved_tickets.ticket_id
left join ticket_ratings on read_id(ticket.id) = ticket_ratings.ticket_id
where
    lower_case(read_text(ticket.status)) <> 'deleted'
    and not exists (
        select 1
        from merged_tickets
        where merged_tickets.ticket_id = read_id(ticket.id)
    )
    and not exists (
        select 1
        from "user" as agent
        where
            read_id(agent.id) = read_id(ticket.requester_id)
            and lower_case(read_text(agent.role)) <> 'end-user'
    )
