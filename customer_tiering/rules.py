"""The rules by which a publication was made, and what differs between those of two.

They are kept with it in rules.json: the seeds as they were, the vars on which results depend, digests of a mapping's
files, and the versions of the code. Where raw tables are, and how much may change, are no rules; secrets are in no var.
"""

from __future__ import annotations

import csv
import hashlib
import json
import subprocess
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from io import StringIO
from pathlib import Path
from typing import Any

import duckdb
from pydantic import TypeAdapter

from customer_tiering.configuration import RESULTING_VARS, Configuration
from customer_tiering.errors import SourceError
from customer_tiering.language import Language, Words
from customer_tiering.mappings import FILE as MAPPING

FILE = "rules.json"
TOLD = 5  # changes in a message; audit.html has more, `tiering history --rules` all of them
LONGEST = 40  # characters of a value in a message


@dataclass(frozen=True)
class Rules:
    """Texts of seeds by file, vars by name, digests of a mapping's files by name, versions by what they are of."""

    seeds: dict[str, str]
    vars: dict[str, Any]
    mapping: dict[str, str]
    code: dict[str, str]

    def digests(self) -> dict[str, Any]:
        """What names them: short digests, and the versions of the code."""
        contents = {"seeds": self.seeds, "vars": self.vars, "mapping": self.mapping}
        return {name: _digest(held) for name, held in contents.items() if held} | {
            "code": self.code
        }

    def __str__(self) -> str:
        """The digests on one line, as the ledger has them."""
        named = self.digests()
        return ", ".join(f"{what} {name}" for what, name in {**named, **named.pop("code")}.items())


@dataclass(frozen=True)
class Change:
    """A rule that differs: where it stands, and what it was and is; None where it was not, or no longer is, there."""

    where: Words
    before: str | None
    after: str | None

    def said(self, language: Language = Language.EN) -> str:
        """It in one phrase."""
        where = language(*self.where)
        if self.before is None:
            return f"{where} {language('is new', '为新增')}"
        if self.after is None:
            return f"{where} {language('is gone', '已删除')}"
        if self.before == self.after:
            return f"{where} {language('has changed', '已更改')}"
        return f"{where} {_short(self.before)} → {_short(self.after)}"


@dataclass(frozen=True)
class RuleChanges:
    """What has changed since the publication of the run `since`; None when it does not say by which rules it was made."""

    since: str
    changes: list[Change] | None

    def said(self) -> Words:
        """It in one sentence, of many changes the first ones."""
        if self.changes is None:
            return Words(
                f"The last publication ({self.since}) does not say by which rules it was made.",
                f"上次发布（{self.since}）没有记录所用的规则。",
            )
        if not self.changes:
            return Words(
                f"No rule has changed since the last publication ({self.since}): look at the raw tables first.",
                f"自上次发布（{self.since}）以来规则没有变化：请先检查原始表。",
            )
        told, more = self.changes[:TOLD], len(self.changes) - TOLD
        english = "; ".join(change.said() for change in told)
        chinese = "；".join(change.said(Language.ZH) for change in told)
        return Words(
            f"Rules that have changed since the last publication ({self.since}): {english}"
            f"{f'; and {more} more' if more > 0 else ''}.",
            f"自上次发布（{self.since}）以来变化的规则：{chinese}{f'；另有 {more} 项' if more > 0 else ''}。",
        )


def rules_of(project: Path, configuration: Configuration) -> Rules:
    """The rules of a project, with a configuration of it."""
    mapping = configuration.mapping
    return Rules(
        seeds={
            path.name: path.read_text(encoding="utf-8-sig")
            for path in sorted((project / "seeds").glob("*.csv"))
        },
        vars={
            name: value
            for name, value in configuration.settings.model_dump(mode="json").items()
            if name in RESULTING_VARS
        },
        mapping={
            MAPPING: _digest(mapping.declaration.model_dump(mode="json")),
            **{f"{name}.sql": _digest(text) for name, text in sorted(mapping.sql.items())},
        }
        if mapping
        else {},
        code=versions(project),
    )


def versions(project: Path) -> dict[str, str]:
    """The versions on which results depend: of the package, with the project's commit, of dbt and of DuckDB."""
    own = version("customer-tiering")
    commit = _commit(project)
    return {
        "code": f"{own}+{commit}" if commit else own,
        "dbt": version("dbt-core"),
        "DuckDB": duckdb.__version__,
    }


