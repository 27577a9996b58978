{% macro tier_ranks() %}
    {{ return(range(1, 11)) }}
{% endmacro %}


{% macro highest_rank(rule, review, ladder, score='management_score', more_orders=0) -%}
    case
        {%- for rank in customer_tiering.tier_ranks() | reverse %}
        when
            {{ review }}.{{ score }} >= {{ ladder }}.{{ rule }}_score_{{ rank }}
            and {{ review }}.frequency{{ ' + ' ~ more_orders if more_orders }}
            >= {{ ladder }}.{{ rule }}_min_orders_{{ rank }}
            and {{ review }}.monetary >= {{ ladder }}.{{ rule }}_min_revenue_{{ rank }}
            then {{ rank }}
        {%- endfor %}
        else 0
    end
{%- endmacro %}


{# A customer who qualifies for a tier also keeps it. #}
{% macro kept_rank(review, ladder) -%}
    greatest(
        {{ customer_tiering.highest_rank('enter', review, ladder) }},
        {{ customer_tiering.highest_rank('keep', review, ladder) }}
    )
{%- endmacro %}


{% macro tier_change_type(before, review, period) -%}
    {%- set lower_rank = customer_tiering.lower_rank(before, review) -%}
    case
        when {{ before }}.tier_rank = 0 and {{ review }}.qualified_rank > 0 then 'enter'
        when {{ before }}.tier_rank = 0 then null
        when not {{ review }}.has_orders then 'leave'
        when {{ review }}.qualified_rank > {{ before }}.tier_rank then 'upgrade'
        when {{ review }}.kept_rank >= {{ before }}.tier_rank then 'keep'
        when not ({{ customer_tiering.may_downgrade(before, period) }}) then 'keep'
        when {{ before }}.reviews_held < {{ customer_tiering.setting('tier_min_hold_periods') }}
            then 'protected'
        when {{ before }}.reviews_in_grace < {{ customer_tiering.setting('tier_grace_periods') }}
            then 'grace'
        when {{ lower_rank }} = 0 then 'leave'
        else 'downgrade'
    end
{%- endmacro %}


{% macro tier_rank_after(change_type, before, review) -%}
    case
        when {{ change_type }} in ('enter', 'upgrade') then {{ review }}.qualified_rank
        when {{ change_type }} = 'leave' then 0
        when {{ change_type }} = 'downgrade' then {{ customer_tiering.lower_rank(before, review) }}
        else {{ before }}.tier_rank
    end
{%- endmacro %}


{% macro reviews_held_after(review) -%}
    case
        when {{ review }}.change_type is null or {{ review }}.change_type in ('enter', 'upgrade', 'leave') then 0
        when {{ review }}.is_open_period then {{ review }}.reviews_held
        when {{ review }}.change_type = 'downgrade'
            then {{ customer_tiering.setting('tier_min_hold_periods') }}
        else {{ review }}.reviews_held + 1
    end
{%- endmacro %}


{% macro reviews_in_grace_after(review) -%}
    case
        when {{ review }}.change_type = 'grace' then {{ review }}.reviews_in_grace + 1
        when
            {{ review }}.change_type = 'keep'
            and ({{ review }}.is_open_period or {{ review }}.kept_rank < {{ review }}.tier_rank)
            then {{ review }}.reviews_in_grace
        else 0
    end
{%- endmacro %}


{% macro since_after(review, here, since) -%}
    case
        when {{ review }}.tier_rank_after = 0 then null
        when {{ review }}.tier_rank_after <> {{ review }}.tier_rank then {{ review }}.{{ here }}
        else {{ review }}.{{ since }}
    end
{%- endmacro %}


{% macro lower_rank(before, review) -%}
    {%- if customer_tiering.setting('tier_downgrade') == 'straight' -%}
        {{ return(review ~ '.kept_rank') }}
    {%- endif -%}
    {{ return('(' ~ before ~ '.tier_rank - 1)') }}
{%- endmacro %}


{# An anniversary lies within the review's period when its month and day do; 29 February counts as the 28th. #}
{% macro may_downgrade(before, period) -%}
    {%- set validity = customer_tiering.setting('tier_validity') -%}
    {%- if validity == 'rolling' -%}
        not {{ period }}.is_open_period
    {%- elif validity == 'calendar_year' -%}
        not {{ period }}.is_open_period and {{ period }}.is_last_of_year
    {%- else -%}
        not {{ period }}.is_open_period
        and case
            when {{ period }}.crosses_year
                then
                    {{ before }}.since_month_day > {{ period }}.previous_month_day
                    or {{ before }}.since_month_day <= {{ period }}.month_day
            else
                {{ before }}.since_month_day > {{ period }}.previous_month_day
                and {{ before }}.since_month_day <= {{ period }}.month_day
        end
    {%- endif -%}
{%- endmacro %}


{% macro days_of_year(period) -%}
    extract(year from {{ period }}.period_end) > extract(year from {{ period }}.previous_period_end) as crosses_year,
    {{ customer_tiering.month_day(period ~ '.period_end') }} as month_day,
    {{ customer_tiering.month_day(period ~ '.previous_period_end') }} as previous_month_day
{%- endmacro %}


{% macro first_downgrade_on(state) -%}
    {%- set validity = customer_tiering.setting('tier_validity') -%}
    {%- set protected_reviews -%}
        greatest({{ customer_tiering.setting('tier_min_hold_periods') }} - {{ state }}.reviews_held, 0)
    {%- endset -%}
    {%- set reviews_of_grace -%}
        greatest({{ customer_tiering.setting('tier_grace_periods') }} - {{ state }}.reviews_in_grace, 0)
    {%- endset -%}
    {%- set unprotected_on = customer_tiering.add_periods(state ~ '.next_review_on', protected_reviews) -%}
    {%- set year = 'cast(extract(year from ' ~ unprotected_on ~ ') as integer)' -%}
    {%- if validity == 'rolling' -%}
        {{ customer_tiering.add_periods(state ~ '.next_review_on', protected_reviews ~ ' + ' ~ reviews_of_grace) }}
    {%- elif validity == 'calendar_year' -%}
        {{ customer_tiering.last_review_of_year(year ~ ' + ' ~ reviews_of_grace) }}
    {%- else -%}
        case
            {%- for years in [-1, 0] %}
            when {{ customer_tiering.anniversary_review(state, year ~ ' + ' ~ years) }} >= {{ unprotected_on }}
                then {{ customer_tiering.anniversary_review(state, year ~ ' + ' ~ years ~ ' + ' ~ reviews_of_grace) }}
            {%- endfor %}
            else {{ customer_tiering.anniversary_review(state, year ~ ' + 1 + ' ~ reviews_of_grace) }}
        end
    {%- endif -%}
{%- endmacro %}


{% macro last_review_of_year(year) -%}
    {{ customer_tiering.period_start('make_date(' ~ year ~ ' + 1, 1, 1)') }} - 1
{%- endmacro %}


{% macro anniversary_review(state, year) -%}
    {%- set month = 'cast(floor(' ~ state ~ '.since_month_day / 100.0) as integer)' -%}
    {%- set anniversary = 'make_date(' ~ year ~ ', ' ~ month ~ ', ' ~ state ~ '.since_month_day % 100)' -%}
    {{ customer_tiering.period_end(customer_tiering.period_start(anniversary)) }}
{%- endmacro %}


{% macro points_missing(needed, score) -%}
    cast(ceil(100 * greatest({{ needed }} - {{ score }}, 0)) * 0.01 as decimal(18, 2))
{%- endmacro %}


{% macro revenue_to_next() -%}
    case
        when has_next_tier and customer_status <> 'prospect'
            then cast(greatest(coalesce(next_min_revenue - monetary, 0), 0) as decimal(18, 2))
    end
{%- endmacro %}
