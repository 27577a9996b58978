"""Tells somebody that a refresh failed: a command of the user's own, such as a mail or a webhook."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from customer_tiering.configuration import COMMAND_LINE
from customer_tiering.errors import UNFORESEEN, ConfigurationError, Stopped, TieringError

LONGEST = 60  # seconds that the command may take
PREFIX = "TIERING_"


@contextmanager
def notifying(command: str, note: Callable[[str], None]) -> Iterator[None]:
    """Run a command when what is done inside fails or is stopped, and let the failure go on.

    It is run without a shell. Its environment has TIERING_EXIT_CODE, TIERING_MESSAGE, TIERING_RUN and TIERING_STAGE; the
    last two are empty when the failure came before a run began. What goes wrong with it is noted and changes nothing
    else. Raises ConfigurationError when it is no command line.
    """
    words = _words(command)
    try:
        yield
    except (Exception, Stopped) as error:
        if isinstance(error, TieringError | Stopped):
            exit_code, message = int(error.exit_code), str(error)
        else:
            exit_code, message = UNFORESEEN, type(error).__name__
        run = getattr(error, "run", None)
        _run(
            words,
            {
                "EXIT_CODE": str(exit_code),
                "MESSAGE": message,
                "RUN": run.run_id if run else "",
                "STAGE": run.stage if run else "",
            },
            note,
        )
        raise


def _words(command: str) -> list[str]:
    try:
        words = shlex.split(command)
    except ValueError as error:
        found = f"{command!r} ({error})"
        raise ConfigurationError(f"{COMMAND_LINE}, --on-failure", found, "a command line") from None
    if not words:
        raise ConfigurationError(f"{COMMAND_LINE}, --on-failure", "nothing", "a command line")
    return words


def _run(words: list[str], told: dict[str, str], note: Callable[[str], None]) -> None:
    environment = {**os.environ, **{f"{PREFIX}{name}": value for name, value in told.items()}}
    try:
        ended = subprocess.run(
            words, env=environment, stdin=subprocess.DEVNULL, timeout=LONGEST, check=False
        )
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        note(f"--on-failure: {words[0]} could not be run to its end ({reason}).")
    else:
        if ended.returncode:
            note(f"--on-failure: {words[0]} ended with {ended.returncode}.")
