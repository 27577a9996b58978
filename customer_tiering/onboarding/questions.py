"""What nobody but the owner of the data knows: asked on a terminal, answered in the command, or left open in the mapping."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from customer_tiering.errors import ConfigurationError
from customer_tiering.seeds import did_you_mean

MOST_SHOWN = 8  # choices


@dataclass(frozen=True)
class Question:
    """A question with its key, such as `orders.status`. Without a proposal it has no likely answer; without choices any text is one."""

    key: str
    text: str
    proposal: str = ""
    choices: tuple[str, ...] = ()

    @property
    def allowed(self) -> str:
        """What an answer may be; empty for any text."""
        if len(self.choices) > MOST_SHOWN:
            return f"a name such as {self.proposal or self.choices[0]}"
        return ", ".join(self.choices)

    @property
    def mark(self) -> list[str]:
        """The comment that asks it in a mapping: its first line stops a refresh until it is deleted."""
        lines = [f"ASK: {self.text} ({self.key})"]
        if self.choices:
            lines.append(f"It may be {self.allowed}.")
        if self.proposal:
            lines.append(f"What stands below is the proposal: {self.proposal}.")
        return lines


@dataclass(frozen=True)
class Answer:
    """An answer, and the comment that goes before the line that it decides: none where it was given."""

    value: str
    mark: list[str] = field(default_factory=list)


@dataclass
class Answers:
    """Answers by key, given beforehand or by `prompt`; `accepts_proposals` answers what has one."""

    given: Mapping[str, str] = field(default_factory=dict)
    accepts_proposals: bool = False
    prompt: Callable[[Question], str] | None = None
    asked: dict[str, Question] = field(default_factory=dict)
    accepted: dict[str, str] = field(default_factory=dict)  # proposals, by key
    _answered: dict[str, Answer] = field(default_factory=dict)

    def to(self, question: Question) -> Answer:
        """The answer to a question, or its proposal with the mark that asks it. Asked once for each key.

        Raises ConfigurationError for an answer that is none of the choices.
        """
        if question.key not in self._answered:
            self._answered[question.key] = self._answer(question)
        return self._answered[question.key]

    def _answer(self, question: Question) -> Answer:
        self.asked[question.key] = question
        value = self.given.get(question.key)
        if value is None and self.accepts_proposals and question.proposal:
            value = self.accepted[question.key] = question.proposal
        if value is None and self.prompt:
            value = self.prompt(question)
        if not value:
            return Answer(question.proposal, question.mark)
        if question.choices and value not in question.choices:
            found = f"{value!r}{did_you_mean(value, question.choices)}"
            raise ConfigurationError(f"answer {question.key}", found, question.allowed)
        return Answer(value)

    def check_all_used(self) -> None:
        """Raise ConfigurationError for an answer that nothing asked for."""
        keys: Sequence[str] = list(self.asked)
        for key in self.given:
            if key not in keys:
                found = f"an answer to {key!r}{did_you_mean(key, keys)}, which is not asked"
                raise ConfigurationError(
                    "--answer", found, ", ".join(keys) or "none: nothing is asked"
                )
