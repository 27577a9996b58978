with referrals as (
    select * from {{ ref('stg_marketing__referrals') }}
),

known_ids as (
    select * from {{ ref('int_known_customer_ids') }}
),

identified as (
    select
        referrals.referral_id,
        referrers.customer_key,
        case
            when referrers.customer_key is null then 'unknown_customer'
            when referrers.customer_key = referred.customer_key then 'self_referral'
        end as reject_reason,

        referrals.referred_on,
        -- never before it was made
        case
            when referrals.converted_on is not null
                then greatest(referrals.converted_on, referrals.referred_on)
        end as converted_on
    from referrals
    left join known_ids as referrers on referrals.referrer_customer_id = referrers.customer_id
    left join known_ids as referred on referrals.referred_customer_id = referred.customer_id
)

select * from identified
