{# Expressions over columns treated_part, treated_low, treated_high and the same of held_out, binary numbers from 0 to 1. #}

{% macro ratio(numerator, denominator) -%}
    cast({{ numerator }} as {{ customer_tiering.float_type() }})
    / cast({{ denominator }} as {{ customer_tiering.float_type() }})
{%- endmacro %}


{# Of 95 %, without continuity correction. #}
{% macro wilson_bound(responses, customers, side) -%}
    {%- set z = 'cast(1.959963984540054 as ' ~ customer_tiering.float_type() ~ ')' -%}
    {%- set part = customer_tiering.ratio(responses, customers) -%}
    (
        {{ part }} + {{ z }} * {{ z }} / (2 * {{ customers }})
        + ({{ side }}) * {{ z }} * sqrt(
            ({{ part }} * (1 - {{ part }}) + {{ z }} * {{ z }} / (4 * {{ customers }})) / {{ customers }}
        )
    ) / (1 + {{ z }} * {{ z }} / {{ customers }})
{%- endmacro %}


{% macro newcombe_bound(side) -%}
    {%- set treated, held_out = ('low', 'high') if side == '-1' else ('high', 'low') -%}
    treated_part - held_out_part
    + ({{ side }}) * sqrt(
        (treated_part - treated_{{ treated }}) * (treated_part - treated_{{ treated }})
        + (held_out_part - held_out_{{ held_out }}) * (held_out_part - held_out_{{ held_out }})
    )
{%- endmacro %}


{% macro points(difference) -%}
    cast({{ customer_tiering.rounded('100 * (' ~ difference ~ ')', 6) }} as decimal(9, 6))
{%- endmacro %}


{% macro drawn_of(group, measure) -%}
    sum(case when draws.contact_group = '{{ group }}' then draws.times * cell_buckets.{{ measure }} end)
{%- endmacro %}
