with campaigns as (
    select * from {{ ref('stg_marketing__campaigns') }}
),

as_of as (
    select * from {{ ref('int_as_of') }}
),

windowed as (
    select
        campaigns.campaign_id,
        campaigns.campaign_name,
        campaigns.target_tier_code,

        campaigns.cost_amount,
        coalesce(
            campaigns.holdout_percent, cast({{ setting('holdout_percent') }} as decimal(18, 2))
        ) as holdout_percent,

        coalesce(campaigns.starts_on <= as_of.as_of_date, false) as has_begun,
        coalesce(
            campaigns.starts_on + {{ setting('campaign_response_days') }} <= as_of.as_of_date, false
        ) as is_over,

        campaigns.starts_on,
        campaigns.starts_on + {{ setting('campaign_response_days') }} - 1 as window_ends_on,
        {{ period_start('campaigns.starts_on') }} - 1 as reviewed_on,
        as_of.as_of_date
    from campaigns
    cross join as_of
)

select * from windowed
