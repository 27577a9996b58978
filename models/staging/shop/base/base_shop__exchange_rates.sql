with landed as (
    select * from {{ source('shop', 'exchange_rates') }}
),

typed as (
    select
        upper(read_text(landed.currency_code)) as currency_code,

        read_rate(landed.rate_to_reporting) as rate_to_reporting,

        read_date(landed.rate_date) as rate_date,

        {{ raw_values('shop', 'exchange_rates') }}
    from landed
),

checked as (
    {{ checked_rows('shop', 'exchange_rates', 'typed') }}
)

select * from checked
