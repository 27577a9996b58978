{# The shares of rows at fault that stop a build. #}
with source_counts as (
    select * from {{ ref('int_source_counts') }}
),

published_counts as (
    select * from {{ source('builds', 'published_counts') }}
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

first_of_each as (
    select
        source_table,
        finding,

        rows_at_fault,
        rows_checked,

        is_since_publication
    from beyond
    where place = 1
)

select * from first_of_each
