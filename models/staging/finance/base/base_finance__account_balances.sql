{%- set reporting = setting('reporting_currency') -%}

with landed as (
    select * from {{ source('finance', 'account_balances') }}
),

nobody as (
    select * from {{ ref('base_crm__nobody') }}
),

-- account and currency belong to the key, so that neither stays NULL
typed as (
    select
        somebody(read_id(landed.customer_id), nobody.words) as customer_id,
        coalesce(read_id(landed.account_id), '') as account_id,
        coalesce(upper(read_text(landed.currency_code)), '{{ reporting }}') as currency_code,

        read_amount(landed.balance_amount) as balance_amount,

        read_date(landed.balance_date) as balance_date,

        {{ raw_values('finance', 'account_balances') }}
    from landed
    cross join nobody
),

checked as (
    {{ checked_rows('finance', 'account_balances', 'typed') }}
)

select * from checked
