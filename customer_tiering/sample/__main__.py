"""The command that writes the sample company's raw tables."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from customer_tiering.sample import generate, write


def main(
    out: Annotated[Path, typer.Option(help="Folder to write to; its files are replaced.")] = Path(
        "sample"
    ),
    seed: Annotated[int, typer.Option(help="Another seed gives another company.")] = 7,
    customers: Annotated[int, typer.Option(min=200, help="Number of customers.")] = 2000,
) -> None:
    """Write the sample company's raw tables."""
    contents = generate(seed, customers)
    size = write(out, contents)
    rows = sum(len(part) for part in contents.values())
    typer.echo(f"{len(contents)} files, {rows:,} rows, {size / 1e6:.2f} MB in {out}")


if __name__ == "__main__":
    typer.run(main)
