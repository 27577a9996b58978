"""Erasure of persons: what an earlier run left of them is removed once a publication without them is there.

The raw tables are landed without them (macros/landing/erase_persons.sql), so that nothing that is
built holds them. What was built before they asked may: earlier publications, logs, dbt's target
folder and messages in the run ledger.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb

from customer_tiering.publishing import MANIFEST, publications

KEY = "erasures.key"
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
    digest = hmac.new(_key(warehouse), digestmod=hashlib.sha256)
    for (customer_id,) in rows:
        written = customer_id.encode()
        digest.update(len(written).to_bytes(8, "big") + written)
    return {"ids": len(rows), "digest": digest.hexdigest()}


def holding_erased(warehouse: Path, erasures: Erasures | None) -> list[Path]:
    """The publications that were made when other ids were erased, and so may hold who now is."""
    if erasures is None:
        return []
    return [path for path in publications(warehouse) if _noted(path) != erasures]


def remove_traces(warehouse: Path, holding: Sequence[Path]) -> None:
    """Remove logs and dbt's target folder, and last the publications that may hold the erased.

    Whoever is cut off in between does it all again in the next refresh.
    """
    for name in ("logs", "target"):
        shutil.rmtree(warehouse / name, ignore_errors=True)
    for publication in holding:
        shutil.rmtree(publication)


def _noted(publication: Path) -> Erasures | None:
    try:
        manifest = json.loads((publication / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return manifest.get("erasures")


def _key(warehouse: Path) -> bytes:
    """The warehouse's own key, made when it is first needed; for the owner alone."""
    path = warehouse / KEY
    if not path.exists():
        made = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(made, "wb") as file:
            file.write(secrets.token_bytes(32))
    return path.read_bytes()
