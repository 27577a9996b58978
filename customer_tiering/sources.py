"""The raw folder: is every required table there, each in one unambiguous place, and readable?"""

from __future__ import annotations

import csv
import hashlib
import re
from glob import escape
from pathlib import Path

import duckdb
import yaml

from customer_tiering.errors import SourceError

SUFFIXES = (".parquet", ".csv")
CHECKSUMS = "MANIFEST.sha256"
_NO_FAULT_OF_THE_FILE = (duckdb.OutOfMemoryException, MemoryError)


def contract_tables(project_dir: Path) -> dict[str, bool]:
    """The tables of the raw contract and whether each is required, as the source YAML says."""
    tables = {}
    for path in sorted((project_dir / "models").rglob("*sources.yml")):
        declared = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        for source in declared.get("sources", []):
            for table in source.get("tables", []):
                meta = table.get("config", {}).get("meta", {})
                tables[table["name"]] = bool(meta.get("required", False))
    return tables


def check_raw_folder(folder: Path, tables: dict[str, bool]) -> list[str]:
    """Check that a raw folder can be read as the raw contract.

    A table is NAME.parquet, NAME.csv or a folder NAME/ with files of one of these kinds. Returns
    notes on files that will not be read. Raises SourceError when the folder or a required table is
    missing, when a table is in two places, or when one of its files has no content.
    """
    if not folder.is_dir():
        found = "a file" if folder.exists() else "no such folder"
        raise SourceError(f"raw folder {folder}", found, "a folder with the raw tables")
    for name, is_required in tables.items():
        places = _places(folder, name)
        forms = f"{name}.parquet, {name}.csv or a folder {name}/ with files of one of these kinds"
        if not places and is_required:
            found = f"no table {name} (it holds {_listed(folder)})"
            raise SourceError(f"raw folder {folder}", found, forms)
        if len(places) > 1:
            found = f"table {name} as {' and '.join(places)}"
            raise SourceError(f"raw folder {folder}", found, f"only one of {forms}")
        for file in _files(folder, name):
            if file.stat().st_size == 0:
                allowed = "a file with a header or, for no rows at all, no file"
                raise SourceError(f"raw file {file}", "no content", allowed)
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


def check_contents(folder: Path, tables: dict[str, bool]) -> None:
    """Read every file of a raw folder from its first to its last byte, as the landing would.

    For a build that failed: a file that cannot be read is the reason, whatever the build stopped
    at. Raises SourceError at the first one, without any of its values: they may be personal data.
    """
    for name in tables:
        for file in _files(folder, name):
            if file.suffix == ".csv":
                _check_csv(file)
            else:
                _check_parquet(file)


def _check_csv(file: Path) -> None:
    allowed = (
        "CSV in UTF-8 with a header, commas, closed double quotes and in every line as many cells "
        "as in the header"
    )
    try:
        with file.open(encoding="utf-8-sig", newline="") as content:
            header = next(csv.reader(content), [])
        with duckdb.connect() as connection:
            # With the columns told, DuckDB names the line; without them it reads as the landing does.
            columns = {f"column_{number}": "VARCHAR" for number, _ in enumerate(header)}
            for way in ({"auto_detect": False, "columns": columns}, {"all_varchar": True}):
                connection.read_csv(
                    escape(str(file)),
                    header=True,
                    delimiter=",",
                    quotechar='"',
                    escapechar='"',
                    comment="",
                    skiprows=0,
                    hive_partitioning=False,
                    **way,
                ).aggregate("count(*)").fetchall()
    except _NO_FAULT_OF_THE_FILE:
        return
    except (duckdb.Error, OSError, ValueError, csv.Error) as error:
        line = re.search(r"CSV Error on Line: (\d+)", str(error))
        where = f"raw file {file}" + (f", line {line[1]}" if line else "")
        raise SourceError(where, _csv_fault(str(error)), allowed) from None


def _csv_fault(message: str) -> str:
    """What is wrong with a CSV file, from DuckDB's message about it, which quotes its content."""
    if cells := re.search(r"Expected Number of Columns: (\d+) Found: (\d+)", message):
        plural = "" if cells[2] == "1" else "s"
        return f"{cells[2]} cell{plural}, where the header has {cells[1]}"
    if "unterminated quote" in message:
        return "a double quote that is not closed"
    if re.search("not utf-8|invalid unicode|can't decode", message, re.IGNORECASE):
        return "bytes that are not UTF-8"
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


def holds_raw_tables(folder: Path, tables: dict[str, bool]) -> bool:
    """Whether a folder has every required table of the raw contract in some form."""
    return all(_places(folder, name) for name, is_required in tables.items() if is_required)


def _files(folder: Path, name: str) -> list[Path]:
    """All files that may hold a table."""
    single = [folder / f"{name}{suffix}" for suffix in SUFFIXES]
    several = [file for suffix in SUFFIXES for file in sorted((folder / name).glob(f"*{suffix}"))]
    return [file for file in (*single, *several) if file.is_file()]


def _places(folder: Path, name: str) -> list[str]:
    """The forms in which a table is there; more than one is ambiguous."""
    files = _files(folder, name)
    in_folder = f"{name}/*"
    return list(
        dict.fromkeys(
            file.name if file.parent == folder else f"{in_folder}{file.suffix}" for file in files
        )
    )


def _is_contract_entry(entry: Path, tables: dict[str, bool]) -> bool:
    if entry.suffix == ".md" or entry.name == CHECKSUMS:
        return True  # says what the folder holds
    if entry.is_dir():
        return entry.name in tables
    return entry.stem in tables and entry.suffix in SUFFIXES


def _listed(folder: Path) -> str:
    names = sorted(entry.name for entry in folder.iterdir() if not entry.name.startswith("."))
    if not names:
        return "nothing"
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
