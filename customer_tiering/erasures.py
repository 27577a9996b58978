"""Erasure of persons: what an earlier run left of them is removed once a publication without them is there.

The raw tables are landed without them (macros/landing/erase_persons.sql), so that nothing that is
built holds them. What was built before they asked may: earlier publications, those as of a date,
logs, dbt's target folder and messages in the run ledger.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb

from customer_tiering.errors import ConfigurationError, LockedError
from customer_tiering.locking import locked
from customer_tiering.publishing import (
    MANIFEST,
    UNFINISHED,
    errors_as_build_error,
    publications,
    remove,
    sync,
)

KEY = "erasures.key"
KEY_LENGTH = 32  # bytes
DATED = "as_of"  # holds a warehouse for each date of which there is a dated publication
ERASED_IDS = "TIERING_ERASED_IDS"  # the environment variables that tell dbt's landing
LAST_PUBLICATION = "TIERING_LAST_PUBLICATION"

Erasures = dict[str, object]


@contextmanager
def handed_over() -> Iterator[Path]:
    """A file in which dbt hands over the erased ids; it is gone afterwards.

    It lies in a folder that only its owner may enter, in memory where the system has a place for it.
    """
    memory = Path("/dev/shm")
    place = str(memory) if os.access(memory, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="tiering-", dir=place) as folder:
        yield Path(folder) / "erased_ids.parquet"


def erasures_of(warehouse: Path, handed: Path) -> Erasures | None:
    """How many ids are erased and a digest of them, from the file handed over; None without any.

    The digest says whether two runs erased the same ids and, without the key that stays in the
    warehouse, nothing about which ones. A lost key makes all digests look changed.
    """
    if not handed.is_file():
        return None
    with duckdb.connect() as connection:
        rows = connection.execute(
            "select distinct customer_id from read_parquet(?) order by 1", [str(handed)]
        ).fetchall()
    return {
        "ids": len(rows),
        "digest": _digest(warehouse, [customer_id for (customer_id,) in rows]),
    }


def digest_of_masking(warehouse: Path, handed: Path) -> str:
    """A digest of which ids are erased under which anonymous ids, from the file that DuckDB handed over."""
    if not handed.is_file():
        return "nobody"
    with duckdb.connect() as connection:
        rows = connection.execute(
            "select customer_id, erased_id from read_parquet(?) order by all", [str(handed)]
        ).fetchall()
    return _digest(warehouse, [text for row in rows for text in row])


def holding_erased(warehouse: Path, erasures: Erasures | None) -> list[Path]:
    """The publications that were made when other ids were erased, and so may hold who now is."""
    if erasures is None:
        return []
    return [path for path in publications(warehouse) if _erasures_in(path) != erasures]


def remove_logs(warehouse: Path) -> None:
    """Empty the folders of logs and of dbt's target, also those to which links point. Raises BuildError."""
    with errors_as_build_error(f"removing the logs of {warehouse}"):
        for name in ("logs", "target"):
            _empty(warehouse / name)


def remove_publications(holding: Sequence[Path]) -> None:
    """Remove the publications that may hold the erased. Raises BuildError."""
    with errors_as_build_error("removing publications that may hold erased persons"):
        for publication in holding:
            remove(publication)


def dated_warehouses(warehouse: Path) -> list[Path]:
    """The folders of the warehouses as of a date that lie below a warehouse, oldest date first."""
    return sorted((warehouse / DATED).glob("*/"))


def remove_dated(warehouse: Path, handed: Path) -> tuple[list[str], list[str]]:
    """Empty the dated warehouses below a warehouse that may hold the erased: a backfill makes them again.

    Gives the dates of those that are emptied, and of those left as they are being refreshed: the next
    refresh looks at them again. Raises BuildError.
    """
    emptied, left = [], []
    with errors_as_build_error(f"emptying dated warehouses below {warehouse / DATED}"):
        for dated in dated_warehouses(warehouse):
            if any(dated.iterdir()) and _may_hold(dated, handed):
                try:
                    with locked(dated):
                        _empty(dated)
                except LockedError:
                    left.append(dated.name)
                else:
                    emptied.append(dated.name)
    return emptied, left


def _may_hold(dated: Path, handed: Path) -> bool:
    """Whether a dated warehouse may hold who now is erased: it may unless all its publications are from after."""
    if not publications(dated) or not (dated / KEY).is_file():
        return True
    return bool(holding_erased(dated, erasures_of(dated, handed)))


def _empty(folder: Path) -> None:
    for entry in folder.iterdir() if folder.is_dir() else ():
        remove(entry)


def _erasures_in(publication: Path) -> Erasures | None:
    try:
        manifest = json.loads((publication / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    erasures: Erasures | None = manifest.get("erasures")
    return erasures


def check_key(warehouse: Path) -> None:
    """Raise ConfigurationError when a warehouse has a key and it is not one that a refresh made."""
    path = warehouse / KEY
    if path.exists() and (found := path.stat().st_size) != KEY_LENGTH:
        allowed = (
            f"{KEY_LENGTH} bytes: restore the file, or remove it, and the next refresh removes earlier "
            "publications once more"
        )
        raise ConfigurationError(str(path), f"{found} bytes", allowed)


def _digest(warehouse: Path, texts: Sequence[str]) -> str:
    """A digest of texts in their order that says nothing about them without the warehouse's key."""
    digest = hmac.new(_key(warehouse), digestmod=hashlib.sha256)
    for text in texts:
        written = text.encode()
        digest.update(len(written).to_bytes(8, "big") + written)
    return digest.hexdigest()


def _key(warehouse: Path) -> bytes:
    """The warehouse's own key, made when it is first needed; for the owner alone, and durable."""
    path = warehouse / KEY
    if not path.exists():
        new = path.with_name(f"{KEY}{UNFINISHED}")
        new.unlink(missing_ok=True)
        made = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(made, "wb") as file:
            file.write(secrets.token_bytes(KEY_LENGTH))
        sync(new)
        os.replace(new, path)
        sync(warehouse)
    return path.read_bytes()
