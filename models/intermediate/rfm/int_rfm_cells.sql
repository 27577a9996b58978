{# Every combination of the three scores with its segments and bands from the seeds. #}
with segments as (
    select * from {{ ref('rfm_segments') }}
),

bands as (
    select * from {{ ref('rfm_bands') }}
),

scores as (
    {%- for score in range(1, 6) %}
    select {{ score }} as score
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

cells as (
    select
        recency.score as r_score,
        frequency.score as f_score,
        monetary.score as m_score
    from scores as recency
    cross join scores as frequency
    cross join scores as monetary
),

mapped as (
    select
        cells.r_score,
        cells.f_score,
        cells.m_score,
        max(case when segments.segment_map = 'standard' then segments.segment_code end)
            as segment_code,
        max(case when segments.segment_map = 'value_matrix' then segments.segment_code end)
            as value_matrix_code
    from cells
    left join segments
        on
            cells.r_score between segments.r_from and segments.r_to
            and cells.f_score between segments.f_from and segments.f_to
            and cells.m_score between segments.m_from and segments.m_to
    group by 1, 2, 3
),

matching_bands as (
    select
        cells.r_score,
        cells.f_score,
        cells.m_score,
        bands.band,
        bands.band_code,
        row_number() over (
            partition by cells.r_score, cells.f_score, cells.m_score, bands.band
            order by bands.priority
        ) as place
    from cells
    inner join bands
        on
            cells.r_score between bands.r_from and bands.r_to
            and cells.f_score between bands.f_from and bands.f_to
            and cells.m_score between bands.m_from and bands.m_to
),

banded as (
    select
        r_score,
        f_score,
        m_score,
        max(case when band = 'value_class' then band_code end) as value_class,
        max(case when band = 'purchasing_power' then band_code end) as purchasing_power,
        max(case when band = 'purchase_frequency_band' then band_code end)
            as purchase_frequency_band,
        max(case when band = 'buyer_type' then band_code end) as buyer_type
    from matching_bands
    where place = 1
    group by 1, 2, 3
),

joined as (
    select
        mapped.r_score,
        mapped.f_score,
        mapped.m_score,
        mapped.segment_code,
        mapped.value_matrix_code,
        banded.value_class,
        banded.purchasing_power,
        banded.purchase_frequency_band,
        banded.buyer_type
    from mapped
    inner join banded
        on
            mapped.r_score = banded.r_score
            and mapped.f_score = banded.f_score
            and mapped.m_score = banded.m_score
)

select * from joined
