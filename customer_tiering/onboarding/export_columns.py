"""The columns of a recognised export, as a mapping's SQL reads them, and what has to be asked about them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import duckdb

from customer_tiering.onboarding.questions import Answers, Question
from customer_tiering.onboarding.recognising import PERSON, Column, Export, contract, read_as
from customer_tiering.onboarding.selects import Item
from customer_tiering.onboarding.value_forms import PLAIN
from customer_tiering.quoting import literal

UNITS, CENTS = "units", "cents"
# Currencies without a hundredth, as payment services have them (docs.stripe.com/currencies#zero-decimal).
ZERO_DECIMAL = "BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF UGX VND VUV XAF XOF XPF".split()
PERSONAL = {*PERSON, "postal_code", "owner"}  # no value of them is shown


class Columns:
    """The columns of an export as a mapping reads them for a table, and what is asked about them."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        project: Path,
        export: Export,
        table: str,
        answers: Answers,
    ) -> None:
        self._connection = connection
        self.project = project
        self.answers = answers
        self.export = export
        self.table = table

    def passed_on(self, said: str, column: Column, notes: Sequence[str] = ()) -> Item:
        """A column as text that staging reads."""
        if said == "customer_id" and column.emails > 0.5:
            return Item(f"lower_case(read_text({column.sql}))", said, list(notes))
        form, asked = self._form(said, column)
        unit, asked_unit = self._unit(said, column)
        notes = [*notes, *asked, *asked_unit]
        if unit == CENTS:
            return Item(self._in_units(column, form), said, notes)
        return Item(
            f"written_as({column.sql}, {literal(form)})" if form else column.sql, said, notes
        )

    def amount(self, said: str, column: Column) -> Item:
        """A column of amounts, read."""
        form, asked = self._form(said, column)
        unit, asked_unit = self._unit(said, column)
        sql = (
            self._in_units(column, form) if unit == CENTS else _reading("read_amount", column, form)
        )
        return Item(sql, said, [*asked, *asked_unit])

    def day(self, said: str) -> str:
        """The date of a required column, read."""
        column, _ = self.chosen(said)
        if column is None:
            return f"read_date({self.required(said).sql})"
        form, _ = self._form(said, column)
        return _reading("read_date", column, form)

    def chosen(self, *said: str) -> tuple[Column | None, list[str]]:
        """The column that says the first of these, or stands in for it, and what is asked where it may be several."""
        for name in said:
            if found := self.export.columns.get(name, []):
                return self.choose(said[0], found)
        return None, []

    def choose(self, said: str, found: Sequence[Column]) -> tuple[Column | None, list[str]]:
        """One of several columns that say the same. One that is called as in the contract is it."""
        if len(found) < 2 or found[0].name.lower() == said:
            return next(iter(found), None), []
        names = tuple(column.name for column in found)
        text = f"which column is {said}: {' or '.join(names)}?"
        answer = self.answers.to(Question(f"{self.table}.{said}", text, names[0], names))
        return next(one for one in found if one.name == answer.value), answer.mark

    def required(self, said: str, *stand_ins: str) -> Item:
        """A column that the contract requires, passed on: asked for where none says it."""
        column, notes = self.chosen(said, *stand_ins)
        if column is None:
            names = tuple(self.export.header)
            text = f"no column of {self.export.source} says {said}; which one is it?"
            answer = self.answers.to(Question(f"{self.table}.{said}", text, "", names))
            if not answer.value:
                return Item("read_text(null)", said, answer.mark)
            column = read_as(self._connection, self.project, self.export, said, answer.value)
        return self.passed_on(said, column, notes)

    def optional(self, said: str, *stand_ins: str) -> Iterator[Item]:
        """A column that need not be there: of several the one with the best name, and the others as a choice."""
        for name in (said, *stand_ins):
            if found := self.export.columns.get(name, []):
                others = [f"Or {column.sql}." for column in found[1:]]
                yield self.passed_on(said, found[0], others)
                return

    def full_name(self) -> Iterator[Item]:
        """A person's name, be it in one column or in two."""
        first, last = self.export.column("first_name"), self.export.column("last_name")
        customer = self.export.column("customer")
        if self.export.has("full_name"):
            yield from self.optional("full_name")
        elif customer is not None and customer.names > 0.5:
            yield self.passed_on("full_name", customer)
        elif first and last:
            sql = f"trimmed(coalesce({first.sql}, '') || ' ' || coalesce({last.sql}, ''))"
            yield Item(sql, "full_name")

    def person(self) -> list[Item]:
        """What an export says of a customer, in the order of the contract."""
        names = [
            n
            for n in self.contract("customers")
            if n not in ("customer_id", "full_name", "updated_at")
        ]
        return [*self.full_name(), *(item for name in names for item in self.optional(name))]

    def contract(self, table: str) -> list[str]:
        """The columns of a table of the contract."""
        return list(contract(self.project)[table])

    def _form(self, said: str, column: Column) -> tuple[str, list[str]]:
        """The form of a column's values, and what is asked or to be known about it."""
        form = column.form
        if form is None:
            return PLAIN, []
        notes = []
        if form.readable < form.values:
            unread = form.values - form.readable
            notes = [
                f"{unread} of {form.values} values cannot be read so: they are rejected and listed."
            ]
        if not form.others:
            return form.name, notes
        names = tuple(name or "plain" for name in (form.name, *form.others))
        found = "" if said in PERSONAL else f" Found {form.example}."
        text = f"is {column.sql} {' or '.join(names)}?{found}"
        answer = self.answers.to(Question(f"{self.table}.{said}.form", text, names[0], names))
        return answer.value.replace("plain", PLAIN), [*answer.mark, *notes]

    def _unit(self, said: str, column: Column) -> tuple[str, list[str]]:
        """Whether amounts are in cents. Whole numbers beside a currency, as payment services have them, may be."""
        form = column.form
        currency = self.export.column("currency_code")
        is_asked = currency is not None or "orders.unit" in self.answers.asked
        may_be = column.is_minor or (column.whole == 1.0 and is_asked)
        if form is None or not said.endswith(("amount", "price")) or not may_be:
            return UNITS, []
        key, what, proposal = f"{self.table}.unit", f"the amounts of {self.export.source}", ""
        if column.is_minor:
            key, what, proposal = f"{self.table}.{said}.unit", column.sql, CENTS
        text = f"is {what} in cents, or in units of the currency?"
        answer = self.answers.to(
            Question(key, text.replace("is the", "are the"), proposal, (UNITS, CENTS))
        )
        return answer.value or UNITS, answer.mark

    def _in_units(self, column: Column, form: str) -> str:
        read = _reading("read_amount", column, form)
        in_units = f"cast({read} / 100 as decimal(18, 2))"
        currency = self.export.column("currency_code")
        if currency is None:
            return in_units
        codes = ", ".join(literal(code) for code in ZERO_DECIMAL)
        lines = (
            "case",
            "    -- currencies without cents",
            f"    when upper(read_text({currency.sql})) in (",
            f"        {codes}",
            f"    ) then {read}",
            f"    else {in_units}",
            "end",
        )
        return "\n    ".join(lines)


def read(function: str, column: Column) -> str:
    """A column read by a function, in its likeliest form."""
    return _reading(function, column, column.form.name if column.form else PLAIN)


def _reading(function: str, column: Column, form: str) -> str:
    return f"{function}({column.sql}, {literal(form)})" if form else f"{function}({column.sql})"
