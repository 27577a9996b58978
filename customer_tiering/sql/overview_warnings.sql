select
    warning_code,
    string_agg(subject, ', ' order by subject) as subjects
from quality.warnings
group by 1
order by 1
