{# Lists that a business acts on: what was assigned stays. The hook deletes preliminary lists of
   campaigns that have not begun, which are then assigned anew. #}
with campaigns as (
    select *
    from {{ ref('int_campaigns') }} as campaigns
    where
        not campaigns.has_begun
        {%- if is_incremental() %}
        and campaigns.campaign_id not in (select published.campaign_id from {{ this }} as published)
        -- a build as of a day before the last one that assigned records nothing
        and campaigns.as_of_date >= coalesce(
            (select max(published.assigned_on) from {{ this }} as published), campaigns.as_of_date
        )
        {%- endif %}
        and campaigns.holdout_percent > 0
),

periods as (
    select * from {{ ref('int_review_periods') }}
),

newest_period as (
    select * from {{ ref('int_newest_period') }}
),

states as (
    select * from {{ ref('int_tier_states') }}
),

tier_names as (
    select * from {{ ref('int_tier_names') }}
),

customers as (
    select customer_key, customer_id from {{ ref('int_customers') }} where not is_erased
),

-- until the review before the campaign is closed, the newest one stands for it
reviews as (
    select
        campaigns.campaign_id,
        campaigns.target_tier_code,
        campaigns.holdout_percent,
        campaigns.as_of_date,
        campaigns.reviewed_on > campaigns.as_of_date as is_preliminary,
        periods.period_index,
        periods.period_end as reviewed_on
    from campaigns
    cross join newest_period
    inner join periods
        on
            case
                when campaigns.reviewed_on > campaigns.as_of_date then newest_period.period_end
                else campaigns.reviewed_on
            end = periods.period_end
),

addressed as (
    select
        reviews.*,
        customers.customer_id,
        tier_names.tier_code
    from reviews
    inner join states on reviews.period_index = states.period_index
    inner join customers on states.customer_key = customers.customer_key
    inner join tier_names on states.tier_rank = tier_names.tier_rank
    where coalesce(reviews.target_tier_code, tier_names.tier_code) = tier_names.tier_code
),

placed as (
    select
        *,
        row_number() over (
            partition by campaign_id, tier_code
            order by md5(campaign_id || '|' || customer_id), customer_id
        ) as place,
        count(*) over (partition by campaign_id, tier_code) as customers_of_tier
    from addressed
),

assigned as (
    select
        campaign_id,
        customer_id,
        case
            when
                place
                <= {{ rounded_ratio(cents('holdout_percent') ~ ' * customers_of_tier', '10000') }}
                then 'holdout'
            else 'treatment'
        end as contact_group,
        tier_code,

        is_preliminary,

        reviewed_on,
        as_of_date as assigned_on
    from placed
)

select * from assigned
