{# What the source's words for sizes of companies mean; a number is read as one of employees.
   Not built unless the raw tables are within their limits. #}
{% if not execute %}{% do ref('int_source_findings') %}{% endif -%}
with words as (
    select distinct company_size as word
    from {{ ref('int_customer_records') }}
    where company_size is not null
),

company_sizes as (
    select * from {{ ref('company_sizes') }}
),

read as (
    select
        word,
        read_whole_number(word) as employees
    from words
),

mapped as (
    select
        read.word,
        coalesce(sizes.company_size, bands.company_size, 'other') as company_size,
        case when coalesce(sizes.company_size, bands.company_size) is null then read.word end
            as company_size_in_source
    from read
    left join company_sizes as sizes
        on lower_case(read.word) = lower_case(sizes.company_size_name)
    left join company_sizes as bands
        on
            read.employees >= bands.employees_from
            and (bands.employees_to is null or read.employees <= bands.employees_to)
)

select * from mapped
