{# Stops a run with a bad var before anything is done. The command line checks the same and the seeds
   too; this is for those who call dbt themselves. #}

{% macro check_vars() %}
    {% do customer_tiering.time_zone(var('source_time_zone')) %}
    {% do customer_tiering.time_zone(var('business_time_zone')) %}
    {% do customer_tiering.run_date() %}
    {% if var('as_of_date') | string not in ('latest', 'yesterday') %}
        {% do customer_tiering.iso_date('as_of_date', var('as_of_date')) %}
    {% endif %}
    {% do customer_tiering.iso_date('history_starts_on', var('history_starts_on')) %}
    {% do customer_tiering.is_pseudonymising() %}
    {% do customer_tiering.chosen('review_period', ['month', 'week', 'quarter']) %}
    {% if not modules.re.fullmatch('[A-Z]{3}', var('reporting_currency') | string) %}
        {{ exceptions.raise_compiler_error(
            "dbt_project.yml, vars: reporting_currency is '" ~ var('reporting_currency')
            ~ "'; allowed is an ISO 4217 code such as EUR."
        ) }}
    {% endif %}
    {% do customer_tiering.whole_number('rfm_window_days', 1, 3660) %}
    {% do customer_tiering.whole_number('rfm_min_customers', 1, 999999999) %}
    {% if customer_tiering.chosen('rfm_edges', ['quantile', 'fixed', 'frozen']) == 'frozen' %}
        {% do customer_tiering.iso_date('rfm_edges_frozen_on', var('rfm_edges_frozen_on')) %}
    {% endif %}
    {% if not modules.re.fullmatch('[a-z][a-z0-9_]*', var('score_profile') | string) %}
        {{ exceptions.raise_compiler_error(
            "dbt_project.yml, vars: score_profile is '" ~ var('score_profile')
            ~ "'; allowed is a profile of seeds/score_weights.csv."
        ) }}
    {% endif %}
    {% do customer_tiering.whole_number('lifecycle_min_gaps', 1, 1000) %}
    {% do customer_tiering.whole_number('lifecycle_default_gap_days', 1, 3660) %}
    {% do customer_tiering.whole_number('alert_recent_days', 1, 366) %}
    {% do customer_tiering.whole_number('max_open_actions', 1, 20) %}
    {% do customer_tiering.whole_number('tier_min_hold_periods', 0, 520) %}
    {% do customer_tiering.whole_number('tier_grace_periods', 0, 520) %}
    {% do customer_tiering.chosen('tier_downgrade', ['one_level', 'straight']) %}
    {% do customer_tiering.chosen('tier_validity', ['rolling', 'calendar_year', 'anniversary']) %}
    {% do customer_tiering.whole_number('top_tier_percent_from', 0, 100) %}
    {% do customer_tiering.whole_number('top_tier_percent_to', 0, 100) %}
    {% do customer_tiering.whole_number('top_tier_min_holders', 1, 999999999) %}
    {% do customer_tiering.whole_number('source_max_shrink_percent', 0, 100) %}
    {% do customer_tiering.whole_number('guest_share_percent', 0, 100) %}
    {% do customer_tiering.whole_number('consent_unknown_percent', 0, 100) %}
    {% do customer_tiering.whole_number('many_duplicates_percent', 0, 100) %}
    {% do customer_tiering.whole_number('late_arrival_days', 0, 36600) %}
    {% do customer_tiering.whole_number('audit_max_shrink_percent', 0, 100) %}
    {% do customer_tiering.whole_number('audit_max_tier_shift_points', 0, 100) %}
    {% do customer_tiering.whole_number('audit_max_score_shift', 0, 100) %}
    {% do customer_tiering.whole_number('audit_max_unknown_shift_points', 0, 100) %}
    {% do customer_tiering.whole_number('audit_min_customers', 1, 999999999) %}
{% endmacro %}
