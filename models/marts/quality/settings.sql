select
    cast('{{ setting("reporting_currency") }}' as {{ string_type() }})
        as reporting_currency
