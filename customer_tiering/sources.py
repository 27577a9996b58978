"""The raw folder: is every required table there, each in one unambiguous place, and readable?"""

from __future__ import annotations

import codecs
import csv
import gzip
import hashlib
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from glob import escape
from io import StringIO
from pathlib import Path
from typing import Any, Literal

import duckdb
import yaml

from customer_tiering.encodings import PROTOCOL, register
from customer_tiering.errors import RawFilesError, SourceError

SUFFIXES = (".parquet", ".csv", ".csv.gz", ".csv.zst")  # in any letter case
BEGINNING = 1_000_000  # bytes of a CSV file that are looked at before anything is read
DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
CHECKSUMS = "MANIFEST.sha256"


@dataclass(frozen=True)
class Form:
    """How CSV is written; without more, as the raw contract asks for."""

    encoding: str = "utf-8"
    delimiter: str = ","
    quote: str = '"'
    skip_lines: int = 0


SPREADSHEET = Form()
_NO_FAULT_OF_THE_FILE = (duckdb.OutOfMemoryException, MemoryError)


def contract_tables(project_dir: Path) -> dict[str, bool]:
    """The tables of the raw contract and whether each is required, as the source YAML says."""
    return {
        table["name"]: bool(meta(table).get("required", False))
        for table in declared_tables(project_dir)
    }


def contract_columns(project_dir: Path) -> dict[str, dict[str, bool]]:
    """The columns of each table of the raw contract and whether each is required."""
    return {
        table["name"]: {
            column["name"]: bool(meta(column).get("required", False))
            for column in table.get("columns", [])
        }
        for table in declared_tables(project_dir)
    }


def declared_tables(project_dir: Path) -> Iterator[dict[str, Any]]:
    for path in sorted((project_dir / "models").rglob("*sources.yml")):
        declared = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        for source in declared.get("sources", []):
            yield from source.get("tables", [])


def meta(declared: dict[str, Any]) -> dict[str, Any]:
    """What the source YAML says of a table or column beside its name and type."""
    found: dict[str, Any] = declared.get("config", {}).get("meta", {})
    return found


def check_raw_folder(folder: Path, tables: dict[str, bool]) -> list[str]:
    """Check that a raw folder can be read as the raw contract.

    A table is NAME.parquet, NAME.csv (or .csv.gz, .csv.zst) or a folder NAME/ with files of one of
    these kinds, in any letter case. Returns notes on what will not be read, one per table. Raises SourceError
    when the folder or a required table is missing, when a table is in two places, when a file or folder
    of it may not be read, or when there is no content to say which columns it has.
    """
    check_folder(folder)
    for name, is_required in tables.items():
        files = _files(folder, name)
        places = _places(folder, files)
        forms = f"{name}.parquet, {name}.csv or a folder {name}/ with files of one of these kinds"
        if not places and is_required:
            found = f"no table {name} (it holds {held_by(folder)})"
            raise SourceError(f"raw folder {folder}", found, forms)
        if len(places) > 1:
            found = f"table {name} as {' and '.join(places[:2])}"
            raise SourceError(f"raw folder {folder}", found, f"only one of {forms}")
        _check_access(files)
    return notes_on_folder(folder, tables)


def notes_on_folder(folder: Path, tables: dict[str, bool]) -> list[str]:
    """What will not be read of a raw folder, a line per table."""
    return [*_notes_on_tables(folder, tables), *_notes_on_others(folder, tables)]


def check_folder(folder: Path) -> None:
    """Raise SourceError when there is no raw folder."""
    if not folder.is_dir():
        found = "a file" if folder.exists() else "no such folder"
        raise SourceError(f"raw folder {folder}", found, "a folder with the raw tables")


def _check_access(files: list[Path]) -> None:
    """Check that a table's files may be read and, but for CSV beside others, have some content."""
    empty = [file for file in files if file.stat().st_size == 0]
    for file in files:
        if not os.access(file, os.R_OK):
            raise SourceError(
                f"raw file {file}", "no permission to read it", "one that can be read"
            )
        if file in empty and (len(empty) == len(files) or format_of(file) == "parquet"):
            allowed = "a file with a header or, for no rows at all, no file"
            raise SourceError(f"raw file {file}", "no content", allowed)


