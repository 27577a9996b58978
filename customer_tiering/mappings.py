"""A mapping: a folder that says how files or tables of a source become tables of the raw contract.

`mapping.yml` says how the files are read and which words they use; one SQL file a contract table, named as it, is a
select over the sources. Any other SQL file is a step that these read by its name. See docs/bring-your-data.md.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import duckdb
import yaml
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from customer_tiering.encodings import is_encoding
from customer_tiering.errors import BrokenRulesError, ConfigurationError, SourceError
from customer_tiering.messages import without_values
from customer_tiering.reading import macros
from customer_tiering.seeds import did_you_mean
from customer_tiering.sources import (
    CHECKSUMS,
    Form,
    check_content,
    columns_of_file,
    contract_columns,
    contract_tables,
    files_matching,
    first_of,
    held_by,
    is_hidden,
)

FILE = "mapping.yml"
MAPPING = "TIERING_MAPPING"  # the environment variable that gives dbt a mapping where it cannot read its files
# A comment that a mapping asks by; who has answered deletes it.
QUESTION = re.compile(r"(?:--|#)\s*ASK:\s*(.*)")
FIRST_ROWS = 100  # of each source, on which a mapping is tried before anything is built
# What DuckDB says of SQL alone; other errors may be a file's.
_FAULTS_OF_SQL = (duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException)
PLACE = ("source_file", "source_line")  # columns that each source has and no contract table


def _encoding(name: str) -> str:
    if not is_encoding(name):
        raise ValueError("an encoding, such as utf-8, windows-1252 or gb18030")
    return "utf-8" if name.lower() in ("utf-8", "utf8", "utf-8-sig", "utf_8") else name


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


_Name = Annotated[str, Field(pattern=r"^[a-z_][a-z0-9_]*$")]
_Sign = Annotated[str, Field(min_length=1, max_length=1)]


class Source(BaseModel):
    """Where the rows of a source are, and how its files are written. Keys that are not there have the forms of the raw contract."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    files: Annotated[list[str], BeforeValidator(_listed)] = []
    table: str = ""
    encoding: Annotated[str, AfterValidator(_encoding)] = "utf-8"
    delimiter: _Sign = ","
    quote: Annotated[str, Field(max_length=1)] = '"'
    skip_lines: Annotated[int, Field(ge=0, le=1000)] = 0
    optional: bool = False
    optional_columns: list[str] = []

    @property
    def form(self) -> Form:
        """How its CSV is written."""
        return Form(self.encoding, self.delimiter, self.quote, self.skip_lines)


class Declaration(BaseModel):
    """What mapping.yml may say."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sources: dict[_Name, Source]
    source_time_zone: str | None = None
    reporting_currency: str | None = None
    personal_ids: bool = False
    words: dict[str, dict[str, str]] = {}


@dataclass(frozen=True)
class MappingFolder:
    """A mapping as it was read: its declaration, and the SQL of contract tables and of steps by name."""

    folder: Path
    declaration: Declaration
    sql: dict[str, str]
    steps: list[str]

    @property
    def sources(self) -> dict[str, Source]:
        return self.declaration.sources

    @property
    def tables(self) -> list[str]:
        """The contract tables that it makes, in order."""
        return [name for name in self.sql if name not in self.steps]

    @property
    def settings(self) -> dict[str, Any]:
        """The vars that it sets."""
        said = self.declaration
        values = {
            "source_time_zone": said.source_time_zone,
            "reporting_currency": said.reporting_currency,
            "pseudonymise_ids": said.personal_ids or None,
        }
        return {name: value for name, value in values.items() if value is not None}

    def as_json(self) -> str:
        """The same as dbt's macros have it."""
        return json.dumps(self.for_macros(), sort_keys=True, ensure_ascii=False)

    def for_macros(self) -> dict[str, Any]:
        """The same as dbt's macros have it; the landing makes the same of the files."""
        said = self.declaration.model_dump()
        return {**said, "folder": str(self.folder), "sql": self.sql, "steps": self.steps}


