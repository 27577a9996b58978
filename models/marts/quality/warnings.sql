with as_of as (
    select * from {{ ref('int_as_of') }}
),

edges as (
    select * from {{ ref('int_rfm_score_edges') }}
),

newest_period as (
    select * from {{ ref('int_newest_period') }}
),

current_tiers as (
    select * from {{ ref('int_current_tiers') }}
),

tier_rules as (
    select
        *,
        max(tier_rank) over (partition by version_valid_from) as top_rank
    from {{ ref('tiers') }}
),

reconciliation as (
    select * from {{ ref('reconciliation') }}
),

published_counts as (
    select * from {{ source('builds', 'published_counts') }}
),

unknown_customers as (
    select * from {{ ref('int_unknown_customers') }}
),

rejects as (
    select * from {{ ref('int_cross_table_rejects') }}
),

customers as (
    select * from {{ ref('int_customers') }} where not is_erased
),

orders as (
    select * from {{ ref('int_orders') }} where not is_rejected and not is_test
),

newest_edges as (
    select edges.*
    from edges
    inner join newest_period on edges.period_index = newest_period.period_index
),

judged_for_the_top as (
    select
        tier_rules.tier_code,
        current_tiers.tier_rank > 0 as has_tier,
        current_tiers.tier_rank = tier_rules.tier_rank as has_top_tier,
        current_tiers.management_score >= tier_rules.enter_score as has_score,
        current_tiers.frequency >= coalesce(tier_rules.enter_min_orders, 0) as has_orders,
        tier_rules.enter_min_revenue is null
        or current_tiers.monetary >= tier_rules.enter_min_revenue as has_revenue
    from current_tiers
    inner join tier_rules
        on
            current_tiers.rules_valid_from = tier_rules.version_valid_from
            and tier_rules.tier_rank = tier_rules.top_rank
),

-- a rule alone keeps a customer out if all other rules are met
kept_out as (
    select
        *,
        not has_score and has_orders and has_revenue as is_out_by_score,
        has_score and not has_orders and has_revenue as is_out_by_orders,
        has_score and has_orders and not has_revenue as is_out_by_revenue
    from judged_for_the_top
),

top_tier_counts as (
    select
        tier_code,
        count(case when has_tier then 1 end) as holders_of_any,
        count(case when has_top_tier then 1 end) as holders,
        count(case when is_out_by_score and not has_top_tier then 1 end) as out_by_score,
        count(case when is_out_by_orders and not has_top_tier then 1 end) as out_by_orders,
        count(case when is_out_by_revenue and not has_top_tier then 1 end) as out_by_revenue
    from kept_out
    group by tier_code
),

top_tier as (
    select
        tier_code,
        holders_of_any,
        holders,
        case
            when
                100 * holders
                >= {{ setting('top_tier_percent_from') }}
                * holders_of_any
                then null
            when greatest(out_by_score, out_by_orders, out_by_revenue) = 0 then null
            when out_by_score >= greatest(out_by_orders, out_by_revenue) then 'enter_score'
            when out_by_orders >= out_by_revenue then 'enter_min_orders'
            else 'enter_min_revenue'
        end as binding_rule
    from top_tier_counts
),

order_totals as (
    select
        count(*) as orders,
        count(case when customer_key is null then 1 end) as orders_of_guests,
        sum(order_amount_reporting) as revenue,
        sum(case when customer_key is null then order_amount_reporting end) as revenue_of_guests
    from orders
),

unknown_totals as (
    select
        count(*) as customers,
        sum(orders) as orders,
        sum(revenue) as revenue
    from unknown_customers
),

consents as (
    select
        count(*) as customers,
        count(case when has_marketing_consent is null then 1 end) as customers_unknown
    from customers
),

