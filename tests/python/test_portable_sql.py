"""One SQL, several engines: what only one of them knows stands in macros/engines alone.

Sources are searched for words, as the compiled SQL holds what the macros of an engine gave. Of Jinja the texts are
searched too, as they may hold SQL.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from compiled_project import CompiledProject
from made_once import PROJECT
from sqlglot import exp, parse_one

DAY = r"\b\w*(?:_on|_date|period_end|period_start|\bday)"
# What is no portable SQL, and what to write instead.
RULES = {
    "slice": (r"\[[^\]\[']*:[^\]\[']*\]", "median_of_first"),
    "whole-number division": (r"//", "rounded_ratio"),
    "bracketed list": (r"(?:\bselect|,|=)\s*\[", "ordered_list, unnested"),
    "hugeint": (r"\bu?hugeint\b", "wide_integer_type"),
    "try_cast": (r"\btry_cast\b", "a reading function"),
    "typeof": (r"\btypeof\b", "types_of"),
    "list function": (r"\b(?:list|list_\w+|array_\w+|len|range|flatten)\s*\(", "ordered_list, element"),
    "struct": (r"\b(?:struct_\w+|row|map_\w+)\s*\(|\bselect\s*\{'", "columns"),
    "regular expression": (r"\b(?:regexp_\w+|glob)\b|\bsimilar to\b|!?~", "replaced, is_letters"),
    "letter case": (r"\blower\s*\(", "lower_case"),
    "first by order": (r"\b(?:min_by|max_by|arg_\w+|first|last|any_value)\s*\(", "first_in_order"),
    "quantile": (r"\b(?:quantile\w*|median|mode|percentile_\w+)\s*\(", "quantiles"),
    "format": (r"\b(?:format|printf|to_char|lpad|rpad)\s*\(", "six_digits, in_thousands"),
    "time as text": (r"\b(?:strftime|strptime|epoch\w*)\s*\(", "a reading function"),
    "date difference": (r"\b(?:date_?diff|date_sub|date_?add|age)\s*\(", "days_between"),
    "date minus date": (rf"{DAY}\s+-\s+(?:\w+\()*(?:\w+\.)?{DAY}\b", "days_between"),
    "cast by colons": (r"::", "cast"),
    "qualify": (r"\bqualify\b", "a CTE with row_number"),
    "star": (r"\*\s*(?:exclude|replace|rename)\b|\bcolumns\s*\(\*", "the columns"),
    "all": (r"\b(?:group|order) by all\b", "the columns"),
    "double": (r"\bdouble\b(?! precision)|\bfloat\d?\b", "float_type"),
    "varchar": (r"\bas (?:varchar|text|string)\b\s*(?:\[\])?\)", "string_type"),
    "rounding": (r"(?<![\w.])round\s*\((?!cast\([\w.]+ as decimal)", "rounded"),
    "hash": (r"\b(?:hash|hash_\w+|sha256|uuid|gen_random_uuid)\s*\(", "fingerprint, sha256, random_id"),
    "json": (r"\b(?:json|jsonb|to_json|from_json|json_\w+)\s*\(|->", "json_of_columns, json_value"),
    "other join": (r"\b(?:asof|semi|anti|positional) join\b", "a condition"),
    "describe": (r"\b(?:describe|pragma|duckdb_\w+|pg_\w+)\b", "types_of"),
}  # fmt: skip
# One piece of SQL for each rule that breaks it.
BROKEN = {
    "slice": "select days[1:3]",
    "whole-number division": "select amount // 2",
    "bracketed list": "select ['a', 'b'] as words",
    "hugeint": "cast(amount as hugeint)",
    "try_cast": "try_cast(amount as integer)",
    "typeof": "select typeof(amount)",
    "list function": "list_sum(amounts)",
    "struct": "select {'a': 1} as pair",
    "regular expression": "where regexp_matches(code, 'x')",
    "letter case": "where lower(status) = 'paid'",
    "first by order": "min_by(code, place)",
    "quantile": "quantile_cont(amount, 0.5)",
    "format": "format('{:,}', amount)",
    "time as text": "strftime(opened_on, '%Y')",
    "date difference": "datediff('day', a, b)",
    "date minus date": "rfm.last_order_on - rfm.first_order_on",
    "cast by colons": "amount::integer",
    "qualify": "qualify row_number() over () = 1",
    "star": "select * exclude (place)",
    "all": "group by all",
    "double": "cast(amount as double)",
    "varchar": "cast(code as varchar)",
    "rounding": "round(100.0 * share, 1)",
    "hash": "hash(code)",
    "json": "json_extract_string(record, '$.a')",
    "other join": "asof join rates",
    "describe": "from duckdb_tables()",
}
JINJA = re.compile(r"\{#.*?#\}|\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
TEXT = re.compile(r"""\"((?:[^"\\]|\\.)*)\"|'((?:[^'\\]|\\.)*)'""")
MESSAGES = re.compile(r"raise_compiler_error\(.*?\)\s*\}\}", re.DOTALL)


