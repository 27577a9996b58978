{# The rules of alerts with one row an alert and columns by severity, so that figures meet all of
   them in one join. #}
with rules as (
    select * from {{ ref('alert_rules') }}
),

by_alert as (
    select
        alert_code,
        {%- for severity in alert_severities() %}
        {%- for column in [
            'action_code', 'measure_from', 'measure_below', 'basis_from', 'tier_rank_from'
        ] %}
        max(case when severity = '{{ severity }}' then {{ column }} end)
            as {{ severity }}_{{ column }},
        {%- endfor %}
        max(case when severity = '{{ severity }}' then 1 else 0 end) = 1 as has_{{ severity }},
        {%- endfor %}
        min(coalesce(measure_from, -9999999999999999.99)) as least_measure,
        min(coalesce(tier_rank_from, 0)) as least_tier_rank
    from rules
    group by alert_code
)

select * from by_alert
