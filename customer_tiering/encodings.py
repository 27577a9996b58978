"""Text files of any encoding, as DuckDB reads them: in UTF-8.

DuckDB asks for `encoded://ENCODING/PATH`, and gets the file's text from a temporary file that has no name: nothing of it
is left when the process ends, however it ends.
"""

from __future__ import annotations

import codecs
import gzip
import os
import tempfile
from contextlib import ExitStack
from datetime import UTC, datetime
from io import BufferedReader, RawIOBase
from threading import Lock
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
    """What DuckDB needs of a file system in order to read.

    A file is decoded once, as long as it does not change. Bytes that the encoding does not have are a UnicodeDecodeError.
    """

    protocol = PROTOCOL
    cachable = False

    def __init__(self) -> None:
        super().__init__()
        self._decoded: dict[str, tuple[tuple[int, int, int], IO[bytes]]] = {}
        self._lock = Lock()

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return path

    def open(self, path: str, mode: str = "rb", *_: Any, **__: Any) -> BufferedReader:
        """The file's text in UTF-8."""
        if mode != "rb":
            raise ValueError(f"mode {mode}: such a file is only read")
        return BufferedReader(_Reader(self._text(path)))

    def info(self, path: str, **_: Any) -> dict[str, Any]:
        """The size of the text in UTF-8."""
        size = os.fstat(self._text(path).fileno()).st_size
        return {"name": path, "type": "file", "size": size}

    def _text(self, path: str) -> IO[bytes]:
        """The temporary file of a file's text."""
        found = os.stat(_parts(path)[1])
        state = found.st_size, found.st_mtime_ns, found.st_ctime_ns
        with self._lock:
            known = self._decoded.get(path)
            if known is None or known[0] != state:
                known = self._decoded[path] = state, _decoded(path)
            return known[1]

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


def _decoded(path: str) -> IO[bytes]:
    encoding, file = _parts(path)
    opened = gzip.open if file.lower().endswith(".gz") else open
    with ExitStack() as stack, opened(file, "rt", encoding=encoding, newline="") as text:
        decoded = stack.enter_context(tempfile.TemporaryFile())
        for characters in iter(lambda: text.read(_CHARACTERS), ""):
            decoded.write(characters.encode())
        decoded.flush()
        stack.pop_all()
    return decoded


class _Reader(RawIOBase):
    """A reader of its own of a file that others read too."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._place = file, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        read = os.pread(self._file.fileno(), len(buffer), self._place)
        buffer[: len(read)] = read
        self._place += len(read)
        return len(read)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        size = os.fstat(self._file.fileno()).st_size
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._place, os.SEEK_END: size}[whence]
        self._place = start + offset
        return self._place

    def tell(self) -> int:
        return self._place