def _notes_on_tables(folder: Path, tables: dict[str, bool]) -> list[str]:
    """What is not read in the places of tables, a line per table."""
    notes = []
    for name in tables:
        unread = [
            f"{path.relative_to(folder)}{'' if path.exists() else ' (a link to nothing)'}"
            for path in _paths(folder, name)
            if not _is_read(path, folder)
        ]
        if unread:
            reason = "neither Parquet nor CSV, or hidden"
            notes.append(f"raw table {name}: not read, as {reason}: {first_of(unread)}.")
    return notes


def _notes_on_others(folder: Path, tables: dict[str, bool]) -> list[str]:
    unknown = [
        entry.name
        for entry in sorted(folder.iterdir())
        if not entry.name.startswith(".") and not _is_contract_entry(entry, tables)
    ]
    if not unknown:
        return []
    return [f"not read from {folder}, as no model reads such a table: {', '.join(unknown)}."]


def check_checksums(folder: Path) -> None:
    """Check the files of a raw folder against its MANIFEST.sha256, when there is one.

    A line is a SHA-256 in hexadecimal, blanks, and the file's path in the folder, as sha256sum
    writes it. Raises SourceError at the first file that is missing or has another checksum.
    """
    manifest = folder / CHECKSUMS
    if not manifest.is_file():
        return
    lines = manifest.read_text(encoding="utf-8", errors="replace").splitlines()
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        match = re.fullmatch(r"([0-9a-fA-F]{64})[ \t]+\*?(.+)", line.strip())
        if match is None:
            allowed = "a SHA-256, blanks and the path of a file"
            raise SourceError(f"raw file {manifest}, line {number}", f"{line.strip()!r}", allowed)
        checksum, name = match.groups()
        file = folder / name
        allowed = f"the file that {CHECKSUMS} lists on line {number}"
        if not file.is_file():
            raise SourceError(f"raw file {file}", "no such file", allowed)
        with file.open("rb") as content:
            found = hashlib.file_digest(content, "sha256").hexdigest()
        if found != checksum.lower():
            raise SourceError(f"raw file {file}", f"a file with the checksum {found}", allowed)


def check_headers(folder: Path, columns: dict[str, dict[str, bool]]) -> None:
    """Check encoding, delimiter and required columns of every file, by its beginning.

    `columns` are those of each table and whether each is required. Raises RawFilesError with one
    sentence on each file at fault, and none of a file's values.
    """
    findings = [
        f"raw file {file}{fault}"
        for name, declared in columns.items()
        for file in _files(folder, name)
        for fault in faults_of_header(file, declared)
    ]
    if findings:
        raise RawFilesError(findings)


def faults_of_header(file: Path, declared: dict[str, bool]) -> Iterator[str]:
    """What is wrong with the beginning of a file, texts that follow its name."""
    if format_of(file) == "parquet":
        yield from faults_of_names(_parquet_columns(file), declared)
        return
    beginning = _beginning(file)
    try:
        text = codecs.getincrementaldecoder("utf-8-sig")().decode(beginning)
        is_utf_8 = "\0" not in text.partition("\n")[0]  # as every second byte of UTF-16 is
    except UnicodeDecodeError:
        is_utf_8 = False
    if not is_utf_8:
        yield ": found bytes that are not UTF-8; allowed is CSV in UTF-8: save it as CSV UTF-8."
        # the names of the contract are the same in it
        text = beginning.removeprefix(codecs.BOM_UTF8).decode("latin-1")
    header = _first_cells(text, ",")
    for delimiter, called in list(DELIMITERS.items())[1:]:
        cells = _first_cells(text.removeprefix(f"sep={delimiter}").lstrip("\r\n"), delimiter)
        if len(_known(cells, declared)) > len(_known(header, declared)) or len(header) == 1 < len(
            cells
        ):
            yield f": found cells parted by {called}; allowed are commas."
            return
    if header == ["sep=", ""]:
        yield ": found a first line that names the delimiter; allowed is the header: remove the line."
    elif "\0" not in text:  # as texts of another encoding have, of which that has been said
        yield from faults_of_names(header, declared)


