-- One row per customer on the list of a campaign, with why somebody is left out, else NULL.
select
    assignments.customer_id,
    assignments.contact_group,
    contact_groups.label_en as contact_group_label_en,
    contact_groups.label_zh as contact_group_label_zh,
    assignments.tier_code,
    tiers.label_en as tier_label_en,
    tiers.label_zh as tier_label_zh,
    assignments.is_preliminary,
    assignments.reviewed_on,
    assignments.assigned_on,
    case
        when coalesce(profiles.is_erased, true) then 'erased'
        -- who is held out is named, so that whoever runs the campaign can leave them out
        when assignments.contact_group = 'holdout' then null
        when profiles.has_marketing_consent is null then 'consent_unknown'
        when not profiles.has_marketing_consent then 'no_consent'
    end as left_out_because
from marts.holdout_assignments as assignments
left join marts.customer_profiles as profiles on assignments.customer_id = profiles.customer_id
left join marts.labels as contact_groups
    on contact_groups.kind = 'contact_group' and assignments.contact_group = contact_groups.code
left join marts.labels as tiers
    on tiers.kind = 'tier' and assignments.tier_code = tiers.code
where assignments.campaign_id = $campaign_id
