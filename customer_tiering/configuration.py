"""The configuration: vars of dbt_project.yml and seeds, checked before anything is built."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn
from zoneinfo import available_timezones

import yaml
from jinja2 import Environment
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
    create_model,
)

from customer_tiering.errors import ConfigurationError
from customer_tiering.mappings import FILE, MappingFolder, load_mapping
from customer_tiering.pseudonyms import KEY, KEY_LENGTH, MAKE_KEY
from customer_tiering.seed_rules import check_seeds, notes_on
from customer_tiering.seeds import Seeds, did_you_mean, read_seeds

PACKAGE = "customer_tiering"
PROJECT_FILE = "dbt_project.yml"
COMMAND_LINE = "command line"

# Which vars there are and what each may be; plain dbt checks them by the same table.
_TABLE = Path(__file__).parent.parent / "macros" / "configuration" / "settings.sql"


@cache
def _time_zones() -> frozenset[str]:
    return frozenset(available_timezones() - {"Factory", "localtime"})


def _type_of(rule: Mapping[str, Any]) -> Any:
    """The type of a var, by its row of the table of settings."""

    def choose(value: object) -> object:
        if value not in rule["words"]:
            raise ValueError("none of the words")
        return value

    def match(text: str) -> str:
        if not re.fullmatch(rule["pattern"], text):
            raise ValueError("not written as it must be")
        return text

    def find_zone(name: str) -> str:
        if name not in _time_zones():
            raise ValueError("not a time zone")
        return name

    def read_date(value: object) -> object:
        """YAML reads an unquoted ISO date as a date; both forms are fine, a time of day is not."""
        if value in rule.get("words", []):
            return value
        if not isinstance(value, str | date) or isinstance(value, datetime):
            raise ValueError("not a date")
        return date.fromisoformat(match(str(value)))

    def match_once(names: list[str]) -> list[str]:
        if len(set(names)) < len(names):
            raise ValueError("a name twice")
        return [match(name) for name in names]

    mapping: Any = dict
    number = Annotated[StrictInt, Field(ge=rule.get("from"), le=rule.get("to"))]
    return {
        "number": number,
        "word": Annotated[StrictStr, AfterValidator(choose)],
        "date": Annotated[Any, BeforeValidator(read_date)],
        "time_zone": Annotated[StrictStr, AfterValidator(find_zone)],
        "boolean": StrictBool,
        "text": Annotated[StrictStr, AfterValidator(match)],
        "folder": Annotated[StrictStr, AfterValidator(match)],
        "name": StrictStr,  # the seeds say which
        "names": Annotated[list[StrictStr], AfterValidator(match_once)],
        "days_by_table": mapping[StrictStr, number],
        "limits_by_table": mapping[StrictStr, mapping[StrictStr, number]],
    }[rule["type"]]


class Settings(BaseModel):
    """The vars by name, as the table of settings allows them; meanings and defaults are in dbt_project.yml."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...


def _settings_of_the_table() -> tuple[type[Settings], frozenset[str]]:
    """The settings as a model, and the names of those on which results depend."""
    tables: list[dict[str, Any]] = []
    text = _TABLE.read_text(encoding="utf-8")
    macros: Any = Environment().from_string(text, {"return": tables.append}).module
    macros.settings()
    fields: dict[str, Any] = {
        name: (_type_of(rule), Field(description=macros.allowed_by(rule)))
        for name, rule in tables[0].items()
    }
    resulting = (name for name, rule in tables[0].items() if not rule.get("keeps_build"))
    return create_model("Settings", __base__=Settings, **fields), frozenset(resulting)


_Checked, RESULTING_VARS = _settings_of_the_table()


@dataclass(frozen=True)
class Configuration:
    """A configuration that holds together.

    `overrides` are the vars that differ from dbt_project.yml, as dbt is to receive them (JSON
    types); `notes` is advice that stops nothing, a sentence each. `mapping` is what makes the raw tables of
    other files, if anything does: what it says of vars is among the overrides.
    """

    settings: Settings
    seeds: Seeds
    overrides: dict[str, Any]
    notes: list[str]
    mapping: MappingFolder | None = None


