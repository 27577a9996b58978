"""The two languages in which people are told things: English and Chinese, one at a time."""

from __future__ import annotations

import os
from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple


class Words(NamedTuple):
    """The same thing said in both languages."""

    en: str
    zh: str


class Language(StrEnum):
    """A language; called with a text in both, it gives the one that is in it."""

    EN = "en"
    ZH = "zh"

    def __call__(self, english: object, chinese: object) -> str:
        """The Chinese text in Chinese, if there is one, else the English one."""
        return str(chinese) if self is Language.ZH and chinese else str(english)


def language_of_locale(environment: Mapping[str, str] = os.environ) -> Language:
    """The language of the first of LC_ALL, LC_MESSAGES and LANG that is set, as POSIX orders them; else English."""
    names = ("LC_ALL", "LC_MESSAGES", "LANG")
    locale = next((environment[name] for name in names if environment.get(name)), "")
    return Language.ZH if locale.lower().startswith("zh") else Language.EN