def columns_of_file(file: Path) -> list[str]:
    """The columns that a file of the raw contract has; none of one that cannot be read."""
    if format_of(file) == "parquet":
        return _parquet_columns(file)
    text = _beginning(file).removeprefix(codecs.BOM_UTF8).decode("latin-1")
    return _first_cells(text, ",")


def _first_cells(text: str, delimiter: str) -> list[str]:
    """The cells of the first line; none where a quote is not closed, which the landing says."""
    with suppress(csv.Error):
        return next(csv.reader(StringIO(text, newline=""), delimiter=delimiter), [])
    return []


def faults_of_names(header: list[str], declared: dict[str, bool]) -> Iterator[str]:
    """Which columns of the contract a header writes in another way, such as Order ID, or lacks though they are required."""
    found = {name.lower() for name in header}
    lacking = [name for name in declared if name not in found]
    letters = {re.sub(r"[\W_]", "", name) for name in found}
    renamed = [name for name in lacking if name.replace("_", "") in letters]
    if renamed:
        yield f": found {len(renamed)} of the contract's columns in another spelling; allowed is {', '.join(renamed)}."
    yield from _missing(
        header, [name for name in lacking if declared[name] and name not in renamed], declared
    )


def _missing(header: list[str], missing: list[str], declared: dict[str, bool]) -> Iterator[str]:
    """Which required columns a header lacks, as the landing says it: without a header, other names are values of a row."""
    if not missing or not header:
        return
    known = _known(header, declared)
    others = [f"{len(header) - len(known)} of other names"] if len(header) > len(known) else []
    names, plural = ", ".join(missing), len(missing) > 1
    yield (
        f" has no column{'s' if plural else ''} {names}; found are {', '.join([*known, *others])}, and "
        f"{names} {'are' if plural else 'is'} required."
    )


def _known(header: list[str], declared: dict[str, bool]) -> list[str]:
    return [name for name in header if name.lower() in declared]


def _beginning(file: Path) -> bytes:
    """The first bytes of a CSV file's text; none where it cannot be read, which the landing says."""
    compression = compression_of(file)
    if compression == "zstd":
        return b""
    with (
        suppress(OSError, EOFError),
        gzip.open(file) if compression == "gzip" else file.open("rb") as content,
    ):
        return content.read(BEGINNING)
    return b""


def _parquet_columns(file: Path) -> list[str]:
    with suppress(duckdb.Error), duckdb.connect() as connection:
        return connection.read_parquet(escape(str(file)), hive_partitioning=False).columns
    return []


def table_files(folder: Path, tables: dict[str, bool]) -> Iterator[Path]:
    """The files that the raw tables are read from."""
    for name in tables:
        yield from _files(folder, name)


def list_files(files: Iterable[Path]) -> dict[Path, tuple[int, int]]:
    """Size and time, in nanoseconds, of files; one that is no longer there is left out."""
    listed = {}
    for file in files:
        with suppress(FileNotFoundError):
            found = file.stat()
            listed[file] = (found.st_size, found.st_mtime_ns)
    return listed


def check_unchanged(
    before: dict[Path, tuple[int, int]], after: dict[Path, tuple[int, int]]
) -> None:
    """Raise SourceError at the first file that is no longer as it was listed."""
    for file, found in before.items():
        if after.get(file) != found:
            allowed = "a file that nobody writes to: write it elsewhere, and move it here when it is whole"
            raise SourceError(f"raw file {file}", "a change while it was read", allowed)


