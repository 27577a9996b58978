"""The configuration: vars of dbt_project.yml and seeds, checked before anything is built."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, NoReturn
from zoneinfo import available_timezones

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    ValidationError,
)

from customer_tiering.errors import ConfigurationError
from customer_tiering.pseudonyms import KEY, KEY_LENGTH
from customer_tiering.seed_rules import check_seeds, notes_on
from customer_tiering.seeds import Seeds, did_you_mean, from_to, read_seeds

PACKAGE = "customer_tiering"
PROJECT_FILE = "dbt_project.yml"
COMMAND_LINE = "command line"

# A mistyped year would otherwise make thousands of review periods.
_YEARS = range(1900, 2200)
_ISO_DATE = f"an ISO date (YYYY-MM-DD) from {_YEARS.start} to {_YEARS.stop - 1}"
_IDENTIFIER = r"[A-Za-z_][A-Za-z0-9_]{0,62}"


def _matching(pattern: str) -> AfterValidator:
    def check(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError("not written as it must be")
        return text

    return AfterValidator(check)


def _iso_date(value: object) -> object:
    """YAML reads an unquoted ISO date as a date; both forms are fine, a time of day is not."""
    if isinstance(value, str) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        value = date.fromisoformat(value)
    if not isinstance(value, date) or isinstance(value, datetime) or value.year not in _YEARS:
        raise ValueError("not an ISO date of these centuries")
    return value


def _iso_date_or(*words: str) -> BeforeValidator:
    return BeforeValidator(lambda value: value if value in words else _iso_date(value))


@cache
def _time_zones() -> frozenset[str]:
    return frozenset(available_timezones() - {"Factory", "localtime"})


def _time_zone(name: str) -> str:
    if name not in _time_zones():
        raise ValueError("not a time zone")
    return name


TimeZone = Annotated[
    StrictStr,
    AfterValidator(_time_zone),
    Field(description="an IANA time zone such as UTC or Asia/Shanghai"),
]


class Settings(BaseModel):
    """The vars. Meaning and defaults are in dbt_project.yml; here is what each may be."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    # Folder and schema end up in SQL text: neither can hold what would end a literal or a name,
    # and the folder nothing that DuckDB or Jinja would expand.
    raw_path: Annotated[
        StrictStr,
        _matching(r"[^'\"`;{}*?\[\]\x00-\x1f\x7f]{0,1000}"),
        Field(description="a folder whose path has no quotes, semicolons, braces or wildcards"),
    ]
    raw_schema: Annotated[
        StrictStr,
        _matching(rf"|{_IDENTIFIER}(\.{_IDENTIFIER})?"),
        Field(description="empty, schema or database.schema, in letters, digits and _"),
    ]
    as_of_date: Annotated[
        date | Literal["latest", "yesterday"],
        _iso_date_or("latest", "yesterday"),
        Field(description=f"latest, yesterday or {_ISO_DATE}"),
    ]
    run_date: Annotated[
        date | Literal["today"],
        _iso_date_or("today"),
        Field(description=f"today or {_ISO_DATE}"),
    ]
    history_starts_on: Annotated[date, BeforeValidator(_iso_date), Field(description=_ISO_DATE)]
    review_period: Annotated[
        Literal["month", "week", "quarter"], Field(description="month, week or quarter")
    ]
    source_time_zone: TimeZone
    business_time_zone: TimeZone
    reporting_currency: Annotated[
        StrictStr,
        _matching(r"[A-Z]{3}"),
        Field(description="three capital letters, as in ISO 4217"),
    ]
    rfm_window_days: Annotated[StrictInt, from_to(1, 3660)]
    rfm_edges: Annotated[
        Literal["quantile", "fixed", "frozen"], Field(description="quantile, fixed or frozen")
    ]
    rfm_edges_frozen_on: Annotated[
        date | Literal[""],
        _iso_date_or(""),
        Field(description=f"empty or {_ISO_DATE}"),
    ]
    rfm_min_customers: Annotated[StrictInt, from_to(1, 999_999_999)]
    score_profile: Annotated[
        StrictStr, Field(description="the name of a profile of seeds/score_weights.csv")
    ]
    lifecycle_min_gaps: Annotated[StrictInt, from_to(1, 1000)]
    lifecycle_default_gap_days: Annotated[StrictInt, from_to(1, 3660)]
    alert_recent_days: Annotated[StrictInt, from_to(1, 366)]
    max_open_actions: Annotated[StrictInt, from_to(1, 20)]
    tier_min_hold_periods: Annotated[StrictInt, from_to(0, 520)]
    tier_grace_periods: Annotated[StrictInt, from_to(0, 520)]
    tier_downgrade: Annotated[
        Literal["one_level", "straight"], Field(description="one_level or straight")
    ]
    tier_validity: Annotated[
        Literal["rolling", "calendar_year", "anniversary"],
        Field(description="rolling, calendar_year or anniversary"),
    ]
    top_tier_percent_from: Annotated[StrictInt, from_to(0, 100)]
    top_tier_percent_to: Annotated[StrictInt, from_to(0, 100)]
    top_tier_min_holders: Annotated[StrictInt, from_to(1, 999_999_999)]
    pseudonymise_ids: Annotated[StrictBool, Field(description="true or false")]
    source_max_age_days: Annotated[
        dict[StrictStr, Annotated[StrictInt, Field(ge=0, le=36_600)]],
        Field(description="a mapping of raw tables to days from 0 to 36600, such as {orders: 2}"),
    ]
    source_max_shrink_percent: Annotated[StrictInt, from_to(0, 100)]
    guest_share_percent: Annotated[StrictInt, from_to(0, 100)]
    consent_unknown_percent: Annotated[StrictInt, from_to(0, 100)]
    many_duplicates_percent: Annotated[StrictInt, from_to(0, 100)]
    source_limits: Annotated[
        dict[StrictStr, dict[StrictStr, Annotated[StrictInt, Field(ge=0, le=100)]]],
        Field(
            description="a mapping of raw tables to limits from 0 to 100, such as {orders: {rejected: 20}}"
        ),
    ]
    late_arrival_days: Annotated[StrictInt, from_to(0, 36_600)]
    publications_kept: Annotated[StrictInt, from_to(1, 1000)]
    min_free_megabytes: Annotated[StrictInt, from_to(0, 1_000_000_000)]
    audit_max_shrink_percent: Annotated[StrictInt, from_to(0, 100)]
    audit_max_tier_shift_points: Annotated[StrictInt, from_to(0, 100)]
    audit_max_score_shift: Annotated[StrictInt, from_to(0, 100)]
    audit_max_unknown_shift_points: Annotated[StrictInt, from_to(0, 100)]
    audit_min_customers: Annotated[StrictInt, from_to(1, 999_999_999)]


