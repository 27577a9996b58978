{# What customers do between their orders, over the window of each period. #}
with interactions as (
    select
        *,
        -- an unknown kind is a contact like any but the use of a product
        coalesce(interaction_type, '') <> 'usage' as is_contact
    from {{ ref('int_interactions') }}
),

periods as (
    select * from {{ ref('int_periods_to_compute') }}
),

counting as (
    select
        interactions.*,
        periods.period_index
    from interactions
    inner join periods
        on {{ in_window('interactions.occurred_on', 'periods.period_end') }}
),

counted as (
    select
        customer_key,
        period_index,
        cast(count(distinct occurred_on) as integer) as active_days,
        cast(count(distinct channel) as integer) as channels,
        cast(coalesce(sum(case when not is_contact then duration_seconds end), 0) as bigint)
            as usage_seconds,
        cast(
            count(
                distinct case
                    when is_contact
                        then 12 * extract(year from occurred_on) + extract(month from occurred_on)
                end
            ) as integer
        ) as contact_months
    from counting
    group by customer_key, period_index
)

select * from counted
