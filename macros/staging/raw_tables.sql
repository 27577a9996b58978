{# Adding a table means its source YAML, its base and staging model, and a line here. #}
{% macro raw_tables() %}
    {{ return([
        ['crm', 'customers'],
        ['crm', 'customer_merges'],
        ['crm', 'erasure_requests'],
        ['crm', 'customer_attributes'],
        ['shop', 'orders'],
        ['shop', 'order_items'],
        ['shop', 'products'],
        ['shop', 'refunds'],
        ['shop', 'exchange_rates'],
        ['engagement', 'interactions'],
        ['service', 'tickets'],
        ['survey', 'survey_responses'],
        ['marketing', 'referrals'],
        ['marketing', 'campaigns'],
        ['marketing', 'campaign_contacts'],
        ['finance', 'account_balances'],
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
