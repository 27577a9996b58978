"""What can stop a command, each with the exit code by which a scheduler recognises it."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes of `tiering`. A code keeps its meaning for good; new ones are added at the end.

    1 is left to failures nobody foresaw (a traceback). A mistyped command line also exits with 2.
    `PHRASES` says what each means.
    """

    OK = 0
    CONFIGURATION = 2
    SOURCE = 3
    BUILD = 4
    AUDIT = 5
    LOCKED = 6


UNFORESEEN = 1
PHRASES = {
    ExitCode.OK: "done",
    UNFORESEEN: "a failure that nobody foresaw",
    ExitCode.CONFIGURATION: "the configuration or the command line is wrong",
    ExitCode.SOURCE: "raw data, or the warehouse to report on, are missing or unusable",
    ExitCode.BUILD: "a model, a test or the publication failed",
    ExitCode.AUDIT: "the audit failed",
    ExitCode.LOCKED: "another refresh of the warehouse is running",
    **{
        128 + number: f"it was told to stop ({number.name})"
        for number in (signal.SIGINT, signal.SIGTERM)
    },
}


def phrase(exit_code: int | None) -> str | None:
    """What an exit code means, in words that tell nothing of the data; None for a run that has not ended."""
    return None if exit_code is None else PHRASES.get(exit_code, PHRASES[UNFORESEEN])


class TieringError(Exception):
    """A failure said in one sentence, with its exit code."""

    exit_code: ExitCode


class Stopped(SystemExit):
    """A run was told to end, by Ctrl-C or a scheduler; what it had begun was ended in order.

    It exits with 128 plus the signal's number, as shells have it.
    """

    def __init__(self, number: int) -> None:
        super().__init__(128 + number)
        self.exit_code = 128 + number
        self.number = number

    def __str__(self) -> str:
        return f"the run was stopped by {signal.Signals(self.number).name}."


class _FoundAllowedError(TieringError):
    """A failure of the form: where, what was found there, what is allowed there."""

    def __init__(self, where: str, found: str, allowed: str) -> None:
        self.where = where
        self.found = found
        self.allowed = allowed
        super().__init__(f"{where}: found {found}; allowed is {allowed}.")


class ConfigurationError(_FoundAllowedError):
    """A var or a row of a seed breaks a rule. `where` names the file and its line or var."""

    exit_code = ExitCode.CONFIGURATION


class BrokenRulesError(ConfigurationError):
    """Several rules are broken at once. `findings` are a ConfigurationError each; the first one is also this one's."""

    def __init__(self, findings: Sequence[ConfigurationError]) -> None:
        self.findings = list(findings)
        first = self.findings[0]
        super().__init__(first.where, first.found, first.allowed)
        self.args = (_listed("rules that do not hold", [str(one) for one in self.findings]),)


class SourceError(_FoundAllowedError):
    """Raw tables are missing or unusable. `where` names the folder or file."""

    exit_code = ExitCode.SOURCE


class RawDataError(TieringError):
    """Raw tables could not be landed, or are too old or too small; dbt's own sentence says why."""

    exit_code = ExitCode.SOURCE


class RawFilesError(TieringError):
    """Files of raw tables cannot be read as the raw contract. `findings` are sentences, one per file."""

    exit_code = ExitCode.SOURCE

    def __init__(self, findings: Sequence[str]) -> None:
        self.findings = list(findings)
        super().__init__(_listed("raw files cannot be read as the raw contract", findings))


class SourceLimitError(TieringError):
    """More of a raw table is at fault than its limits allow. `findings` are sentences, one per finding."""

    exit_code = ExitCode.SOURCE

    def __init__(self, findings: Sequence[str]) -> None:
        self.findings = list(findings)
        super().__init__(
            _listed(
                "the raw tables are beyond their limits, and nothing was built from them",
                findings,
                "Where that is right, raise the limit of the table (var source_limits); some of its rows must be taken.",
            )
        )


def _listed(heading: str, findings: Sequence[str], advice: str = "") -> str:
    """One finding as it is; several under a heading, each on a line of its own. Advice comes last."""
    if len(findings) == 1:
        return f"{findings[0]} {advice}".strip()
    lines = [f"{heading}:", *(f"- {finding}" for finding in findings), advice]
    return "\n".join(lines).strip()


class VarError(TieringError):
    """A var that only dbt can judge is wrong; dbt's own sentence says which and what is allowed."""

    exit_code = ExitCode.CONFIGURATION


class BuildError(TieringError):
    """dbt or the publication failed."""

    exit_code = ExitCode.BUILD


class LandingError(BuildError):
    """dbt stopped before it built anything, by no rule of the landing."""


class WorkDatabaseError(BuildError):
    """The work database is not one that the build can continue from: rules or erasures have changed."""


class AuditError(_FoundAllowedError):
    """What was built does not pass the audit, or the audit cannot be made.

    `where` names the suite, the table, the column and the expectation, as far as there are any.
    """

    exit_code = ExitCode.AUDIT


class ComparisonError(AuditError):
    """What was built differs too much from the last publication; `advice` says what may have led to it."""

    def __init__(self, where: str, found: str, allowed: str, advice: str) -> None:
        super().__init__(where, found, allowed)
        self.args = (f"{self} {advice}",)


class LockedError(TieringError):
    """Another refresh of the warehouse is running."""

    exit_code = ExitCode.LOCKED
