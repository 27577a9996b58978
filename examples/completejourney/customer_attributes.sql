select
    read_id(household_id) as customer_id,
    'age' as attribute,
    age as value
from demographics
where age is not null
union all
select
    read_id(household_id) as customer_id,
    'income' as attribute,
    income as value
from demographics
where income is not null
union all
select
    read_id(household_id) as customer_id,
    'home_ownership' as attribute,
    home_ownership as value
from demographics
where home_ownership is not null
union all
select
    read_id(household_id) as customer_id,
    'marital_status' as attribute,
    marital_status as value
from demographics
where marital_status is not null
union all
select
    read_id(household_id) as customer_id,
    'household_size' as attribute,
    household_size as value
from demographics
where household_size is not null
union all
select
    read_id(household_id) as customer_id,
    'household_comp' as attribute,
    household_comp as value
from demographics
where household_comp is not null
union all
select
    read_id(household_id) as customer_id,
    'kids_count' as attribute,
    kids_count as value
from demographics
where kids_count is not null
