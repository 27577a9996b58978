"""The days of the sample, and how much is ordered on each."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

FIRST_DAY = date(2023, 1, 1)
LAST_DAY = date(2025, 12, 15)
LAST_MOMENT = datetime.combine(LAST_DAY, time(23, 59, 59))
DAYS = [FIRST_DAY + timedelta(n) for n in range((LAST_DAY - FIRST_DAY).days + 1)]
MONTHS = sorted({day.replace(day=1) for day in DAYS})
SPRING_FESTIVALS = (date(2023, 1, 22), date(2024, 2, 10), date(2025, 1, 29))


def season(day: date) -> float:
    """How much is ordered on a day, against an ordinary weekday."""
    weight = 1.2 if day.weekday() >= 5 else 1.0
    if any(-4 <= (day - festival).days <= 8 for festival in SPRING_FESTIVALS):
        return weight * 0.3
    if (day.month, day.day) in ((11, 11), (6, 18)):
        return weight * 6
    if (day.month == 11 and day.day < 11) or (day.month == 6 and 8 <= day.day < 18):
        return weight * 2
    if day.month == 12 and day.day >= 10:
        return weight * 1.5
    return weight


SEASON = {day: season(day) for day in DAYS}