@dataclass(frozen=True)
class Configuration:
    """A configuration that holds together.

    `overrides` are the vars that differ from dbt_project.yml, as dbt is to receive them (JSON
    types); `notes` is advice that stops nothing, a sentence each.
    """

    settings: Settings
    seeds: Seeds
    overrides: dict[str, Any]
    notes: list[str]


def load_configuration(project_dir: Path, overrides: Mapping[str, Any]) -> Configuration:
    """Read and check the vars and the seeds of a dbt project.

    `overrides` are vars given for this run; they win over dbt_project.yml. Raises
    ConfigurationError at the first thing that is wrong, in one sentence that names the file, the
    line or var, what was found and what is allowed; what is wrong with readable seeds all at once.
    """
    values = {**_project_vars(project_dir), **overrides}
    settings = _read_settings(values, overrides)
    seeds = read_seeds(project_dir / "seeds")
    check_seeds(seeds, settings.score_profile)
    _check_settings(settings, seeds, overrides)
    return Configuration(
        settings=settings,
        seeds=seeds,
        overrides={
            name: value.isoformat() if isinstance(value, date) else value
            for name, value in overrides.items()
        },
        notes=notes_on(seeds),
    )


def parse_vars(text: str) -> dict[str, Any]:
    """The vars of a `--vars` option, a YAML mapping. Raises ConfigurationError."""
    allowed = "a YAML mapping such as '{score_profile: one_off}'"
    try:
        values = yaml.safe_load(text)
    except yaml.YAMLError:
        values = None
    if not isinstance(values, dict):
        raise ConfigurationError(f"{COMMAND_LINE}, --vars", _shown(text), allowed)
    return values


def _project_vars(project_dir: Path) -> dict[str, Any]:
    """The project's vars: package-wide ones, over which the package's own section wins."""
    path = project_dir / PROJECT_FILE
    allowed = f"a readable YAML file with a section vars: {PACKAGE}:"
    try:
        project = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigurationError(PROJECT_FILE, f"no such file in {project_dir}", allowed) from None
    except (OSError, UnicodeDecodeError) as error:
        found = f"a file that cannot be read ({error})"
        raise ConfigurationError(PROJECT_FILE, found, allowed) from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{PROJECT_FILE}, line {mark.line + 1}" if mark else PROJECT_FILE
        found = f"text that is not YAML ({getattr(error, 'problem', None) or error})"
        raise ConfigurationError(where, found, allowed) from None
    declared = project.get("vars") if isinstance(project, dict) else None
    section = declared if isinstance(declared, dict) else {}
    own = section.get(PACKAGE)
    if not isinstance(own, dict):
        raise ConfigurationError(PROJECT_FILE, f"no section vars: {PACKAGE}:", allowed)
    shared = {name: value for name, value in section.items() if not isinstance(value, dict)}
    return {**shared, **own}