def load_configuration(project_dir: Path, overrides: Mapping[str, Any]) -> Configuration:
    """Read and check the vars and the seeds of a dbt project.

    `overrides` are vars given for this run; they win over dbt_project.yml. Raises
    ConfigurationError at the first thing that is wrong, in one sentence that names the file, the
    line or var, what was found and what is allowed; what is wrong with readable seeds all at once.
    """
    declared = _project_vars(project_dir)
    mapping = _mapping({**declared, **overrides}, project_dir)
    places = dict.fromkeys(overrides, COMMAND_LINE)
    if mapping:  # the command line wins over it, and it wins over the project's vars
        places = dict.fromkeys(mapping.settings, str(mapping.folder / FILE)) | places
        overrides = {**mapping.settings, **overrides}
    values = {**declared, **overrides}
    settings = _read_settings(values, places)
    seeds = read_seeds(project_dir / "seeds")
    check_seeds(seeds, settings.score_profile)
    _check_settings(settings, seeds, places)
    return Configuration(
        settings=settings,
        seeds=seeds,
        overrides={
            name: value.isoformat() if isinstance(value, date) else value
            for name, value in overrides.items()
        },
        notes=notes_on(seeds),
        mapping=mapping,
    )


def _mapping(values: Mapping[str, Any], project_dir: Path) -> MappingFolder | None:
    """The mapping that the vars name, if any."""
    folder = values.get("mapping")
    if not folder or not isinstance(folder, str):
        return None
    return load_mapping(project_dir / folder, project_dir)


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


def _read_settings(values: Mapping[Any, Any], places: Mapping[str, str]) -> Settings:
    known = list(_Checked.model_fields)
    for name in values:
        if name not in known:
            where = _where(name, places)
            found = f"an unknown var {_shown(name)}{did_you_mean(str(name), known)}"
            raise ConfigurationError(where, found, f"one of {', '.join(known)}")
    for name in known:
        if name not in values:
            raise ConfigurationError(_where(name, places), "no value", _allowed(name))
    try:
        return _Checked(**values)
    except ValidationError as error:
        name = str(error.errors()[0]["loc"][0])
        found = _shown(values[name])
        if name.endswith("time_zone"):
            found += did_you_mean(str(values[name]), sorted(_time_zones()))
        raise ConfigurationError(_where(name, places), found, _allowed(name)) from None


def _allowed(name: str) -> str:
    return str(_Checked.model_fields[name].description)


def _where(name: str, places: Mapping[str, str]) -> str:
    return f"{places.get(name, PROJECT_FILE)}, var {name}"


def _shown(value: object) -> str:
    """A value as it is shown in a message, cut to a readable length."""
    if value is None:
        return "no value"
    text = value.isoformat() if isinstance(value, date) else repr(value)
    return text if len(text) <= 100 else f"{text[:97]}..."


def _check_settings(settings: Settings, seeds: Seeds, places: Mapping[str, str]) -> None:
    """What vars must be together, and with the seeds."""

    def refuse(name: str, allowed: str, hint: str = "") -> NoReturn:
        found = f"{_shown(getattr(settings, name))}{hint}"
        raise ConfigurationError(_where(name, places), found, allowed)

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
        allowed = (
            f"a secret of at least {KEY_LENGTH} characters, as pseudonymise_ids is true (to make one, and keep it: "
            f"{MAKE_KEY})"
        )
        raise ConfigurationError(f"environment variable {KEY}", found, allowed)


def _check_frozen_edges(settings: Settings, refuse: Callable[..., NoReturn]) -> None:
    name, frozen_on = "rfm_edges_frozen_on", settings.rfm_edges_frozen_on
    if settings.rfm_edges != "frozen":
        if frozen_on != "":
            refuse(name, f"empty, as rfm_edges is {settings.rfm_edges}")
        return
    if not isinstance(frozen_on, date):
        refuse(name, f"{_allowed(name).removeprefix('empty or ')}, as rfm_edges is frozen")
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
