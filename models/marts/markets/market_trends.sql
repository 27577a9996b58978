with purchases as (
    select * from {{ ref('int_measure_changes') }}
    where period_orders <> 0 or period_revenue <> 0
),

customers as (
    select * from {{ ref('int_customers') }}
),

sales as (
    select * from {{ ref('int_period_sales') }}
),

periods as (
    select * from {{ ref('int_review_periods') }}
),

-- many customers become few rows before they are counted by each dimension
places as (
    select
        coalesce(customers.region, 'unknown') as region,
        coalesce(customers.industry, 'unknown') as industry,
        purchases.period_index,
        count(case when purchases.period_orders > 0 then 1 end) as customers,
        sum(purchases.period_orders) as orders,
        sum(purchases.period_revenue) as revenue,
        count(
            case
                when
                    purchases.period_orders > 0
                    and purchases.first_order_on >= periods.period_start
                    then 1
            end
        ) as new_customers
    from purchases
    inner join customers on purchases.customer_key = customers.customer_key
    inner join periods on purchases.period_index = periods.period_index
    group by 1, 2, 3
),

placed as (
    select
        {{ unnested(["'all'", "'region'", "'industry'"]) }} as dimension,
        {{ unnested(["'all'", 'region', 'industry']) }} as dimension_value,
        period_index,
        customers,
        orders,
        revenue,
        new_customers
    from places
),

measured as (
    select
        dimension,
        dimension_value,
        period_index,
        sum(customers) as customers,
        sum(orders) as orders,
        sum(revenue) as revenue,
        sum(new_customers) as new_customers
    from placed
    group by 1, 2, 3
    union all
    select
        dimension,
        dimension_value,
        period_index,
        customers,
        orders,
        revenue,
        new_customers
    from sales
),

first_periods as (
    select
        dimension,
        dimension_value,
        min(period_index) as period_index
    from measured
    group by 1, 2
),

-- a value has a row in each period from its first one on, also where nothing was bought
cells as (
    select
        first_periods.dimension,
        first_periods.dimension_value,
        periods.period_index,
        periods.is_open_period,
        periods.period_start,
        periods.period_end
    from first_periods
    inner join periods on first_periods.period_index <= periods.period_index
),

compared as (
    select
        cells.*,
        coalesce(measured.customers, 0) as customers,
        coalesce(measured.orders, 0) as orders,
        coalesce(measured.revenue, 0) as revenue,
        coalesce(measured.new_customers, 0) as new_customers,
        case
            when not cells.is_open_period and cells.period_index > {{ periods_a_year() }}
                then coalesce(year_before.revenue, 0)
        end as revenue_year_before
    from cells
    left join measured
        on
            cells.dimension = measured.dimension
            and cells.dimension_value = measured.dimension_value
            and cells.period_index = measured.period_index
    left join measured as year_before
        on
            cells.dimension = year_before.dimension
            and cells.dimension_value = year_before.dimension_value
            and cells.period_index - {{ periods_a_year() }} = year_before.period_index
)

select
    dimension,
    dimension_value,

    cast(customers as bigint) as customers,
    cast(new_customers as bigint) as new_customers,
    {{ share('new_customers', 'customers') }} as new_share,
    cast(orders as bigint) as orders,
    cast(revenue as decimal(18, 2)) as revenue,
    {{ mean_amount('revenue', 'orders') }} as average_order_value,
    cast(revenue_year_before as decimal(18, 2)) as revenue_year_before,

    is_open_period,

    period_start,
    period_end
from compared
