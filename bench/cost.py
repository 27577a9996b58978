"""What running something costs."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass

MAXRSS_BYTES = 1 if sys.platform == "darwin" else 1024


@dataclass(frozen=True)
class Cost:
    """Seconds of wall time, and of CPU time on all cores together."""

    wall: float
    cpu: float

    def __sub__(self, other: Cost) -> Cost:
        return Cost(self.wall - other.wall, self.cpu - other.cpu)


def total(costs: Iterable[Cost]) -> Cost:
    """The sum of costs that do not overlap."""
    costs = list(costs)
    return Cost(sum(cost.wall for cost in costs), sum(cost.cpu for cost in costs))


def spent() -> Cost:
    """What this process and the ended ones that it started have spent; only differences count."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return Cost(time.perf_counter(), sum(usage.ru_utime + usage.ru_stime for usage in usages))


def peak_gigabytes(who: int = resource.RUSAGE_SELF) -> float:
    """The most memory (10^9 bytes) a process has had: this one, or the largest that it started.

    On Linux a process begins with the peak of the one that started it.
    """
    return resource.getrusage(who).ru_maxrss * MAXRSS_BYTES / 1e9
