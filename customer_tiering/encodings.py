"""Text files of any encoding, as DuckDB reads them: in UTF-8.

DuckDB asks for `encoded://ENCODING/PATH`, and gets the file's text from a temporary file that has no name: nothing of it
is left when it is closed, however the process ends.
"""

from __future__ import annotations

import codecs
import gzip
import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from typing import IO, Any

import duckdb
from fsspec import AbstractFileSystem

PROTOCOL = "encoded"
_CHARACTERS = 1 << 20


def register(connection: duckdb.DuckDBPyConnection) -> None:
    """Let a connection read files of other encodings."""
    connection.register_filesystem(EncodedFiles())


def is_encoding(name: str) -> bool:
    """Whether Python knows a text encoding of that name."""
    try:
        return codecs.lookup(name)._is_text_encoding
    except (LookupError, ValueError):
        return False


class EncodedFiles(AbstractFileSystem):
    """What DuckDB needs of a file system in order to read; bytes that the encoding does not have are a UnicodeDecodeError."""

    protocol = PROTOCOL
    cachable = False

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return path

    def open(self, path: str, mode: str = "rb", *_: Any, **__: Any) -> IO[bytes]:
        """The file's text in UTF-8."""
        if mode != "rb":
            raise ValueError(f"mode {mode}: such a file is only read")
        with ExitStack() as stack, _text(path) as text:
            file = stack.enter_context(tempfile.TemporaryFile())
            for characters in iter(lambda: text.read(_CHARACTERS), ""):
                file.write(characters.encode())
            file.seek(0)
            stack.pop_all()
        return file

    def info(self, path: str, **_: Any) -> dict[str, Any]:
        """The size of the text in UTF-8, and the time of the file."""
        with self.open(path) as file:
            size = file.seek(0, os.SEEK_END)
        return {"name": path, "type": "file", "size": size}

    def exists(self, path: str, **_: Any) -> bool:
        """Whether the file is there."""
        return os.path.isfile(_parts(path)[1])

    def modified(self, path: str) -> datetime:
        """When the file was written last."""
        return datetime.fromtimestamp(os.stat(_parts(path)[1]).st_mtime, UTC)

    def glob(self, path: str, **_: Any) -> list[str]:
        """The one file of a literal pattern."""
        literal = path
        for sign in "*?[":
            literal = literal.replace(f"[{sign}]", sign)
        return [literal] if self.exists(literal) else []


def _parts(path: str) -> tuple[str, str]:
    """Encoding and path of a file."""
    encoding, _, file = path.removeprefix(f"{PROTOCOL}://").partition("/")
    return encoding, file


@contextmanager
def _text(path: str) -> Iterator[IO[str]]:
    encoding, file = _parts(path)
    opened = gzip.open if file.lower().endswith(".gz") else open
    with opened(file, "rt", encoding=encoding, newline="") as text:
        yield text
