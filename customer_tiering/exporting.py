"""Exports tiers, scores, open alerts and actions of customers for a CRM: all, or what has changed.

What is exported is marts.customer_profiles of a publication, with contacts on request; which of its columns, and under
which names, is a layout of seeds/export_columns.csv.
The same publication gives the same bytes.
"""

from __future__ import annotations

import csv
import filecmp
import os
import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import IO
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import duckdb

from customer_tiering.configuration import COMMAND_LINE
from customer_tiering.errors import ConfigurationError, SourceError
from customer_tiering.messages import without_values
from customer_tiering.publishing import (
    PUBLICATION,
    RESTRICTED,
    current_publication,
    file_of,
    publication_of,
)
from customer_tiering.quoting import identifier, literal
from customer_tiering.seed_rules.export_columns import ZOHO, check_export_columns, layout_family
from customer_tiering.seeds import (
    CHANGE,
    PERSONAL_SOURCES,
    ExportColumn,
    did_you_mean,
    read_export_columns,
)

FORMATS = ("csv", "parquet")
NAME = "customers"  # of the files, before their number
ROWS_AT_ONCE = 10_000


@dataclass(frozen=True)
class Packaging:
    """How the files of a layout are made. Limits are of one file; None is none.

    `max_bytes` is of the CSV as it is before it is zipped, header included. A zip holds one CSV.
    """

    max_records: int | None = None
    max_bytes: int | None = None
    is_zipped: bool = False
    has_byte_order_mark: bool = False  # by which Excel knows UTF-8
    takes_parquet: bool = True


# By the family of a layout. 25 MB in decimal, as the smaller of the two readings.
PACKAGINGS = {
    ZOHO: Packaging(max_records=25_000, max_bytes=25_000_000, is_zipped=True, takes_parquet=False),
    "fxiaoke": Packaging(has_byte_order_mark=True, takes_parquet=False),
}


@dataclass(frozen=True)
class Exported:
    """What was exported: of which run, how many customers of which change (None: all), the files."""

    run_id: str
    customers: Counter[str | None]
    files: list[Path]


# Dates that move by themselves make no change: these never do, ...
_MOVING = ("as_of_date", "next_review_on")
# ... and these not while their review is still open, when they are the as-of date.
_MOVING_WHILE_OPEN = ("tier_since", "alert_raised_on")
# What is due at once is so again the day after.
_DUE = "action_due_on"


def read_layout(project: Path, name: str) -> list[ExportColumn]:
    """The columns of a layout in their order. Raises ConfigurationError."""
    columns = read_export_columns(project / "seeds")
    check_export_columns(columns)
    names = list(dict.fromkeys(column.layout for column in columns))
    if name not in names:
        found = f"an unknown layout {name!r}{did_you_mean(name, names)}"
        raise ConfigurationError(f"{COMMAND_LINE}, --layout", found, f"one of {', '.join(names)}")
    return sorted((c for c in columns if c.layout == name), key=lambda column: column.position)


def export(
    warehouse: Path,
    folder: Path,
    layout: Sequence[ExportColumn],
    *,
    file_format: str = "csv",
    changed_since: str | None = None,
    with_contacts: bool = False,
    packaging: Packaging | None = None,
) -> Exported:
    """Write the customers of the publication in a warehouse into a new folder, in a layout.

    With `changed_since`, a run, only those of whom something that the layout holds differs from what that
    run published; who is not there any more is a row with nothing but the key. Names and addresses
    come along when asked for, of those who have consented to marketing, in files for the owner alone.
    `packaging` stands in for that of the layout. The folder appears when it is complete, or not at
    all. Raises ConfigurationError and SourceError.
    """
    name = layout[0].layout
    packaging = packaging or PACKAGINGS.get(layout_family(name), Packaging())
    _check_request(name, layout, file_format, with_contacts, packaging)
    columns = [c for c in layout if with_contacts or c.is_personal == "false"]
    latest = latest_publication(warehouse)
    earlier = publication_of(warehouse, changed_since) if changed_since else None
    with (
        _reading(latest, earlier, with_contacts) as connection,
        new_folder(folder, with_contacts) as new,
    ):
        customers = _find(connection, columns, earlier is not None)
        write_files(connection, _query(columns), new, NAME, file_format, packaging)
        files = sorted(path.name for path in new.iterdir())
    return Exported(latest.name, customers, [folder / file for file in files])


def latest_publication(warehouse: Path) -> Path:
    """The publication that readers see. Raises SourceError when there is none."""
    latest = current_publication(warehouse)
    if latest is None:
        allowed = "a warehouse that `tiering refresh` has published"
        raise SourceError(str(warehouse / PUBLICATION), "no publication", allowed)
    return latest


