"""The sample company's warehouse as `tiering refresh` leaves it, made once: it takes a minute.

dbt finds the project parsed already.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from dbt_in_process import lay_parsed
from made_once import PROJECT, REFRESH_FILES, made_once

# In the environment of the refresh; nothing of it may be written down.
SECRET = "canary-7f3d9a15"
TIME_ZONE = "America/New_York"


def refreshed_sample() -> Path:
    """The warehouse; not to be changed."""
    return made_once("sample", "warehouse", REFRESH_FILES, _refresh)


def _refresh(warehouse: Path) -> None:
    raw = str(PROJECT / "sample")
    lay_parsed(warehouse, {"run_date": "2026-01-31", "raw_path": raw})
    finished = subprocess.run(
        [
            *(sys.executable, "-m", "customer_tiering", "refresh"),
            *("--raw", raw, "--warehouse", str(warehouse)),
            *("--vars", "{run_date: 2026-01-31}"),
        ],
        cwd=PROJECT,
        env={**os.environ, "DBT_ENV_SECRET_CANARY": SECRET, "TZ": TIME_ZONE},
        capture_output=True,
        text=True,
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
