"""Raw files to staged rows: values read, bad rows rejected, duplicate keys removed."""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal, DecimalException
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from oracle.rules import Rules

RawTables = dict[str, list[dict[str, str | None]]]

BLANK = " \t\r\n"
MISSING, UNREADABLE, NOT_ALLOWED = "missing_value", "unreadable_value", "not_allowed"
EPOCH = datetime(1970, 1, 1)
LONGEST_SECONDS = 86_400_000  # an interaction of more than 1,000 days is a mistake
MICROSECOND = timedelta(microseconds=1)

NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
TIMESTAMP = re.compile(
    r"(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"([ T](?P<hour>[0-9]{2}):(?P<minute>[0-9]{2})(:(?P<second>[0-9]{2})(\.(?P<fraction>[0-9]+))?)?"
    r"(?P<zone>Z|[+-][0-9]{2}(:[0-9]{2})?)?)?"
)
BOOLEANS = {
    **dict.fromkeys(("true", "t", "1", "yes", "y"), True),
    **dict.fromkeys(("false", "f", "0", "no", "n"), False),
}


class BadValueError(Exception):
    """A value that cannot be read or breaks its column's rule; the message is the reject reason."""


class Stamp(NamedTuple):
    """A point in time: microseconds since 1970 UTC (comparable), and its business date."""

    instant: int
    day: date


@dataclass(frozen=True)
class Setting:
    """What reading a value depends on beside its text."""

    rules: Rules
    run_date: date


Reader = Callable[[str, Setting], Any]


# -- Readers of one trimmed, non-empty text. Each raises BadValueError. ----------------------------


def read_text(text: str, setting: Setting) -> str:
    """Any text."""
    return text


def read_word(text: str, setting: Setting) -> str:
    """Any text, in lower case."""
    return text.lower()


def read_decimal(places: int) -> Reader:
    """Reader of a decimal(18, places); further decimals are rounded half away from zero."""
    limit = Decimal(10) ** (18 - places)

    def read(text: str, setting: Setting) -> Decimal:
        if not NUMBER.fullmatch(text):
            raise BadValueError(UNREADABLE)
        try:
            value = Decimal(text)
            if abs(value) < limit:
                value = value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
        except DecimalException:
            raise BadValueError(UNREADABLE) from None
        if abs(value) >= limit:
            raise BadValueError(UNREADABLE)
        return value

    return read


def allowed(reader: Reader, rule: Callable[[Any], bool]) -> Reader:
    """Reader whose value must also obey a rule."""

    def read(text: str, setting: Setting) -> Any:
        value = reader(text, setting)
        if not rule(value):
            raise BadValueError(NOT_ALLOWED)
        return value

    return read


def read_whole_number(text: str, setting: Setting) -> int:
    """A whole number of 64 bits; 2.0 is one, 1.5 is none."""
    if not NUMBER.fullmatch(text) or Decimal(text) % 1 or abs(Decimal(text)) >= 2**63:
        raise BadValueError(UNREADABLE)
    return int(Decimal(text))


def read_boolean(text: str, setting: Setting) -> bool:
    """true/t/1/yes/y or false/f/0/no/n in any case."""
    if text.lower() not in BOOLEANS:
        raise BadValueError(UNREADABLE)
    return BOOLEANS[text.lower()]


def read_code(pattern: str, change: Callable[[str], str]) -> Reader:
    """Reader of a code whose whole text must match a pattern; its case is made one."""

    def read(text: str, setting: Setting) -> str:
        if not re.fullmatch(pattern, text, re.IGNORECASE | re.ASCII):
            raise BadValueError(NOT_ALLOWED)
        return change(text)

    return read


def read_status(text: str, setting: Setting) -> str:
    """An order status, or a word for one that the seed knows, in any case."""
    status = setting.rules.order_statuses.get(text.lower())
    if status is None:
        raise BadValueError(NOT_ALLOWED)
    return status


def read_stamp(text: str, setting: Setting) -> Stamp:
    """An ISO 8601 date or timestamp; without a zone it is in source_time_zone."""
    local, offset = _parse_timestamp(text)
    same_zone = setting.rules.source_time_zone == setting.rules.business_time_zone
    is_zoneless = offset is None
    if is_zoneless:
        offset = later_instant_offset(local, ZoneInfo(setting.rules.source_time_zone))
    instant = (local - EPOCH) // MICROSECOND - offset // MICROSECOND
    if is_zoneless and same_zone:
        return Stamp(instant, local.date())
    return Stamp(instant, _day_in(instant, setting.rules.business_time_zone, local.date()))


def later_instant_offset(local: datetime, zone: ZoneInfo) -> timedelta:
    """UTC offset of a zone-less local time.

    Of the two offsets around a change of clocks the smaller gives the later instant: that is the
    later reading of an ambiguous time, and the offset before the gap of a time that does not exist.
    """
    return min(local.replace(tzinfo=zone, fold=fold).utcoffset() for fold in (0, 1))


def read_order_time(text: str, setting: Setting) -> Stamp:
    """ordered_at: its business date lies between history_starts_on and the run date."""
    stamp = read_stamp(text, setting)
    if stamp.day > setting.run_date:
        raise BadValueError("after_run_date")
    if stamp.day < setting.rules.history_starts_on:
        raise BadValueError("before_history")
    return stamp


def read_past_stamp(text: str, setting: Setting) -> Stamp:
    """A timestamp whose business date is not after the run date."""
    stamp = read_stamp(text, setting)
    if stamp.day > setting.run_date:
        raise BadValueError(NOT_ALLOWED)
    return stamp


def read_date(text: str, setting: Setting) -> date:
    """An ISO date, or a timestamp cut to its date."""
    return _parse_timestamp(text)[0].date()


def read_birth_date(text: str, setting: Setting) -> date:
    """A date between 1900 and the run date."""
    day = read_date(text, setting)
    if not date(1900, 1, 1) <= day <= setting.run_date:
        raise BadValueError(NOT_ALLOWED)
    return day


def _parse_timestamp(text: str) -> tuple[datetime, timedelta | None]:
    """Local time and UTC offset (None: no zone given). Fractions are cut to microseconds."""
    match = TIMESTAMP.fullmatch(text)
    if not match:
        raise BadValueError(UNREADABLE)
    part = match.groupdict(default="0")
    try:
        local = datetime.fromisoformat(part["day"]).replace(
            hour=int(part["hour"]),
            minute=int(part["minute"]),
            second=int(part["second"]),
            microsecond=int(part["fraction"][:6].ljust(6, "0")),
        )
    except ValueError:
        raise BadValueError(UNREADABLE) from None
    return local, _parse_zone(match["zone"])


def _parse_zone(zone: str | None) -> timedelta | None:
    if zone is None or zone == "Z":
        return None if zone is None else timedelta(0)
    hours, minutes = int(zone[1:3]), int(zone[4:6] or 0)
    if hours > 15 or minutes > 59:
        raise BadValueError(UNREADABLE)
    offset = timedelta(hours=hours, minutes=minutes)
    return -offset if zone[0] == "-" else offset


def _day_in(instant: int, zone: str, own_day: date) -> date:
    """Date of an instant in a zone; the value's own date at the very ends of the calendar."""
    try:
        utc = (EPOCH + instant * MICROSECOND).replace(tzinfo=ZoneInfo("UTC"))
        return utc.astimezone(ZoneInfo(zone)).date()
    except OverflowError:
        return own_day


# -- The raw contract ------------------------------------------------------------------------------


class Column(NamedTuple):
    """A contract column. A bad value rejects the row if it is required or ``rejects``.

    ``rule`` says whether a value goes with the values of the columns before it.
    """

    name: str
    read: Reader = read_text
    is_required: bool = False
    rejects: bool = False
    rule: Callable[[Any, dict[str, Any]], bool] | None = None


class Table(NamedTuple):
    """A contract table: its key, the column by which the newest duplicate wins, its amount."""

    columns: tuple[Column, ...]
    key: tuple[str, ...]
    newest_by: str | None = None
    amount: str | None = None


def required(name: str, read: Reader = read_text, **more: Any) -> Column:
    """A column that every row must have."""
    return Column(name, read, is_required=True, rejects=True, **more)


SURVEY_SCORES = {"nps": range(0, 11), "csat": range(1, 6)}


def is_survey_score(score: int, values: dict[str, Any]) -> bool:
    """Whether an answer's score is one of its type of survey; a type not known allows any."""
    survey_type = values["survey_type"]
    return survey_type is None or score in SURVEY_SCORES[survey_type]


read_amount = read_decimal(2)
read_amount_from_zero = allowed(read_amount, lambda amount: amount >= 0)
read_currency = read_code("[a-z]{3}", str.upper)

CONTRACT: dict[str, Table] = {
    "customers": Table(
        columns=(
            required("customer_id"),
            Column("customer_type", read_code("person|company", str.lower)),
            Column("full_name"),
            Column("email"),
            Column("phone"),
            Column("birth_date", read_birth_date),
            Column("gender"),
            Column("country_code", read_code("[a-z]{2}", str.upper)),
            Column("region"),
            Column("city"),
            Column("postal_code"),
            Column("industry"),
            Column("company_size"),
            Column("parent_customer_id"),
            Column("acquisition_channel"),
            Column("signed_up_at", read_stamp),
            Column("marketing_consent", read_boolean),
            Column("updated_at", read_stamp),
        ),
        key=("customer_id",),
        newest_by="updated_at",
    ),
    "orders": Table(
        columns=(
            required("order_id"),
            Column("customer_id"),
            required("ordered_at", read_order_time),
            required("status", read_status),
            required("order_amount", read_amount_from_zero),
            Column("discount_amount", read_amount_from_zero),
            Column("currency_code", read_currency, rejects=True),
            Column("channel"),
            Column("store_id"),
            Column("is_test", read_boolean, rejects=True),
            Column("cancelled_at", read_stamp),
            Column("returned_at", read_stamp),
            Column("updated_at", read_stamp),
        ),
        key=("order_id",),
        newest_by="updated_at",
        amount="order_amount",
    ),
    "order_items": Table(
        columns=(
            required("order_id"),
            required("line_number", read_whole_number),
            Column("product_id"),
            Column("quantity", read_decimal(3)),
            Column("line_amount", read_amount),
        ),
        key=("order_id", "line_number"),
        amount="line_amount",
    ),
    "products": Table(
        columns=(
            required("product_id"),
            Column("product_name"),
            Column("category"),
            Column("product_type", read_code("product|service|solution", str.lower)),
        ),
        key=("product_id",),
    ),
    "refunds": Table(
        columns=(
            required("refund_id"),
            required("order_id"),
            required("refunded_at", read_stamp),
            required("refund_amount", read_amount_from_zero),
        ),
        key=("refund_id",),
        amount="refund_amount",
    ),
    "exchange_rates": Table(
        columns=(
            required("rate_date", read_date),
            required("currency_code", read_currency),
            required("rate_to_reporting", allowed(read_decimal(8), lambda rate: rate > 0)),
        ),
        key=("rate_date", "currency_code"),
    ),
    "customer_merges": Table(
        columns=(
            required("from_customer_id"),
            required("into_customer_id"),
            required("merged_at", read_stamp),
        ),
        key=("from_customer_id", "into_customer_id"),
        newest_by="merged_at",
    ),
    "erasure_requests": Table(
        columns=(required("customer_id"), required("requested_at", read_stamp)),
        key=("customer_id",),
        newest_by="requested_at",
    ),
    "interactions": Table(
        columns=(
            required("interaction_id"),
            required("customer_id"),
            required("occurred_at", read_past_stamp),
            Column("channel"),
            Column("interaction_type", read_code("visit|call|message|usage", str.lower)),
            Column(
                "duration_seconds",
                allowed(read_whole_number, lambda seconds: 0 <= seconds <= LONGEST_SECONDS),
            ),
        ),
        key=("interaction_id",),
    ),
    "tickets": Table(
        columns=(
            required("ticket_id"),
            required("customer_id"),
            required("opened_at", read_past_stamp),
            Column("closed_at", read_stamp),
            Column("ticket_type", read_code("complaint|question|suggestion", str.lower)),
            Column("severity", read_word),
            Column("satisfaction_score", allowed(read_whole_number, lambda score: 1 <= score <= 5)),
        ),
        key=("ticket_id",),
    ),
    "survey_responses": Table(
        columns=(
            required("response_id"),
            required("customer_id"),
            required("responded_at", read_past_stamp),
            Column("survey_type", read_code("nps|csat", str.lower)),
            required("score", read_whole_number, rule=is_survey_score),
        ),
        key=("response_id",),
    ),
    "referrals": Table(
        columns=(
            required("referral_id"),
            required("referrer_customer_id"),
            Column("referred_customer_id"),
            required("referred_at", read_past_stamp),
            Column("converted_at", read_stamp),
        ),
        key=("referral_id",),
    ),
}


# -- Raw files -------------------------------------------------------------------------------------


def load_raw(folder: str | Path) -> RawTables:
    """Read the raw contract's CSV files: ``<table>.csv``, or every CSV file of ``<table>/``.

    Files are read in name order. A missing table is an empty list; a missing column, like an empty
    cell, is None; columns outside the contract are ignored.
    """
    return {
        name: [row for file in _files(Path(folder), name) for row in _rows(file, table)]
        for name, table in CONTRACT.items()
    }


def _files(folder: Path, table: str) -> list[Path]:
    return sorted([*folder.glob(f"{table}.csv"), *folder.glob(f"{table}/*.csv")])


def _rows(path: Path, table: Table) -> list[dict[str, str | None]]:
    with open(path, encoding="utf-8-sig", newline="") as file:
        return [
            {column.name: row.get(column.name) or None for column in table.columns}
            for row in csv.DictReader(file)
        ]


# -- Staging ---------------------------------------------------------------------------------------


class RejectedRecord(NamedTuple):
    """One rejected row (action rejected) or one value made NULL (action nulled)."""

    source_table: str
    source_key: str
    action: str
    reject_reason: str
    column_name: str


@dataclass(frozen=True)
class Row:
    """One raw row that was read: typed values, its raw text, and its amount (0 if unreadable)."""

    source_key: str
    text: str
    amount: Decimal
    values: dict[str, Any]

    def __getitem__(self, column: str) -> Any:
        return self.values[column]


@dataclass
class StagedTable:
    """A table on its way through staging; every raw row is in exactly one of the three lists."""

    rows_in: int
    amount_in: Decimal
    staged: list[Row] = field(default_factory=list)
    duplicates: list[Row] = field(default_factory=list)
    rejected: list[Row] = field(default_factory=list)
    excess: Decimal = Decimal(0)


@dataclass
class Reconciliation:
    """Rows and amounts of one raw table by what became of them (amounts None without one)."""

    source_table: str
    rows_in: int
    rows_staged: int
    rows_duplicate: int
    rows_rejected: int
    amount_in: Decimal | None
    amount_staged: Decimal | None
    amount_duplicate: Decimal | None
    amount_rejected: Decimal | None


@dataclass
class Staging:
    """All tables while staging goes on, and everything rejected so far."""

    tables: dict[str, StagedTable]
    records: list[RejectedRecord]

    def rows(self, table: str) -> list[Row]:
        """The rows still accepted."""
        return self.tables[table].staged

    def reject(self, table: str, rows: list[Row], reason: str, column: str) -> None:
        """Reject rows already staged, by a rule that looks across rows or tables."""
        gone = {id(row) for row in rows}
        staged = self.tables[table]
        staged.rejected += rows
        staged.staged = [row for row in staged.staged if id(row) not in gone]
        self.records += [
            RejectedRecord(table, row.source_key, "rejected", reason, column) for row in rows
        ]

    def cut_refund(self, row: Row, excess: Decimal) -> None:
        """Stage a refund up to its order's amount; the excess counts as rejected."""
        self.tables["refunds"].excess += excess
        self.records.append(
            RejectedRecord(
                "refunds", row.source_key, "nulled", "refund_exceeds_order", "refund_amount"
            )
        )


def stage(raw: RawTables, rules: Rules, run_date: date) -> Staging:
    """Read every raw row: reject or null bad values first, then remove duplicate keys."""
    staging = Staging({}, [])
    setting = Setting(rules, run_date)
    for name, table in CONTRACT.items():
        staged = StagedTable(rows_in=0, amount_in=Decimal(0))
        staging.tables[name] = staged
        for raw_row in raw.get(name, []):
            row, records = _read_row(name, table, raw_row, setting)
            staged.rows_in += 1
            staged.amount_in += row.amount
            staging.records += records
            is_rejected = any(record.action == "rejected" for record in records)
            (staged.rejected if is_rejected else staged.staged).append(row)
        _remove_duplicates(table, staged)
    return staging


def _read_row(
    name: str, table: Table, raw_row: dict[str, str | None], setting: Setting
) -> tuple[Row, list[RejectedRecord]]:
    """The row's typed values and its records: one if it is rejected, else one a nulled value."""
    values: dict[str, Any] = {}
    records = []
    texts = {column.name: raw_row.get(column.name) or "" for column in table.columns}
    trimmed = {column: text.strip(BLANK) for column, text in texts.items()}
    source_key = "|".join(trimmed[column] for column in table.key)
    for column in table.columns:
        try:
            values[column.name] = _read_value(column, trimmed[column.name], values, setting)
        except BadValueError as bad:
            values[column.name] = None
            action = "rejected" if column.rejects else "nulled"
            records.append(RejectedRecord(name, source_key, action, str(bad), column.name))
    rejections = [record for record in records if record.action == "rejected"]
    amount = _amount(trimmed[table.amount], setting) if table.amount else Decimal(0)
    row = Row(source_key, "\x1f".join(texts.values()), amount, values)
    return row, rejections[:1] or records


def _read_value(column: Column, text: str, before: dict[str, Any], setting: Setting) -> Any:
    """The column's value; ``before`` are those of the columns before it."""
    if text:
        value = column.read(text, setting)
        if column.rule is not None and not column.rule(value, before):
            raise BadValueError(NOT_ALLOWED)
        return value
    if column.is_required:
        raise BadValueError(MISSING)
    return None


def _amount(text: str, setting: Setting) -> Decimal:
    try:
        return read_amount(text, setting)
    except BadValueError:
        return Decimal(0)


def _remove_duplicates(table: Table, staged: StagedTable) -> None:
    """Of each key keep the newest row (NULL is oldest), on ties the smallest text in byte order."""
    by_key: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for row in staged.staged:
        by_key[tuple(row[column] for column in table.key)].append(row)
    staged.staged = []
    for rows in by_key.values():
        rows.sort(key=lambda row: (-_newness(table, row), row.text.encode()))
        staged.staged.append(rows[0])
        staged.duplicates += rows[1:]


def _newness(table: Table, row: Row) -> float:
    stamp = row[table.newest_by] if table.newest_by else None
    return float("-inf") if stamp is None else stamp.instant


def reconcile(staging: Staging) -> list[Reconciliation]:
    """One row a raw table: rows in = staged + duplicates + rejected, and so the amounts."""
    return [_reconcile(name, table, staging.tables[name]) for name, table in CONTRACT.items()]


def _reconcile(name: str, table: Table, staged: StagedTable) -> Reconciliation:
    parts = (staged.staged, staged.duplicates, staged.rejected)
    amounts: tuple[Decimal | None, ...] = (None,) * 4
    if table.amount:
        in_staged, in_duplicates, in_rejected = (
            sum((row.amount for row in rows), Decimal(0)) for rows in parts
        )
        amounts = (
            staged.amount_in,
            in_staged - staged.excess,
            in_duplicates,
            in_rejected + staged.excess,
        )
    return Reconciliation(name, staged.rows_in, *(len(rows) for rows in parts), *amounts)
