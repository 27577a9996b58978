{{ customer_tiering.deduplicated(
    ref('base_marketing__referrals'),
    key=['referral_id'],
    columns=[
        'referral_id', 'referrer_customer_id', 'referred_customer_id', 'referred_on',
        'converted_on', 'referred_at', 'converted_at',
    ],
) }}