def load_mapping(folder: Path, project: Path) -> MappingFolder:
    """Read and check a mapping's folder, without a look at any data.

    Raises ConfigurationError with one sentence for each thing that is wrong: file and line, what was found there, and
    what is allowed. A question that nobody has answered yet is wrong too.
    """
    if not (folder / FILE).is_file():
        found = f"no {FILE} (it holds {held_by(folder)})" if folder.is_dir() else "no such folder"
        raise ConfigurationError(f"mapping {folder}", found, f"a folder with {FILE} and SQL files")
    contract = contract_columns(project)
    files = sorted(path for path in folder.iterdir() if path.suffix.lower() == ".sql")
    findings = [*_questions([folder / FILE, *files]), *_names_at_fault(files)]
    declaration = _declaration(folder / FILE)
    findings += _words_at_fault(folder / FILE, declaration, contract)
    sql = {path.stem: _text(path).rstrip().removesuffix(";") for path in files}
    steps = [name for name in sql if name not in contract]
    for name in steps:
        if name in declaration.sources:
            found = f"a step {name}, which is a source too"
            findings.append(ConfigurationError(str(folder / f"{name}.sql"), found, "another name"))
    if findings:
        raise BrokenRulesError(findings)
    return MappingFolder(folder, declaration, sql, steps)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        raise ConfigurationError(str(path), "a file that cannot be read", "text in UTF-8") from None


def _questions(files: list[Path]) -> Iterator[ConfigurationError]:
    for path in files:
        for number, line in enumerate(_text(path).splitlines(), start=1):
            if question := QUESTION.search(line):
                found = f"a question that is not answered: {question[1].strip()}"
                allowed = "an answer: change what stands below where it is wrong, and delete the line of the question"
                yield ConfigurationError(f"{path}, line {number}", found, allowed)


def _names_at_fault(files: list[Path]) -> Iterator[ConfigurationError]:
    for path in files:
        if not re.fullmatch(r"[a-z_][a-z0-9_]*\.sql", path.name):
            allowed = "a name of small letters, digits and _, such as orders.sql"
            yield ConfigurationError(str(path), "another name", allowed)


def _declaration(path: Path) -> Declaration:
    text = _text(path)
    try:
        said = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path}, line {mark.line + 1}" if mark else str(path)
        found = f"text that is not YAML ({getattr(error, 'problem', None) or 'unreadable'})"
        raise ConfigurationError(where, found, "a readable YAML file") from None
    if not isinstance(said, dict):
        raise ConfigurationError(str(path), "no keys", f"{', '.join(Declaration.model_fields)}")
    try:
        return Declaration(**said)
    except ValidationError as error:
        raise BrokenRulesError(
            [_finding(path, text, said, one) for one in error.errors()]
        ) from None


def _finding(path: Path, text: str, said: object, error: Any) -> ConfigurationError:
    """One of Pydantic's findings as a sentence: where it is, what was found, what is allowed."""
    place = [part for part in error["loc"] if part != "[key]"]
    where = f"{path}, line {_line(text, place)}, {'.'.join(str(part) for part in place)}"
    model = Source if place[:1] == ["sources"] and len(place) > 2 else Declaration
    if error["type"] == "extra_forbidden":
        keys = list(model.model_fields)
        found = f"an unknown key{did_you_mean(str(place[-1]), keys)}"
        return ConfigurationError(where, found, ", ".join(keys))
    value: Any = said
    for part in place:
        value = value.get(part) if isinstance(value, dict) else value
    allowed = str(error.get("ctx", {}).get("error") or error["msg"])
    if error["type"] == "missing":
        return ConfigurationError(where, "no such key", "it with its value")
    if error["type"] == "string_pattern_mismatch":
        allowed = "a name of small letters, digits and _"
    return ConfigurationError(where, repr(value)[:100], allowed)


def _line(text: str, place: list[Any]) -> int:
    """The line of a key in YAML, or of the last one on the way to it."""
    node, line = yaml.compose(text), 1
    for part in place:
        if not isinstance(node, yaml.MappingNode):
            break
        found = [(key, value) for key, value in node.value if key.value == str(part)]
        if not found:
            break
        key, node = found[0]
        line = key.start_mark.line + 1
    return line


def _words_at_fault(
    path: Path, declaration: Declaration, contract: Mapping[str, Mapping[str, bool]]
) -> Iterator[ConfigurationError]:
    for place in declaration.words:
        table, _, column = place.partition(".")
        if column not in contract.get(table, {}):
            where = f"{path}, line {_line(_text(path), ['words', place])}, words"
            allowed = "TABLE.COLUMN of the raw contract, such as orders.status"
            yield ConfigurationError(where, repr(place), allowed)


def files_of(mapping: MappingFolder, raw: Path) -> dict[str, list[Path]]:
    """The files of each source below a raw folder, in order.

    Raises SourceError when a source that is not optional has none, or files of both formats.
    """
    found = {}
    for name, source in mapping.sources.items():
        files = files_matching(raw, name, source.files)
        wanted = " or ".join(source.files) or f"{name}.parquet, {name}.csv or a folder {name}/"
        if not files and not source.optional:
            held = held_by(raw)
            raise SourceError(f"raw folder {raw}", f"no file of source {name} ({held})", wanted)
        if len({_format(file) for file in files}) > 1:
            raise SourceError(
                f"raw folder {raw}", f"CSV and Parquet for source {name}", "one of the two"
            )
        packed = [file for file in files if file.suffix.lower() == ".zst"]
        if packed and source.encoding != "utf-8":
            found_there = f"zstd of text in {source.encoding}"
            raise SourceError(f"raw file {packed[0]}", found_there, "gzip, or no compression")
        found[name] = files
    return found


