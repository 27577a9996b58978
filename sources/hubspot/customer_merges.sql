-- One row per contact that was merged into another.
--
-- Newer connectors name the merged ones in the contact itself (1;2;3), older ones in
--   contact_merge_audit.
-- Dated: by the audit; without it by the last change of the contact, else by the time at which the
--   connector saw it.
select
    'contact-' || read_id(merged.id) as from_customer_id,
    'contact-' || read_id(contact.id) as into_customer_id,
    coalesce(
        read_text(contact.property_lastmodifieddate), read_text(contact._fivetran_synced)
    ) as merged_at,
    contact.source_file,
    contact.source_line
from contact
inner join contact as merged
    on ';' || read_text(contact.property_hs_merged_object_ids) || ';'
        like '%;' || read_id(merged.id) || ';%'
union all
select
    'contact-' || read_id(vid_to_merge) as from_customer_id,
    'contact-' || read_id(canonical_vid) as into_customer_id,
    read_text("timestamp") as merged_at,
    source_file,
    source_line
from contact_merge_audit
