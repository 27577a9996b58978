"""How a file of an export is written: encoding, delimiter, quotes, lines before the header, names of columns.

Only the beginning of a file is read, so the answer costs the same for a file of any size.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import re
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from glob import escape
from io import StringIO
from itertools import groupby
from pathlib import Path

import chardet
import duckdb

from customer_tiering.errors import SourceError
from customer_tiering.quoting import literal
from customer_tiering.reading import macros
from customer_tiering.sources import (
    BEGINNING,
    all_files,
    compression_of,
    first_of,
    format_of,
    other_files,
)

ROWS = 1000  # of the beginning, that are given back
# What files are written in, apart from Unicode: what Python calls it, by chardet's name.
ENCODINGS = {
    "windows-1252": "windows-1252",
    "windows-1250": "windows-1250",
    "windows-1251": "windows-1251",
    "gb18030": "gb18030",
    "big5": "big5",
    "shift_jis": "cp932",
    "euc-kr": "cp949",
}
WESTERN = "windows-1252"
WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")  # what .xlsx and .zip, and .xls begin with
FAR_LIKELIER = 3  # times, by chardet: short texts of one alphabet say little


@dataclass(frozen=True)
class Sniffed:
    """How a file is read. `rows` are the first ones of a CSV file, texts as they stand there."""

    columns: list[str]
    is_parquet: bool = False
    encoding: str = "utf-8"
    delimiter: str = ","
    quote: str = '"'
    skip_lines: int = 0
    rows: list[list[str]] = field(default_factory=list, repr=False)


def sniff(file: Path) -> Sniffed:
    """How a CSV or Parquet file is read. Raises SourceError where nothing can be said of it."""
    if format_of(file) == "parquet":
        return Sniffed(_parquet_columns(file), is_parquet=True)
    encoding, text = _decoded(file)
    if not text.strip():
        raise SourceError(f"raw file {file}", "no content", "a file with a header")
    delimiter, quote, skipped = _dialect(text)
    header, rows, more = _rows(text, delimiter, quote, skipped)
    return Sniffed(header, False, encoding, delimiter, quote, skipped + more, rows)


def sniff_folder(folder: Path) -> dict[Path, Sniffed]:
    """All CSV and Parquet files of a folder and the folders in it, and how each is read.

    Raises SourceError where there are none, or nothing can be said of one.
    """
    if not folder.is_dir():
        found = "a file" if folder.exists() else "no such folder"
        raise SourceError(f"raw folder {folder}", found, "a folder with CSV or Parquet files")
    files = all_files(folder)
    if not files:
        found = f"no CSV or Parquet file (it holds {first_of(other_files(folder)) or 'nothing'})"
        allowed = "CSV or Parquet: save a workbook as CSV UTF-8, unpack an archive"
        raise SourceError(f"raw folder {folder}", found, allowed)
    return {file: sniff(file) for file in files}


def query_of_files(files: Mapping[Path, Sniffed]) -> str:
    """A query, in brackets, of the rows of files, each read as it is written, for a connection of `reading.connect`.

    Columns of one name are one column; all of CSV are text. Empty without files.
    """

    def way(file: Path) -> tuple[bool, str, str, str, str, int]:
        form = files[file]
        encoding = "utf-8" if form.encoding == "utf-8-sig" else form.encoding
        compression = compression_of(file)
        return form.is_parquet, encoding, compression, form.delimiter, form.quote, form.skip_lines

    readers = []
    for (_, encoding, compression, *form), group in groupby(sorted(files, key=way), way):
        is_plain = encoding == "utf-8"
        paths = [str(file) if is_plain else f"encoded://{encoding}/{file}" for file in group]
        readers.append(
            macros().file_reader(
                paths[0],
                paths,
                compression if is_plain else "none",
                "union_by_name = true",
                form=dict(zip(("delimiter", "quote", "skip_lines"), form, strict=True)),
            )
        )
    rows = " union all by name ".join(f"select * from {reader}" for reader in readers)
    return f"({rows})" if rows else ""


def _parquet_columns(file: Path) -> list[str]:
    try:
        with duckdb.connect() as connection:
            return connection.read_parquet(escape(str(file)), hive_partitioning=False).columns
    except (duckdb.Error, OSError):
        found = "content that cannot be read as Parquet"
        raise SourceError(f"raw file {file}", found, "a whole and undamaged Parquet file") from None


def _decoded(file: Path) -> tuple[str, str]:
    """The encoding of a CSV file, and the whole lines of its beginning."""
    if compression_of(file) == "zstd":
        return "utf-8", _lines_of_zstd(file)
    try:
        with gzip.open(file) if compression_of(file) == "gzip" else file.open("rb") as content:
            beginning = content.read(BEGINNING)
            is_whole = not content.read(1)
    except (OSError, EOFError) as error:
        found = f"content that cannot be read ({type(error).__name__})"
        raise SourceError(f"raw file {file}", found, "a whole and undamaged file") from None
    if beginning.startswith(WORKBOOKS):
        allowed = "CSV: save a workbook as CSV UTF-8, unpack an archive"
        raise SourceError(f"raw file {file}", "a workbook or an archive", allowed)
    encoding = _encoding(beginning, is_whole)
    if encoding is None:
        allowed = f"CSV in UTF-8, UTF-16 or one of {', '.join(ENCODINGS.values())}"
        raise SourceError(f"raw file {file}", "bytes of an unknown encoding", allowed)
    text = codecs.getincrementaldecoder(encoding)().decode(beginning, final=is_whole)
    return encoding, text if is_whole else _whole_rows(text)


def _whole_rows(text: str) -> str:
    """A text up to its last line end that lies in no quoted cell."""
    end = len(text)
    for _ in range(ROWS):
        end = text.rfind("\n", 0, end)
        if end < 0:
            break
        if text.count('"', 0, end) % 2 == 0:
            return text[: end + 1]
    return text


def _lines_of_zstd(file: Path) -> str:
    """The beginning of a compressed file that Python cannot open: each line is read as a column of its own."""
    options = (
        "columns = {'line': 'VARCHAR'}, auto_detect = false, header = false, delim = chr(31), "
        "quote = '', escape = '', compression = 'zstd', max_line_size = 10000000"
    )
    try:
        with duckdb.connect() as connection:
            lines = connection.execute(
                f"select line from read_csv({literal(escape(str(file)))}, {options}) limit {ROWS}"
            ).fetchall()
    except duckdb.Error:
        found = "content that cannot be read as CSV in UTF-8, compressed by zstd"
        raise SourceError(
            f"raw file {file}", found, "such a file, or one without compression"
        ) from None
    return "".join(f"{line or ''}\n" for (line,) in lines)


def _encoding(beginning: bytes, is_whole: bool) -> str | None:
    """The encoding of a text: what it begins with, else what it can be decoded by, else what is likeliest."""
    if beginning.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if beginning.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if b"\0" in beginning[:1000]:  # as every second byte of plain letters is
        return "utf-16-le" if beginning[1:2] == b"\0" else "utf-16-be"
    fitting = {
        detected: encoding
        for detected, encoding in {"utf-8": "utf-8", **ENCODINGS}.items()
        if _fits(beginning, encoding, is_whole)
    }
    if "utf-8" in fitting or len(fitting) <= 1:
        return next(iter(fitting.values()), None)
    likelihoods = {
        str(found["encoding"]).lower(): found["confidence"]
        for found in chardet.detect_all(beginning, include_encodings=list(fitting))
    }
    likeliest = max(fitting, key=lambda name: likelihoods.get(name, 0))
    if WESTERN in fitting and likelihoods.get(likeliest, 0) < FAR_LIKELIER * likelihoods.get(
        WESTERN, 0
    ):
        return WESTERN
    return fitting[likeliest]


def _fits(beginning: bytes, encoding: str, is_whole: bool) -> bool:
    try:
        codecs.getincrementaldecoder(encoding)().decode(beginning, final=is_whole)
    except UnicodeDecodeError:
        return False
    return True


def _dialect(text: str) -> tuple[str, str, int]:
    """Delimiter, quote and lines before the header, as DuckDB finds them; Excel's first line may name the delimiter."""
    if named := re.match(r"sep=(.)\r?\n", text):
        delimiter, quote, skipped = _dialect(text[named.end() :])
        return named[1], quote, skipped + 1
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", newline="", suffix=".csv") as copy:
        copy.write(text)
        copy.flush()
        for way in ("", ", strict_mode = false", ", ignore_errors = true, null_padding = true"):
            with suppress(duckdb.Error), duckdb.connect() as connection:
                delimiter, quote, skipped, columns = connection.execute(
                    "select delimiter, quote, skiprows, len(columns) "
                    f"from sniff_csv({literal(copy.name)}, all_varchar = true, header = true, sample_size = -1{way})"
                ).fetchall()[0]
                return (
                    delimiter if columns > 1 else ",",
                    quote if quote in ('"', "'") else '"',
                    skipped,
                )
    return ",", '"', 0


def _rows(
    text: str, delimiter: str, quote: str, skipped: int
) -> tuple[list[str], list[list[str]], int]:
    """The header, the rows behind it, and how many lines more lie before it: those of which most cells are empty."""
    lines = list(StringIO(text, newline=""))[skipped:]
    reader = csv.reader(StringIO("".join(lines), newline=""), delimiter=delimiter, quotechar=quote)
    header: list[str] = []
    rows: list[list[str]] = []
    before = 0
    with suppress(csv.Error):  # a quote that is not closed, as the beginning ends in it
        for row in reader:
            if not header and sum(cell.strip() != "" for cell in row) * 2 >= max(len(row), 1):
                header = [cell.strip() for cell in row]
            elif not header:
                before = reader.line_num
            elif row:
                rows.append(row)
            if len(rows) == ROWS:
                break
    return header, rows, before
