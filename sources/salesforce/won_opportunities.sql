-- One row per won opportunity, where these are the sales. Open and lost ones are left out.
--
-- Deleted ones are left out. To count them: without the line of is_deleted
-- So are former versions of a row, where the connector keeps the history of the table.
select opportunity.*
from opportunity
cross join sales
where
    sales.kind = 'opportunity'
    and read_boolean(opportunity.is_won)
    and read_boolean(opportunity.is_deleted) is not true
    and read_boolean(opportunity._fivetran_active) is not false
