{# Whether those flagged as slowing indeed stay away: of the customers with a rhythm of their own
   who are not lost, at every closed review that is followed by enough others, how many have not
   ordered by the review so many periods later. #}
{%- set periods_ahead = [1, 3, 6] -%}
{%- set rhythm_bands = [7, 14, 30, 60, 120, 240] -%}

with stages as (
    select * from {{ ref('int_lifecycle_stages') }}
),

alert_reviews as (
    select * from {{ ref('int_alert_reviews') }} where alert_code = 'purchases_slowing'
),

closed_periods as (
    select * from {{ ref('int_review_periods') }} where not is_open_period
),

horizons as (
    {%- for periods in periods_ahead %}
    select {{ periods }} as periods_ahead
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

reviewed as (
    select
        stages.customer_key,
        stages.period_index,
        closed_periods.period_end,
        case
            {%- for days in rhythm_bands %}
            when stages.expected_gap_days <= {{ days }} then {{ days }}
            {%- endfor %}
        end as rhythm_band,
        alert_reviews.customer_key is not null as is_flagged
    from stages
    inner join closed_periods on stages.period_index = closed_periods.period_index
    left join alert_reviews
        on
            stages.customer_key = alert_reviews.customer_key
            and stages.period_index = alert_reviews.period_index
    where stages.has_own_gap and stages.lifecycle_stage <> 'lost'
),

-- who bought in between was last there less days ago than the reviews lie apart; a prospect's
-- orders have been undone
followed as (
    select
        horizons.periods_ahead,
        reviewed.rhythm_band,
        reviewed.is_flagged,
        coalesce(
            later.recency_days
            >= {{ days_between('reviewed.period_end', 'later_periods.period_end') }},
            true
        ) as has_stayed_away
    from reviewed
    cross join horizons
    inner join closed_periods as later_periods
        on reviewed.period_index + horizons.periods_ahead = later_periods.period_index
    inner join stages as later
        on
            reviewed.customer_key = later.customer_key
            and later_periods.period_index = later.period_index
),

-- customers with a short rhythm buy within any number of periods more often, slowing or not: they
-- are compared with others of about the same rhythm too
counted as (
    select
        periods_ahead,
        rhythm_band,
        count(*) as reviews,
        sum(case when has_stayed_away then 1 else 0 end) as stayed_away,
        sum(case when is_flagged then 1 else 0 end) as flagged_reviews,
        sum(case when is_flagged and has_stayed_away then 1 else 0 end) as flagged_stayed_away
    from followed
    group by periods_ahead, rhythm_band
),

totalled as (
    select
        periods_ahead,
        sum(reviews) as reviews,
        sum(stayed_away) as stayed_away,
        sum(flagged_reviews) as flagged_reviews,
        sum(flagged_stayed_away) as flagged_stayed_away,
        sum(1.0 * flagged_reviews * stayed_away / reviews) as expected_stayed_away
    from counted
    group by periods_ahead
),

rates as (
    select
        periods_ahead,
        reviews,
        flagged_reviews,
        {{ rounded('100.0 * stayed_away / nullif(reviews, 0)', 1) }} as base_percent,
        {{ rounded('100.0 * expected_stayed_away / nullif(flagged_reviews, 0)', 1) }}
            as same_rhythm_percent,
        {{ rounded('100.0 * flagged_stayed_away / nullif(flagged_reviews, 0)', 1) }}
            as flagged_percent,
        {{ rounded('1.0 * flagged_stayed_away / nullif(expected_stayed_away, 0)', 2) }} as lift
    from totalled
)

select * from rates
order by periods_ahead