def broken_rules(sql: str) -> set[str]:
    """The rules that a piece of SQL without Jinja breaks."""
    return {name for name, (pattern, _) in RULES.items() if re.search(pattern, sql)}


def pieces(source: str) -> Iterator[str]:
    """The SQL of a file without its texts and comments, and the texts of its Jinja, one by one."""
    for tag in JINJA.findall(source):
        if not tag.startswith("{#"):
            for one, other in TEXT.findall(MESSAGES.sub("", tag)):
                yield one or other
    sql = re.sub(r"--.*", "", JINJA.sub(" x ", source))
    yield re.sub(r"'[^']*'", "'x'", sql)


def sources() -> Iterator[Path]:
    for folder in (
        "models",
        "analyses",
        "macros",
        "sources",
        "examples",
        "tests/singular",
        "tests/generic",
    ):
        for path in sorted((PROJECT / folder).rglob("*.sql")):
            if PROJECT / "macros/engines" not in path.parents:
                yield path


def sql_in_yaml(value: Any, key: str = "") -> Iterator[str]:
    """The texts of a YAML that may hold SQL: rules, conditions and rows of unit tests."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from sql_in_yaml(inner, str(name))
    elif isinstance(value, list):
        for inner in value:
            yield from sql_in_yaml(inner, key)
    elif isinstance(value, str) and key not in ("description", "name", "label", "url"):
        yield from pieces(value)


def test_only_an_engine_s_own_macros_hold_its_words() -> None:
    found = {
        f"{path.relative_to(PROJECT)}: {rule}; write {RULES[rule][1]}"
        for path in sources()
        for piece in pieces(path.read_text(encoding="utf-8"))
        for rule in broken_rules(piece)
    }
    assert sorted(found) == []


def test_nor_does_the_sql_in_yaml() -> None:
    found = {
        f"{path.relative_to(PROJECT)}: {rule}; write {RULES[rule][1]}"
        for folder in ("models", "seeds", "tests")
        for path in sorted((PROJECT / folder).rglob("*.yml"))
        for piece in sql_in_yaml(yaml.safe_load(path.read_text(encoding="utf-8")))
        for rule in broken_rules(piece)
    }
    assert sorted(found) == []


@pytest.mark.parametrize("rule", RULES)
def test_each_word_is_noticed(rule: str) -> None:
    """In SQL, and in a text of Jinja."""
    sql = BROKEN[rule]
    assert rule in broken_rules(sql)
    source = f'select\n    {{% set x = "{sql}" %}}\n    one\n'
    assert rule in {rule for piece in pieces(source) for rule in broken_rules(piece)}


def untyped(sql: str) -> list[str]:
    """Columns of a union for which its first query gives a NULL without a type.

    PostgreSQL takes two such for a text, and no number fits to it.
    """
    found = []
    for union in parse_one(sql, dialect="duckdb").find_all(exp.Union):
        first = union.left
        while isinstance(first, exp.Union | exp.Subquery):
            first = first.this
        if not isinstance(union.parent, exp.Union):
            found += [c.alias_or_name for c in first.selects if isinstance(c.unalias(), exp.Null)]
    return found


def test_the_first_query_of_a_union_gives_every_column_a_type(
    compiled: Callable[..., CompiledProject],
) -> None:
    project = compiled(run_date="2026-01-31")
    found = {model.relation: untyped(model.sql) for model in project.models}
    assert {name: columns for name, columns in found.items() if columns} == {}


def test_an_untyped_null_is_noticed() -> None:
    typed = "select cast(null as integer) as a, null as b"
    assert untyped(
        f"with x as ({typed} union all select 1, 2 union all select null, 2) select 1"
    ) == ["b"]
