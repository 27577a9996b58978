"""A mapping for a folder that nobody prepared: a shipped source's own, or one made of what its columns are called and say.

What only the owner of the data knows is asked. A question that nobody answers is written into the mapping, and a refresh
refuses it until it is answered there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from glob import escape
from itertools import takewhile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb

from customer_tiering.configuration import Settings
from customer_tiering.errors import ConfigurationError, SourceError
from customer_tiering.mappings import (
    FILE,
    Declaration,
    MappingFolder,
    Source,
    check_mapping,
    mapped,
)
from customer_tiering.onboarding.export_columns import Columns
from customer_tiering.onboarding.mapping_settings import MappingSettings, currency_of_signs
from customer_tiering.onboarding.order_exports import LINE_NUMBER, ROWS, OrderExport
from customer_tiering.onboarding.questions import Answers
from customer_tiering.onboarding.recognising import (
    SHIPPED,
    STAND_INS,
    WHO,
    Column,
    Export,
    ShippedSource,
    contract,
    recognise,
    reserved_words,
    shipped_source,
    without_accents,
)
from customer_tiering.onboarding.selects import Item, Select, not_used, place
from customer_tiering.onboarding.sniffing import Sniffed, sniff_folder
from customer_tiering.reading import connect
from customer_tiering.sources import all_files, other_files

ROWS_OF = "rows_of_"  # a source's rows, as they stand
MADE = "made_"  # the rows of a contract table


@dataclass
class Initialised:
    """A mapping to be: its files by name, the shipped source that it is, and what of the folder it leaves out."""

    files: dict[str, str]
    shipped: str = ""
    personal_ids: bool = False
    unused: list[str] = field(default_factory=list)

    @property
    def open_questions(self) -> list[str]:
        """The questions that nobody has answered, with file and line."""
        return [
            f"{name}, line {number}: {line.partition('ASK: ')[2]}"
            for name, text in self.files.items()
            for number, line in enumerate(text.splitlines(), start=1)
            if "ASK: " in line
        ]


def initialise(project: Path, settings: Settings, raw: Path, answers: Answers) -> Initialised:
    """The files of a mapping for a folder.

    Raises SourceError when there is nothing in it that can be read, or no orders, and ConfigurationError for an answer
    that is none.
    """
    sniffed = sniff_folder(raw)
    shipped = shipped_source(project, {file: one.columns for file, one in sniffed.items()})
    # Rows are read once and kept; what memory cannot hold goes to a folder that nobody else can read.
    with TemporaryDirectory() as spilled, connect(temp_directory=spilled) as connection:
        if shipped is not None and "orders" in shipped.mapping.sql:
            made = _of_shipped(shipped, raw, sniffed)
        else:
            fitting = shipped.mapping.folder.name if shipped else ""
            made = _of_exports(connection, project, raw, sniffed, answers, fitting)
        mapping = _folder(project, raw, made.sources, made.sql, made.words)
        queries = check_mapping(connection, mapping, raw, project)
        for table, query in queries.items():
            connection.execute(f"create temp table {MADE}{table} as select * from {query}")
        tables = {table: f"{MADE}{table}" for table in queries}
        found = MappingSettings(connection, project, settings, answers, tables)
        personal = made.personal_ids or found.personal_ids()
        text = found.text(made.sources, made.words, made.currency_of_signs, personal)
        answers.check_all_used()
    files = {FILE: text, **{f"{name}.sql": sql for name, sql in made.sql.items()}}
    return Initialised(files, made.shipped, bool(personal), [*made.unused, *other_files(raw)])


def write_mapping(made: Initialised, out: Path) -> None:
    """Write a mapping's folder, which must not be there yet. Raises ConfigurationError."""
    try:
        out.mkdir(parents=True)
    except OSError as error:
        found = "a folder or file that is there" if out.exists() else str(error.strerror)
        raise ConfigurationError(f"--out {out}", found, "a new folder") from None
    for name, text in made.files.items():
        (out / name).write_text(text, encoding="utf-8")


@dataclass
class _Made:
    """What a mapping consists of, but for its settings."""

    sources: dict[str, dict[str, Any]]
    sql: dict[str, str]
    unused: list[str]
    words: dict[str, dict[str, str]] = field(default_factory=dict)
    personal_ids: str = ""
    shipped: str = ""
    currency_of_signs: tuple[str, bool] = ("", False)


def _of_shipped(shipped: ShippedSource, raw: Path, sniffed: Mapping[Path, Sniffed]) -> _Made:
    said = shipped.mapping.declaration
    sources = {
        name: {**_reading(raw, files, sniffed), **_kept(said.sources[name], raw, files)}
        for name, files in shipped.files.items()
    }
    used = {file for files in shipped.files.values() for file in files}
    unused = [str(file.relative_to(raw)) for file in sniffed if file not in used]
    personal = "e-mail addresses or phones" if said.personal_ids else ""
    return _Made(
        sources, shipped.mapping.sql, unused, said.words, personal, shipped.mapping.folder.name
    )


