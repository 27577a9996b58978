"""Vega, Vega-Lite and Vega-Embed as one script, of vl-convert. Making it takes two seconds: `make setup` keeps it."""

from __future__ import annotations

import sys
from importlib.metadata import version
from pathlib import Path


def bundle() -> str:
    """The script; it puts vegaEmbed on the window."""
    kept = _kept()
    return kept.read_text(encoding="utf-8") if kept.is_file() else _made()


def keep() -> None:
    """Keep the script in the Python environment, by the version of vl-convert that it is of."""
    _kept().parent.mkdir(parents=True, exist_ok=True)
    _kept().write_text(_made(), encoding="utf-8")


def _made() -> str:
    import vl_convert

    return vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")


def _kept() -> Path:
    name = f"vega-of-vl-convert-{version('vl-convert-python')}.js"
    return Path(sys.prefix, "share", "customer_tiering", name)


if __name__ == "__main__":
    keep()
