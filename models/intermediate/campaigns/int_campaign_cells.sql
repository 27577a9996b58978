{# The mean of a few skewed amounts has no honest interval: a normal one of 40 customers covers the
   truth in 80 % of cases, not in 95 %. #}
{%- set fewest = 400 -%}
with buckets as (
    select * from {{ ref('int_campaign_buckets') }}
),

campaigns as (
    select * from {{ ref('int_campaigns') }}
),

cells as (
    select
        buckets.campaign_id,
        buckets.dimension,
        buckets.dimension_value,
        buckets.assigned_by,
        campaigns.is_over,
        {%- for group, name in [('treatment', 'treated'), ('holdout', 'held_out')] %}
        {%- for measure in ['customers', 'contacted', 'responses', 'revenue'] %}
        coalesce(
            sum(case when buckets.contact_group = '{{ group }}' then buckets.{{ measure }} end), 0
        ) as {{ name }}{{ '_' ~ measure if measure != 'customers' }},
        {%- endfor %}
        {%- endfor %}
        coalesce(
            sum(case when buckets.contact_group = 'left_out' then buckets.customers end), 0
        ) as left_out,
        {{ fingerprint([
            'buckets.contact_group', 'buckets.bucket', 'buckets.customers', 'buckets.revenue'
        ]) }} as bucket_fingerprint
    from buckets
    inner join campaigns on buckets.campaign_id = campaigns.campaign_id
    group by 1, 2, 3, 4, 5
)

select
    campaign_id,
    dimension,
    dimension_value,
    assigned_by,

    cast(treated as bigint) as treated,
    cast(held_out as bigint) as held_out,
    cast(left_out as bigint) as left_out,
    cast(treated_contacted as bigint) as treated_contacted,
    cast(held_out_contacted as bigint) as held_out_contacted,
    cast(treated_responses as bigint) as treated_responses,
    cast(held_out_responses as bigint) as held_out_responses,
    cast(treated_revenue as decimal(18, 2)) as treated_revenue,
    cast(held_out_revenue as decimal(18, 2)) as held_out_revenue,
    case
        when is_over and treated >= {{ fewest }} and held_out >= {{ fewest }}
            then
                campaign_id || '|' || dimension || '|' || dimension_value || '|'
                || cast(bucket_fingerprint as {{ string_type() }})
    end as interval_key
from cells
