"""What an expectation of Great Expectations allows, in plain words of both languages.

A suite can hold any expectation. What is not known here is said by its name, without `expect`, and its arguments.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from customer_tiering.language import Words

Arguments = Mapping[str, Any]


def allowed_by(kind: str, arguments: Arguments, description: str | None = None) -> Words:
    """What an expectation of a kind allows; its description, if the suite has one, says it itself."""
    if description:
        return Words(description, description)
    say = _SAID.get(kind)
    english, chinese = say(arguments) if say else _by_name(kind, arguments)
    if (mostly := arguments.get("mostly", 1)) != 1:
        share = f"{100 * float(mostly):g} %"
        english += f", in at least {share} of the rows"
        chinese += f"，至少 {share} 的行如此"
    return Words(english, chinese)


def columns_of(arguments: Arguments) -> list[str]:
    """The columns that an expectation is about."""
    names = [arguments[name] for name in ("column", "column_A", "column_B") if name in arguments]
    return [*names, *arguments.get("column_list", [])]


def _between(unit_en: str = "", unit_zh: str = "") -> Callable[[Arguments], Words]:
    def say(arguments: Arguments) -> Words:
        low, high = (_figure(arguments.get(name)) for name in ("min_value", "max_value"))
        if low and high:
            english, chinese = f"{low} to {high}", f"{low} 至 {high}"
        elif high:
            english, chinese = f"at most {high}", f"最多 {high}"
        else:
            english, chinese = f"at least {low or 'anything'}", f"至少 {low or '任意'}"
        return Words(f"{english}{unit_en}", f"{chinese}{unit_zh}")

    return say


def _figure(value: object) -> str:
    return f"{value:,.15g}" if isinstance(value, int | float) else str(value or "")


def _listed(name: str, english: str, chinese: str) -> Callable[[Arguments], Words]:
    def say(arguments: Arguments) -> Words:
        values = [str(value) for value in arguments.get(name) or ()]
        return Words(f"{english} {', '.join(values)}", f"{chinese} {'、'.join(values)}")

    return say


def _always(english: str, chinese: str) -> Callable[[Arguments], Words]:
    return lambda _: Words(english, chinese)


def _of_value(english: str, chinese: str) -> Callable[[Arguments], Words]:
    def say(arguments: Arguments) -> Words:
        value = _figure(arguments.get("value"))
        return Words(english.format(value), chinese.format(value))

    return say


def _by_name(kind: str, arguments: Arguments) -> Words:
    words = kind.removeprefix("expect_").replace("_", " ")
    more = ", ".join(
        f"{name} {value}"
        for name, value in arguments.items()
        if name not in ("column", "column_A", "column_B", "column_list", "mostly")
    )
    text = f"{words}: {more}" if more else words
    return Words(text, text)


_SAID: dict[str, Callable[[Arguments], Words]] = {
    "expect_column_values_to_not_be_null": _always("a value", "有值"),
    "expect_column_values_to_be_null": _always("no value", "没有值"),
    "expect_column_values_to_be_unique": _always("every value only once", "值不重复"),
    "expect_compound_columns_to_be_unique": _always(
        "every combination only once", "各列的组合不重复"
    ),
    "expect_column_values_to_be_between": _between(),
    "expect_column_values_to_be_in_set": _listed("value_set", "one of", "以下之一："),
    "expect_column_values_to_not_be_in_set": _listed("value_set", "none of", "不是以下任何一个："),
    "expect_column_value_lengths_to_be_between": _between(" characters", " 个字符"),
    "expect_column_pair_values_to_be_equal": _always(
        "the same value in both columns", "两列的值相同"
    ),
    "expect_column_max_to_be_between": _between(" as the largest value", "（最大值）"),
    "expect_column_min_to_be_between": _between(" as the smallest value", "（最小值）"),
    "expect_column_mean_to_be_between": _between(" as the mean", "（平均值）"),
    "expect_column_sum_to_be_between": _between(" as the sum", "（合计）"),
    "expect_column_to_exist": _always("that the column is there", "该列存在"),
    "expect_table_row_count_to_be_between": _between(" rows", " 行"),
    "expect_table_row_count_to_equal": _of_value("{} rows", "{} 行"),
    "expect_table_columns_to_match_set": _listed("column_set", "the columns", "以下各列："),
    "unexpected_rows_expectation": _always(
        "no row that the query of the suite finds", "审核查询找不到任何行"
    ),
}