warnings as (
    select
        'no_orders' as warning_code,
        'orders' as subject,
        cast(0 as bigint) as observed,
        cast(null as decimal(38, 2)) as amount,
        cast(null as decimal(9, 6)) as share,
        cast(null as decimal(9, 6)) as amount_share
    from as_of
    where as_of_date is null
    union all
    select
        'one_off_profile' as warning_code,
        metric as subject,
        cast(distinct_edges as bigint) as observed,
        null as amount,
        null as share,
        null as amount_share
    from newest_edges
    where
        metric = 'frequency' and distinct_edges = 1
        and '{{ setting("score_profile") }}' <> 'one_off'
    union all
    select
        'small_population' as warning_code,
        metric as subject,
        cast(customers as bigint) as observed,
        null as amount,
        null as share,
        null as amount_share
    from newest_edges
    where is_small_population
    union all
    -- of few customers a share says nothing
    select
        'top_tier_share' as warning_code,
        tier_code as subject,
        cast(holders as bigint) as observed,
        null as amount,
        null as share,
        null as amount_share
    from top_tier
    where
        holders_of_any >= {{ setting('top_tier_min_holders') }}
        and (
            100 * holders
            < {{ setting('top_tier_percent_from') }} * holders_of_any
            or 100 * holders
            > {{ setting('top_tier_percent_to') }} * holders_of_any
        )
    union all
    select
        'rows_rejected' as warning_code,
        source_table as subject,
        rows_rejected as observed,
        null as amount,
        null as share,
        null as amount_share
    from reconciliation
    where rows_rejected > 0
    union all
    select
        'undecided_duplicates' as warning_code,
        source_table as subject,
        rows_undecided as observed,
        amount_undecided as amount,
        null as share,
        null as amount_share
    from reconciliation
    where rows_undecided > 0
    union all
    -- of orders, lines of one amount look like this
    select
        'many_duplicates' as warning_code,
        source_table as subject,
        rows_duplicate - rows_undecided as observed,
        amount_duplicate - amount_undecided as amount,
        null as share,
        null as amount_share
    from reconciliation
    where
        source_table = 'orders'
        and 100 * (rows_duplicate - rows_undecided)
        > {{ setting('many_duplicates_percent') }} * rows_in
    union all
    select
        'unused_rows' as warning_code,
        source_table as subject,
        rows_unused as observed,
        null as amount,
        null as share,
        null as amount_share
    from reconciliation
    where rows_unused > 0
    union all
    select
        'unknown_customers' as warning_code,
        'orders' as subject,
        unknown_totals.customers as observed,
        unknown_totals.revenue as amount,
        {{ share('unknown_totals.orders', 'order_totals.orders') }} as share,
        {{ share('unknown_totals.revenue', 'order_totals.revenue') }}
            as amount_share
    from unknown_totals
    cross join order_totals
    where unknown_totals.customers > 0
    union all
    select
        'similar_customer_ids' as warning_code,
        matches_without as subject,
        count(*) as observed,
        sum(revenue) as amount,
        null as share,
        null as amount_share
    from unknown_customers
    where matches_without is not null
    group by matches_without
    union all
    -- some guests are usual
    select
        'guest_share' as warning_code,
        'orders' as subject,
        orders_of_guests as observed,
        revenue_of_guests as amount,
        {{ share('orders_of_guests', 'orders') }} as share,
        {{ share('revenue_of_guests', 'revenue') }} as amount_share
    from order_totals
    where
        100 * orders_of_guests
        > {{ setting('guest_share_percent') }} * orders
    union all
    select
        'consent_unknown' as warning_code,
        'customers' as subject,
        customers_unknown as observed,
        null as amount,
        {{ share('customers_unknown', 'customers') }} as share,
        null as amount_share
    from consents
    where
        100 * customers_unknown
        > {{ setting('consent_unknown_percent') }} * customers
    union all
    select
        'erasure_of_unknown_customer' as warning_code,
        source_table as subject,
        count(*) as observed,
        null as amount,
        null as share,
        null as amount_share
    from rejects
    where source_table = 'erasure_requests'
    group by source_table
    union all
    select
        'no_new_orders' as warning_code,
        'orders' as subject,
        reconciliation.rows_in as observed,
        null as amount,
        null as share,
        null as amount_share
    from reconciliation
    inner join published_counts on reconciliation.source_table = published_counts.source_table
    where
        reconciliation.source_table = 'orders'
        and reconciliation.rows_in <= published_counts.rows_in
)

select
    warnings.warning_code,
    warnings.subject,
    top_tier.binding_rule,

    cast(warnings.observed as bigint) as observed,
    cast(warnings.amount as decimal(38, 2)) as amount,
    warnings.share,
    warnings.amount_share
from warnings
left join top_tier
    on warnings.warning_code = 'top_tier_share' and warnings.subject = top_tier.tier_code
