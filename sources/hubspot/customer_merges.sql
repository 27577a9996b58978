-- One row per contact that was merged into another.
--
-- Newer connectors name the merged ones in the contact itself (12;13), older ones in
--   contact_merge_audit. HubSpot merges at most 250 contacts into one.
-- Dated: by the audit; without it by the last change of the contact, else by the time at which the
--   connector saw it.
with merged_contacts as (
    select
        read_id(contact.id) as contact_id,
        read_id(
            split_part(read_text(contact.property_hs_merged_object_ids), ';', places.place)
        ) as merged_id,
        coalesce(
            read_text(contact.property_lastmodifieddate), read_text(contact._fivetran_synced)
        ) as merged_at,
        contact.source_file,
        contact.source_line
    from contact
    cross join generate_series(1, 250) as places (place)
    where contact.property_hs_merged_object_ids is not null
)

select
    'contact-' || merged_id as from_customer_id,
    'contact-' || contact_id as into_customer_id,
    merged_at,
    source_file,
    source_line
from merged_contacts
where merged_id is not null
union all
select
    'contact-' || read_id(vid_to_merge) as from_customer_id,
    'contact-' || read_id(canonical_vid) as into_customer_id,
    read_text("timestamp") as merged_at,
    source_file,
    source_line
from contact_merge_audit