def escaped(text: str) -> str:
    """A text that no spreadsheet takes for a formula: with an apostrophe before it where one might.

    That is where it begins with = + - or @, in full width too, whatever blanks or invisible signs
    stand before, and where a tab or the end of a line stands at its beginning. A phone number, a
    plus and 7 to 20 digits with single blanks, runs nothing and stays as a CRM reads it.
    """
    is_formula = _LIKE_A_FORMULA.match(text) and not _PHONE_NUMBER.fullmatch(text)
    return f"'{text}" if is_formula else text


_PHONE_NUMBER = re.compile(r"\+[0-9](?: ?[0-9]){6,19}")
_LIKE_A_FORMULA = re.compile(
    r"[\s\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]*"
    r"[\t\r\n=+\-@＝＋－＠﹦﹢﹣﹫]"
)


def _check_request(
    name: str,
    layout: Sequence[ExportColumn],
    file_format: str,
    with_contacts: bool,
    packaging: Packaging,
) -> None:
    check_format(file_format)
    if file_format == "parquet" and not packaging.takes_parquet:
        found = f"parquet with the layout {name}"
        raise ConfigurationError(f"{COMMAND_LINE}, --format", found, "csv for this layout")
    if with_contacts and all(column.is_personal == "false" for column in layout):
        found = f"the layout {name}, which has no personal column"
        allowed = f"a layout with {', '.join(PERSONAL_SOURCES[:-1])} or {PERSONAL_SOURCES[-1]}"
        raise ConfigurationError(f"{COMMAND_LINE}, --with-contacts", found, allowed)


def check_format(file_format: str) -> None:
    """Refuse a format that no file has. Raises ConfigurationError."""
    if file_format not in FORMATS:
        found = f"an unknown format {file_format!r}{did_you_mean(file_format, FORMATS)}"
        raise ConfigurationError(f"{COMMAND_LINE}, --format", found, f"one of {', '.join(FORMATS)}")


def _find(
    connection: duckdb.DuckDBPyConnection, columns: Sequence[ExportColumn], is_compared: bool
) -> Counter[str | None]:
    """Put what is exported into the temporary table `exported`; gives how many of which change."""
    sources = [c.source_column for c in columns if c.source_column not in ("customer_id", CHANGE)]
    selected = "".join(f", latest.{source}" for source in sources)
    if is_compared:
        query = f"""
            select
                coalesce(latest.customer_id, earlier.customer_id) as customer_id,
                case
                    when earlier.customer_id is null then 'new'
                    when latest.customer_id is null then 'removed'
                    else 'changed'
                end as {CHANGE}
                {selected}
            from latest
            full join earlier on latest.customer_id = earlier.customer_id
            where
                latest.customer_id is null
                or earlier.customer_id is null
                or {_differs(connection, sources)}
        """
    else:
        query = f"select customer_id, cast(null as varchar) as {CHANGE}{selected} from latest"
    connection.execute(f"create temp table exported as {query}")
    return Counter(
        dict(connection.execute(f"select {CHANGE}, count(*) from exported group by 1").fetchall())
    )


def _differs(connection: duckdb.DuckDBPyConnection, sources: Iterable[str]) -> str:
    """When a customer who is in both publications has changed.

    Of a publication without profiles nothing but the customers is known: then all have changed. A column that the
    earlier publication lacks is unknown in it.
    """
    if not is_published(connection, "earlier", "customer_profiles"):
        return "true"
    there = {
        column
        for (column,) in connection.execute(
            "select column_name from duckdb_columns() where table_name = 'earlier'"
        ).fetchall()
    }
    pairs = [
        f"{_compared('latest', source)} is distinct from "
        + (_compared("earlier", source) if source in there else "null")
        for source in sources
        if source not in _MOVING
    ]
    return " or ".join(pairs) or "false"


def _compared(publication: str, source: str) -> str:
    """A column without what makes no change."""
    as_of = f"{publication}.as_of_date"
    if source == _DUE:
        return f"nullif({publication}.{source}, {as_of})"
    if source in _MOVING_WHILE_OPEN:
        return f"nullif({publication}.{source}, case when {publication}.is_provisional then {as_of} end)"
    return f"{publication}.{source}"


