"""lint_macros.py sees the SQL in macros, and says where it is at fault."""

from __future__ import annotations

import re

import pytest
from lint_macros import MACROS, blocks, faults, macro_linter
from sqlfluff.core import Linter

MACRO = """{# A comment. #}
{% macro first(table, names) %}
    {% set query %}
        select {{ names | join(', ') }}
        from {{ table }}
        where name = '{{ names[0] }}'
    {% endset %}
    {% for name, value in run_query(query).rows %}
        {% call run_statement() %}
            insert into other
            select
                {{ name }} as name,
                {{ value }} as value
            from ({{ query }}) as found
        {% endcall %}
    {% endfor %}
    {{ return({'names': {'first': names}}) }}
{% endmacro %}

{% macro second(value) -%}
    case
        when {{ value }} > 0 then 1
        else 0
    end
{%- endmacro %}
"""


@pytest.fixture(scope="module")
def linter() -> Linter:
    return macro_linter()


def test_every_block_of_sql_is_linted_and_nothing_else(linter: Linter) -> None:
    assert [block.lines[0][0] for block in blocks(MACRO)] == [4, 10, 21]
    assert list(faults(MACRO, linter)) == []


@pytest.mark.parametrize(
    ("before", "after", "line", "rule"),
    [
        ("where name", "WHERE name", 6, "CP01"),
        ("            insert into", "             insert into", 10, "LT02"),
        ("as name,", "name,", 12, "AL02"),
        ("as value\n", "as value,\n", 13, "CV03"),
        (") as found", " as found", 14, "PRS"),
        ("> 0 then", ">0 then", 22, "LT01"),
        ("        else 0", "    else 0", 23, "LT02"),
    ],
)
def test_a_fault_is_found_in_its_line(
    linter: Linter, before: str, after: str, line: int, rule: str
) -> None:
    assert MACRO.count(before) == 1
    found = faults(MACRO.replace(before, after), linter)
    assert (line, rule) in {(line, rule) for line, rule, _ in found}


def test_no_statement_is_put_together_of_texts() -> None:
    """Nobody would see it as SQL, and nothing would lint it."""
    together = [
        f"{path.relative_to(MACROS)}: {call}"
        for path in MACROS.rglob("*.sql")
        for call in re.findall(r"run_query\([^)]*~[^)]*", path.read_text(encoding="utf-8"))
    ]
    assert together == []


def test_the_blocks_of_all_macros_are_found() -> None:
    """Most macros hold SQL; those that give a text or a list do not."""
    files = [path.read_text(encoding="utf-8") for path in MACROS.rglob("*.sql")]
    macros = sum(text.count("{% macro ") for text in files)
    assert sum(1 for text in files for _ in blocks(text)) > macros / 2
