{%- set source_zone = source_time_zone() -%}
{%- set business_zone = business_time_zone() -%}

with landed as (
    select * from {{ source('shop', 'refunds') }}
),

typed as (
    select
        read_id(landed.refund_id) as refund_id,
        read_id(landed.order_id) as order_id,

        read_amount(landed.refund_amount) as refund_amount,

        read_timestamp(landed.refunded_at, {{ source_zone }}) as refunded_at,

        {{ raw_values('shop', 'refunds') }}
    from landed
),

dated as (
    select
        *,
        business_date(refunded_at, {{ business_zone }}) as refunded_on
    from typed
),

checked as (
    {{ checked_rows('shop', 'refunds', 'dated') }}
)

select * from checked
