{%- set rfm_edges = setting('rfm_edges') %}
with measures as (
    select * from {{ ref('int_customer_measures') }}
),

periods as (
    select * from {{ ref('int_periods_to_compute') }}
),

-- none unless rfm_edges is fixed
fixed_edges as (
    select * from {{ ref('rfm_fixed_edges') }} where '{{ rfm_edges }}' = 'fixed'
),

quantiles as (
    {{ quantiles_by_period('measures') }}
),

quantile_edges as (
    {%- for metric in ['recency', 'frequency', 'monetary'] %}
    select
        periods.period_index,
        periods.period_end,
        '{{ metric }}' as metric,

        {{ quantile_edges(metric) }},
        coalesce(quantiles.customers, 0) as customers
    from periods
    left join quantiles on periods.period_index = quantiles.period_index
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

-- none unless rfm_edges is frozen
frozen_edges as (
    select
        metric,
        period_end,
        edge_1,
        edge_2,
        edge_3,
        edge_4
    from quantile_edges
    where period_end = {{ edges_frozen_on() }}
    {%- if is_incremental() %}
    union all
    select
        kept_edges.metric,
        kept_periods.period_end,
        kept_edges.edge_1,
        kept_edges.edge_2,
        kept_edges.edge_3,
        kept_edges.edge_4
    from {{ this }} as kept_edges
    inner join {{ ref('int_review_periods') }} as kept_periods
        on kept_edges.period_index = kept_periods.period_index
    where kept_periods.is_kept and kept_periods.period_end = {{ edges_frozen_on() }}
    {%- endif %}
),

chosen as (
    select
        quantile_edges.period_index,
        quantile_edges.metric,
        {{ chosen_edges() }},
        quantile_edges.customers
    from quantile_edges
    left join fixed_edges on quantile_edges.metric = fixed_edges.metric
    left join frozen_edges
        on
            quantile_edges.metric = frozen_edges.metric
            and quantile_edges.period_end >= frozen_edges.period_end
    where fixed_edges.metric is not null or '{{ rfm_edges }}' <> 'fixed'
),

counted as (
    select
        period_index,
        metric,
        method,

        edge_1,
        edge_2,
        edge_3,
        edge_4,
        customers,
        case
            when edge_1 is not null
                then 1
                    + case when edge_2 > edge_1 then 1 else 0 end
                    + case when edge_3 > edge_2 then 1 else 0 end
                    + case when edge_4 > edge_3 then 1 else 0 end
            else 0
        end as distinct_edges,

        customers < {{ setting('rfm_min_customers') }} as is_small_population
    from chosen
)

select * from counted
