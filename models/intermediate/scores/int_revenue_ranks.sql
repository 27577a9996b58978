{# The contribution of each amount of revenue among a period's active customers. Over the distinct
   amounts with their counts: no window runs over all customers, and customers keep their order on
   disk. #}
with measures as (
    select * from {{ ref('int_customer_measures') }}
),

amounts as (
    select
        period_index,
        monetary,
        count(*) as customers
    from measures
    where customer_status = 'active'
    group by period_index, monetary
),

ranked as (
    select
        period_index,
        monetary,
        cast(1 + sum(customers) over (
            partition by period_index
            order by monetary
            rows between unbounded preceding and current row
        ) - customers as bigint) as revenue_rank,
        cast(sum(customers) over (partition by period_index) as bigint) as peers
    from amounts
),

guessed as (
    select
        *,
        {{ contribution_guess('revenue_rank', 'peers') }} as guess
    from ranked
),

normalised as (
    select
        period_index,
        monetary,
        case
            when peers = 1 then cast(0 as decimal(5, 2))
            else {{ normalised(
                contribution_hundredths('guess', 'revenue_rank', 'peers')
            ) }}
        end as contribution
    from guessed
)

select * from normalised
