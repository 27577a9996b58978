{# Adding a table means its source YAML, its base and staging model, and a line here. #}
{% macro raw_tables() %}
    {{ return([
        ['crm', 'customers', 'stg_crm__customers'],
        ['crm', 'customer_merges', 'stg_crm__customer_merges'],
        ['crm', 'erasure_requests', 'stg_crm__erasure_requests'],
        ['crm', 'customer_attributes', 'int_identified_customer_attributes'],
        ['shop', 'orders', 'int_orders'],
        ['shop', 'order_items', 'int_order_items'],
        ['shop', 'products', 'stg_shop__products'],
        ['shop', 'refunds', 'stg_shop__refunds'],
        ['shop', 'exchange_rates', 'stg_shop__exchange_rates'],
        ['engagement', 'interactions', 'int_identified_interactions'],
        ['service', 'tickets', 'int_identified_tickets'],
        ['survey', 'survey_responses', 'int_identified_survey_responses'],
        ['marketing', 'referrals', 'int_referrals'],
        ['marketing', 'campaigns', 'stg_marketing__campaigns'],
        ['marketing', 'campaign_contacts', 'int_campaign_contacts'],
        ['finance', 'account_balances', 'int_account_balances'],
    ]) }}
{% endmacro %}


{% macro source_meta(source_name, table_name, key, default=none) %}
    {% if not execute %}{{ return(default) }}{% endif %}
    {{ return(customer_tiering.source_node(source_name, table_name).config.meta.get(key, default)) }}
{% endmacro %}


{% macro column_names(source_name, table_name) %}
    {% if not execute %}{{ return(['parsed']) }}{% endif %}
    {{ return(customer_tiering.source_node(source_name, table_name).columns.keys() | list) }}
{% endmacro %}
