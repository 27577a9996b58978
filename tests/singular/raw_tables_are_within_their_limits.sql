{# The gate: what lies below the findings is not built, and nothing is published. #}
select message from {{ ref('int_source_findings') }} order by finding_number
