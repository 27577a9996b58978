{% macro lifecycle_places() %}
    {{ return(range(1, 13)) }}
{% endmacro %}


{% macro lifecycle_stage(review, rules) -%}
    case
        {%- for place in customer_tiering.lifecycle_places() %}
        when
            {{ review }}.order_days >= {{ rules }}.order_days_from_{{ place }}
            and (
                {{ rules }}.order_days_to_{{ place }} is null
                or {{ review }}.order_days <= {{ rules }}.order_days_to_{{ place }}
            )
            and (
                {{ rules }}.gap_ratio_from_{{ place }} is null
                or {{ review }}.recency_days
                >= {{ rules }}.gap_ratio_from_{{ place }} * {{ review }}.expected_gap_days
            )
            and (
                {{ rules }}.break_ratio_from_{{ place }} is null
                or {{ review }}.last_gap_days
                >= {{ rules }}.break_ratio_from_{{ place }} * {{ review }}.expected_gap_days
            )
            then {{ rules }}.stage_{{ place }}
        {%- endfor %}
    end
{%- endmacro %}


{% macro middle_gap(middles) -%}
    cast({{ customer_tiering.rounded(customer_tiering.element(middles, 1), 2) }} as decimal(9, 2))
{%- endmacro %}