def _read_settings(values: Mapping[Any, Any], overrides: Mapping[str, Any]) -> Settings:
    known = list(Settings.model_fields)
    for name in values:
        if name not in known:
            where = _where(name, overrides)
            found = f"an unknown var {_shown(name)}{did_you_mean(str(name), known)}"
            raise ConfigurationError(where, found, f"one of {', '.join(known)}")
    for name in known:
        if name not in values:
            allowed = str(Settings.model_fields[name].description)
            raise ConfigurationError(_where(name, overrides), "no value", allowed)
    try:
        return Settings(**values)
    except ValidationError as error:
        name = str(error.errors()[0]["loc"][0])
        allowed = str(Settings.model_fields[name].description)
        found = _shown(values[name])
        if name.endswith("time_zone"):
            found += did_you_mean(str(values[name]), sorted(_time_zones()))
        raise ConfigurationError(_where(name, overrides), found, allowed) from None


def _where(name: str, overrides: Mapping[str, Any]) -> str:
    return f"{COMMAND_LINE if name in overrides else PROJECT_FILE}, var {name}"


def _shown(value: object) -> str:
    """A value as it is shown in a message, cut to a readable length."""
    if value is None:
        return "no value"
    text = value.isoformat() if isinstance(value, date) else repr(value)
    return text if len(text) <= 100 else f"{text[:97]}..."


def _check_settings(settings: Settings, seeds: Seeds, overrides: Mapping[str, Any]) -> None:
    """What vars must be together, and with the seeds."""

    def refuse(name: str, allowed: str, hint: str = "") -> NoReturn:
        found = f"{_shown(getattr(settings, name))}{hint}"
        raise ConfigurationError(_where(name, overrides), found, allowed)

    if not settings.raw_path.strip() and not settings.raw_schema:
        refuse("raw_path", "a folder, as raw_schema is empty")
    if settings.score_profile not in seeds.profiles:
        refuse(
            "score_profile",
            f"a profile of seeds/score_weights.csv ({', '.join(seeds.profiles)})",
            did_you_mean(settings.score_profile, seeds.profiles),
        )
    as_of, run = settings.as_of_date, settings.run_date
    if isinstance(run, date) and run < settings.history_starts_on:
        refuse("run_date", f"{settings.history_starts_on} (history_starts_on) or later")
    if isinstance(as_of, date):
        if as_of < settings.history_starts_on:
            refuse("as_of_date", f"{settings.history_starts_on} (history_starts_on) or later")
        if isinstance(run, date) and as_of > run:
            refuse("as_of_date", f"{run} (run_date) or earlier")
    _check_frozen_edges(settings, refuse)
    key = os.environ.get(KEY, "")
    if settings.pseudonymise_ids and len(key) < KEY_LENGTH:
        found = f"a key of {len(key)} characters" if key else "no value"
        allowed = f"a secret of at least {KEY_LENGTH} characters, as pseudonymise_ids is true"
        raise ConfigurationError(f"environment variable {KEY}", found, allowed)


def _check_frozen_edges(settings: Settings, refuse: Callable[..., NoReturn]) -> None:
    name, frozen_on = "rfm_edges_frozen_on", settings.rfm_edges_frozen_on
    if settings.rfm_edges != "frozen":
        if frozen_on != "":
            refuse(name, f"empty, as rfm_edges is {settings.rfm_edges}")
        return
    if not isinstance(frozen_on, date):
        refuse(name, f"{_ISO_DATE}, as rfm_edges is frozen")
    if not is_period_end(frozen_on, settings.review_period):
        refuse(name, f"the last day of a {settings.review_period} (review_period)")
    if frozen_on < settings.history_starts_on:
        refuse(name, f"{settings.history_starts_on} (history_starts_on) or later")
    for limit in ("as_of_date", "run_date"):
        latest = getattr(settings, limit)
        if isinstance(latest, date) and frozen_on > latest:
            refuse(name, f"{latest} ({limit}) or earlier, the end of a closed period")


def is_period_end(day: date, review_period: str) -> bool:
    """Whether a review period (month, week or quarter) ends on the day. Weeks end on Sunday."""
    if review_period == "week":
        return day.isoweekday() == 7
    ends_month = (day + timedelta(days=1)).day == 1
    return ends_month and (review_period == "month" or day.month % 3 == 0)
