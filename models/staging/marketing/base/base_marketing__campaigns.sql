with landed as (
    select * from {{ source('marketing', 'campaigns') }}
),

typed as (
    select
        read_id(landed.campaign_id) as campaign_id,

        read_text(landed.campaign_name) as campaign_name,
        read_text(landed.channel) as channel,
        read_text(landed.goal) as goal,
        lower_case(read_text(landed.target_tier_code)) as target_tier_code,

        read_amount(landed.cost_amount) as cost_amount,
        read_amount(landed.holdout_percent) as holdout_percent,

        read_date(landed.starts_on) as starts_on,
        read_date(landed.ends_on) as ends_on,

        {{ raw_values('marketing', 'campaigns') }}
    from landed
),

checked as (
    {{ checked_rows('marketing', 'campaigns', 'typed') }}
)

select * from checked
