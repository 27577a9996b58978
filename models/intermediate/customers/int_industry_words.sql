{# What the source's words for industries mean: few words stand for all customers.
   Not built unless the raw tables are within their limits. #}
{% if not execute %}{% do ref('int_source_findings') %}{% endif -%}
with words as (
    select distinct industry as word
    from {{ ref('int_customer_records') }}
    where industry is not null
),

industries as (
    select * from {{ ref('industries') }}
),

mapped as (
    select
        words.word,
        coalesce(industries.industry, 'other') as industry,
        coalesce(industries.industry_group, 'other') as industry_group,
        case when industries.industry is null then words.word end as industry_in_source
    from words
    left join industries on lower_case(words.word) = lower_case(industries.industry_name)
)

select * from mapped
