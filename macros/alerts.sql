{% macro alerts() %}
    {{ return([
        ['purchases_slowing', {
            'measure': 'gap_ratio',
            'value_now': 'days_since_last_order',
            'value_before': 'expected_gap_days',
        }],
        ['spend_drop', {
            'measure': 'fall_percent',
            'value_now': 'revenue_last_half_year',
            'value_before': 'revenue_half_year_before',
        }],
        ['complaint_surge', {
            'measure': 'more_complaints',
            'value_now': 'recent_complaints',
            'value_before': 'complaints_before',
        }],
        ['unanswered_complaint', {
            'measure': 'days_open',
            'value_now': 'open_complaints',
            'value_before': 'open_complaints_before',
        }],
        ['detractor_in_high_tier', {
            'value_now': 'nps_answer',
            'value_before': 'nps_answer_before',
        }],
        ['downgrade_ahead', {
            'measure': 'days_left',
            'detail': 'points_missing',
            'value_now': 'management_score',
            'value_before': 'management_score_before',
        }],
        ['silent_high_value', {
            'value_now': 'silent_days',
            'value_before': 'expected_gap_days',
        }],
        ['unusually_good_period', {
            'measure': 'ratio',
            'value_now': 'period_revenue',
            'value_before': 'usual_revenue',
        }],
        ['one_order_to_next_tier', {
            'measure': 'points_to_spare',
            'detail': 'points_missing',
            'value_now': 'management_score',
            'value_before': 'management_score_before',
        }],
    ]) }}
{% endmacro %}


{% macro is_met(rule, figures) -%}
    (
        {{ figures }}.measure >= coalesce({{ rule }}.measure_from, {{ figures }}.measure)
        and ({{ rule }}.measure_below is null or {{ figures }}.measure < {{ rule }}.measure_below)
        and ({{ rule }}.basis_from is null or {{ figures }}.basis >= {{ rule }}.basis_from)
        and {{ figures }}.tier_rank >= coalesce({{ rule }}.tier_rank_from, 0)
    )
{%- endmacro %}


{% macro alert_evidence(alert) -%}
    case {{ alert }}.alert_code
        {%- for code, names in customer_tiering.alerts() %}
        when '{{ code }}'
            then
                '{'
                {%- for figure, name in names.items() %}
                || '{{ ', ' if not loop.first }}"{{ name }}": '
                || coalesce({{ customer_tiering.figure_text(name, alert ~ '.' ~ figure) }}, 'null')
                {%- endfor %}
                || '}'
        {%- endfor %}
    end
{%- endmacro %}


{% macro figure_text(name, figure) -%}
    {%- set figure_as_text = 'cast(' ~ figure ~ ' as ' ~ customer_tiering.string_type() ~ ')' -%}
    {%- set whole_as_text = 'cast(cast(' ~ customer_tiering.rounded(figure, 0) ~ ' as bigint) as '
        ~ customer_tiering.string_type() ~ ')' -%}
    {%- if 'days' in name -%}
    {{ whole_as_text }}
    {%- elif 'revenue' in name or 'score' in name or 'points' in name -%}
    {{ figure_as_text }}
    {%- else -%}
    case
        when {{ figure }} = cast({{ figure }} as bigint) then {{ whole_as_text }}
        else {{ figure_as_text }}
    end
    {%- endif -%}
{%- endmacro %}


{% macro figure(expression) -%}
    cast({{ expression }} as decimal(18, 2))
{%- endmacro %}


{% macro figure_ratio(numerator, denominator) -%}
    {%- set ratio = customer_tiering.rounded_ratio(
        '100 * ' ~ customer_tiering.cents(numerator), customer_tiering.cents(denominator)
    ) -%}
    cast(cast({{ ratio }} as decimal(18, 0)) * 0.01 as decimal(18, 2))
{%- endmacro %}


{% macro with_figures(words, alert) -%}
    {%- set places = {'measure': 'measure', 'now': 'value_now', 'before': 'value_before', 'detail': 'detail'} -%}
    {%- set filled = namespace(sql=alert ~ '.' ~ words) -%}
    {%- for place, figure in places.items() -%}
        {%- set text -%}
            case {{ alert }}.alert_code
            {%- for code, names in customer_tiering.alerts() if figure in names %}
                when '{{ code }}' then {{ customer_tiering.figure_text(names[figure], alert ~ '.' ~ figure) }}
            {%- endfor %}
                else {{ customer_tiering.figure_text('', alert ~ '.' ~ figure) }}
            end
        {%- endset -%}
        {%- set filled.sql = 'replace(' ~ filled.sql ~ ", '{" ~ place ~ "}', coalesce(" ~ text ~ ", '-'))" -%}
    {%- endfor -%}
    {{ filled.sql }}
{%- endmacro %}
