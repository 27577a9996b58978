{# The tier rules with one row per rules version and columns by rank, so that a review gets its
   whole ladder in one join. A rank that a ladder does not have stays NULL and is never reached. #}
with tier_rules as (
    select * from {{ ref('tiers') }}
),

ladders as (
    select
        {%- for rank in tier_ranks() %}
        {%- for rule in ['enter', 'keep'] %}
        max(case when tier_rank = {{ rank }} then {{ rule }}_score end)
            as {{ rule }}_score_{{ rank }},
        max(case when tier_rank = {{ rank }} then coalesce({{ rule }}_min_orders, 0) end)
            as {{ rule }}_min_orders_{{ rank }},
        max(
            case
                when tier_rank = {{ rank }}
                    then coalesce({{ rule }}_min_revenue, -9999999999999999.99)
            end
        ) as {{ rule }}_min_revenue_{{ rank }},
        {%- endfor %}
        {%- endfor %}

        version_valid_from
    from tier_rules
    group by version_valid_from
)

select * from ladders
