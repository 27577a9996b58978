"""Draws overview.html: one file that opens without a server and asks for nothing outside itself."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from customer_tiering.errors import BuildError
from customer_tiering.overview.bundle import bundle
from customer_tiering.overview.figures import SEVERITIES, Overview, read_overview
from customer_tiering.overview.view import (
    HERE,
    Rules,
    View,
    amount,
    change,
    number,
    percent,
    points,
)
from customer_tiering.publishing import OVERVIEW, errors_as_build_error, open_publication


def write_overview(database: Path, rules: Rules, page: Path) -> None:
    """Draw the page of the marts in a database into the file `page`. Raises BuildError, in one sentence."""
    with errors_as_build_error(f"the page {OVERVIEW}"):
        with open_publication(database) as connection:
            overview = read_overview(connection, rules.min_group_size, rules.window_days)
        try:
            text = render(overview, rules)
        except Exception as error:
            # its words may quote values
            raise BuildError(
                f"the page {OVERVIEW} cannot be drawn of {database} ({type(error).__name__})."
            ) from error
        page.write_text(text, encoding="utf-8")


def render(overview: Overview, rules: Rules) -> str:
    """The text of the page: the same for the same figures and rules."""
    from customer_tiering.overview.charts import drawn  # Altair takes a second to load

    environment = Environment(
        loader=FileSystemLoader(HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        number=number, amount=amount, percent=percent, change=change, points=points
    )
    view = View(overview, rules)
    return environment.get_template("page.html.j2").render(
        view=view,
        overview=overview,
        word=view.word,
        tables=overview.tables,
        charts={"en": drawn(view, 0), "zh": drawn(view, 1)},
        bundle=bundle(),
        severities=SEVERITIES,
    )
