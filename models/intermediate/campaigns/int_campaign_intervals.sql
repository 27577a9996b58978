{# A bootstrap: each replicate draws as many buckets of each group as there are, with replacement,
   and compares the groups' means. Draws depend on the campaign's id alone, so that a cell keeps its
   interval while its buckets are as they were; the hook deletes the others. #}
{%- set replicates = 999 -%}
{%- set lowest, highest = 25, 975 -%}
with cells as (
    select
        cells.*,
        -- numbers are grouped faster than texts
        row_number() over (
            order by cells.campaign_id, cells.dimension, cells.dimension_value
        ) as cell_number
    from {{ ref('int_campaign_cells') }} as cells
    where
        cells.held_out > 0
        {%- if is_incremental() %}
        and cells.interval_key not in (select kept.interval_key from {{ this }} as kept)
        {%- endif %}
        and cells.interval_key is not null
),

buckets as (
    select * from {{ ref('int_campaign_buckets') }}
),

cell_buckets as (
    select
        cells.cell_number,
        cells.campaign_id,
        buckets.contact_group,
        buckets.bucket,
        cast(buckets.customers as {{ float_type() }}) as customers,
        cast(100 * buckets.revenue as {{ float_type() }}) as cents
    from cells
    inner join buckets
        on
            cells.campaign_id = buckets.campaign_id
            and cells.dimension = buckets.dimension
            and cells.dimension_value = buckets.dimension_value
),

campaigns as (
    select distinct campaign_id from cells
),

contact_groups as (
    select {{ unnested(["'treatment'", "'holdout'"]) }} as contact_group
),

replicates as (
    select {{ unnest_range(0, replicates) }} as replicate
),

sixteen as (
    select {{ unnest_range(0, 16) }} as place
),

digests as (
    select
        campaigns.campaign_id,
        contact_groups.contact_group,
        replicates.replicate,
        md5(
            campaigns.campaign_id || '|' || contact_groups.contact_group || '|'
            || cast(replicates.replicate as {{ string_type() }}) || '|'
            || cast(sixteen.place as {{ string_type() }})
        ) as digits
    from campaigns
    cross join contact_groups
    cross join replicates
    cross join sixteen
),

-- two hexadecimal digits are one of 256 buckets, each as likely; 16 hashes have 16 pairs each
draws as {{ computed_once() }} (
    select
        digests.campaign_id,
        digests.contact_group,
        digests.replicate,
        substr(digests.digits, 2 * sixteen.place + 1, 2) as bucket,
        count(*) as times
    from digests
    cross join sixteen
    group by 1, 2, 3, 4
),

-- sums of whole numbers, which are exact in whatever order
drawn as (
    select
        cell_buckets.cell_number,
        draws.replicate,
        {{ drawn_of('treatment', 'customers') }} as treated_customers,
        {{ drawn_of('treatment', 'cents') }} as treated_cents,
        {{ drawn_of('holdout', 'customers') }} as held_out_customers,
        {{ drawn_of('holdout', 'cents') }} as held_out_cents
    from cell_buckets
    inner join draws
        on
            cell_buckets.campaign_id = draws.campaign_id
            and cell_buckets.contact_group = draws.contact_group
            and cell_buckets.bucket = draws.bucket
    group by 1, 2
),

compared as (
    select
        cells.campaign_id,
        cells.dimension,
        cells.dimension_value,
        cells.interval_key,
        drawn.replicate,
        (
            drawn.treated_cents / drawn.treated_customers
            - drawn.held_out_cents / drawn.held_out_customers
        ) * cells.treated / 100 as incremental_revenue
    from drawn
    inner join cells on drawn.cell_number = cells.cell_number
),

ordered as (
    select
        *,
        row_number() over (
            partition by interval_key order by incremental_revenue, replicate
        ) as place
    from compared
),

intervals as (
    select
        campaign_id,
        dimension,
        dimension_value,
        interval_key,

        cast({{ rounded(
            'max(case when place = ' ~ lowest ~ ' then incremental_revenue end)', 2
        ) }} as decimal(18, 2)) as incremental_revenue_low,
        cast({{ rounded(
            'max(case when place = ' ~ highest ~ ' then incremental_revenue end)', 2
        ) }} as decimal(18, 2)) as incremental_revenue_high
    from ordered
    group by 1, 2, 3, 4
)

select * from intervals