def check_contents(folder: Path, tables: dict[str, bool]) -> None:
    """Read every file of a raw folder from its first to its last byte, as the landing would.

    For a build that failed: a file that cannot be read is the reason, whatever the build stopped
    at. Raises SourceError at the first one, without any of its values: they may be personal data.
    """
    for file in table_files(folder, tables):
        check_content(file)


def check_content(file: Path, form: Form = SPREADSHEET) -> None:
    """Read a file from its first to its last byte, as check_contents does."""
    if format_of(file) == "parquet":
        _check_parquet(file)
    elif file.stat().st_size:
        _check_csv(file, form)


def _check_csv(file: Path, form: Form) -> None:
    allowed = (
        f"CSV in {form.encoding.upper()} with a header, {DELIMITERS.get(form.delimiter, form.delimiter)}, closed "
        "double quotes and in every line as many cells as in the header"
    )
    path = str(file) if form.encoding == "utf-8" else f"{PROTOCOL}://{form.encoding}/{file}"
    try:
        with duckdb.connect() as connection:
            register(connection)
            # Given the columns, DuckDB names the line; without them it reads as the landing does.
            for way in (*_columns_as_options(file, form), {"all_varchar": True}):
                connection.read_csv(
                    escape(path),
                    header=True,
                    delimiter=form.delimiter,
                    quotechar=form.quote,
                    escapechar=form.quote,
                    comment="",
                    skiprows=form.skip_lines,
                    compression=compression_of(file) if form.encoding == "utf-8" else "none",
                    hive_partitioning=False,
                    **way,
                ).aggregate("count(*)").fetchall()
    except _NO_FAULT_OF_THE_FILE:
        return
    except (duckdb.Error, OSError, ValueError, csv.Error) as error:
        line = re.search(r"CSV Error on Line: (\d+)", str(error))
        where = f"raw file {file}" + (f", line {line[1]}" if line else "")
        raise SourceError(where, _csv_fault(str(error), form.encoding), allowed) from None


def _columns_as_options(file: Path, form: Form) -> Iterator[dict[str, Any]]:
    """The options that give DuckDB a CSV file's columns; none where Python cannot read it."""
    if form != SPREADSHEET:
        return
    compression = compression_of(file)
    if compression == "zstd":
        return
    opened = gzip.open if compression == "gzip" else open
    with opened(file, "rt", encoding="utf-8-sig", newline="") as content:
        header = next(csv.reader(content), [])
    columns = {f"column_{number}": "VARCHAR" for number, _ in enumerate(header)}
    if columns:
        yield {"auto_detect": False, "columns": columns}


def _csv_fault(message: str, encoding: str) -> str:
    """What is wrong with a CSV file, from DuckDB's message about it, which quotes its content."""
    if cells := re.search(r"Expected Number of Columns: (\d+) Found: (\d+)", message):
        plural = "" if cells[2] == "1" else "s"
        return f"{cells[2]} cell{plural}, where the header has {cells[1]}"
    if "unterminated quote" in message:
        return "a double quote that is not closed"
    if re.search("not utf-8|invalid unicode|can't decode", message, re.IGNORECASE):
        return f"bytes that are not {encoding.upper()}"
    return "content that cannot be read as CSV"


def _check_parquet(file: Path) -> None:
    try:
        with duckdb.connect() as connection:
            connection.read_parquet(escape(str(file)), hive_partitioning=False).aggregate(
                "max(hash(columns(*)))"
            ).fetchall()
    except _NO_FAULT_OF_THE_FILE:
        return
    except (duckdb.Error, OSError):
        found = "content that cannot be read as Parquet"
        raise SourceError(f"raw file {file}", found, "a whole and undamaged Parquet file") from None


def _files(folder: Path, name: str) -> list[Path]:
    """The files that a table is read from."""
    return [path for path in _paths(folder, name) if _is_read(path, folder)]


def files_matching(folder: Path, name: str, patterns: list[str]) -> list[Path]:
    """The files of a mapping's source, by its patterns or, without any, by its name as those of a raw table."""
    if not patterns:
        return _files(folder, name)
    found = {path for pattern in patterns for path in folder.glob(pattern) if path.is_file()}
    return sorted(path for path in found if not is_hidden(path, folder))


