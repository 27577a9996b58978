select
    cast('{{ var("reporting_currency") }}' as {{ string_type() }})
        as reporting_currency