def tables_beside(mapping: MappingFolder, raw: Path, project: Path) -> dict[str, list[Path]]:
    """The files of raw tables that lie beside a mapping's sources, and that it does not make, such as exchange_rates.csv."""
    read = {file for files in files_of(mapping, raw).values() for file in files}
    beside = {}
    for name, columns in contract_columns(project).items():
        if name in mapping.tables or name in mapping.sources:
            continue
        required = {column for column, is_required in columns.items() if is_required}
        files = [file for file in files_matching(raw, name, []) if file not in read]
        if files and all(
            required <= {found.lower() for found in columns_of_file(file)} for file in files
        ):
            beside[name] = files
    return beside


def forms_of(mapping: MappingFolder, raw: Path) -> dict[Path, Form]:
    """How each file of a mapping is written."""
    return {
        file: mapping.sources[name].form
        for name, files in files_of(mapping, raw).items()
        for file in files
    }


def notes_on_files(mapping: MappingFolder, raw: Path, project: Path) -> list[str]:
    """Which files below a raw folder are read for no table, in one line."""
    found = (*files_of(mapping, raw).values(), *tables_beside(mapping, raw, project).values())
    read = {file for files in found for file in files}
    strangers = sorted(
        str(path.relative_to(raw))
        for path in raw.rglob("*")
        if path.is_file()
        and path not in read
        and not is_hidden(path, raw)
        and path.suffix != ".md"
        and path.name != CHECKSUMS
    )
    if not strangers:
        return []
    return [
        f"not read from {raw}, as no source of {mapping.folder} reads it: {first_of(strangers)}."
    ]


def mapped(
    connection: duckdb.DuckDBPyConnection,
    mapping: MappingFolder,
    raw: Path,
    rows: int | None = None,
) -> dict[str, str]:
    """The query of each contract table over the files of a folder, for a connection of `reading.connect`.

    A table all of whose sources have no file is left out. With `rows` no more rows are read of a source. Raises
    ConfigurationError for SQL that DuckDB refuses, with file and line; what the contract asks of the columns is
    looked at by check_mapping.
    """
    form = mapping.for_macros()
    files = files_of(mapping, raw)
    readers = {}
    for name, listed in files.items():
        # numbering the rows of several files would read them all
        reader = _reader(connection, form["sources"][name], listed, raw, has_lines=not rows)
        readers[name] = f"select * from ({reader}) as source_rows limit {rows}" if rows else reader
    queries = {}
    for table in mapping.tables:
        read = str(macros().relations_read(form, mapping.sql[table])).split()
        used = [name for name in read if name in files]
        if used and not any(files[name] for name in used):
            continue
        query = str(macros().mapped_rows(form, table, readers))
        columns = columns_of(connection, mapping, table, query, raw)
        queries[table] = str(macros().mapped_rows(form, table, readers, columns))
    return queries


def columns_of(
    connection: duckdb.DuckDBPyConnection,
    mapping: MappingFolder,
    table: str,
    query: str,
    raw: Path,
) -> list[str]:
    """The columns that a query of a mapping gives. Raises as `_run`."""
    rows = _run(connection, mapping, table, query, f"describe select * from {query}", raw)
    return [row[0] for row in rows]


def _run(
    connection: duckdb.DuckDBPyConnection,
    mapping: MappingFolder,
    table: str,
    query: str,
    sql: str,
    raw: Path,
) -> list[tuple[Any, ...]]:
    """Run SQL of a mapping. Raises SourceError for a file that cannot be read, else ConfigurationError with file and line."""
    try:
        return connection.execute(sql).fetchall()
    except duckdb.Error as error:
        if not isinstance(error, _FAULTS_OF_SQL):
            for file, form in forms_of(mapping, raw).items():
                check_content(file, form)
        raise _fault_of_sql(mapping, table, query, str(error)) from None


