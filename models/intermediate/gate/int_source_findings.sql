{%- set reporting_currency = setting('reporting_currency') -%}

with source_counts as (
    select * from {{ ref('int_source_counts') }}
),

published_counts as (
    select * from {{ source('builds', 'published_counts') }}
),

orders as (
    select * from {{ ref('int_orders') }}
),

unknown_customers as (
    select * from {{ ref('int_unknown_customers') }}
),

measured as (
    {{ source_measures('source_counts') }}
),

published as (
    {{ source_measures('published_counts') }}
),

-- of all rows, and of those that came since the last publication if they are some
shares as (
    select
        source_table,
        finding,
        false as is_since_publication,
        percent_allowed,
        rows_at_fault,
        rows_checked
    from measured
    union all
    select
        measured.source_table,
        measured.finding,
        true as is_since_publication,
        measured.percent_allowed,
        measured.rows_at_fault - published.rows_at_fault as rows_at_fault,
        measured.rows_checked - published.rows_checked as rows_checked
    from measured
    inner join published
        on
            measured.source_table = published.source_table
            and measured.finding = published.finding
    where measured.rows_checked - published.rows_checked >= 20
),

-- a few rows are no share, but for a table of which no row can be taken
beyond as (
    select
        source_table,
        finding,
        is_since_publication,
        rows_at_fault,
        rows_checked,
        row_number() over (
            partition by source_table, finding order by is_since_publication
        ) as place
    from shares
    where
        (rows_at_fault >= 10 and 100 * rows_at_fault > percent_allowed * rows_checked)
        or (
            not is_since_publication
            and rows_at_fault = rows_checked
            and rows_at_fault >= case when finding = 'rejected' then 1 else 10 end
        )
),

stopping as (
    select * from beyond where place = 1
),

too_many_rejected as (
    select * from stopping where finding = 'rejected'
),

rejected_values as (
    {%- for source_name, table_name, staged_model in raw_tables() %}
    {{ rejected_values(source_name, table_name, 'too_many_rejected') }}
    union all
    {%- endfor %}
    select
        'orders' as source_table,
        case reject_reason
            when 'no_exchange_rate' then 'currency_code' else 'order_amount'
        end as column_name,
        reject_reason,
        case reject_reason when 'no_exchange_rate' then currency_code end as raw_value,
        count(*) as row_count,
        0 as rows_of_accepted_keys
    from orders
    where is_rejected
    group by 1, 2, 3, 4
),

unmatched_rows as (
    select
        source_table,
        unmatched_column as column_name,
        case unmatched_column
            when 'order_id' then 'unknown_order' else 'unknown_customer'
        end as reject_reason,
        cast(null as {{ string_type() }}) as raw_value,
        rows_accepted as row_count,
        0 as rows_of_accepted_keys
    from source_counts
    where unmatched_column is not null
),

values_at_fault as (
    select * from rejected_values
    union all
    select * from unmatched_rows
),

personal_values as (
    {{ personal_values('values_at_fault') }}
),

shown_values as (
    select
        values_at_fault.source_table,
        values_at_fault.column_name,
        values_at_fault.reject_reason,
        {{ shown_value(
            'values_at_fault.source_table', 'values_at_fault.column_name', 'values_at_fault.raw_value',
            'personal_values.raw_value is not null'
        ) }} as shown_value,
        sum(values_at_fault.row_count) as row_count,
        sum(values_at_fault.rows_of_accepted_keys) as rows_of_accepted_keys
    from values_at_fault
    left join personal_values on values_at_fault.raw_value = personal_values.raw_value
    group by 1, 2, 3, 4
),

ranked_values as (
    select
        *,
        shown_value || ' (' || {{ in_thousands('row_count') }} || ')'
            as value_with_rows,
        row_number() over (
            partition by source_table, column_name, reject_reason
            order by row_count desc, shown_value
        ) as place
    from shown_values
),

causes as (
    select
        source_table,
        column_name,
        reject_reason,
        sum(row_count) as row_count,
        sum(rows_of_accepted_keys) as rows_of_accepted_keys,
        string_agg(case when place <= 5 then value_with_rows end, ', ' order by place)
        || case
            when count(shown_value) <= 5 then ''
            else ' and ' || {{ in_thousands('count(shown_value) - 5') }} || ' more'
        end as shown_values
    from ranked_values
    group by 1, 2, 3
),

orders_by_currency as (
    select
        currency_code,
        count(*) as orders,
        count(case when reject_reason = 'no_exchange_rate' then 1 end) as orders_without_rate,
        bool_or(currency_code = '{{ reporting_currency }}') over () as has_reporting_currency
    from orders
    group by 1
),

-- those without rates, if there is no order in the reporting currency
foreign_currencies as (
    select
        currency_code,
        orders,
        row_number() over (order by orders desc, currency_code) as place
    from orders_by_currency
    where orders_without_rate > 0 and not has_reporting_currency
),

currencies as (
    select
        string_agg(currency_code, ', ' order by place) as currency_codes,
        min(case when place = 1 then currency_code end) as commonest_currency,
        count(*) as currencies
    from foreign_currencies
),