def _folder(
    project: Path,
    raw: Path,
    sources: Mapping[str, Mapping[str, Any]],
    sql: Mapping[str, str],
    words: Mapping[str, dict[str, str]],
) -> MappingFolder:
    """A mapping as it would be read from files."""
    declared = Declaration(
        sources={name: Source(**source) for name, source in sources.items()}, words=dict(words)
    )
    steps = [name for name in sql if name not in contract(project)]
    return MappingFolder(raw, declared, dict(sql), steps)


# How files are read


def _sources_of(
    raw: Path, sniffed: Mapping[Path, Sniffed], contract: Mapping[str, object]
) -> dict[str, dict[str, Any]]:
    """The sources of a folder by name: files that are written alike, and have the same columns, are one."""
    alike: dict[tuple[object, ...], list[Path]] = {}
    for file, one in sniffed.items():
        columns = tuple(sorted(name.lower() for name in one.columns))
        form = (one.is_parquet, one.encoding, one.delimiter, one.quote, one.skip_lines)
        alike.setdefault((columns, *form), []).append(file)
    sources: dict[str, dict[str, Any]] = {}
    for files in alike.values():
        name = _source_name(_title(files), {*contract, *sources, ROWS})
        sources[name] = _reading(raw, files, sniffed)
    return sources


def _title(files: Sequence[Path]) -> str:
    """What files are called, without what tells them apart: their names' beginning, or the folder's where they have none."""
    stems = [file.name.partition(".")[0].lower() for file in files]
    common = _common_beginning(stems)
    return re.sub(r"[\W_\d]+$", "", common) or (
        files[0].parent.name.lower() if len(files) > 1 else common
    )


def _source_name(title: str, taken: set[str]) -> str:
    name = re.sub("[^a-z0-9]+", "_", without_accents(title)).strip("_")
    name = f"export_{name}".strip("_") if not re.match("[a-z]", name) else name
    is_word = name in taken or name in reserved_words()
    name = f"{name}_export" if is_word else name
    return name if name not in taken else f"{name}_{len(taken)}"


def _reading(raw: Path, files: Sequence[Path], sniffed: Mapping[Path, Sniffed]) -> dict[str, Any]:
    """How files are read, as far as it differs from the raw contract's own way."""
    if not files:
        return {}
    one = sniffed[files[0]]
    found: dict[str, Any] = {"files": _patterns(raw, files)}
    if not one.is_parquet:
        usual = Source().model_dump()
        written = {
            "encoding": one.encoding.removesuffix("-sig")
            if one.encoding == "utf-8-sig"
            else one.encoding,
            "delimiter": one.delimiter,
            "quote": one.quote,
            "skip_lines": one.skip_lines,
        }
        found |= {key: value for key, value in written.items() if value != usual[key]}
    return found


def _patterns(raw: Path, files: Sequence[Path]) -> str | list[str]:
    """A glob that finds these files and no other, or their names."""
    names = sorted(file.relative_to(raw).as_posix() for file in files)
    if len(names) == 1:
        return escape(names[0])
    ending = _common_beginning([name[::-1] for name in names])[::-1]
    pattern = f"{escape(_common_beginning(names))}*{escape(ending)}"
    found = {path for path in raw.glob(pattern) if path.is_file()}
    return pattern if found == set(files) else [escape(name) for name in names]


def _common_beginning(texts: Sequence[str]) -> str:
    alike = takewhile(lambda signs: len(set(signs)) == 1, zip(*texts, strict=False))
    return "".join(signs[0] for signs in alike)


def _kept(source: Source, raw: Path, files: Sequence[Path]) -> dict[str, Any]:
    """What a shipped source says beside how its files are written, and its own patterns where they find the same."""
    said: dict[str, Any] = {
        "optional": source.optional,
        "optional_columns": source.optional_columns,
    }
    if {path for pattern in source.files for path in raw.glob(pattern)} == set(files):
        said["files"] = source.files[0] if len(source.files) == 1 else source.files
    return {key: value for key, value in said.items() if value}


# Files that are no shipped source's


