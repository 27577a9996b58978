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


{# The contribution of each amount, of a CTE that counts the active customers by period_index and amount. Over the distinct amounts
   with their counts: no window runs over all customers. #}
{% macro contributions(amounts, amount) -%}
    select
        period_index,
        {{ amount }},
        case
            when peers = 1 then cast(0 as decimal(5, 2))
            else {{ customer_tiering.normalised(
                customer_tiering.contribution_hundredths('guess', 'amount_rank', 'peers')
            ) }}
        end as contribution
    from (
        select
            *,
            {{ customer_tiering.contribution_guess('amount_rank', 'peers') }} as guess
        from (
            select
                period_index,
                {{ amount }},
                cast(1 + sum(customers) over (
                    partition by period_index
                    order by {{ amount }}
                    rows between unbounded preceding and current row
                ) - customers as bigint) as amount_rank,
                cast(sum(customers) over (partition by period_index) as bigint) as peers
            from {{ amounts }}
        ) as ranked
    ) as guessed
{%- endmacro %}
