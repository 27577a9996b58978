"""Raw files to staged rows: values read, bad rows rejected, duplicate keys removed."""

from __future__ import annotations

import csv
import re
import unicodedata
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

INVISIBLE = {"Zs", "Zl", "Zp", "Cc", "Cf"}  # general categories of blanks and marks without width
MISSING, UNREADABLE, NOT_ALLOWED = "missing_value", "unreadable_value", "not_allowed"
CREDIT_NOTE = "credit_note_without_order"
LATE, EARLY, RESERVED = "after_run_date", "before_history", "reserved_id"
RESERVED_MARK = "reserved:erased_"
EPOCH = datetime(1970, 1, 1)
LONGEST_SECONDS = 86_400_000  # an interaction of more than 1,000 days is a mistake
MICROSECOND = timedelta(microseconds=1)

NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
MONTHS = {
    name: number
    for number, names in enumerate(
        (
            ("jan", "january"),
            ("feb", "february"),
            ("mar", "march"),
            ("apr", "april"),
            ("may",),
            ("jun", "june"),
            ("jul", "july"),
            ("aug", "august"),
            ("sep", "sept", "september"),
            ("oct", "october"),
            ("nov", "november"),
            ("dec", "december"),
        ),
        start=1,
    )
    for name in names
}
WEEKDAY = re.compile(
    r"(mon|tue|tues|wed|wednes|thu|thurs|thur|fri|sat|satur|sun)(day)?,? ", re.IGNORECASE
)
# The ways to write a day that can mean one alone. A month is a number or an English name.
DAYS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"(?P<y>[0-9]{4})[-/. ](?P<m>[0-9]{1,2}|[a-z]+)[-/. ](?P<d>[0-9]{1,2})",
        r"(?P<y>[0-9]{4}) ?年 ?(?P<m>[0-9]{1,2}) ?月 ?(?P<d>[0-9]{1,2}) ?日",
        r"(?P<y>[0-9]{4})(?P<m>[0-9]{2})(?P<d>[0-9]{2})(?![0-9])",
        r"(?P<d>[0-9]{1,2})(st|nd|rd|th)?[ .-]*(?P<m>[a-z]{3,9})[ .,-]+(?P<y>[0-9]{4})",
        r"(?P<m>[a-z]{3,9})[ .-]+(?P<d>[0-9]{1,2})(st|nd|rd|th)?[ ,-]+(?P<y>[0-9]{4})",
    )
)
# What may follow a day: a time, with a half of the day, and a zone; each pattern takes the whole rest.
HALF = r"(am|pm|上午|下午)"
ZONE = r"( *(?P<zone>Z|UTC|GMT|[+-][0-9]{2}(:?[0-9]{2})?))?"
TIMES = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"[ T,]+(?P<before>{HALF} ?)?(?P<hour>[0-9]{{1,2}}):(?P<minute>[0-9]{{2}})"
        rf"(:(?P<second>[0-9]{{2}})?)?([.,](?P<fraction>[0-9]+))?( ?(?P<after>{HALF}))?{ZONE}",
        rf" ?(?P<before>{HALF} ?)?(?P<hour>[0-9]{{1,2}}) ?[时時点點] ?(?P<minute>[0-9]{{2}}) ?分"
        rf"( ?(?P<second>[0-9]{{2}}) ?秒)?( ?(?P<after>{HALF}))?{ZONE}",
        rf"[ T](?P<hour>[0-9]{{2}})(?P<minute>[0-9]{{2}})(?P<second>[0-9]{{2}})"
        rf"(\.(?P<fraction>[0-9]+))?{ZONE}",
    )
)
DIGITS_ALONE = re.compile(r"([0-9]{8})([0-9]{6})(?![0-9])")
BOOLEANS = {
    **dict.fromkeys(("true", "t", "1", "yes", "y", "是"), True),
    **dict.fromkeys(("false", "f", "0", "no", "n", "否"), False),
}
# Words for the countries of tests, in small letters, by hand.
COUNTRIES = {
    **dict.fromkeys(("br", "bra", "brazil", "巴西"), "BR"),
    **dict.fromkeys(
        ("ci", "civ", "côte d'ivoire", "cote d'ivoire", "ivory coast", "科特迪瓦"), "CI"
    ),
    **dict.fromkeys(("cn", "chn", "china", "中国", "中國", "中国大陆", "prc"), "CN"),
    **dict.fromkeys(("de", "deu", "germany", "federal republic of germany", "德国"), "DE"),
    **dict.fromkeys(("gb", "gbr", "uk", "u.k.", "united kingdom", "great britain", "英国"), "GB"),
    **dict.fromkeys(("hk", "hkg", "hong kong", "hong kong sar", "香港", "中国香港"), "HK"),
    **dict.fromkeys(("ie", "irl", "ireland", "eire", "爱尔兰"), "IE"),
    **dict.fromkeys(("kh", "khm", "cambodia", "柬埔寨"), "KH"),
    **dict.fromkeys(("kr", "kor", "south korea", "korea, republic of", "韩国"), "KR"),
    **dict.fromkeys(("mx", "mex", "mexico", "墨西哥"), "MX"),
    **dict.fromkeys(("na", "nam", "namibia", "纳米比亚"), "NA"),
    **dict.fromkeys(("ru", "rus", "russia", "russian federation", "俄罗斯"), "RU"),
    **dict.fromkeys(("se", "swe", "sweden", "瑞典"), "SE"),
    **dict.fromkeys(("sg", "sgp", "singapore", "新加坡"), "SG"),
    **dict.fromkeys(("tr", "tur", "turkey", "türkiye", "土耳其"), "TR"),
    **dict.fromkeys(("tw", "twn", "taiwan", "台湾", "臺灣"), "TW"),
    **dict.fromkeys(
        ("us", "usa", "u.s.a.", "united states", "united states of america", "美国"), "US"
    ),
    **dict.fromkeys(("vc", "vct", "st. vincent and the grenadines"), "VC"),
    **dict.fromkeys(("vn", "vnm", "viet nam", "vietnam", "越南"), "VN"),
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
    nobody: frozenset[str] = frozenset()  # words, in small letters, that as an id mean no customer


Reader = Callable[[str, Setting], Any]


def trim(text: str) -> str:
    """The text without what nobody sees at its ends."""
    start, end = 0, len(text)
    while start < end and unicodedata.category(text[start]) in INVISIBLE:
        start += 1
    while start < end and unicodedata.category(text[end - 1]) in INVISIBLE:
        end -= 1
    return text[start:end]


def half_width(text: str) -> str:
    """The text as a plain keyboard writes it: full-width characters and other blanks made plain."""
    plain = []
    for character in text:
        if unicodedata.category(character) in ("Zs", "Zl", "Zp"):
            plain.append(" ")
        elif character == "\u2212":  # a minus
            plain.append("-")
        elif "\uff01" <= character <= "\uff5e":
            plain.append(chr(ord(character) - 0xFEE0))
        else:
            plain.append(character)
    return "".join(plain)


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
        text = half_width(text)
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
    text = half_width(text)
    if not NUMBER.fullmatch(text) or Decimal(text) % 1 or abs(Decimal(text)) >= 2**63:
        raise BadValueError(UNREADABLE)
    return int(Decimal(text))


def read_boolean(text: str, setting: Setting) -> bool:
    """true/t/1/yes/y/是 or false/f/0/no/n/否 in any case."""
    word = half_width(text).lower()
    if word not in BOOLEANS:
        raise BadValueError(UNREADABLE)
    return BOOLEANS[word]


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


def read_country(text: str, setting: Setting) -> str:
    """The code of a country by a word for it, in any case."""
    code = COUNTRIES.get(text.lower())
    if code is None:
        raise BadValueError(NOT_ALLOWED)
    return code


def read_order_amount(text: str, setting: Setting) -> Decimal:
    """An order's amount; one below zero is a credit note, which names no order."""
    amount = read_decimal(2)(text, setting)
    if amount < 0:
        raise BadValueError(CREDIT_NOTE)
    return amount


def read_stamp(text: str, setting: Setting) -> Stamp:
    """A date or timestamp in any form that means one alone; without a zone in source_time_zone."""
    local, offset = _parse_timestamp(text)
    if offset is None:
        offset = later_instant_offset(local, ZoneInfo(setting.rules.source_time_zone))
    instant = (local - EPOCH) // MICROSECOND - offset // MICROSECOND
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
        raise BadValueError(LATE)
    if stamp.day < setting.rules.history_starts_on:
        raise BadValueError(EARLY)
    return stamp


def read_past_stamp(text: str, setting: Setting) -> Stamp:
    """A timestamp whose business date is not after the run date."""
    stamp = read_stamp(text, setting)
    if stamp.day > setting.run_date:
        raise BadValueError(LATE)
    return stamp


def read_past_date(text: str, setting: Setting) -> date:
    """A date that is not after the run date."""
    day = read_date(text, setting)
    if day > setting.run_date:
        raise BadValueError(LATE)
    return day


def read_customer_id(text: str, setting: Setting) -> str | None:
    """An id; none for a word that says that there is no customer."""
    if text.startswith(RESERVED_MARK):
        raise BadValueError(RESERVED)
    return None if text.lower() in setting.nobody else text


def read_date(text: str, setting: Setting) -> date:
    """A date, or a timestamp cut to its date."""
    return _parse_timestamp(text)[0].date()


def read_birth_date(text: str, setting: Setting) -> date:
    """A date between 1900 and the run date."""
    day = read_date(text, setting)
    if not date(1900, 1, 1) <= day <= setting.run_date:
        raise BadValueError(NOT_ALLOWED)
    return day


def _parse_timestamp(text: str) -> tuple[datetime, timedelta | None]:
    """Local time and UTC offset (None: no zone given). Fractions are cut to microseconds."""
    text = half_width(text)
    text = text[WEEKDAY.match(text).end() :] if WEEKDAY.match(text) else text
    text = DIGITS_ALONE.sub(r"\1T\2", text, count=1) if DIGITS_ALONE.match(text) else text
    for day_pattern in DAYS:
        day = day_pattern.match(text)
        if day is None:
            continue
        rest = text[day.end() :]
        if not rest.strip():
            return datetime(*_day_of(day)), None
        for time_pattern in TIMES:
            time = time_pattern.fullmatch(rest)
            if time is not None:
                return _moment(_day_of(day), time.groupdict())
    raise BadValueError(UNREADABLE)


def _day_of(match: re.Match[str]) -> tuple[int, int, int]:
    month = match["m"].lower()
    number = int(month) if month.isdigit() else MONTHS.get(month)
    try:
        day = date(int(match["y"]), number or 0, int(match["d"]))
    except ValueError:
        raise BadValueError(UNREADABLE) from None
    if day.year < 1000:
        raise BadValueError(UNREADABLE)
    return day.year, day.month, day.day


def _moment(
    day: tuple[int, int, int], part: dict[str, str | None]
) -> tuple[datetime, timedelta | None]:
    hour, fraction = int(part["hour"] or 0), part.get("fraction") or ""
    half = (part.get("before") or part.get("after") or "").strip().lower()
    if half:
        if not 1 <= hour <= 12:
            raise BadValueError(UNREADABLE)
        hour = hour % 12 + (12 if half in ("pm", "下午") else 0)
    try:
        local = datetime(
            *day,
            hour,
            int(part["minute"] or 0),
            int(part.get("second") or 0),
            int(fraction[:6].ljust(6, "0")),
        )
    except ValueError:
        raise BadValueError(UNREADABLE) from None
    return local, _parse_zone(part["zone"])


def _parse_zone(zone: str | None) -> timedelta | None:
    if zone is None:
        return None
    if zone.upper() in ("Z", "UTC", "GMT"):
        return timedelta(0)
    digits = zone[1:].replace(":", "")
    hours, minutes = int(digits[:2]), int(digits[2:] or 0)
    if minutes > 59 or hours * 60 + minutes > 14 * 60:
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


def ends_in_time(day: date, values: dict[str, Any]) -> bool:
    """Whether a campaign does not end before it starts; one without a readable start is rejected anyway."""
    return values["starts_on"] is None or day >= values["starts_on"]


CONTRACT: dict[str, Table] = {
    "customers": Table(
        columns=(
            required("customer_id", read_customer_id),
            Column("customer_type", read_code("person|company", str.lower)),
            Column("full_name"),
            Column("email"),
            Column("phone"),
            Column("birth_date", read_birth_date),
            Column("gender"),
            Column("country_code", read_country),
            Column("region"),
            Column("city"),
            Column("postal_code"),
            Column("industry"),
            Column("company_size"),
            Column("parent_customer_id", read_customer_id),
            Column("acquisition_channel"),
            Column("signed_up_at", read_stamp),
            Column("owner"),
            Column("marketing_consent", read_boolean),
            Column("updated_at", read_stamp),
        ),
        key=("customer_id",),
        newest_by="updated_at",
    ),
    "orders": Table(
        columns=(
            required("order_id"),
            Column("customer_id", read_customer_id, rejects=True),
            required("ordered_at", read_order_time),
            required("status", read_status),
            required("order_amount", read_order_amount),
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
            required("refunded_at", read_past_stamp),
            required("refund_amount", read_amount_from_zero),
        ),
        key=("refund_id",),
        amount="refund_amount",
    ),
    "exchange_rates": Table(
        columns=(
            required("rate_date", read_past_date),
            required("currency_code", read_currency),
            required("rate_to_reporting", allowed(read_decimal(8), lambda rate: rate > 0)),
        ),
        key=("rate_date", "currency_code"),
    ),
    "customer_merges": Table(
        columns=(
            required("from_customer_id", read_customer_id),
            required("into_customer_id", read_customer_id),
            required("merged_at", read_past_stamp),
        ),
        key=("from_customer_id", "into_customer_id"),
        newest_by="merged_at",
    ),
    "customer_attributes": Table(
        columns=(
            required("customer_id", read_customer_id),
            required("attribute", read_word),
            required("value"),
            Column("updated_at", read_stamp),
        ),
        key=("customer_id", "attribute", "value"),
        newest_by="updated_at",
    ),
    "erasure_requests": Table(
        columns=(required("customer_id", read_customer_id), required("requested_at", read_stamp)),
        key=("customer_id",),
        newest_by="requested_at",
    ),
    "interactions": Table(
        columns=(
            required("interaction_id"),
            required("customer_id", read_customer_id),
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
            required("customer_id", read_customer_id),
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
            required("customer_id", read_customer_id),
            required("responded_at", read_past_stamp),
            Column("survey_type", read_code("nps|csat", str.lower)),
            required("score", read_whole_number, rule=is_survey_score),
        ),
        key=("response_id",),
    ),
    "referrals": Table(
        columns=(
            required("referral_id"),
            required("referrer_customer_id", read_customer_id),
            Column("referred_customer_id", read_customer_id),
            required("referred_at", read_past_stamp),
            Column("converted_at", read_stamp),
        ),
        key=("referral_id",),
    ),
    "campaigns": Table(
        columns=(
            required("campaign_id"),
            Column("campaign_name"),
            Column("channel"),
            required("starts_on", read_date),
            Column("ends_on", read_date, rule=ends_in_time),
            Column("goal"),
            Column("target_tier_code", read_word),
            Column("cost_amount", read_amount_from_zero),
            Column("holdout_percent", allowed(read_amount, lambda percent: 0 <= percent <= 50)),
        ),
        key=("campaign_id",),
    ),
    "campaign_contacts": Table(
        columns=(
            required("campaign_id"),
            required("customer_id", read_customer_id),
            required("contacted_at", read_past_stamp),
            Column("contact_group", read_code("treatment|holdout", str.lower)),
        ),
        key=("campaign_id", "customer_id"),
    ),
    "account_balances": Table(
        columns=(
            required("customer_id", read_customer_id),
            Column("account_id", rejects=True),
            required("balance_date", read_past_date),
            required("balance_amount", read_amount),
            Column("currency_code", read_currency, rejects=True),
        ),
        key=("customer_id", "account_id", "currency_code", "balance_date"),
        amount="balance_amount",
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
    """A table on its way through staging; every raw row is staged, a duplicate or rejected.

    ``undecided`` are those of the duplicates that are as new as the row staged, but differ from it.
    """

    rows_in: int
    amount_in: Decimal
    staged: list[Row] = field(default_factory=list)
    duplicates: list[Row] = field(default_factory=list)
    undecided: list[Row] = field(default_factory=list)
    rejected: list[Row] = field(default_factory=list)
    excess: Decimal = Decimal(0)


@dataclass
class Reconciliation:
    """Rows and amounts of one raw table by what became of them (amounts None without one).

    The undecided are among the duplicates, the unused among the staged.
    """

    source_table: str
    rows_in: int
    rows_staged: int
    rows_duplicate: int
    rows_rejected: int
    amount_in: Decimal | None
    amount_staged: Decimal | None
    amount_duplicate: Decimal | None
    amount_rejected: Decimal | None
    rows_undecided: int
    amount_undecided: Decimal | None
    rows_unused: int


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

    def empty(self, table: str, row: Row, reason: str, column: str) -> None:
        """List a value that a rule across rows takes away; the row stays."""
        self.records.append(RejectedRecord(table, row.source_key, "nulled", reason, column))

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
    setting = Setting(rules, run_date, nobody(raw, rules))
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
        if name == "account_balances":
            _name_currencies(staged.staged, rules.reporting_currency)
        _remove_duplicates(name, table, staged, run_date)
    return staging


def _name_currencies(rows: list[Row], reporting_currency: str) -> None:
    """An amount without a currency is one of the reporting currency, in the key too."""
    for row in rows:
        row.values["currency_code"] = row.values["currency_code"] or reporting_currency


def nobody(raw: RawTables, rules: Rules) -> frozenset[str]:
    """The words for nobody that hold: some only where customers has nobody of that very id."""
    ids = {trim(row.get("customer_id") or "") for row in raw.get("customers", [])}
    return frozenset(
        word.lower()
        for word, holds in rules.nobody_words.items()
        if holds == "always" or word not in ids
    )


def _read_row(
    name: str, table: Table, raw_row: dict[str, str | None], setting: Setting
) -> tuple[Row, list[RejectedRecord]]:
    """The row's typed values and its records: one if it is rejected, else one a nulled value."""
    values: dict[str, Any] = {}
    records = []
    texts = {column.name: raw_row.get(column.name) or "" for column in table.columns}
    trimmed = {column: trim(text) for column, text in texts.items()}
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
        if value is None and column.is_required:
            raise BadValueError(MISSING)
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


OLDEST = float("-inf")
# What happens to a row itself, by table: of rows alike in age the one with the newest event wins.
EVENT_TIMES = {
    "orders": ("cancelled_at", "returned_at"),
    "tickets": ("closed_at",),
    "referrals": ("converted_at",),
    "campaign_contacts": ("contacted_at",),
}


def _remove_duplicates(name: str, table: Table, staged: StagedTable, run_date: date) -> None:
    """Of each key keep the newest row; on ties the smallest text in byte order.

    The newest has the newest ``newest_by`` (NULL is oldest), then the newest event of its own that has
    happened by the date of the run.
    """

    def newness(row: Row) -> tuple[float, float]:
        stamp = row[table.newest_by] if table.newest_by else None
        events = [row[column] for column in EVENT_TIMES.get(name, ())]
        instants = [event.instant for event in events if event and event.day <= run_date]
        return OLDEST if stamp is None else stamp.instant, max(instants, default=OLDEST)

    by_key: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for row in staged.staged:
        by_key[tuple(row[column] for column in table.key)].append(row)
    staged.staged = []
    for rows in by_key.values():
        newest = max(newness(row) for row in rows)
        alike = [row for row in rows if newness(row) == newest]
        kept = min(alike, key=lambda row: row.text.encode())
        staged.staged.append(kept)
        staged.duplicates += [row for row in rows if row is not kept]
        staged.undecided += [row for row in alike if row.text != kept.text]


def reconcile(staging: Staging) -> list[Reconciliation]:
    """One row a raw table: rows in = staged + duplicates + rejected, and so the amounts."""
    return [_reconcile(name, table, staging.tables[name]) for name, table in CONTRACT.items()]


def _reconcile(name: str, table: Table, staged: StagedTable) -> Reconciliation:
    def amount(rows: list[Row], more: Decimal = Decimal(0)) -> Decimal | None:
        return sum((row.amount for row in rows), more) if table.amount else None

    return Reconciliation(
        source_table=name,
        rows_in=staged.rows_in,
        rows_staged=len(staged.staged),
        rows_duplicate=len(staged.duplicates),
        rows_rejected=len(staged.rejected),
        amount_in=staged.amount_in if table.amount else None,
        amount_staged=amount(staged.staged, -staged.excess),
        amount_duplicate=amount(staged.duplicates),
        amount_rejected=amount(staged.rejected, staged.excess),
        rows_undecided=len(staged.undecided),
        amount_undecided=amount(staged.undecided),
        rows_unused=sum(_says_nothing(name, row) for row in staged.staged),
    )


# What is read of a row beside its key and its day, where all of that is optional.
READ_OF = {
    "survey_responses": ("survey_type",),  # a score of an unknown scale says nothing
    "tickets": ("ticket_type", "satisfaction_score"),
    "products": ("category", "product_type"),
}


def _says_nothing(name: str, row: Row) -> bool:
    return name in READ_OF and all(row[column] is None for column in READ_OF[name])
