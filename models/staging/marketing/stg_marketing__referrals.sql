{{ deduplicated(
    'marketing', 'referrals',
    columns=[
        'referral_id', 'referrer_customer_id', 'referred_customer_id', 'referred_on',
        'converted_on', 'referred_at', 'converted_at',
    ],
) }}
