{# contribution = 100 x (1 - sqrt(1 - p)), p = (rank - 1) / (customers - 1), to two decimals, exactly.

   With n = customers it is (10000 - j) / 100 for the smallest whole j with
   (2 j + 1)^2 (n - 1) >= 4 10^8 (n - rank). Binary arithmetic guesses j; whole numbers correct it by
   one where it fell on the wrong side of an exact half. #}

{% macro contribution_guess(rank, customers) -%}
    cast(
        ceil(10000 * sqrt(
            cast({{ customers }} - {{ rank }} as {{ customer_tiering.float_type() }})
            / cast(greatest({{ customers }} - 1, 1) as {{ customer_tiering.float_type() }})
        ) - 0.5) as bigint
    )
{%- endmacro %}

{% macro contribution_hundredths(guess, rank, customers) -%}
    10000 - (
        {{ guess }} + case
            when
                {{ guess }} > 0
                and (2 * {{ guess }} - 1) * (2 * {{ guess }} - 1) * ({{ customers }} - 1)
                >= 400000000 * ({{ customers }} - {{ rank }})
                then -1
            when
                (2 * {{ guess }} + 1) * (2 * {{ guess }} + 1) * ({{ customers }} - 1)
                < 400000000 * ({{ customers }} - {{ rank }})
                then 1
            else 0
        end
    )
{%- endmacro %}
