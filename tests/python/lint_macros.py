"""The style of the SQL in macros: `python tests/python/lint_macros.py FILE...` prints what is wrong with it.

sqlfluff sees nothing inside a macro, as nothing calls it there. So each block of SQL is cut out of its file and linted
alone: the body of a macro, of `{% set x %}` and of `{% call %}`. Names that Jinja does not know stand for
themselves. A part of a statement, such as an expression, is linted as a select list. SQL within a text of Jinja is
not linted, nor is what sqlfluff does not know as a statement or a value.
"""

from __future__ import annotations

import gc
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from textwrap import dedent, indent

from sqlfluff.core import FluffConfig, Linter
from sqlfluff.core.templaters.jinja import DummyUndefined

MACROS = Path(__file__).parents[2] / "macros"
TAG = re.compile(r"\{#.*?#\}|\{%-?\s*(?P<word>\w+)(?P<rest>.*?)-?%\}|\{\{.*?\s-?\}\}", re.DOTALL)
# What makes no SQL: comments, statements of Jinja, and calls that give a value to another macro or stop the run.
SILENT = re.compile(r"\{#|\{%-?\s*(do|set)\b|\{\{-?\s*(return|exceptions)\b")
STATEMENT = re.compile(r"(select|from|with|create|insert|update|delete|alter|truncate|set)\b")
UNKNOWN = re.compile(
    r"attach|copy \(|create or replace macro|drop\b|.*\bdescribe |double precision\Z", re.DOTALL
)
# Lines within a fork or a loop of Jinja stand one step further right than in the statement.
FORK = re.compile(r"\{%-?\s*(if|for)\b")
# How a block is made one that Jinja renders without the values of a run.
RENDERED = (
    # One name of a loop over something unknown is enough; the others are unknown too.
    (re.compile(r"(\{%-?\s*for \w+)(?:, \w+)+ in "), r"\1 in "),
    (re.compile(r" \| reverse\b"), ""),
    # Of what is unknown, `name` is Jinja's own.
    (re.compile(r"\.name\b"), "_name"),
    # A query that another macro or block gives.
    (
        re.compile(
            r"((?:from|as) \(\s*|(?:as|insert into [^\n]*)\n\s*)\{\{[^{}]*\}\}(?=\s*(?:\)|\Z))"
        ),
        r"\1select 1 as one",
    ),
    # The dash would join the first word to that before it.
    (re.compile(r"\A(\{[%{])-"), r"\1"),
)


@dataclass(frozen=True)
class Block:
    """SQL with Jinja in it, and the line of the file that each of its lines is from."""

    lines: tuple[tuple[int, str], ...]

    @property
    def sql(self) -> str:
        """As a statement of its own."""
        sql = dedent("\n".join(text for _, text in self.lines))
        for pattern, replacement in RENDERED:
            sql = pattern.sub(replacement, sql)
        if STATEMENT.match(self.written):
            return f"{sql}\n"
        return f"select\n{indent(sql, '    ')}\n"

    @property
    def written(self) -> str:
        """What is in it beside Jinja and comments."""
        sql = TAG.sub("", "\n".join(text for _, text in self.lines))
        return re.sub(r"^\s*--.*$", "", sql, flags=re.MULTILINE).strip()

    def line_of(self, line: int) -> int:
        """The file's line for a line of `sql`."""
        before = 1 if STATEMENT.match(self.written) else 2
        return self.lines[max(0, min(line - before, len(self.lines) - 1))][0]


def blocks(text: str) -> Iterator[Block]:
    """The blocks of a file that hold SQL, inner ones first; what stands in an inner one is not in the outer one."""
    silent = [False] * len(text)
    opened: list[tuple[int, int]] = []
    for tag in TAG.finditer(text):
        if tag["word"] in ("macro", "call") or (tag["word"] == "set" and "=" not in tag["rest"]):
            opened.append(tag.span())
        elif tag["word"] in ("endmacro", "endcall", "endset"):
            start, body = opened.pop()
            block = _block(text, silent, body, tag.start())
            if block.written and not UNKNOWN.match(block.written):
                yield block
            silent[start : tag.end()] = [True] * (tag.end() - start)
        elif SILENT.match(tag[0]):
            silent[tag.start() : tag.end()] = [True] * len(tag[0])


def _block(text: str, silent: Sequence[bool], start: int, end: int) -> Block:
    """The lines between two places of a text, without those of which nothing is left."""
    lines, number = [], text.count("\n", 0, start) + 1
    for line in text[start:end].split("\n"):
        left = "".join(sign for place, sign in enumerate(line, start) if not silent[place]).rstrip()
        if left or not line:
            lines.append((number, left))
        start, number = start + len(line) + 1, number + 1
    while lines and not lines[0][1]:
        lines.pop(0)
    while lines and not lines[-1][1]:
        lines.pop()
    return Block(tuple(lines))


def faults(text: str, linter: Linter) -> Iterator[tuple[int, str, str]]:
    """What is wrong with the SQL of a file: line, rule, description."""
    for block in blocks(text):
        linted = linter.lint_string(block.sql)
        if linted.tree is None:
            yield block.line_of(1), "TMP", "Jinja gives nothing for this block."
        for fault in linted.get_violations():
            if fault.rule_code() != "LT02" or not FORK.search(block.sql):
                yield block.line_of(fault.line_no), fault.rule_code(), fault.desc()


@cache
def macro_linter(folder: Path = MACROS) -> Linter:
    """By the project's style and the files .sqlfluff in macros and in this folder of it."""
    # a bare name may be a word of SQL, such as table
    DummyUndefined.__str__ = lambda name: name.name.replace(".", "_") + "_"  # type: ignore[method-assign]
    return Linter(config=FluffConfig.from_path(str(folder)))


def main(files: Sequence[str]) -> int:
    """Print the faults of files; gives 1 when there are any."""
    gc.disable()  # a quarter of sqlfluff's time, and there is none to speak of
    found = 0
    for file in files:
        linter = macro_linter(Path(file).resolve().parent)
        for line, rule, description in faults(Path(file).read_text(encoding="utf-8"), linter):
            print(f"{file}:{line} {rule} {description}")
            found += 1
    return min(found, 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
