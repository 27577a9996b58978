{# The inputs of the scores that the models compute, in one place: [component, input, the condition of
   int_score_inputs under which it is known]. Inputs of seeds/score_weights.csv that are not here are unknown
   for everybody. An input's place gives the bit that says in known_inputs whether it is known. #}
{% macro score_inputs() %}
    {{ return([
        ['value', 'recency', 'is_valued'],
        ['value', 'frequency', 'is_valued'],
        ['value', 'monetary', 'is_valued'],
        ['value', 'contribution', 'is_valued'],
        ['growth', 'revenue_trend', 'has_trend'],
        ['loyalty', 'repeat_rate', 'is_valued'],
        ['loyalty', 'tenure', 'is_valued'],
        ['partnership', 'categories', 'has_categories'],
        ['loyalty', 'referrals', 'has_referrals'],
        ['satisfaction', 'nps', 'has_nps'],
        ['satisfaction', 'csat', 'has_csat'],
        ['satisfaction', 'complaints', 'has_tickets'],
        ['engagement', 'active_days', 'active_days_rank_share is not null'],
        ['engagement', 'channels', 'channels_rank_share is not null'],
        ['engagement', 'usage_time', 'usage_time_rank_share is not null'],
        ['partnership', 'demand_breadth', 'has_demand'],
        ['partnership', 'contact_regularity', 'contact_regularity_rank_share is not null'],
        ['growth', 'new_categories', 'has_new_categories'],
    ]) }}
{% endmacro %}


