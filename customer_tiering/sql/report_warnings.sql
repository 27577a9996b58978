-- a publication of an earlier release has no shares and no binding_rule
with warnings as (
    select * from quality.warnings
    union all by name
    select
        cast(null as decimal(9, 6)) as share,
        cast(null as decimal(9, 6)) as amount_share,
        cast(null as varchar) as binding_rule
    where false
),

counted (warning_code, unit) as (
    values
    ('credit_notes_without_order', 'orders'),
    ('undecided_duplicates', 'rows'),
    ('many_duplicates', 'rows'),
    ('unused_rows', 'rows'),
    ('unknown_customers', 'customers'),
    ('similar_customer_ids', 'customers'),
    ('guest_share', 'orders'),
    ('consent_unknown', 'customers'),
    ('erasure_of_unknown_customer', 'requests'),
    ('no_new_orders', 'rows')
),

figures as (
    select
        warnings.warning_code,
        warnings.subject,
        warnings.binding_rule,
        counted.unit || ': ' || concat_ws(
            ', ',
            format('{:,}', warnings.observed),
            format('{:.1f} % of ', 100 * warnings.share) || warnings.subject,
            format('amount: {:,.2f}', warnings.amount),
            format('{:.1f} % of revenue', 100 * warnings.amount_share)
        ) as figures
    from warnings
    left join counted on warnings.warning_code = counted.warning_code
    -- rows_rejected says again what reconciliation shows; other rows are shown nowhere else
    where warnings.warning_code <> 'rows_rejected'
)

select
    coalesce(labels.label_en, figures.warning_code) as warning_en,
    coalesce(labels.label_zh, '') as warning_zh,
    string_agg(
        figures.subject
        || coalesce(': ' || rules.label_en || ' ' || rules.label_zh, '')
        || coalesce(' (' || figures.figures || ')', ''),
        ', ' order by figures.subject
    ) as subjects
from figures
left join marts.labels
    on labels.kind = 'warning' and figures.warning_code = labels.code
left join marts.labels as rules
    on rules.kind = 'binding_rule' and figures.binding_rule = rules.code
group by 1, 2
order by 1, 2
