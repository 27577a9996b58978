"""The two configurations of a simulation: the one by which a publication was made, and that with the changes to try."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from customer_tiering.configuration import (
    COMMAND_LINE,
    RESULTING_VARS,
    Configuration,
    load_configuration,
)
from customer_tiering.errors import BrokenRulesError, ConfigurationError, SourceError
from customer_tiering.rules import Change, Rules, changes
from customer_tiering.seeds import did_you_mean

# Vars that decide scores, segments, stages and tiers from facts as they are.
SIMULATED_VARS = (
    "balance_valid_days",
    "lifecycle_default_gap_days",
    "lifecycle_min_gaps",
    "review_period",
    "rfm_edges",
    "rfm_edges_frozen_on",
    "rfm_window_days",
    "score_profile",
    "tier_downgrade",
    "tier_grace_periods",
    "tier_min_hold_periods",
    "tier_validity",
)
# Seeds that no model reads.
READ_BY_NO_MODEL = frozenset({"export_columns", "tier_benefits"})


@dataclass(frozen=True)
class Simulated:
    """A configuration of a simulation: its checked rules, and the folder of a dbt project with its seeds."""

    project: Path
    configuration: Configuration

    @property
    def settings(self) -> Any:
        """Its vars."""
        return self.configuration.settings

    def seeds(self) -> dict[str, str]:
        """The texts of its seeds by name, without byte order marks and by lines of one kind."""
        return {
            path.stem: "\n".join(path.read_text(encoding="utf-8-sig").splitlines())
            for path in sorted((self.project / "seeds").glob("*.csv"))
        }

    def vars(self) -> dict[str, Any]:
        """Its vars on which results depend, by name."""
        held = self.settings.model_dump(mode="json")
        return {name: held[name] for name in sorted(RESULTING_VARS)}


def rule_changes(before: Simulated, after: Simulated) -> list[Change]:
    """What differs between two configurations."""

    def rules(one: Simulated) -> Rules:
        seeds = {f"{name}.csv": text for name, text in one.seeds().items()}
        return Rules(seeds=seeds, vars=one.vars(), mapping={}, code={})

    return changes(rules(before), rules(after))


def published_configuration(
    project: Path, folder: Path, rules: Rules, dates: Mapping[str, str]
) -> Simulated:
    """The configuration of a publication: its rules, in a project with the seeds that it had.

    What they do not say is as in the project. `dates` are vars that are no rules. Nothing is landed, so no key of
    pseudonyms is needed. Raises SourceError when its rules are not those of this release any more.
    """
    laid = _lay_project(project, folder)
    for name, text in rules.seeds.items():
        if (laid / "seeds" / name).is_file():
            (laid / "seeds" / name).write_text(text, encoding="utf-8")
    known = {name: value for name, value in rules.vars.items() if name in RESULTING_VARS}
    overrides = {**known, "mapping": "", "pseudonymise_ids": False, **dates}
    try:
        return Simulated(laid, load_configuration(laid, overrides))
    except ConfigurationError as error:
        if dates and error.where.endswith("as_of_date"):
            raise
        found = f"rules that do not hold in this release ({error.where}: {error.found})"
        raise SourceError("the publication", found, "one that this release has refreshed") from None


def changed_configuration(
    before: Simulated, folder: Path, overrides: Mapping[str, Any], seeds: Path | None
) -> Simulated:
    """The configuration `before` with other vars, and with the seeds of a folder in place of those of their names.

    Raises ConfigurationError at what cannot be simulated, and where `tiering check` would refuse; a seed of the folder is
    named by its place there.
    """
    known = before.settings.model_dump()
    for name in overrides:
        if name in known and name not in SIMULATED_VARS:
            where = f"{COMMAND_LINE}, var {name}"
            found = "a var that decides what is landed or taken, or moves no customer"
            if name == "as_of_date":
                found = "a date in --vars"
            allowed = f"one of {', '.join(SIMULATED_VARS)}"
            raise ConfigurationError(where, found, "--as-of" if name == "as_of_date" else allowed)
    given = _seeds_of(seeds, before.project / "seeds") if seeds else []
    laid = _lay_project(before.project, folder)
    for path in given:
        shutil.copyfile(path, laid / "seeds" / path.name)
    try:
        configuration = load_configuration(laid, {**before.configuration.overrides, **overrides})
    except ConfigurationError as error:
        raise _named_by_place(error, given) from None
    return Simulated(laid, configuration)


def _seeds_of(folder: Path, known: Path) -> list[Path]:
    """The seeds in a folder, which may hold their YAML too. Raises ConfigurationError."""
    names = {path.name for path in known.iterdir()}
    where, tables = f"{COMMAND_LINE}, --seeds {folder}", sorted(n for n in names if "csv" in n)
    try:
        files = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError as error:
        found = f"a folder that cannot be read ({error.strerror})"
        raise ConfigurationError(where, found, "a folder with seeds to try") from None
    for path in files:
        if path.name not in names or not path.is_file():
            found = f"{path.name!r}, which is no seed{did_you_mean(path.name, tables)}"
            raise ConfigurationError(where, found, f"files named {', '.join(tables)}")
    found_seeds = [path for path in files if path.suffix == ".csv"]
    if not found_seeds:
        raise ConfigurationError(where, "no seed", f"one or more of {', '.join(tables)}")
    return found_seeds


def _named_by_place(error: ConfigurationError, given: Iterable[Path]) -> ConfigurationError:
    """The error, in which seeds of the folder to try are named by their own paths."""
    if isinstance(error, BrokenRulesError):
        return BrokenRulesError([_named_by_place(one, given) for one in error.findings])
    words = [error.where, error.found, error.allowed]
    for path in given:
        words = [text.replace(f"seeds/{path.name}", str(path)) for text in words]
    return ConfigurationError(*words)


def _lay_project(project: Path, folder: Path) -> Path:
    """A dbt project that is another one but for its seeds, which are copied; all else are links."""
    folder.mkdir()
    for path in project.iterdir():
        if path.name != "seeds" and not path.name.startswith("."):
            os.symlink(path.resolve(), folder / path.name)
    (folder / "seeds").mkdir()
    for path in (project / "seeds").iterdir():
        if path.is_file():
            shutil.copyfile(path, folder / "seeds" / path.name)
    return folder