rejected_rows as (
    select
        stopping.source_table,
        stopping.finding,
        causes.column_name,
        causes.reject_reason,
        causes.shown_values,
        case
            when stopping.is_since_publication
                then
                    {{ in_thousands('stopping.rows_at_fault') }} || ' of '
                    || {{ in_thousands('stopping.rows_checked') }}
                    || ' rows since the last publication rejected; in all, '
                    || {{ in_thousands('causes.row_count') }} || ': '
            else
                {{ in_thousands('causes.row_count') }} || ' of '
                || {{ in_thousands('stopping.rows_checked') }}
                || ' rows rejected: '
        end
        || causes.column_name || ' '
        || {{ fault_in_words(
            'causes.source_table', 'causes.column_name', 'causes.reject_reason'
        ) }}
        || coalesce(': ' || causes.shown_values, '') || '. '
        || case
            when causes.rows_of_accepted_keys > 0
                then
                    {{ in_thousands('causes.rows_of_accepted_keys') }}
                    || ' of them have the key of an accepted row: one row per '
                    || rtrim(causes.source_table, 's') || ' is expected'
                    || case
                        when causes.source_table = 'orders' then ', lines belong to order_items.'
                        else '.'
                    end
            else
                {{ advice_in_words(
                    'causes.source_table', 'causes.column_name', 'causes.reject_reason'
                ) }}
        end as sentence,
        causes.row_count as rows_at_fault,
        stopping.rows_checked
    from stopping
    inner join causes on stopping.source_table = causes.source_table
    cross join currencies
    where
        stopping.finding = 'rejected'
        and not (causes.reject_reason = 'no_exchange_rate' and currencies.currencies > 0)
),

foreign_orders as (
    select
        stopping.source_table,
        stopping.finding,
        causes.column_name,
        causes.reject_reason,
        causes.shown_values,
        'no order is in {{ reporting_currency }} and ' || currencies.currency_codes
        || case when currencies.currencies = 1 then ' has no rate' else ' have no rates' end
        || ': set reporting_currency to ' || currencies.commonest_currency
        || ' or give exchange_rates.' as sentence,
        causes.row_count as rows_at_fault,
        stopping.rows_checked
    from stopping
    inner join causes on stopping.source_table = causes.source_table
    cross join currencies
    where
        stopping.finding = 'rejected'
        and causes.reject_reason = 'no_exchange_rate' and currencies.currencies > 0
),

undecided_rows as (
    select
        stopping.source_table,
        stopping.finding,
        cast(null as {{ string_type() }}) as column_name,
        cast(null as {{ string_type() }}) as reject_reason,
        cast(null as {{ string_type() }}) as shown_values,
        {{ in_thousands('source_counts.rows_accepted') }} || ' rows with '
        || {{ in_thousands('source_counts.rows_kept') }} || ' ids and different '
        || case when source_counts.has_different_amounts then 'amounts' else 'values' end
        || ': one row per ' || rtrim(stopping.source_table, 's') || ' is expected'
        || case
            when stopping.source_table = 'orders' then ', lines belong to order_items.' else '.'
        end
        || ' Of versions of one row, updated_at says which is the newest.' as sentence,
        stopping.rows_at_fault,
        stopping.rows_checked
    from stopping
    inner join source_counts on stopping.source_table = source_counts.source_table
    where stopping.finding = 'undecided_duplicates'
),

spellings as (
    select
        count(*) as customers,
        string_agg(distinct case matches_without
            when 'decimals' then 'the .0 at their end'
            when 'blanks' then 'blanks'
            when 'letter_case' then 'the difference of letter case'
            when 'leading_zeros' then 'zeros at their beginning'
        end, ', ') as spelling,
        count(matches_without) as matching_customers
    from unknown_customers
),

orders_of_unknown_customers as (
    select
        stopping.source_table,
        stopping.finding,
        'customer_id' as column_name,
        cast(null as {{ string_type() }}) as reject_reason,
        cast(null as {{ string_type() }}) as shown_values,
        {{ in_thousands('stopping.rows_at_fault') }} || ' of '
        || {{ in_thousands('stopping.rows_checked') }} || ' orders with a customer'
        || case when stopping.is_since_publication then ' since the last publication' else '' end
        || ' name one whom customers does not have ('
        || {{ in_thousands('spellings.customers') }} || ' ids in all). '
        || case
            when spellings.matching_customers > 0
                then
                    {{ in_thousands('spellings.matching_customers') }}
                    || ' of the ids would match without ' || spellings.spelling
                    || ': write customer_id alike in both tables.'
            else 'Give all customers in customers, with the ids that orders has.'
        end as sentence,
        stopping.rows_at_fault,
        stopping.rows_checked
    from stopping
    cross join spellings
    where stopping.finding = 'unknown_customers'
),

orders_of_guests as (
    select
        stopping.source_table,
        stopping.finding,
        'customer_id' as column_name,
        cast(null as {{ string_type() }}) as reject_reason,
        cast(null as {{ string_type() }}) as shown_values,
        {{ in_thousands('stopping.rows_at_fault') }} || ' of '
        || {{ in_thousands('stopping.rows_checked') }} || ' orders'
        || case when stopping.is_since_publication then ' since the last publication' else '' end
        || ' have no customer: customer_id is empty or a word of seeds/nobody_words.csv.'
        || ' Give it from the column that says who bought.' as sentence,
        stopping.rows_at_fault,
        stopping.rows_checked
    from stopping
    where stopping.finding = 'guests'
),

findings as (
    select * from rejected_rows
    union all
    select * from foreign_orders
    union all
    select * from undecided_rows
    union all
    select * from orders_of_unknown_customers
    union all
    select * from orders_of_guests
),

numbered as (
    select
        cast(row_number() over (
            order by source_table, finding, rows_at_fault desc, column_name, reject_reason
        ) as integer) as finding_number,
        source_table,
        finding,
        column_name,
        reject_reason,
        shown_values,
        source_table || ': ' || sentence as message,

        cast(rows_at_fault as bigint) as rows_at_fault,
        cast(rows_checked as bigint) as rows_checked
    from findings
)

select * from numbered
