"""Erasure: the raw tables with everything about erased persons masked, before anything is read."""

from __future__ import annotations

import re
from hashlib import md5

from oracle.reading import CONTRACT, BadValueError, RawTables, Setting, nobody, read_stamp, trim
from oracle.rules import Rules

ID_COLUMNS = {"parent_customer_id", "from_customer_id", "into_customer_id", "customer_id"} | {
    "referrer_customer_id",
    "referred_customer_id",
}
WORDS = set("customer_type country_code currency_code status".split()) | {
    *("ticket_type", "interaction_type", "survey_type", "contact_group"),
}
NOT_DESCRIBING = {"customer_id", "customer_type", "country_code", "updated_at"}


def erased(raw: RawTables, rules: Rules, run_date) -> RawTables:
    """The raw tables as they may be landed: ids of erased persons anonymous, their customers bare.

    In all their rows a value that cannot be read, or is not allowed, is taken away. Their attributes are gone, and
    their accounts have a hash for an id.
    """
    setting = Setting(rules, run_date, nobody(raw, rules))
    names = anonymous_ids(raw, setting)
    return {
        table: [
            _masked(table, row, names, setting)
            for row in raw[table]
            if table != "customer_attributes" or _text(row["customer_id"]) not in names
        ]
        for table in raw
    }


def is_reserved(customer_id: str) -> bool:
    """Whether an id has the form of those that erased persons get."""
    return re.fullmatch(r"erased_[0-9]{6,}(_[0-9]+)?", customer_id, re.ASCII) is not None


def _person(value: str | None, setting: Setting) -> str | None:
    """The id, if it is one of a person."""
    customer_id = _text(value)
    if not customer_id or customer_id.lower() in setting.nobody or is_reserved(customer_id):
        return None
    return customer_id


def anonymous_ids(raw: RawTables, setting: Setting) -> dict[str, str]:
    """The anonymous id of every id of an erased person."""
    asked: dict[str, int] = {}
    for row in raw["erasure_requests"]:
        customer_id = _person(row["customer_id"], setting)
        moment = _moment(row["requested_at"], setting)
        if customer_id and moment is not None:
            asked[customer_id] = min(moment, asked.get(customer_id, moment))
    newest: dict[str, tuple[int, set[str]]] = {}
    for row in raw["customer_merges"]:
        source = _person(row["from_customer_id"], setting)
        target = _person(row["into_customer_id"], setting)
        moment = _moment(row["merged_at"], setting)
        if source and target and source != target and moment is not None:
            before, targets = newest.get(source, (moment, set()))
            if moment >= before:
                newest[source] = moment, ({target} if moment > before else targets | {target})
    names: dict[str, str] = {}
    for number, first in enumerate(sorted(asked, key=lambda one: (asked[one], one)), start=1):
        if first in names:
            continue
        person, size = {first}, 0
        while size != len(person):
            size = len(person)
            for source, (_, targets) in newest.items():
                if source in person or targets & person:
                    person |= {source, *targets}
        others = sorted(person - {first})
        names[first] = f"erased_{number:06d}"
        names |= {
            other: f"erased_{number:06d}_{place}" for place, other in enumerate(others, start=2)
        }
    return names


def _masked(table: str, row: dict, names: dict[str, str], setting: Setting) -> dict:
    is_erased = _text(row.get("customer_id")) in names
    masked = {}
    for column in CONTRACT[table].columns:
        value = row[column.name]
        if column.name in ID_COLUMNS and _text(value) in names:
            value = names[_text(value)]
        elif column.name in ID_COLUMNS and is_reserved(_text(value) or ""):
            value = f"reserved:{_text(value)}"
        if is_erased and column.name == "account_id" and _text(value):
            told = f"{_text(row['customer_id'])}|{_text(value)}"
            value = f"erased_{md5(told.encode()).hexdigest()}"
        if is_erased and table == "customers" and column.name not in NOT_DESCRIBING:
            value = None
        if is_erased and value and column.name not in ID_COLUMNS:
            try:
                column.read(_text(value) or "", setting)
            except BadValueError as error:
                # a number or date that is out of bounds is still no more than that
                if str(error) == "unreadable_value" or column.name in WORDS:
                    value = None
        masked[column.name] = value
    return masked


def _text(value: str | None) -> str | None:
    return trim(value or "") or None


def _moment(value: str | None, setting: Setting) -> int | None:
    try:
        return read_stamp(_text(value) or "", setting).instant
    except BadValueError:
        return None
