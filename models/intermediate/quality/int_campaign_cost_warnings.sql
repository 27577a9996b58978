with campaign_costs as (
    select * from {{ ref('int_campaign_costs') }}
),

warnings as (
    select
        'unplaced_campaign_cost' as warning_code,
        'campaigns' as subject,
        count(*) as observed,
        sum(campaign_cost) as amount
    from campaign_costs
    where tier_rank is null
    having count(*) > 0
)

select * from warnings