def _paths(folder: Path, name: str) -> list[Path]:
    """Whatever lies in a table's folder, and the files of its name beside it."""
    found: list[Path] = []
    for entry in sorted(folder.iterdir()) if folder.is_dir() else ():
        if entry.name.lower() == name and entry.is_dir():
            found.extend(_walk(entry, {entry.resolve()}))
        elif entry.name.lower() in {f"{name}{suffix}" for suffix in SUFFIXES}:
            found.append(entry)
    return [path for path in found if not path.is_dir()]


def _walk(folder: Path, entered: set[Path]) -> Iterator[Path]:
    """All that lies in a folder and the folders in it; none is entered again through a link."""
    try:
        entries = sorted(folder.iterdir())
    except PermissionError:
        found = "no permission to read it"
        raise SourceError(f"raw folder {folder}", found, "one that can be read") from None
    for entry in entries:
        if not entry.is_dir():
            yield entry
        elif (target := entry.resolve()) not in entered:
            yield from _walk(entry, {*entered, target})


def _is_read(path: Path, folder: Path) -> bool:
    """Whether a path below the raw folder is read: a file of a known kind that nobody has hidden."""
    return path.is_file() and bool(format_of(path)) and not is_hidden(path, folder)


def is_hidden(path: Path, folder: Path) -> bool:
    """Whether a file, or a folder that it is in, is one that writers hide."""
    *folders, file = path.relative_to(folder).parts
    return file.startswith((".", "~")) or any(part.startswith((".", "_")) for part in folders)


def all_files(folder: Path) -> list[Path]:
    """All CSV and Parquet files of a folder and the folders in it, whatever they are called."""
    return [path for path in _walk(folder, {folder.resolve()}) if _is_read(path, folder)]


def other_files(folder: Path) -> list[str]:
    """All other files that nobody has hidden, by their names in the folder."""
    return [
        str(path.relative_to(folder))
        for path in _walk(folder, {folder.resolve()})
        if path.is_file() and not format_of(path) and not is_hidden(path, folder)
    ]


def format_of(path: Path) -> str:
    """Whether a file is parquet or csv by its name; empty for any other."""
    name = path.name.lower()
    if name.endswith(".parquet"):
        return "parquet"
    return "csv" if name.endswith(SUFFIXES) else ""


def compression_of(path: Path) -> Literal["gzip", "zstd", "none"]:
    """How a CSV file is compressed, by its name."""
    match path.suffix.lower():
        case ".gz":
            return "gzip"
        case ".zst":
            return "zstd"
    return "none"


def _places(folder: Path, files: list[Path]) -> list[str]:
    """The forms in which a table is there, single files and Parquet first; more than one is ambiguous."""
    places = set()
    for file in files:
        first, *more = file.relative_to(folder).parts
        places.add((bool(more), format_of(file) != "parquet", first))
    return [
        f"{first}/*.{'csv' if is_csv else 'parquet'}" if is_folder else first
        for is_folder, is_csv, first in sorted(places)
    ]


def _is_contract_entry(entry: Path, tables: dict[str, bool]) -> bool:
    if entry.suffix == ".md" or entry.name == CHECKSUMS:
        return True  # says what the folder holds
    name = entry.name.lower()
    if entry.is_dir():
        return name in tables
    return any(name == f"{table}{suffix}" for table in tables for suffix in SUFFIXES)


def first_of(names: list[str]) -> str:
    """The first three names, and how many more there are."""
    more = len(names) - 3
    return ", ".join(names[:3]) + (f" and {more} more" if more > 0 else "")


def held_by(folder: Path) -> str:
    """What a folder holds, as a message says it."""
    names = sorted(
        f"{entry.name}{'' if entry.exists() else ' (a link to nothing)'}"
        for entry in folder.iterdir()
        if not entry.name.startswith(".")
    )
    if not names:
        return "nothing"
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
