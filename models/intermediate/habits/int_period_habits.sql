{# What a customer buys most and where, over all valid orders known at the end of each period. #}
with changes as (
    select * from {{ ref('int_habit_changes') }}
),

newest_period as (
    select * from {{ ref('int_newest_period') }}
),

sales_channels as (
    select lower_case(channel) as channel, channel_type from {{ ref('sales_channels') }}
),

running as (
    select
        habit,
        habit_value,
        customer_key,
        period_index,
        sum(uses_delta) over habit_so_far as uses,
        sum(revenue_delta) over habit_so_far as revenue,
        lead(period_index) over habit_so_far as next_index
    from changes
    window habit_so_far as (
        partition by customer_key, habit, habit_value order by period_index
    )
),

change_days as (
    select distinct customer_key, period_index from changes
),

-- what a customer has got used to holds until anything of it changes
stretches as (
    select
        change_days.customer_key,
        change_days.period_index,
        lead(change_days.period_index, 1, newest_period.period_index + 1) over (
            partition by change_days.customer_key order by change_days.period_index
        ) as next_index
    from change_days
    cross join newest_period
),

uses_of_stretches as (
    select
        running.habit,
        running.habit_value,
        sales_channels.channel_type,
        stretches.customer_key,
        stretches.period_index,
        stretches.next_index,
        running.revenue
    from stretches
    inner join running
        on
            stretches.customer_key = running.customer_key
            and stretches.period_index >= running.period_index
            and (running.next_index is null or stretches.period_index < running.next_index)
    left join sales_channels
        on running.habit = 'channel' and lower_case(running.habit_value) = sales_channels.channel
    where running.uses > 0
),

largest as (
    select
        customer_key,
        period_index,
        habit,
        max(revenue) as revenue
    from uses_of_stretches
    group by customer_key, period_index, habit
),

habits_of_stretches as (
    select
        uses.customer_key,
        uses.period_index,
        uses.next_index,
        {%- for habit in ['product_type', 'category', 'channel'] %}
        min(
            case
                when uses.habit = '{{ habit }}' and uses.revenue = largest.revenue
                    then uses.habit_value
            end
        ) as favourite_{{ habit }},
        {%- endfor %}
        max(case when uses.channel_type = 'online' then 1 else 0 end) as buys_online,
        max(case when uses.channel_type = 'offline' then 1 else 0 end) as buys_offline
    from uses_of_stretches as uses
    inner join largest
        on
            uses.customer_key = largest.customer_key
            and uses.period_index = largest.period_index
            and uses.habit = largest.habit
    group by uses.customer_key, uses.period_index, uses.next_index
),

filled as (
    select
        customer_key,
        {{ unnest_range('period_index', 'next_index') }} as period_index,
        favourite_product_type as demand_type,
        favourite_category,
        favourite_channel,
        case
            when buys_online + buys_offline = 2 then 'omnichannel'
            when buys_online = 1 then 'online'
            when buys_offline = 1 then 'offline'
        end as channel_mix
    from habits_of_stretches
)

select * from filled
