"""The raw folder: is every required table there, each in one unambiguous place?"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import yaml

from customer_tiering.errors import SourceError

SUFFIXES = (".parquet", ".csv")
CHECKSUMS = "MANIFEST.sha256"


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
    for number, line in enumerate(manifest.read_text(encoding="utf-8").splitlines(), start=1):
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
