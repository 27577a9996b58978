"""Random numbers, amounts and moments, and how files write them."""

from __future__ import annotations

import math
import random
from datetime import date, datetime, time, timedelta


def draw(rng: random.Random, weights: dict[str, int]) -> str:
    """One key, with its weight's chance."""
    return rng.choices(list(weights), weights=list(weights.values()))[0]


def poisson(rng: random.Random, mean: float) -> int:
    """A Poisson number (Knuth's method; the mean is small here)."""
    limit, product, count = math.exp(-mean), rng.random(), 0
    while product > limit:
        product *= rng.random()
        count += 1
    return count


def money(cents: int) -> str:
    """Cents as text with two decimals; cents >= 0."""
    return f"{cents // 100}.{cents % 100:02d}"


def cents(text: str) -> int:
    """The reverse of money()."""
    return int(text.replace(".", ""))


def spell(moment: datetime, spelling: str = "plain") -> str:
    """A UTC moment as text, in the spelling of one of the source systems."""
    if spelling == "zulu":
        return f"{moment:%Y-%m-%dT%H:%M:%S}Z"
    if spelling == "shanghai":
        return f"{moment + timedelta(hours=8):%Y-%m-%dT%H:%M:%S}+08:00"
    if spelling == "fraction":
        return f"{moment:%Y-%m-%d %H:%M:%S}.{moment.second * 16 % 1000:03d}"
    if spelling == "date":
        return f"{moment:%Y-%m-%d}"
    return f"{moment:%Y-%m-%d %H:%M:%S}"


def at_business_hours(rng: random.Random, day: date) -> datetime:
    """A moment of that day, most often in the evening in Shanghai (00:00 to 15:54 UTC)."""
    seconds = int(rng.triangular(0, 15.9 * 3600, 12 * 3600))
    return datetime.combine(day, time()) + timedelta(seconds=seconds)


def later(rng: random.Random, moment: datetime, low: float, high: float) -> datetime:
    """A moment `low` to `high` days later; earlier for negative days."""
    return moment + timedelta(seconds=int(rng.uniform(low, high) * 86400))
