"""The audit as one page for people: what was checked, found and allowed, in both languages, what fails first.

It needs nothing from elsewhere, and opens without a server.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from customer_tiering.language import Language, Words
from customer_tiering.rules import RuleChanges

# The option of `tiering refresh` that lets pass what differs from the last publication.
ACCEPT_CHANGE = "--accept-change"
TEMPLATES = Path(__file__).parent / "templates"


class Verdict(StrEnum):
    """What came of a check."""

    FAILS = "failed"
    ACCEPTED = "accepted"
    HOLDS = "passed"


VERDICTS = {
    Verdict.FAILS: Words("failed", "未通过"),
    Verdict.ACCEPTED: Words("accepted", "已接受"),
    Verdict.HOLDS: Words("passed", "通过"),
}


@dataclass(frozen=True)
class Check:
    """One thing that was checked: what was found beside what is allowed, in counts and never in values.

    `where` names it in messages: the suite, the table and the column. `place` and `subject` do so for people. A
    comparison is one with the last publication. `hint` says what it looks like when it fails.
    """

    where: str
    place: Words
    subject: Words
    found: Words
    allowed: Words
    verdict: Verdict
    is_comparison: bool = False
    hint: Words | None = None


def write_page(
    page: Path, checks: Sequence[Check], notes: Sequence[Words], rules: RuleChanges | None
) -> None:
    """Write the page of an audit, with the `rules` that have changed since the last publication. Raises OSError."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    counts = Counter(check.verdict for check in checks)
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(
        environment.get_template("audit.html.j2").render(
            failing=[check for check in checks if check.verdict is not Verdict.HOLDS],
            places=[
                (place, list(of_place)) for place, of_place in groupby(checks, lambda c: c.place)
            ],
            counts=[(verdict, VERDICTS[verdict], counts[verdict]) for verdict in Verdict],
            total=len(checks),
            notes=notes,
            rules=rules,
            languages=list(Language),
            accept_change=ACCEPT_CHANGE,
            verdicts=VERDICTS,
        ),
        encoding="utf-8",
    )
