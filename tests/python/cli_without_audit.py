"""The command line `tiering` without the audit and the page, which have tests of their own and take half of a small refresh.

dbt finds the project parsed already.
"""

from __future__ import annotations

import sys
from pathlib import Path

from dbt_in_process import lay_parsed

from customer_tiering import building, cli, refreshing
from customer_tiering.auditing import AuditSummary


def pass_audit(_work: Path, _previous: Path | None, page: Path, *_: object) -> AuditSummary:
    """What an audit of nothing gives."""
    page.write_text("audited")
    return AuditSummary(suites=0, expectations=0, notes=[])


def pass_overview(_database: Path, _rules: object, page: Path) -> None:
    """A page without figures."""
    page.write_text("drawn", encoding="utf-8")


def find_parsed() -> None:
    """Let every build lay down the parsed project before dbt starts."""
    command = building.dbt_command

    def dbt_command(project: Path, warehouse: Path, project_vars: dict[str, object]) -> list[str]:
        lay_parsed(warehouse, project_vars, project)
        return command(project, warehouse, project_vars)

    building.dbt_command = dbt_command


if __name__ == "__main__":
    refreshing.audit = pass_audit
    refreshing.write_overview = pass_overview
    find_parsed()
    cli.app(sys.argv[1:])
