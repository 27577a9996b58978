with measures as (
    select
        customer_id,
        date '{{ var('as_of_date') }}' - max(ordered_at::date) as recency_days,
        count(distinct order_id) as frequency,
        sum(order_amount) as monetary
    from read_parquet('{{ var('raw_path') }}/orders/*.parquet')
    where
        customer_id is not null
        and ordered_at::date <= date '{{ var('as_of_date') }}'
        and ordered_at::date > date '{{ var('as_of_date') }}' - 365
    group by customer_id
)

select
    *,
    ntile(5) over (order by recency_days desc) as r_score,
    ntile(5) over (order by frequency) as f_score,
    ntile(5) over (order by monetary) as m_score
from measures