@contextmanager
def reading_publications(
    publications: Mapping[str, Path], with_contacts: bool
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection with publications attached, each as NAME_publication, which writes nothing to disk by itself.

    With contacts each has a NAME_contacts too. Raises SourceError when one cannot be read.
    """
    try:
        with duckdb.connect(config={"temp_directory": ""}) as connection:
            for name, publication in publications.items():
                _attach(connection, name, publication, with_contacts)
            yield connection
    except duckdb.Error as error:
        words = " ".join(without_values(str(error)).split())
        found = f"a publication that cannot be exported ({words})"
        where = " or ".join(str(publication) for publication in publications.values())
        raise SourceError(where, found, "publications of `tiering refresh`") from error


@contextmanager
def _reading(
    latest: Path, earlier: Path | None, with_contacts: bool
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection that shows the customers of the publications. Raises SourceError when one lacks what is exported."""
    publications = {"latest": latest} | ({"earlier": earlier} if earlier is not None else {})
    with reading_publications(publications, with_contacts) as connection:
        check_published(connection, latest, "customer_profiles")
        _show(connection, "latest", "customer_profiles", with_contacts)
        if earlier is not None:
            there = is_published(connection, "earlier", "customer_profiles")
            table = "customer_profiles" if there else "customers"
            _show(connection, "earlier", table, with_contacts)
        yield connection


def contacts_of(publication: Path) -> Path:
    """The file of a publication that holds names and addresses. Raises SourceError."""
    path = file_of(publication, RESTRICTED)
    if not path.is_file():
        raise SourceError(str(path), "no such file", "a publication with its restricted data")
    return path


def _attach(
    connection: duckdb.DuckDBPyConnection, name: str, publication: Path, with_contacts: bool
) -> None:
    files = {f"{name}_publication": file_of(publication)}
    if with_contacts:
        files[f"{name}_contacts"] = contacts_of(publication)
    for database, file in files.items():
        connection.execute(f"attach {literal(file)} as {database} (read_only)")


def _show(
    connection: duckdb.DuckDBPyConnection, name: str, table: str, with_contacts: bool
) -> None:
    """Show a table of customers of an attached publication as the view `name`."""
    selected = joined = ""
    if with_contacts:
        there = {
            column
            for (column,) in connection.execute(
                "select column_name from duckdb_columns() "
                "where database_name = $name and table_name = 'customer_contacts'",
                {"name": f"{name}_contacts"},
            ).fetchall()
        }
        # what an earlier release did not publish is unknown
        selected = "".join(
            f", contacts.{source}" if source in there else f", null as {source}"
            for source in PERSONAL_SOURCES
        )
        joined = (
            f"left join {name}_contacts.restricted.customer_contacts as contacts "
            "on customers.customer_id = contacts.customer_id and customers.has_marketing_consent"
        )
    connection.execute(
        f"create temp view {name} as select customers.*{selected} "
        f"from {name}_publication.marts.{table} as customers {joined} where not customers.is_erased"
    )


def check_published(connection: duckdb.DuckDBPyConnection, latest: Path, mart: str) -> None:
    """Refuse a publication without a mart. Raises SourceError."""
    if not is_published(connection, "latest", mart):
        found = f"no marts.{mart}, as an earlier release published it"
        allowed = "a publication of this release, which `tiering refresh` makes"
        raise SourceError(str(latest), found, allowed)


def is_published(connection: duckdb.DuckDBPyConnection, name: str, mart: str) -> bool:
    """Whether an attached publication has a mart: an earlier release did not make it."""
    found = connection.execute(
        "select 1 from duckdb_tables() "
        "where database_name = $name and schema_name = 'marts' and table_name = $mart",
        {"name": f"{name}_publication", "mart": mart},
    )
    return found.fetchone() is not None


def _query(columns: Iterable[ExportColumn]) -> str:
    """What is exported, under the names of the receiving system, ordered by the key."""
    selected = ", ".join(
        f"exported.{column.source_column} as {identifier(column.target_name)}" for column in columns
    )
    return f"select {selected} from exported order by exported.customer_id"


def write_files(
    connection: duckdb.DuckDBPyConnection,
    selected: str,
    folder: Path,
    name: str,
    file_format: str,
    packaging: Packaging,
) -> None:
    """Write what a query selects into numbered files of a folder. Raises SourceError and OSError."""
    if file_format == "parquet":
        try:
            path = folder / f"{name}-0001.parquet"
            connection.sql(selected).write_parquet(str(path), compression="zstd")
        except duckdb.IOException as error:
            raise OSError(" ".join(str(error).split())) from error
    else:
        _write_csv(connection.execute(selected), folder, name, packaging)


def _write_csv(
    result: duckdb.DuckDBPyConnection, folder: Path, name: str, packaging: Packaging
) -> None:
    """Write numbered CSV files, each within the limits; nothing to tell is one with a header alone.

    Where files are zipped for an upload there is none then, as there is nothing to upload.
    """
    mark = "\ufeff" if packaging.has_byte_order_mark else ""
    header = (mark + _line(column[0] for column in result.description or ())).encode()
    files = _Files(folder, name, header, packaging)
    try:
        while batch := result.fetchmany(ROWS_AT_ONCE):
            for row in batch:
                files.write(_line(map(_cell, row)).encode())
        if not files.number and not packaging.is_zipped:
            files.begin()
    finally:
        files.end()


class _Files:
    """Numbered files of lines, a new one begun where the next line would go over a limit."""

    def __init__(self, folder: Path, name: str, header: bytes, packaging: Packaging) -> None:
        self.folder, self.name, self.header, self.packaging = folder, name, header, packaging
        self.number = self.records = self.bytes = 0
        self.file: IO[bytes] | None = None
        self.to_close = ExitStack()

    def write(self, line: bytes) -> None:
        """Add a record's line. Raises SourceError when a file cannot even hold it alone."""
        most_records, most_bytes = self.packaging.max_records, self.packaging.max_bytes
        if most_bytes is not None and len(self.header) + len(line) > most_bytes:
            found = f"a customer whose line has {len(line)} bytes"
            allowed = f"lines that fit into a file of {most_bytes} bytes"
            raise SourceError("the export", found, allowed)
        file = self.file
        if (
            file is None
            or (most_records is not None and self.records >= most_records)
            or (most_bytes is not None and self.bytes + len(line) > most_bytes)
        ):
            file = self.begin()
        file.write(line)
        self.records += 1
        self.bytes += len(line)

    def begin(self) -> IO[bytes]:
        """Begin the next file with its header."""
        self.end()
        self.number += 1
        name = f"{self.name}-{self.number:04d}"
        if self.packaging.is_zipped:
            archive = self.to_close.enter_context(ZipFile(self.folder / f"{name}.zip", "w"))
            entry = ZipInfo(f"{name}.csv", date_time=(1980, 1, 1, 0, 0, 0))  # the same every time
            entry.compress_type = ZIP_DEFLATED
            entry.create_system = 3  # Unix, whose modes the next line gives
            entry.external_attr = 0o600 << 16
            self.file = self.to_close.enter_context(archive.open(entry, "w"))
        else:
            self.file = self.to_close.enter_context((self.folder / f"{name}.csv").open("wb"))
        self.file.write(self.header)
        self.records, self.bytes = 0, len(self.header)
        return self.file

    def end(self) -> None:
        """Close the file that is open, if one is."""
        self.to_close.close()
        self.file = None


def _line(cells: Iterable[str]) -> str:
    text = StringIO()
    csv.writer(text, lineterminator="\r\n").writerow(cells)
    return text.getvalue()


def _cell(value: object) -> str:
    """How a value is written in CSV: numbers and dates plain, texts so that none is a formula."""
    if value is None:
        return ""
    if isinstance(value, str):
        return escaped(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, date):
        return value.isoformat()
    return str(value)


@contextmanager
def new_folder(folder: Path, is_private: bool) -> Iterator[Path]:
    """A folder to be filled, which then takes the place of `folder` in one step.

    `folder` may be there when it is empty, or holds the very same files already. Raises
    ConfigurationError, and then nothing of what was written is left.
    """
    where = f"{COMMAND_LINE}, --out"
    scratch = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(
            tempfile.mkdtemp(prefix=f".{folder.name}.", suffix=".partial", dir=folder.parent)
        )
        new = scratch / "export"
        new.mkdir(mode=0o700 if is_private else 0o777)
        yield new
        for path in new.iterdir():
            if is_private:
                path.chmod(0o600)
            with path.open("rb") as file:
                os.fsync(file.fileno())
        if not _is_there_already(new, folder):
            os.rename(new, folder)
    except OSError as error:
        found = f"{folder} ({error.strerror or error})"
        raise ConfigurationError(where, found, "a folder that can be written") from error
    finally:
        if scratch is not None:
            shutil.rmtree(scratch, ignore_errors=True)


def _is_there_already(new: Path, folder: Path) -> bool:
    """Whether a folder holds what is new, and nothing else. Raises ConfigurationError on others."""
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return False
    if folder.is_dir():
        names = sorted(path.name for path in new.iterdir())
        there = sorted(path.name for path in folder.iterdir())
        if names == there and all(
            (folder / name).is_file() and filecmp.cmp(new / name, folder / name, shallow=False)
            for name in names
        ):
            return True
        found = f"{folder}, a folder with other content"
    else:
        found = f"{folder}, which is no folder"
    allowed = "a folder that is not there, is empty or holds this very export"
    raise ConfigurationError(f"{COMMAND_LINE}, --out", found, allowed)
