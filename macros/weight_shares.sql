{% macro millionths(weight, total) -%}
    cast({{ customer_tiering.rounded_ratio(
        'cast(1000000 * (' ~ weight ~ ') as bigint) * 1000000', 'cast(1000000 * (' ~ total ~ ') as bigint)'
    ) }} as bigint)
{%- endmacro %}


{% macro share_with_remainder(partition) -%}
    cast(
        (
            share_millionths
            + case
                when place = 1 then 1000000 - sum(share_millionths) over (partition by {{ partition }})
                else 0
            end
        ) * 0.000001 as decimal(7, 6)
    )
{%- endmacro %}
