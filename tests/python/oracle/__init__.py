"""The independent oracle: Customer Tiering recomputed in plain Python.

Written from the design alone, with the standard library only and no code of the models, so that an
equal result means that both read the design alike. The modules follow the way of the data: reading
(raw files, staging), erasure (for who lands the raw tables), identity, money (the ledger), periods, rfm, signals, scores, lifecycle, tiers,
alerts, marts, products, cohorts, actions, profiles, rollups.

Use: ``compute(load_raw(folder), Rules.from_seeds(seeds), run_date)``.
"""

from oracle.engine import Result, compute
from oracle.erasure import erased
from oracle.reading import load_raw
from oracle.rules import Rules

__all__ = ["Result", "Rules", "compute", "erased", "load_raw"]