def _of_exports(
    connection: duckdb.DuckDBPyConnection,
    project: Path,
    raw: Path,
    sniffed: Mapping[Path, Sniffed],
    answers: Answers,
    shipped: str,
) -> _Made:
    """A mapping made of what columns are called and say."""
    sources = _sources_of(raw, sniffed, contract(project))
    plain = {f"{ROWS_OF}{name}": f"select * from {name}" for name in sources}
    # none of them is a step: each has a query
    queries = mapped(connection, replace(_folder(project, raw, sources, plain, {}), steps=[]), raw)
    for name, query in queries.items():
        connection.execute(f"create temp table {name} as select * from {query}")
    exports = [
        recognise(connection, project, name, f"{ROWS_OF}{name}", name.removesuffix("_export"))
        for name in sources
    ]
    chosen: dict[str, Export] = {}
    for export in sorted(exports, key=lambda one: (-len(one.columns), -one.rows)):
        if export.table:
            chosen.setdefault(export.table, export)
    if "orders" not in chosen:
        chosen["orders"] = _likeliest_orders(exports, chosen, raw, shipped)
    if not chosen["orders"].rows:
        empty = f"no rows of orders in {sources[chosen['orders'].source]['files']}"
        raise SourceError(f"raw folder {raw}", empty, "an export with rows, by which it is read")
    columns = {
        table: Columns(connection, project, export, table, answers)
        for table, export in chosen.items()
    }
    known_by = _known_by(chosen["orders"], chosen.get("customers"))
    who = _customer_id(columns["orders"], known_by)
    selects = OrderExport(connection, columns["orders"], who, chosen.keys() - {"orders"}).files()
    for table, found in columns.items():
        if table != "orders":
            selects[table] = _passed_on(found, known_by if table == "customers" else "customer_id")
    unused = [str(sources[one.source]["files"]) for one in exports if one not in chosen.values()]
    used = {export.source for export in chosen.values()}
    return _Made(
        {name: source for name, source in sources.items() if name in used},
        {name: select.text() for name, select in selects.items()},
        unused,
        personal_ids=_personal(known_by, chosen["orders"].column(known_by)),
        currency_of_signs=currency_of_signs(connection, chosen["orders"]),
    )


def _likeliest_orders(
    exports: Sequence[Export], chosen: Mapping[str, Export], raw: Path, shipped: str
) -> Export:
    """The export that says most of what an order has; what it does not say is asked. Raises SourceError."""
    amounts = ("order_amount", "amount", "line_amount")
    said = ("order_id", *WHO, "ordered_at", "status", *amounts)
    likeliness = {
        one.source: sum(one.has(name) for name in said)
        for one in exports
        if one not in chosen.values() and any(one.has(name) for name in ("order_id", *amounts))
    }
    if max(likeliness.values(), default=0) < 2:
        held = ", ".join(
            [*(str(path.relative_to(raw)) for path in all_files(raw)), *other_files(raw)]
        )
        allowed = "CSV or Parquet whose columns say when was ordered, by whom and for how much"
        if shipped:
            allowed += f" ({SHIPPED}/{shipped} fits, but has none: its README says how to add it)"
        raise SourceError(f"raw folder {raw}", f"no orders ({held})", allowed)
    return next(one for one in exports if likeliness.get(one.source) == max(likeliness.values()))


def _known_by(orders: Export, customers: Export | None) -> str:
    """By which of its columns an export of orders knows customers; empty for none."""
    known = [said for said in WHO if orders.has(said)]
    # A name is an id only where there is nothing better.
    known.sort(key=lambda said: said != "customer_id" and orders.columns[said][0].names > 0.5)
    shared = [said for said in known if customers is not None and customers.has(said)]
    return next(iter([*shared, *known]), "")


def _personal(known_by: str, column: Column | None) -> str:
    """What ids of customers are, where they are personal data; e-mail addresses are found in the rows made."""
    if column is not None and column.phones > 0.9:
        return "phone numbers"
    return {"phone": "phone numbers", "full_name": "names"}.get(known_by, "")


def _customer_id(columns: Columns, known_by: str) -> Item:
    """Who ordered."""
    if known_by in ("", "customer_id"):
        return columns.required("customer_id")
    column, notes = columns.chosen(known_by)
    if column is None:
        return columns.required("customer_id")
    return columns.passed_on("customer_id", column, notes)


def _passed_on(columns: Columns, known_by: str) -> Select:
    """A table of the contract whose file has a row for each of its rows, column by column."""
    stand_ins = STAND_INS.get(columns.table, {})
    required = contract(columns.project)[columns.table]
    items = []
    for name in required:
        others = stand_ins.get(name, [])
        if name == "customer_id":
            items.append(_customer_id(columns, known_by))
        elif name == "line_number" and not columns.export.has(name):
            items.append(LINE_NUMBER)
        elif name == "full_name":
            items.extend(columns.full_name())
        elif required[name]:
            items.append(columns.required(name, *others))
        else:
            items.extend(columns.optional(name, *others))
    head = ["One row per row of the export.", *not_used(columns.export.header, items)]
    return Select(columns.export.source, [*items, *place()], head)
