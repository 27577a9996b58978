{%- set rfm_edges = setting('rfm_edges') %}
with measures as (
    select * from {{ ref('int_current_measures') }}
),

as_of as (
    select * from {{ ref('int_as_of') }}
),

-- none unless rfm_edges is fixed
fixed_edges as (
    select * from {{ ref('rfm_fixed_edges') }} where '{{ rfm_edges }}' = 'fixed'
),

quantiles as (
    {{ quantiles_by_period('measures', 'period_end') }}
),

quantile_edges as (
    {%- for metric in ['recency', 'frequency', 'monetary'] %}
    select
        '{{ metric }}' as metric,

        {{ quantile_edges(metric) }},

        period_end
    from quantiles
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

-- none unless rfm_edges is frozen
frozen_edges as (
    select * from quantile_edges where period_end = {{ edges_frozen_on() }}
),

chosen as (
    select
        quantile_edges.metric,
        {{ chosen_edges() }},

        quantile_edges.period_end
    from quantile_edges
    inner join as_of on quantile_edges.period_end = as_of.as_of_date
    left join fixed_edges on quantile_edges.metric = fixed_edges.metric
    left join frozen_edges on quantile_edges.metric = frozen_edges.metric
    where fixed_edges.metric is not null or '{{ rfm_edges }}' <> 'fixed'
)

select * from chosen
