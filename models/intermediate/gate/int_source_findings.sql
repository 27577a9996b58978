with exceeded_limits as (
    select * from {{ ref('int_exceeded_limits') }}
),

rejection_causes as (
    select * from {{ ref('int_rejection_causes') }}
),

source_counts as (
    select * from {{ ref('int_source_counts') }}
),

foreign_currencies as (
    select * from {{ ref('int_foreign_currencies') }}
),

unknown_customers as (
    select * from {{ ref('int_unknown_customers') }}
),

spellings as (
    select
        count(*) as unknown_ids,
        string_agg(distinct case matches_without
            when 'decimals' then 'the .0 at their end'
            when 'blanks' then 'blanks'
            when 'letter_case' then 'the difference of letter case'
            when 'leading_zeros' then 'zeros at their beginning'
        end, ', ') as spelling,
        count(matches_without) as matching_ids
    from unknown_customers
),

findings as (
    select
        exceeded_limits.source_table,
        exceeded_limits.finding,
        case
            when exceeded_limits.finding in ('unknown_customers', 'guests') then 'customer_id'
            else rejection_causes.column_name
        end as column_name,
        rejection_causes.reject_reason,
        rejection_causes.shown_values,
        rejection_causes.fault,
        rejection_causes.advice,

        coalesce(rejection_causes.row_count, exceeded_limits.rows_at_fault) as rows_at_fault,
        exceeded_limits.rows_checked,
        exceeded_limits.rows_at_fault as rows_of_all_causes,
        rejection_causes.rows_of_accepted_keys,

        exceeded_limits.is_since_publication
    from exceeded_limits
    left join rejection_causes
        on
            exceeded_limits.source_table = rejection_causes.source_table
            and exceeded_limits.finding = 'rejected'
    where exceeded_limits.finding <> 'rejected' or rejection_causes.source_table is not null
),

-- what the sentences have in common
phrased as (
    select
        *,
        {{ in_thousands(
            'case when is_since_publication then rows_of_all_causes else rows_at_fault end'
        ) }} || ' of ' || {{ in_thousands('rows_checked') }} as share,
        case when is_since_publication then ' since the last publication' else '' end as since,
        coalesce('; in all, ' || {{ in_thousands(
            'case when is_since_publication then rows_at_fault end'
        ) }}, '') as in_all,
        ': one row per ' || rtrim(source_table, 's') || ' is expected'
        || case when source_table = 'orders' then ', lines belong to order_items.' else '.' end
            as expectation
    from findings
),

worded as (
    select
        phrased.*,
        case
            when
                phrased.reject_reason = 'no_exchange_rate'
                and foreign_currencies.fault is not null
                then
                    'no order is in {{ setting("reporting_currency") }} and '
                    || foreign_currencies.fault || ': set reporting_currency to '
                    || foreign_currencies.commonest_currency || ' or give exchange_rates.'
            when phrased.finding = 'rejected'
                then
                    phrased.share || ' rows' || phrased.since || ' rejected' || phrased.in_all
                    || ': ' || phrased.fault || ' '
                    || case
                        when phrased.rows_of_accepted_keys > 0
                            then
                                {{ in_thousands('phrased.rows_of_accepted_keys') }}
                                || ' of them have the key of an accepted row' || phrased.expectation
                        else phrased.advice
                    end
            when phrased.finding = 'undecided_duplicates'
                then
                    {{ in_thousands('source_counts.rows_accepted') }} || ' rows with '
                    || {{ in_thousands('source_counts.rows_kept') }} || ' ids and different '
                    || case
                        when source_counts.has_different_amounts then 'amounts' else 'values'
                    end || phrased.expectation
                    || ' Of versions of one row, updated_at says which is the newest.'
            when phrased.finding = 'unknown_customers'
                then
                    phrased.share || ' orders with a customer' || phrased.since
                    || ' name one whom customers does not have ('
                    || {{ in_thousands('spellings.unknown_ids') }} || ' ids in all). '
                    || case
                        when spellings.matching_ids > 0
                            then
                                {{ in_thousands('spellings.matching_ids') }}
                                || ' of the ids would match without ' || spellings.spelling
                                || ': write customer_id alike in both tables.'
                        else 'Give all customers in customers, with the ids that orders has.'
                    end
            when phrased.finding = 'guests'
                then
                    phrased.share || ' orders' || phrased.since
                    || ' have no customer: customer_id is empty or a word of'
                    || ' seeds/nobody_words.csv. Give it from the column that says who bought.'
        end as sentence
    from phrased
    left join source_counts on phrased.source_table = source_counts.source_table
    cross join foreign_currencies
    cross join spellings
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
    from worded
)

select * from numbered
