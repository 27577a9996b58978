"""What a mapping says beside its files: time zone, reporting currency, words, and whether ids of customers are personal.

All of it is read off the rows that the mapping makes; what they do not say is asked.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from zoneinfo import available_timezones

import duckdb
import yaml

from customer_tiering.configuration import Settings
from customer_tiering.onboarding.questions import Answer, Answers, Question
from customer_tiering.onboarding.recognising import Export, data_types
from customer_tiering.onboarding.selects import templates

# Signs of one currency alone, then those of several, with the likeliest.
SIGNS = {
    "€": "EUR",
    "£": "GBP",
    "₹": "INR",
    "₩": "KRW",
    "₫": "VND",
    "₽": "RUB",
    "₺": "TRY",
    "zł": "PLN",
}
LIKELY_SIGNS = {"$": "USD", "¥": "CNY", "￥": "CNY", "元": "CNY", "kr": "SEK"}
ZONES = {"CNY": "Asia/Shanghai", "INR": "Asia/Kolkata", "GBP": "Europe/London", "JPY": "Asia/Tokyo"}
YES_AND_NO = {
    "ja": "true", "oui": "true", "si": "true", "sí": "true", "subscribed": "true", "opted in": "true",
    "nein": "false", "non": "false", "unsubscribed": "false", "not_subscribed": "false", "opted out": "false",
}  # fmt: skip
MOST_WORDS = 30  # that are asked for; a column with more of them is hardly one of states


class MappingSettings:
    """The settings of a mapping, from the rows that it makes for each of its tables: `tables` are where they are."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        project: Path,
        settings: Settings,
        answers: Answers,
        tables: Mapping[str, str],
    ) -> None:
        self._connection = connection
        self._project = project
        self._settings = settings
        self._answers = answers
        self._tables = tables
        self._columns = {
            table: [
                row[0] for row in connection.execute(f"describe select * from {rows}").fetchall()
            ]
            for table, rows in tables.items()
        }

    def text(
        self,
        sources: Mapping[str, Mapping[str, Any]],
        words: Mapping[str, Mapping[str, str]],
        currency_of_signs: tuple[str, bool],
        personal_ids: str,
    ) -> str:
        """mapping.yml."""
        currency = self._currency(*currency_of_signs)
        said = {
            column: {word: Answer(meaning) for word, meaning in one.items()}
            for column, one in words.items()
        }
        for column, found in (
            ("orders.status", self._states()),
            ("customers.marketing_consent", self._consents()),
        ):
            if answers := dict(found):
                said[column] = {**said.get(column, {}), **answers}
        return (
            templates()
            .get_template("mapping.yml.j2")
            .render(
                scalar=lambda value: (
                    json.dumps(value, ensure_ascii=False)
                    if isinstance(value, list)
                    else yaml.safe_dump(value, allow_unicode=True, width=10_000)
                    .removesuffix("...\n")
                    .strip()
                ),
                currency=currency,
                zone=self._zone(
                    "" if currency.mark and not currency_of_signs[0] else currency.value
                ),
                personal_ids=personal_ids,
                sources=sources,
                words=said,
            )
        )

    def personal_ids(self) -> str:
        """What ids of customers are, where they are personal data; else empty."""
        for table in ("customers", "orders"):
            if "customer_id" in self._columns.get(table, []) and self._counts(
                table, "count(*) filter (contains(read_text(customer_id), '@'))"
            ) != (0,):
                return "e-mail addresses"
        return ""

    def _counts(self, table: str, *measures: str) -> tuple[Any, ...]:
        query = f"select {', '.join(measures)} from {self._tables[table]}"
        return self._connection.execute(query).fetchone() or ()

    def _zone(self, currency: str) -> Answer:
        """The time zone of times that say none; not asked where all say one."""
        days = times = 0
        for table, column in self._moments():
            local, other = (
                f"read_timestamp({column}, '{zone}')" for zone in ("UTC", "Asia/Shanghai")
            )
            without = f"{local} is distinct from {other}"
            found = self._counts(
                table,
                f"count(*) filter ({without})",
                f"count(*) filter ({without} and {local} <> date_trunc('day', {local}))",
            )
            days, times = days + found[0], times + found[1]
        if not days:
            return Answer("")
        if times:
            text = "in which time zone are times that say none?"
            proposal = ZONES.get(currency, self._settings.source_time_zone)
        else:
            text = (
                "dates say no time zone; is it the one of your business (var business_time_zone)?"
            )
            proposal = self._settings.business_time_zone
        question = Question(
            "source_time_zone", text, proposal, tuple(sorted(available_timezones()))
        )
        return self._answers.to(question)

    def _moments(self) -> Iterator[tuple[str, str]]:
        types = data_types(self._project)
        for table, columns in self._columns.items():
            yield from ((table, name) for name in columns if types.get(name) == "timestamp")

    def _currency(self, of_signs: str, is_certain: bool) -> Answer:
        """The reporting currency: the only one that orders have, or that the signs beside amounts say; else asked."""
        found: list[str] = []
        if "currency_code" in self._columns["orders"]:
            code = "upper(read_text(currency_code))"
            rows = self._connection.execute(
                f"select {code} from {self._tables['orders']} where {code} is not null group by 1 order by count(*) desc, 1"
            )
            found = [row[0] for row in rows.fetchall()]
        if len(found) == 1 or (of_signs and is_certain and not found):
            return Answer(next(iter([*found, of_signs])))
        if found:
            text = f"orders are in {', '.join(found[:6])}; in which one is revenue counted?"
        else:
            text = "in which currency are the amounts?"
        proposal = next(iter([*found, of_signs]), "") or self._settings.reporting_currency
        return self._answers.to(Question("reporting_currency", text, proposal))

    def _states(self) -> Iterator[tuple[str, Answer]]:
        """Words for states of orders that the project does not know."""
        with (self._project / "seeds/order_statuses.csv").open(
            encoding="utf-8", newline=""
        ) as file:
            known = {
                row["source_status"].lower(): row["order_status"] for row in csv.DictReader(file)
            }
        states = tuple(dict.fromkeys(known.values()))
        for word, rows in self._words("orders", "status"):
            if word not in known:
                text = f"what does the status {word} of {rows} orders mean?"
                yield (
                    word,
                    self._answers.to(Question(f"words.orders.status.{word}", text, "", states)),
                )

    def _consents(self) -> Iterator[tuple[str, Answer]]:
        """Words of several languages for yes and no."""
        for word, _ in self._words("customers", "marketing_consent"):
            if word in YES_AND_NO:
                yield word, Answer(YES_AND_NO[word])

    def _words(self, table: str, column: str) -> list[tuple[str, int]]:
        if column not in self._columns.get(table, []):
            return []
        return self._connection.execute(
            f"select lower(read_text({column})), count(*) from {self._tables[table]} "
            f"where read_text({column}) is not null group by 1 order by 2 desc, 1 limit {MOST_WORDS}"
        ).fetchall()


def currency_of_signs(connection: duckdb.DuckDBPyConnection, export: Export) -> tuple[str, bool]:
    """The currency whose sign or code stands beside an export's amounts, and whether it is certain. Empty for none."""
    columns = [
        column
        for said in ("order_amount", "amount", "line_amount", "unit_price")
        for column in export.columns.get(said, [])
    ]
    for column in columns:
        beside = f"regexp_extract(read_text({column.sql}), '[^\\d\\s.,()+-]+')"
        rows = connection.execute(
            f"select {beside} as sign from {export.relation} where sign <> '' group by 1 order by count(*) desc, 1"
        ).fetchall()
        for (sign,) in rows[:1]:
            if len(sign) == 3 and sign.isascii() and sign.isupper():
                return sign, len(rows) == 1
            if sign in SIGNS or sign in LIKELY_SIGNS:
                return {**SIGNS, **LIKELY_SIGNS}[sign], sign in SIGNS and len(rows) == 1
    # a header in Chinese makes no other currency likelier
    return ("CNY" if re.search("[一-鿿]", "".join(export.header)) else ""), False