def _commit(project: Path) -> str:
    """The commit that a project is at, marked when files differ from it; nothing where git knows of none."""
    words = ("git", "--no-optional-locks", "-C", str(project), "describe", "--always", "--dirty")
    try:
        described = subprocess.run(
            [*words, "--exclude=*"], capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return described.stdout.strip() if described.returncode == 0 else ""


def write_rules(rules: Rules, folder: Path) -> None:
    """Keep rules with the publication that a folder becomes. Raises OSError."""
    text = json.dumps(asdict(rules), indent=1, ensure_ascii=False)
    (folder / FILE).write_text(text + "\n", encoding="utf-8")


def read_rules(publication: Path) -> Rules | None:
    """The rules of a publication; None when it does not say, as those of earlier releases do not."""
    try:
        return TypeAdapter(Rules).validate_json((publication / FILE).read_bytes())
    except (OSError, ValueError):
        return None


def changes_between(earlier: Path, later: Path) -> list[Change]:
    """What differs between the rules of two publications. Raises SourceError when one does not say them."""
    read = []
    for publication in (earlier, later):
        rules = read_rules(publication)
        if rules is None:
            allowed = "a publication that says by which rules it was made"
            raise SourceError(str(publication), f"no readable {FILE}", allowed)
        read.append(rules)
    return changes(*read)


def changes(before: Rules, after: Rules) -> list[Change]:
    """What differs between rules: seeds by row and column, then vars, files of the mapping and versions."""
    found: list[Change] = []
    for name in sorted({*before.seeds, *after.seeds}):
        one, other = before.seeds.get(name), after.seeds.get(name)
        where = Words(f"seeds/{name}", f"seeds/{name}")
        if one is None or other is None:
            found.append(Change(where, _header(one), _header(other)))
        elif one != other:
            found += list(_of_seed(where, one, other)) or [
                Change(_in(where, "order or writing of its rows", "行的顺序或写法"), "", "")
            ]
    found += _of_names(Words("var ", "变量 "), before.vars, after.vars)
    found += _of_names(Words("mapping, ", "映射，"), before.mapping, after.mapping)
    found += _of_names(Words("", ""), before.code, after.code)
    return found


def _of_names(kind: Words, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    for name in sorted({*before, *after}):
        if (one := before.get(name)) != (other := after.get(name)):
            where = Words(f"{kind.en}{name}", f"{kind.zh}{name}")
            yield Change(where, _written(one), _written(other))


def _in(where: Words, english: str, chinese: str) -> Words:
    """A place within another."""
    return Words(f"{where.en}, {english}", f"{where.zh}，{chinese}")


def _column(where: Words, name: str) -> Words:
    return _in(where, f"column {name}", f"{name} 列")


def _row(where: Words, named: str) -> Words:
    return _in(where, f"row {named}", f"{named} 行")


def _of_seed(where: Words, before: str, after: str) -> Iterator[Change]:
    """What differs between two texts of a seed, row by row of what tells its rows apart."""
    (columns, rows), (columns_now, rows_now) = _table(before), _table(after)
    for column in columns:
        if column not in columns_now:
            yield Change(_column(where, column), column, None)
    for column in columns_now:
        if column not in columns:
            yield Change(_column(where, column), None, column)
    shared = [column for column in columns if column in columns_now]
    key = _key(shared, rows, rows_now)
    if not key:
        yield from _of_rows(where, shared, rows, rows_now)
        return
    old, new = ({tuple(row[c] for c in key): row for row in held} for held in (rows, rows_now))
    for names in old:
        row = _row(where, " ".join(filter(None, names)))
        if names not in new:
            yield Change(row, _cells(old[names].values()), None)
            continue
        for column in shared:
            if (was := old[names][column]) != (now := new[names][column]):
                yield Change(_in(row, column, column), was, now)
    for names in new:
        if names not in old:
            row = _row(where, " ".join(filter(None, names)))
            yield Change(row, None, _cells(new[names].values()))


Row = dict[str, str]


def _of_rows(
    where: Words, shared: list[str], before: list[Row], after: list[Row]
) -> Iterator[Change]:
    """What differs between rows that nothing tells apart: which are gone, which are new."""
    old, new = (Counter(tuple(row[c] for c in shared) for row in held) for held in (before, after))
    for row in (old - new).elements():
        yield Change(_row(where, _short(_cells(row))), _cells(row), None)
    for row in (new - old).elements():
        yield Change(_row(where, _short(_cells(row))), None, _cells(row))


def _key(columns: list[str], *tables: list[Row]) -> list[str]:
    """The fewest first columns that tell the rows of each table apart; none when not even all of them do."""
    for count in range(1, len(columns) + 1):
        key = columns[:count]
        if all(len({tuple(row[c] for c in key) for row in rows}) == len(rows) for rows in tables):
            return key
    return []


def _table(text: str) -> tuple[list[str], list[Row]]:
    reader = csv.DictReader(StringIO(text), restval="", restkey="")
    rows = [{name: value for name, value in row.items() if name} for row in reader]
    return list(reader.fieldnames or ()), rows


def _header(text: str | None) -> str | None:
    return None if text is None else _cells(_table(text)[0])


def _cells(values: Any) -> str:
    return ",".join(values)


def _written(value: object) -> str | None:
    return (
        value if value is None or isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    )


def _short(text: str) -> str:
    text = " ".join(text.split()) or "''"
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."


def _digest(contents: object) -> str:
    written = json.dumps(contents, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(written.encode()).hexdigest()[:8]
