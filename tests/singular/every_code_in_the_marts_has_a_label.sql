{# Codes are what the marts hold; BI shows their labels: one without would show as nothing. #}
{% set coded_columns = [
    ('action', 'customer_actions', ['action_code']),
    ('action', 'customer_alerts', ['recommended_action_code']),
    ('action_channel', 'customer_actions', ['channel']),
    ('affinity_kind', 'product_affinity', ['affinity_kind']),
    ('age_band', 'customers', ['age_band']),
    ('alert', 'customer_alerts', ['alert_code']),
    ('assigned_by', 'campaign_effects', ['assigned_by']),
    ('binding_rule', 'warnings', ['binding_rule']),
    ('buyer_type', 'customers', ['buyer_type']),
    ('campaign_dimension', 'campaign_effects', ['dimension']),
    ('change_type', 'customer_periods', ['change_type']),
    ('change_type', 'customer_tier_history', ['change_type']),
    ('channel_mix', 'customers', ['channel_mix']),
    ('classic_stage', 'lifecycle_rules', ['classic_stage']),
    ('component', 'customer_score_details', ['component']),
    ('concentration_dimension', 'revenue_concentration', ['dimension']),
    ('company_size', 'customers', ['company_size']),
    ('contact_group', 'holdout_assignments', ['contact_group']),
    ('customer_type', 'customers', ['customer_type']),
    ('demand_type', 'customers', ['demand_type']),
    ('demand_type', 'order_items', ['product_type']),
    ('department', 'customer_actions', ['owner_department']),
    ('edge_method', 'rfm_score_edges', ['method']),
    ('industry', 'customers', ['industry']),
    ('industry_group', 'customers', ['industry_group']),
    ('effect_status', 'campaign_effects', ['effect_status']),
    ('high_net_worth', 'customers', ['high_net_worth']),
    ('input', 'customer_score_details', ['input']),
    ('input', 'customer_scores', ['largest_lift_input']),
    ('input', 'rfm_score_edges', ['metric']),
    ('lifecycle_stage', 'lifecycle_rules', ['lifecycle_stage']),
    ('market_dimension', 'market_trends', ['dimension']),
    ('nps_dimension', 'net_promoter_scores', ['dimension']),
    ('offer', 'customer_actions', ['offer']),
    ('order_status', 'orders', ['status']),
    ('predictor', 'recommendation_backtest', ['predictor']),
    ('purchase_frequency_band', 'customers', ['purchase_frequency_band']),
    ('purchasing_power', 'customers', ['purchasing_power']),
    ('reason_code', 'customer_periods', ['reason_code']),
    ('recommended_kind', 'customer_recommendations', ['recommended_kind']),
    ('recommended_kind', 'recommendation_backtest', ['recommended_kind']),
    ('reject_action', 'rejected_records', ['action']),
    ('reject_reason', 'rejected_records', ['reject_reason']),
    ('segment', 'customers', ['segment_code']),
    ('segment', 'customer_periods', ['segment_code']),
    ('segment_kind', 'segment_profiles', ['segment_kind']),
    ('severity', 'customer_alerts', ['severity']),
    ('stance', 'customer_actions', ['stance']),
    ('star_rating', 'customers', ['star_rating']),
    ('tier', 'customer_periods', ['tier_code', 'qualified_tier_code']),
    ('tier', 'customer_tier_history', ['tier_code']),
    ('tier', 'customer_tiers', ['previous_tier_code']),
    ('tier', 'holdout_assignments', ['tier_code']),
    ('tier', 'orders', ['tier_code_at_order']),
    ('tier', 'published_tier_changes', ['tier_code']),
    ('tier', 'tier_economics', ['tier_code']),
    ('tier', 'tier_ladder', ['tier_code']),
    ('tier', 'tier_summary', ['tier_code']),
    ('tier', 'tier_transitions', ['from_tier_code', 'to_tier_code']),
    ('value_class', 'customers', ['value_class']),
    ('value_matrix', 'customer_rfm', ['value_matrix_code']),
    ('warning', 'warnings', ['warning_code']),
] %}
with codes as (
    {%- for kind, mart, columns in coded_columns %}
    {%- set is_last_mart = loop.last %}
    {%- for column in columns %}
    select distinct
        '{{ kind }}' as kind,
        '{{ mart }}.{{ column }}' as found_in,
        cast({{ column }} as {{ string_type() }}) as code
    from {{ ref(mart) }}
    where
        {{ column }} is not null
        {%- if mart == 'customer_periods' %}
        and {{ is_to_test('period_end') }}
        {%- endif %}
    {{ 'union all' if not (is_last_mart and loop.last) }}
    {%- endfor %}
    {%- endfor %}
)

select codes.*
from codes
left join {{ ref('labels') }} as labels on codes.kind = labels.kind and codes.code = labels.code
where labels.code is null
