"""The sample company: a seeded generator of all raw tables.

It sells to persons and companies, in shops and online, mostly in China, over three years. Customers
join, grow, fade, leave and come back; on top lie the faults that real extracts have: duplicates,
conflicting versions, unreadable values, merged accounts, refunds of orders nobody knows. The same
seed and number of customers always give the same bytes.

    python -m customer_tiering.sample --out sample --seed 7 --customers 2000
"""

from customer_tiering.sample.generating import generate, write

__all__ = ["generate", "write"]
