select
    cast('{{ var("reporting_currency") }}' as {{ customer_tiering.string_type() }})
        as reporting_currency
