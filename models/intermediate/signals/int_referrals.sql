with referrals as (
    select * from {{ ref('stg_marketing__referrals') }}
),

customer_keys as (
    select * from {{ ref('int_customer_keys') }}
),

customers as (
    select customer_key from {{ ref('int_customers') }}
),

identified as (
    select
        referrals.referral_id,
        customers.customer_key,
        case
            when customers.customer_key is null then 'unknown_customer'
            when referrer_keys.customer_key = referred_keys.customer_key then 'self_referral'
        end as reject_reason,

        referrals.referred_on,
        -- never before it was made
        case
            when referrals.converted_on is not null
                then greatest(referrals.converted_on, referrals.referred_on)
        end as converted_on
    from referrals
    left join customer_keys as referrer_keys
        on referrals.referrer_customer_id = referrer_keys.customer_id
    left join customer_keys as referred_keys
        on referrals.referred_customer_id = referred_keys.customer_id
    left join customers on referrer_keys.customer_key = customers.customer_key
)

select * from identified
