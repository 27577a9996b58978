{# The lifecycle's rules side by side in their order, so that a review meets all of them in one
   join. A place that the seed does not fill stays NULL and is never reached. #}
with rules as (
    select
        *,
        row_number() over (order by priority) as place
    from {{ ref('lifecycle') }}
),

placed as (
    select
        {%- for place in lifecycle_places() %}
        max(case when place = {{ place }} then lifecycle_stage end) as stage_{{ place }},
        max(case when place = {{ place }} then order_days_from end) as order_days_from_{{ place }},
        max(case when place = {{ place }} then order_days_to end) as order_days_to_{{ place }},
        max(case when place = {{ place }} then gap_ratio_from end) as gap_ratio_from_{{ place }},
        max(case when place = {{ place }} then break_ratio_from end)
            as break_ratio_from_{{ place }},
        {%- endfor %}
        count(*) as rule_count
    from rules
)

select * from placed
