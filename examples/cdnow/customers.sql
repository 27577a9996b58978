select distinct customer_id
from purchases
