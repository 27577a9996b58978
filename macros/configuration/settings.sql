{# What each var of dbt_project.yml may be; meanings and defaults are there. The command line makes its check of the same rows
   (customer_tiering/configuration.py). `keeps_build`: the var affects no result, so changing it keeps the last build; the facts
   to which it leads are compared themselves, or it only decides what is allowed or kept. #}
{% macro settings() %}
    {% set percent = {'type': 'number', 'from': 0, 'to': 100} %}
    {% set count = {'type': 'number', 'from': 1, 'to': 999999999} %}
    {% set date = {
        'type': 'date', 'pattern': '(19|20|21)[0-9]{2}-[0-9]{2}-[0-9]{2}',
        'allowed': 'an ISO date (YYYY-MM-DD) from 1900 to 2199',
    } %}
    {% set time_zone = {
        'type': 'time_zone', 'pattern': '[A-Za-z0-9_+/-]{1,64}',
        'allowed': 'an IANA time zone such as UTC or Asia/Shanghai',
    } %}
    {% set names = {
        'type': 'names', 'pattern': '(?! )[^A-Z\'"`;{}*?\\[\\]\\x00-\\x1f\\x7f]{1,100}(?<! )',
        'allowed': 'a list of names of attributes in small letters, each once, such as [diet, hobby]',
    } %}
    {{ return({
        'raw_path': {
            'type': 'folder', 'pattern': '[^\'"`;{}*?\\[\\]\\x00-\\x1f\\x7f]{0,1000}',
            'allowed': 'a folder whose path has no quotes, semicolons, braces or wildcards', 'keeps_build': true,
        },
        'raw_schema': {
            'type': 'text', 'pattern': '|([A-Za-z_][A-Za-z0-9_]{0,62}\\.)?[A-Za-z_][A-Za-z0-9_]{0,62}',
            'allowed': 'empty, schema or database.schema, in letters, digits and _', 'keeps_build': true,
        },
        'mapping': {
            'type': 'folder', 'pattern': '[^\'"`;{}*?\\[\\]\\x00-\\x1f\\x7f]{0,1000}',
            'allowed': 'empty, or a folder whose path has no quotes, semicolons, braces or wildcards', 'keeps_build': true,
        },
        'as_of_date': dict(date, words=['latest', 'yesterday'], keeps_build=true),
        'run_date': dict(date, words=['today'], keeps_build=true),
        'history_starts_on': date,
        'review_period': {'type': 'word', 'words': ['month', 'week', 'quarter']},
        'source_time_zone': time_zone,
        'business_time_zone': time_zone,
        'reporting_currency': {
            'type': 'text', 'pattern': '[A-Z]{3}', 'allowed': 'three capital letters, as in ISO 4217',
        },
        'rfm_window_days': {'type': 'number', 'from': 1, 'to': 3660},
        'rfm_edges': {'type': 'word', 'words': ['quantile', 'fixed', 'frozen']},
        'rfm_edges_frozen_on': dict(date, words=['']),
        'rfm_min_customers': count,
        'score_profile': {
            'type': 'name', 'pattern': '[a-z][a-z0-9_]*', 'allowed': 'the name of a profile of seeds/score_weights.csv',
        },
        'balance_valid_days': {'type': 'number', 'from': 1, 'to': 3660},
        'lifecycle_min_gaps': {'type': 'number', 'from': 1, 'to': 1000},
        'lifecycle_default_gap_days': {'type': 'number', 'from': 1, 'to': 3660},
        'alert_recent_days': {'type': 'number', 'from': 1, 'to': 366},
        'max_open_actions': {'type': 'number', 'from': 1, 'to': 20},
        'profile_attributes': names,
        'profile_dimensions': dict(
            names,
            pattern='(?!(age_band|gender|region|city|country_code|customer_type|industry|company_size)$)' ~ names.pattern,
            allowed=names.allowed ~ ', none of them a dimension that segment_profiles has already'
        ),
        'affinity_min_baskets': count,
        'affinity_max_products': {'type': 'number', 'from': 1, 'to': 5000},
        'campaign_response_days': {'type': 'number', 'from': 1, 'to': 366},
        'holdout_percent': {'type': 'number', 'from': 0, 'to': 50},
        'tier_min_hold_periods': {'type': 'number', 'from': 0, 'to': 520},
        'tier_grace_periods': {'type': 'number', 'from': 0, 'to': 520},
        'tier_downgrade': {'type': 'word', 'words': ['one_level', 'straight']},
        'tier_validity': {'type': 'word', 'words': ['rolling', 'calendar_year', 'anniversary']},
        'tier_level': {'type': 'word', 'words': ['customer', 'group']},
        'top_tier_percent_from': percent,
        'top_tier_percent_to': percent,
        'top_tier_min_holders': count,
        'change_details_min_points': {'type': 'number', 'from': 0, 'to': 100},
        'pseudonymise_ids': {'type': 'boolean', 'pattern': '[Tt]rue|[Ff]alse', 'allowed': 'true or false'},
        'source_max_age_days': {
            'type': 'days_by_table', 'from': 0, 'to': 36600, 'example': '{orders: 2}', 'keeps_build': true,
        },
        'source_max_shrink_percent': dict(percent, keeps_build=true),
        'guest_share_percent': percent,
        'consent_unknown_percent': percent,
        'many_duplicates_percent': percent,
        'source_limits': {
            'type': 'limits_by_table', 'from': 0, 'to': 100, 'example': '{orders: {rejected: 20}}', 'keeps_build': true,
        },
        'late_arrival_days': {'type': 'number', 'from': 0, 'to': 36600},
        'min_group_size': {'type': 'number', 'from': 1, 'to': 100, 'keeps_build': true},
        'publications_kept': {'type': 'number', 'from': 1, 'to': 1000, 'keeps_build': true},
        'min_free_megabytes': {'type': 'number', 'from': 0, 'to': 1000000000, 'keeps_build': true},
        'audit_min_known_percent': dict(percent, keeps_build=true),
        'audit_max_shrink_percent': dict(percent, keeps_build=true),
        'audit_max_tier_shift_points': dict(percent, keeps_build=true),
        'audit_max_score_shift': dict(percent, keeps_build=true),
        'audit_max_unknown_shift_points': dict(percent, keeps_build=true),
        'audit_min_customers': dict(count, keeps_build=true),
    }) }}
{% endmacro %}


{# How a message puts what a row of `settings` allows. #}
{% macro allowed_by(rule) -%}
    {%- if rule.type == 'number' -%}
        {%- set choices = ['a whole number from ' ~ rule.from ~ ' to ' ~ rule.to] -%}
    {%- elif rule.type in ('days_by_table', 'limits_by_table') -%}
        {%- set bounds = rule.type.split('_')[0] ~ ' from ' ~ rule.from ~ ' to ' ~ rule.to -%}
        {%- set choices = ['a mapping of raw tables to ' ~ bounds ~ ', such as ' ~ rule.example] -%}
    {%- else -%}
        {%- set choices = rule.words | default([]) + ([rule.allowed] if rule.allowed else []) -%}
    {%- endif -%}
    {%- for choice in choices -%}
        {{ (' or ' if loop.last else ', ') if not loop.first }}{{ choice or 'empty' }}
    {%- endfor -%}
{%- endmacro %}
