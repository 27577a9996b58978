{# Words for industries and sizes of companies that the seeds do not know, the commonest of them. #}
{%- set most = 20 -%}
with customers as (
    select * from {{ ref('int_customers') }}
),

words as (
    select
        'unmapped_industry' as warning_code,
        industry_in_source as word,
        count(*) as customers
    from customers
    where industry_in_source is not null
    group by industry_in_source
    union all
    select
        'unmapped_company_size' as warning_code,
        company_size_in_source as word,
        count(*) as customers
    from customers
    where company_size_in_source is not null
    group by company_size_in_source
),

ranked as (
    select
        *,
        row_number() over (
            partition by warning_code order by customers desc, word
        ) as place
    from words
),

warnings as (
    select
        warning_code,
        word as subject,
        customers as observed
    from ranked
    where place <= {{ most }}
)

select * from warnings
