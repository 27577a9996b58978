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

counted (warning_code, unit_en, unit_zh) as (
    values
    ('credit_notes_without_order', 'orders', '订单'),
    ('undecided_duplicates', 'rows', '行'),
    ('many_duplicates', 'rows', '行'),
    ('unused_rows', 'rows', '行'),
    ('unknown_customers', 'customers', '客户'),
    ('similar_customer_ids', 'customers', '客户'),
    ('guest_share', 'orders', '订单'),
    ('consent_unknown', 'customers', '客户'),
    ('erasure_of_unknown_customer', 'requests', '请求'),
    ('no_new_orders', 'rows', '行')
),

figures as (
    select
        warnings.warning_code,
        warnings.subject,
        warnings.binding_rule,
        counted.unit_en || ': ' || concat_ws(
            ', ',
            format('{:,}', warnings.observed),
            format('{:.1f} % of ', 100 * warnings.share) || warnings.subject,
            format('amount: {:,.2f}', warnings.amount),
            format('{:.1f} % of revenue', 100 * warnings.amount_share)
        ) as figures_en,
        counted.unit_zh || '：' || concat_ws(
            '，',
            format('{:,}', warnings.observed),
            '占 ' || warnings.subject || format(' 的 {:.1f} %', 100 * warnings.share),
            format('金额 {:,.2f}', warnings.amount),
            format('占收入的 {:.1f} %', 100 * warnings.amount_share)
        ) as figures_zh
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
        || coalesce(': ' || rules.label_en, '')
        || coalesce(' (' || figures.figures_en || ')', ''),
        ', ' order by figures.subject
    ) as subjects_en,
    string_agg(
        figures.subject
        || coalesce('：' || rules.label_zh, '')
        || coalesce('（' || figures.figures_zh || '）', ''),
        '，' order by figures.subject
    ) as subjects_zh
from figures
left join marts.labels
    on labels.kind = 'warning' and figures.warning_code = labels.code
left join marts.labels as rules
    on rules.kind = 'binding_rule' and figures.binding_rule = rules.code
group by 1, 2
order by 1, 2
