select
    customer_id,
    'person' as customer_type,
    'US' as country_code
from lines
union
select
    read_id(household_id) as customer_id,
    'person' as customer_type,
    'US' as country_code
from demographics
