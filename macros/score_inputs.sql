{# Inputs of seeds/score_weights.csv that are not here are unknown for everybody. #}
{% macro score_inputs() %}
    {{ return([
        ['value', 'recency'],
        ['value', 'frequency'],
        ['value', 'monetary'],
        ['value', 'contribution'],
        ['growth', 'revenue_trend'],
        ['loyalty', 'repeat_rate'],
        ['loyalty', 'tenure'],
        ['partnership', 'categories'],
        ['loyalty', 'referrals'],
        ['satisfaction', 'nps'],
        ['satisfaction', 'csat'],
        ['satisfaction', 'complaints'],
        ['engagement', 'active_days'],
        ['engagement', 'channels'],
        ['engagement', 'usage_time'],
        ['partnership', 'demand_breadth'],
        ['partnership', 'contact_regularity'],
        ['growth', 'new_categories'],
        ['value', 'balance'],
    ]) }}
{% endmacro %}


{% macro interaction_inputs() %}
    {{ return([
        ['active_days', 'active_days'],
        ['channels', 'channels'],
        ['usage_time', 'usage_seconds'],
        ['contact_regularity', 'contact_months'],
    ]) }}
{% endmacro %}


{% macro year_days() -%}
    365
{%- endmacro %}

{% macro half_year_days() -%}
    182
{%- endmacro %}


{# The order of the marts' columns. In score_inputs the order is another: there a place is a bit, and new inputs come last. #}
{% macro score_components() %}
    {{ return(['value', 'growth', 'loyalty', 'satisfaction', 'engagement', 'partnership']) }}
{% endmacro %}


{% macro normalised(hundredths) -%}
    cast(cast({{ hundredths }} as decimal(5, 0)) * 0.01 as decimal(5, 2))
{%- endmacro %}


{% macro share_of_enough(measure, enough) -%}
    case
        when {{ measure }} is not null
            then {{ customer_tiering.normalised(customer_tiering.rounded_ratio(
                '10000 * least(' ~ measure ~ ', ' ~ enough ~ ')', enough
            )) }}
    end
{%- endmacro %}


{% macro repeat_rate_normalised(frequency) -%}
    {{ customer_tiering.normalised(customer_tiering.rounded_ratio(
        '10000 * (' ~ frequency ~ ' - 1)', frequency
    )) }}
{%- endmacro %}


{% macro revenue_trend_normalised(first_half_cents, second_half_cents, frequency) -%}
    {{ customer_tiering.normalised(customer_tiering.rounded_ratio(
        '10000 * (' ~ second_half_cents ~ ' * (' ~ frequency ~ ' + 1) + ' ~ first_half_cents ~ ')',
        '(' ~ first_half_cents ~ ' + ' ~ second_half_cents ~ ') * (' ~ frequency ~ ' + 2)',
    )) }}
{%- endmacro %}


{# Inputs that follow from the orders alone, and so are known of a group of companies as of a customer. #}
{% macro order_inputs() %}
    {{ return(['recency', 'frequency', 'monetary', 'contribution', 'revenue_trend', 'repeat_rate', 'tenure']) }}
{% endmacro %}


{% macro order_input_sets() %}
    {%- set known = namespace(inputs=0, trend=0) -%}
    {%- for component, input in customer_tiering.score_inputs() -%}
        {%- if input == 'revenue_trend' -%}
            {%- set known.trend = 2 ** loop.index0 -%}
        {%- elif input in customer_tiering.order_inputs() -%}
            {%- set known.inputs = known.inputs + 2 ** loop.index0 -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return([known.inputs, known.inputs + known.trend]) }}
{% endmacro %}


{% macro score_with_an_order(review, weights) -%}
    {%- set orders = '(' ~ review ~ '.frequency + 1)' -%}
    {%- set points = {
        'recency': '100',
        'frequency': '25 * ' ~ customer_tiering.edges_below('frequency', orders),
        'repeat_rate': customer_tiering.repeat_rate_normalised(orders),
    } -%}
    cast(
        {{ review }}.management_score
        {%- for input, then in points.items() %}
        + {{ weights }}.{{ input }}_weight * cast({{ then }} - {{ review }}.{{ input }}_normalised as decimal(5, 2))
        {%- endfor %}
        as decimal(18, 14)
    )
{%- endmacro %}


{% macro of_each_input(expression) %}
    {%- set expressions = [] -%}
    {%- for component, input in customer_tiering.score_inputs() -%}
        {%- do expressions.append(expression | replace('INPUT', input)) -%}
    {%- endfor -%}
    {{ return(expressions) }}
{% endmacro %}


{% macro own_rise(input, now, before) -%}
    {%- set measures = {
        'recency': 'recency_days',
        'frequency': 'frequency',
        'monetary': 'monetary',
        'contribution': 'monetary',
        'balance': 'newest_balance',
        'repeat_rate': 'frequency',
        'tenure': 'tenure_days',
        'categories': 'categories',
        'active_days': 'active_days',
        'channels': 'channels',
        'usage_time': 'usage_seconds',
        'contact_regularity': 'contact_months',
    } -%}
    {%- set less_is_better = ['recency'] -%}
    {%- set measure = measures.get(input, input ~ '_normalised') -%}
    {%- set worse, better = (now, before) if input in less_is_better else (before, now) -%}
    ({{ better }}.{{ measure }} - {{ worse }}.{{ measure }})
{%- endmacro %}


{% macro own_rises(now, before) %}
    {%- set rises = [] -%}
    {%- for component, input in customer_tiering.score_inputs() -%}
        {%- set is_known = now ~ '.' ~ input ~ '_normalised + ' ~ before ~ '.' ~ input ~ '_normalised is not null' -%}
        {%- set rise = 'cast(' ~ customer_tiering.own_rise(input, now, before) ~ ' as decimal(20, 4))' -%}
        {%- do rises.append('case when ' ~ is_known ~ ' then ' ~ rise ~ ' end') -%}
    {%- endfor -%}
    {{ return(rises) }}
{% endmacro %}


{# That more customers are known, which raises the weight of an input from interactions, is nobody's behaviour. #}
{% macro point_rise(input, now, before, weights, weights_before) -%}
    {%- set interactions = customer_tiering.interaction_inputs() | map('first') -%}
    {%- set earlier_weights = weights if input in interactions else weights_before -%}
    {%- set points_before = customer_tiering.input_points(input, before, earlier_weights) -%}
    ({{ customer_tiering.input_points(input, now, weights) }} - {{ points_before }})
{%- endmacro %}


{% macro input_points(input, scores, weights) -%}
    {{ scores }}.{{ input }}_normalised * {{ weights }}.{{ input }}_weight
{%- endmacro %}


{% macro input_values(scores='scores', signals='signals', halves='scores') -%}
    {%- set counts = customer_tiering.interaction_inputs() | map('first') | list -%}
    {%- set known_values = {
        'recency': scores ~ '.recency_days',
        'frequency': scores ~ '.frequency',
        'monetary': scores ~ '.monetary',
        'contribution': scores ~ '.monetary',
        'revenue_trend': customer_tiering.revenue_trend(
            halves ~ '.revenue_first_half', halves ~ '.revenue_second_half', scores ~ '.frequency'
        ),
        'repeat_rate': scores ~ '.frequency',
        'tenure': scores ~ '.tenure_days',
        'categories': scores ~ '.categories',
        'referrals': 'coalesce(' ~ signals ~ '.converted_referrals, 0)',
        'nps': signals ~ '.nps_answer',
        'csat': customer_tiering.ratio_of_four_decimals(signals ~ '.csat_sum', signals ~ '.csat_answers'),
        'complaints': 'coalesce(' ~ signals ~ '.complaints, 0) + coalesce(' ~ signals ~ '.open_complaints, 0)',
        'active_days': 'coalesce(' ~ signals ~ '.active_days, 0)',
        'channels': 'coalesce(' ~ signals ~ '.channels, 0)',
        'usage_time': 'coalesce(' ~ signals ~ '.usage_seconds, 0)',
        'demand_breadth': customer_tiering.ratio_of_four_decimals(
            'greatest(least(' ~ signals ~ '.service_revenue, ' ~ signals ~ '.typed_revenue), 0)', signals ~ '.typed_revenue'
        ),
        'contact_regularity': 'coalesce(' ~ signals ~ '.contact_months, 0)',
        'new_categories': 'coalesce(' ~ signals ~ '.new_categories, 0)',
        'balance': signals ~ '.newest_balance',
    } -%}
    {%- set values = [] -%}
    {%- for component, input in customer_tiering.score_inputs() -%}
        {%- set value = known_values[input] if input in counts
            else 'case when ' ~ scores ~ '.' ~ input ~ '_normalised is not null then ' ~ known_values[input] ~ ' end' -%}
        {%- do values.append('cast(' ~ value ~ ' as decimal(20, 4))') -%}
    {%- endfor -%}
    {{ return(values) }}
{%- endmacro %}


{% macro ratio_of_four_decimals(numerator, denominator) -%}
    cast({{ customer_tiering.rounded_ratio('10000 * (' ~ numerator ~ ')', denominator) }} as decimal(18, 0)) * 0.0001
{%- endmacro %}


{% macro revenue_trend(first_half, second_half, frequency) -%}
    {%- set first = customer_tiering.cents('greatest(' ~ first_half ~ ', 0)') -%}
    {%- set second = customer_tiering.cents('greatest(' ~ second_half ~ ', 0)') -%}
    {%- set whole = '((' ~ first ~ ' + ' ~ second ~ ') * (' ~ frequency ~ ' + 2))' -%}
    case
        when {{ first }} + {{ second }} > 0
            then cast({{ customer_tiering.rounded_ratio(
                '10000 * ((' ~ second ~ ' - ' ~ first ~ ') * ' ~ frequency ~ ' + ' ~ whole ~ ')', whole
            ) }} - 10000 as decimal(6, 0)) * 0.0001
    end
{%- endmacro %}
