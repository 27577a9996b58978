with typed as (
    {{ customer_tiering.typed_values('shop', 'orders') }}
),

order_statuses as (
    select * from {{ ref('order_statuses') }}
),

checked as (
    select
        typed.order_id,
        typed.customer_id,
        typed.currency_code,
        typed.channel,
        typed.store_id,
        order_statuses.order_status,
        {{ customer_tiering.raw_documents('shop', 'orders', 'typed') }},
        -- the first faulty column in the contract's order: the typed faults of earlier columns come
        -- first
        case
            when typed.rejected_column in ('order_id', 'ordered_at') then typed.rejected_column
            when
                typed.ordered_on > {{ customer_tiering.run_date() }}
                or typed.ordered_on < {{ customer_tiering.history_starts_on() }}
                then 'ordered_at'
            when order_statuses.order_status is null then 'status'
            else typed.rejected_column
        end as rejected_column,
        case
            when typed.rejected_column in ('order_id', 'ordered_at') then typed.reject_reason
            when typed.ordered_on > {{ customer_tiering.run_date() }} then 'after_run_date'
            when typed.ordered_on < {{ customer_tiering.history_starts_on() }} then 'before_history'
            when order_statuses.order_status is null and typed.status is not null then 'not_allowed'
            else typed.reject_reason
        end as reject_reason,

        typed.order_amount,
        typed.discount_amount,

        coalesce(typed.is_test, false) as is_test,
        typed.has_nulled_values,

        typed.ordered_on as order_date,
        typed.cancelled_on,
        typed.returned_on,

        typed.ordered_at,
        typed.cancelled_at,
        typed.returned_at,
        typed.updated_at
    from typed
    left join order_statuses on lower(typed.status) = lower(order_statuses.source_status)
)

select * from checked