{# The inputs from interactions, [input, the count that it ranks customers by]: by how many customers have a count
   above zero they enter the score. #}
{% macro interaction_inputs() %}
    {{ return([
        ['active_days', 'active_days'],
        ['channels', 'channels'],
        ['usage_time', 'usage_seconds'],
        ['contact_regularity', 'contact_months'],
    ]) }}
{% endmacro %}


{# The days of the revenue trend's year and of its newer half, in which new categories count too. #}
{% macro year_days() -%}
    365
{%- endmacro %}

{% macro half_year_days() -%}
    182
{%- endmacro %}


{# The components of the management score, in the order of the marts' columns. In score_inputs the order is another: there a
   place is a bit, and new inputs come last. #}
{% macro score_components() %}
    {{ return(['value', 'growth', 'loyalty', 'satisfaction', 'engagement', 'partnership']) }}
{% endmacro %}


{# A normalised value: hundredths, a whole number, as a decimal from 0 to 100. #}
{% macro normalised(hundredths) -%}
    cast(cast({{ hundredths }} as decimal(5, 0)) * 0.01 as decimal(5, 2))
{%- endmacro %}


{# The repeat rate of an active customer's orders, as a normalised value. #}
{% macro repeat_rate_normalised(frequency) -%}
    {{ customer_tiering.normalised(customer_tiering.rounded_ratio(
        '10000 * (' ~ frequency ~ ' - 1)', frequency
    )) }}
{%- endmacro %}


{# The management score if the customer placed one more order, of any amount, on the last day of the period: recency,
   frequency and the repeat rate change, all else stays. `review` has the score, its inputs and the frequency's edges;
   `weights` is int_score_weight_sets. #}
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


{# An expression for each input, in the order of score_inputs: `expression` with the input's name for INPUT. #}
{% macro of_each_input(expression) %}
    {%- set expressions = [] -%}
    {%- for component, input, is_known in customer_tiering.score_inputs() -%}
        {%- do expressions.append(expression | replace('INPUT', input)) -%}
    {%- endfor -%}
    {{ return(expressions) }}
{% endmacro %}


{# For each input, in the order of score_inputs: the rise of what it measures of a customer's own behaviour; below zero when that
   got worse. An input may move although this does not, because others moved. `now` and `before` are rows of
   int_score_inputs. #}
{% macro own_rises(now, before) %}
    {%- set less_is_better = ['recency'] -%}
    {%- set measures = {
        'recency': 'recency_days',
        'frequency': 'frequency',
        'monetary': 'monetary',
        'contribution': 'monetary',
        'repeat_rate': 'frequency',
        'tenure': 'tenure_days',
        'categories': 'categories',
        'active_days': 'active_days',
        'channels': 'channels',
        'usage_time': 'usage_seconds',
        'contact_regularity': 'contact_months',
    } -%}
    {%- set rises = [] -%}
    {%- for component, input, is_known in customer_tiering.score_inputs() -%}
        {%- set measure = measures.get(input, input ~ '_normalised') -%}
        {%- set worse, better = (now, before) if input in less_is_better else (before, now) -%}
        {%- do rises.append(better ~ '.' ~ measure ~ ' - ' ~ worse ~ '.' ~ measure) -%}
    {%- endfor -%}
    {{ return(rises) }}
{% endmacro %}


{# For each input, in the order of score_inputs: the rise of its points. Of interactions by the weight of now alone: that more
   customers are known, which raises the weight, is nobody's behaviour. `weights` and `weights_before` are rows of
   int_score_weight_sets. #}
{% macro point_rises(now, before, weights, weights_before) %}
    {%- set interactions = customer_tiering.interaction_inputs() | map('first') | list -%}
    {%- set rises = [] -%}
    {%- for component, input, is_known in customer_tiering.score_inputs() -%}
        {%- set earlier_weights = weights if input in interactions else weights_before -%}
        {%- do rises.append(
            now ~ '.' ~ input ~ '_normalised * ' ~ weights ~ '.' ~ input ~ '_weight - '
            ~ before ~ '.' ~ input ~ '_normalised * ' ~ earlier_weights ~ '.' ~ input ~ '_weight'
        ) -%}
    {%- endfor -%}
    {{ return(rises) }}
{% endmacro %}


{# For each input, in the order of score_inputs: what it is computed from, in its own unit; NULL where the input is unknown, but
   for counts of interactions, which are there whether they enter the score or not. `scores` is a row of
   int_current_scores and `signals` one of int_customer_signals. #}
{% macro input_values() -%}
    {%- set counts = customer_tiering.interaction_inputs() | map('first') | list -%}
    {%- set known_values = {
        'recency': 'scores.recency_days',
        'frequency': 'scores.frequency',
        'monetary': 'scores.monetary',
        'contribution': 'scores.monetary',
        'revenue_trend': customer_tiering.revenue_trend(
            'scores.revenue_first_half', 'scores.revenue_second_half', 'scores.frequency'
        ),
        'repeat_rate': 'scores.frequency',
        'tenure': 'scores.tenure_days',
        'categories': 'scores.categories',
        'referrals': 'coalesce(signals.converted_referrals, 0)',
        'nps': 'signals.nps_answer',
        'csat': customer_tiering.ratio_of_four_decimals('signals.csat_sum', 'signals.csat_answers'),
        'complaints': 'coalesce(signals.complaints, 0) + coalesce(signals.open_complaints, 0)',
        'active_days': 'coalesce(signals.active_days, 0)',
        'channels': 'coalesce(signals.channels, 0)',
        'usage_time': 'coalesce(signals.usage_seconds, 0)',
        'demand_breadth': customer_tiering.ratio_of_four_decimals(
            'greatest(least(signals.service_revenue, signals.typed_revenue), 0)', 'signals.typed_revenue'
        ),
        'contact_regularity': 'coalesce(signals.contact_months, 0)',
        'new_categories': 'coalesce(signals.new_categories, 0)',
    } -%}
    {%- set values = [] -%}
    {%- for component, input, is_known in customer_tiering.score_inputs() -%}
        {%- set value = known_values[input] if input in counts
            else 'case when scores.' ~ input ~ '_normalised is not null then ' ~ known_values[input] ~ ' end' -%}
        {%- do values.append('cast(' ~ value ~ ' as decimal(20, 4))') -%}
    {%- endfor -%}
    {{ return(values) }}
{%- endmacro %}


{# numerator / denominator to four decimals, rounded half up; both are whole and not negative. #}
{% macro ratio_of_four_decimals(numerator, denominator) -%}
    cast({{ customer_tiering.rounded_ratio('10000 * (' ~ numerator ~ ')', denominator) }} as decimal(18, 0)) * 0.0001
{%- endmacro %}


{# (h2 - h1) / (h1 + h2) x f / (f + 2), from -1 to 1, to four decimals; halves below zero count as zero. #}
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