def check_mapping(
    connection: duckdb.DuckDBPyConnection, mapping: MappingFolder, raw: Path, project: Path
) -> dict[str, str]:
    """The queries of `mapped`, after a look at their columns and first rows.

    Raises ConfigurationError for all files at fault: a column that the contract does not have, one that it asks for
    and the file does not give, or SQL that cannot be run.
    """
    contract = contract_columns(project)
    findings = []
    for name, is_required in contract_tables(project).items():
        if is_required and name not in mapping.tables:
            allowed = "one select for each required table"
            findings.append(
                ConfigurationError(f"mapping {mapping.folder}", f"no {name}.sql", allowed)
            )
    for place in mapping.declaration.words:
        table, _, _ = place.partition(".")
        if table not in mapping.tables:
            where, found = f"{mapping.folder / FILE}, words {place}", f"no {table}.sql"
            findings.append(ConfigurationError(where, found, "words of tables that it makes"))
    queries = mapped(connection, mapping, raw)
    for table, query in mapped(connection, mapping, raw, rows=FIRST_ROWS).items():
        _run(connection, mapping, table, query, f"select * from {query}", raw)
        given = [name.lower() for name in columns_of(connection, mapping, table, query, raw)]
        where = str(mapping.folder / f"{table}.sql")
        known = [*contract[table], *PLACE]
        for name in given:
            if name not in known:
                found = f"a column {name}{did_you_mean(name, known)}"
                findings.append(ConfigurationError(where, found, ", ".join(known)))
        for place in mapping.declaration.words:
            if place.partition(".")[0] == table and place.partition(".")[2] not in given:
                found = f"no column {place.partition('.')[2]}, of which {FILE} has words"
                findings.append(ConfigurationError(where, found, "a select that gives it"))
        for name, is_required in contract[table].items():
            if is_required and name not in given:
                found = f"no column {name}, which is required (it gives {', '.join(given)})"
                findings.append(ConfigurationError(where, found, "a select that gives it"))
    if findings:
        raise BrokenRulesError(findings)
    return queries


def _format(file: Path) -> str:
    return "parquet" if file.suffix.lower() == ".parquet" else "csv"


def _reader(
    connection: duckdb.DuckDBPyConnection,
    source: dict[str, Any],
    files: list[Path],
    raw: Path,
    has_lines: bool,
) -> str:
    compressions = {".gz": "gzip", ".zst": "zstd"}
    listed = [
        {
            "file": str(file),
            "format": _format(file),
            "compression": compressions.get(file.suffix.lower(), "none"),
        }
        for file in files
    ]
    columns: list[str] = []
    if source["optional_columns"] and files:
        plain = {**source, "optional_columns": []}
        query = macros().duckdb__source_rows(plain, listed, [], f"{raw}/", has_lines=False)
        try:
            found = connection.execute(f"describe {query}").fetchall()
        except duckdb.Error:
            for file in files:
                check_content(file, Source(**source).form)
            raise
        columns = [row[0].lower() for row in found]
    return str(
        macros().duckdb__source_rows(source, listed, columns, f"{raw}/", has_lines=has_lines)
    )


def _fault_of_sql(
    mapping: MappingFolder, table: str, query: str, message: str
) -> ConfigurationError:
    """What DuckDB says of a mapping's SQL, with the file and the line of it."""
    first = " ".join(without_values(message).partition("LINE ")[0].split())
    where, allowed = mapping.folder / f"{table}.sql", "one select that DuckDB can run"
    if line := re.search(r"LINE (\d+):", message):
        number = int(line[1])
        for name in (table, *mapping.steps):
            start = query.find(mapping.sql[name].strip())
            before = query[:start].count("\n") + 1  # the line on which it starts
            offset = number - before
            if start >= 0 and 0 <= offset <= mapping.sql[name].strip().count("\n"):
                blank = mapping.sql[name][: mapping.sql[name].find(mapping.sql[name].strip())]
                where = Path(
                    f"{mapping.folder / f'{name}.sql'}, line {offset + 1 + blank.count(chr(10))}"
                )
    if candidates := re.search(r"Candidate bindings: (.*)", message):
        allowed = ", ".join(re.findall(r'"([^"]+)"', candidates[1]))
        first = first.partition("Candidate bindings")[0].strip()
    return ConfigurationError(str(where), f"SQL that cannot be run ({first.rstrip('.')})", allowed)


def fault_of_landing(mapping: MappingFolder, message: str) -> ConfigurationError | None:
    """What a database's message about a name in double quotes says of a mapping, with the lines that have the name; else None."""
    for name in re.findall(r'"([^"]+)"', message):
        lines = [
            f"{mapping.folder / f'{file}.sql'}, line {number}"
            for file, sql in mapping.sql.items()
            for number, line in enumerate(sql.splitlines(), start=1)
            if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", line)
        ]
        if lines:
            said = re.search(r"Error (?!:)([^()]*)", message)
            found = f"SQL that cannot be run ({said[1].strip() if said else message})"
            return ConfigurationError(first_of(lines), found, "names that its sources have")
    return None
