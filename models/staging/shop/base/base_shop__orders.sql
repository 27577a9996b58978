{%- set source_zone = source_time_zone() -%}
{%- set business_zone = business_time_zone() -%}

with landed as (
    select * from {{ source('shop', 'orders') }}
),

nobody as (
    select * from {{ ref('base_crm__nobody') }}
),

order_statuses as (
    select * from {{ ref('order_statuses') }}
),

typed as (
    select
        read_id(landed.order_id) as order_id,
        somebody(read_id(landed.customer_id), nobody.words) as customer_id,
        read_id(landed.store_id) as store_id,

        read_text(landed.status) as status,
        upper(read_text(landed.currency_code)) as currency_code,
        read_text(landed.channel) as channel,

        read_amount(landed.order_amount) as order_amount,
        read_amount(landed.discount_amount) as discount_amount,

        read_boolean(landed.is_test) as is_test,

        read_timestamp(landed.ordered_at, {{ source_zone }}) as ordered_at,
        read_timestamp(landed.cancelled_at, {{ source_zone }}) as cancelled_at,
        read_timestamp(landed.returned_at, {{ source_zone }}) as returned_at,
        read_timestamp(landed.updated_at, {{ source_zone }}) as updated_at,

        {{ raw_values('shop', 'orders') }}
    from landed
    cross join nobody
),

worded as (
    select
        typed.*,
        order_statuses.order_status
    from typed
    left join order_statuses on lower_case(typed.status) = lower_case(order_statuses.source_status)
),

dated as (
    select
        *,
        business_date(ordered_at, {{ business_zone }}) as ordered_on,
        business_date(cancelled_at, {{ business_zone }}) as cancelled_on,
        business_date(returned_at, {{ business_zone }}) as returned_on,
        business_date(updated_at, {{ business_zone }}) as updated_on
    from worded
),

checked as (
    {{ checked_rows('shop', 'orders', 'dated', more=['order_status']) }}
),

renamed as (
    select
        order_id,
        customer_id,
        currency_code,
        channel,
        store_id,
        order_status,
        source_key,
        row_key,
        nulled_values,
        row_text,
        raw_record,
        raw_record_restricted,
        rejected_column,
        reject_reason,

        order_amount,
        discount_amount,

        coalesce(is_test, false) as is_test,
        has_nulled_values,

        ordered_on as order_date,
        cancelled_on,
        returned_on,

        ordered_at,
        cancelled_at,
        returned_at,
        updated_at
    from checked
)

select * from renamed
