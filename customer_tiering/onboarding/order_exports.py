"""The SQL files that come of an export of orders: one row per order, or one per line of an order."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import cached_property

import duckdb

from customer_tiering.onboarding.export_columns import Columns, read
from customer_tiering.onboarding.questions import Answer, Question
from customer_tiering.onboarding.recognising import Column, Export
from customer_tiering.onboarding.selects import Item, Newest, Select, named, not_used, place
from customer_tiering.quoting import literal

ROWS = "export_rows"  # the step that reads the export's columns once, in their forms
BY_DAY, BY_ROW = "day", "row"
PER_CUSTOMER, ONE_ORDER = "one per customer", "one order"
OF_ORDER, OF_LINE = "order", "line"
ENOUGH_ORDERS = 5  # of several lines, to tell from their values what is the order's
LINES, VERSIONS = "lines", "versions"
LINE_NUMBER = Item(
    "row_number() over (partition by order_id order by source_file, source_line)", "line_number"
)
OF_ORDERS = (
    "currency_code",
    "channel",
    "store_id",
    "is_test",
    "cancelled_at",
    "returned_at",
    "updated_at",
)
OF_ITEMS = ("product_id", "product_name", "category", "line_number", "quantity")


class OrderExport:
    """An export of orders, and the files that a mapping makes of it.

    `who` is the column by which customers are known; `others` are the contract tables that other files are.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        columns: Columns,
        who: Item,
        others: Collection[str],
    ) -> None:
        self._connection = connection
        self._columns = columns
        self._export: Export = columns.export
        self._who = who
        self._others = others

    def files(self) -> dict[str, Select]:
        """The selects of contract tables by name, and the step that they read."""
        if "customers" in self._others and not self._is_of_lines and not self._has_refunds:
            return {"orders": self._read_rows("One row per order, as the export has them.")}
        files = {
            ROWS: self._read_rows(
                "The rows of the export: its columns under the contract's names."
            ),
            "orders": self._orders_of_lines() if self._is_of_lines else self._orders_of_rows(),
        }
        if self._is_of_lines:
            files["order_items"] = self._items()
        if self._is_of_lines and self._export.has("product_id", "product_name"):
            files["products"] = self._products()
        if self._has_refunds:
            files["refunds"] = self._refunds()
        files["customers"] = self._customers()
        return {name: select for name, select in files.items() if name not in self._others}

    # What a row is, and which amount is the order's

    @cached_property
    def _order_id(self) -> tuple[Column | None, list[str]]:
        return self._columns.chosen("order_id")

    @cached_property
    def _made_up_id(self) -> Answer:
        text = (
            "there is no order number; is an order all that a customer buys on a day, or each row?"
        )
        return self._ask("order_id", text, BY_DAY, (BY_DAY, BY_ROW))

    @cached_property
    def _rows(self) -> Answer:
        """Whether several rows of an order are lines or versions of it, where nothing but amounts says it."""
        text = "rows of one order have different amounts; are they its lines, or its versions?"
        return self._ask("rows", text, LINES, (LINES, VERSIONS))

    @cached_property
    def _is_of_lines(self) -> bool:
        """Whether an order may have several rows, which are its lines."""
        if self._order_id[0] is None and self._made_up_id.value == BY_ROW:
            return False
        if self._order_id[0] is None or self._has_items:
            return True
        if self._export.has("updated_at") or not any(
            self._varies(column.sql) for column in self._named("order_amount", "amount")
        ):
            return False  # versions, of which staging takes the newest
        return self._rows.value == LINES

    @property
    def _has_items(self) -> bool:
        """Whether the export says what was bought."""
        said = ("product_id", "product_name", "unit_price", "line_amount", "line_number")
        return any(self._export.has(name) for name in said)

    def _named(self, *said: str) -> list[Column]:
        return [column for name in said for column in self._export.columns.get(name, [])]

    def _varies(self, value: str) -> bool:
        """Whether rows of one order have different values."""
        order_id, _ = self._order_id
        if order_id is None:
            return True
        key, value = f"read_id({order_id.sql})", f"read_text({value})"
        return bool(
            self._connection.execute(
                f"select 1 from {self._export.relation} where {key} is not null "
                f"group by {key} having min({value}) <> max({value}) limit 1"
            ).fetchall()
        )

    def _is_one_value(self, column: Column) -> bool:
        """Whether all rows of the export have the same value."""
        return bool(
            self._connection.execute(
                f"select coalesce(min({column.sql}) = max({column.sql}), true) from {self._export.relation}"
            ).fetchall()[0][0]
        )

    @cached_property
    def _of_order(self) -> tuple[Column | None, list[str]]:
        """The column with the amount of the whole order."""
        if not self._is_of_lines:
            return self._columns.chosen("order_amount", "amount", "line_amount")
        totals = [column for column in self._named("order_amount") if not self._varies(column.sql)]
        if not totals and self._amount_is_of.value == OF_ORDER:
            column, mark = self._columns.choose("order_amount", self._named("amount"))
            return column, [*mark, *self._amount_is_of.mark]
        return self._columns.choose("order_amount", totals)

    @cached_property
    def _amount_is_of(self) -> Answer:
        """Whether a column that is just called amount is the line's, or repeats the order's on each of its lines."""
        amount, (order_id, _) = self._export.column("amount"), self._order_id
        if amount is None or order_id is None or self._varies(amount.sql):
            return Answer(OF_LINE)
        key = f"read_id({order_id.sql})"
        orders = self._connection.execute(
            f"select {key} from {self._export.relation} where {key} is not null group by 1 having count(*) > 1 "
            f"limit {ENOUGH_ORDERS}"
        ).fetchall()
        if len(orders) == ENOUGH_ORDERS:
            return Answer(OF_ORDER)
        if not orders:
            return Answer(OF_LINE)
        text = f"is {amount.sql} the amount of the order, or of each of its lines?"
        return self._ask("amount", text, OF_ORDER, (OF_ORDER, OF_LINE))

    @cached_property
    def _of_line(self) -> Item | None:
        """The amount of a line, read."""
        lines, asked = self._named("line_amount"), []
        if not lines and self._of_order[0] not in self._named("amount"):
            lines = self._named("amount")
            asked = self._amount_is_of.mark if lines else []
        lines = lines or [
            column for column in self._named("order_amount") if self._varies(column.sql)
        ]
        column, notes = self._columns.choose("line_amount", lines)
        price, quantity = self._export.column("unit_price"), self._export.column("quantity")
        if column is not None:
            item = self._columns.amount("line_amount", column)
            notes = [*notes, *asked, *item.notes, *self._taxes(item.sql)]
            return Item(item.sql, item.name, notes)
        if price is None or not self._is_of_lines:
            return None
        read_price = self._columns.amount("unit_price", price)
        if quantity is None:
            return Item(read_price.sql, "line_amount", read_price.notes)
        sql = f"{read_price.sql} * {read('read_quantity', quantity)}"
        return Item(sql, "line_amount", [*read_price.notes, *self._taxes(sql)])

    def _taxes(self, amount: str) -> list[str]:
        """What an amount would be without tax and shipping, as a choice."""
        found = self._named("tax", "shipping")
        if not found:
            return []
        names = " and ".join(column.sql for column in found)
        it = "them" if len(found) > 1 else "it"
        less = "".join(f" - coalesce({read('read_amount', column)}, 0)" for column in found)
        return [f"With or without {names}, as the export has it. To take {it} out: {amount}{less}"]

    @cached_property
    def _credit_notes(self) -> bool:
        """Whether rows that name another order are credit notes for it."""
        reference, (order_id, _) = self._export.column("credit_note_for"), self._order_id
        if reference is None or order_id is None or "refunds" in self._others:
            return False
        key, other = f"read_id({order_id.sql})", f"read_id({reference.sql})"
        named_rows, known = self._connection.execute(
            f"select count(*), count(*) filter ({other} in (select {key} from {self._export.relation}) "
            f"and {other} <> {key}) from {self._export.relation} where {other} is not null"
        ).fetchall()[0]
        return bool(known * 2 > named_rows)

    @property
    def _has_refunds(self) -> bool:
        """Whether the export says what was given back, and no other file does."""
        return self._credit_notes or (
            self._export.has("refunded_amount") and "refunds" not in self._others
        )

    @cached_property
    def _sign(self) -> tuple[str, list[str]]:
        """The sign that makes a credit note's amount one above zero."""
        reference = self._export.column("credit_note_for")
        column, _ = self._of_order
        amount = (
            self._of_line.sql if self._of_line else read("read_amount", column) if column else "0"
        )
        above, below = self._connection.execute(
            f"select count(*) filter ({amount} > 0), count(*) filter ({amount} < 0) "
            f"from {self._export.relation} where read_id({reference.sql if reference else 'null'}) is not null"
        ).fetchall()[0]
        if below > 10 * above:
            return "-", []
        text = "rows that name another order have amounts above zero; are credit notes written so?"
        answer = self._ask("credit_notes", text, "above zero", ("above zero", "below zero"))
        return ("" if answer.value == "above zero" else "-"), answer.mark

    def _ask(
        self, key: str, text: str, proposal: str = "", choices: tuple[str, ...] = ()
    ) -> Answer:
        return self._columns.answers.to(Question(f"orders.{key}", text, proposal, choices))

    # The files

    def _read_rows(self, head: str) -> Select:
        """The export's columns under the contract's names."""
        items = list(self._columns_of_rows())
        deleted, where = self._export.column("is_deleted"), ""
        if deleted is not None:
            where = f"not coalesce(read_boolean({deleted.sql}), false)"
        heads = [head, *not_used(self._export.header, items, where)]
        if deleted is not None:
            heads.append(
                f"Rows that {deleted.sql} marks are left out: delete the last line to count them."
            )
        return Select(self._export.source, [*items, *place()], heads, where)

    def _columns_of_rows(self) -> Iterator[Item]:
        columns = self._columns
        yield self._order_id_item()
        yield self._who
        if self._credit_notes:
            yield from columns.optional("credit_note_for")
        yield columns.required("ordered_at")
        yield self._status()
        yield from self._amounts()
        yield from self._optional(*OF_ORDERS)
        if self._is_of_lines:
            yield from self._optional(*OF_ITEMS)
        if self._has_refunds and not self._credit_notes:
            yield from self._optional("refunded_amount", "refunded_at")
        if "customers" not in self._others:
            yield from columns.person()

    def _optional(self, *names: str) -> Iterator[Item]:
        for name in names:
            yield from self._columns.optional(name)

    def _order_id_item(self) -> Item:
        column, notes = self._order_id
        if column is not None and self._is_of_lines and self._varies(self._who.sql):
            text = "rows of one order number have several customers; is it one order, or one per customer?"
            answer = self._ask("order_id.customers", text, PER_CUSTOMER, (PER_CUSTOMER, ONE_ORDER))
            notes = [*notes, *answer.mark]
            if answer.value == PER_CUSTOMER:
                sql = f"read_id({column.sql}) || coalesce('-' || {self._who_read}, '')"
                return Item(sql, "order_id", notes)
        if column is not None:
            return Item(column.sql, "order_id", notes)
        if self._made_up_id.value == BY_ROW:
            sql = "source_file || ':' || read_text(source_line)"
            return Item(sql, "order_id", self._made_up_id.mark)
        sql = f"{self._who_read} || '-' || {self._columns.day('ordered_at')}"
        return Item(sql, "order_id", self._made_up_id.mark)

    @property
    def _who_read(self) -> str:
        return self._who.sql if "(" in self._who.sql else f"read_id({self._who.sql})"

    def _status(self) -> Item:
        column, notes = self._columns.chosen("status")
        if column is not None:
            return Item(column.sql, "status", notes)
        text = "no column says the state of orders; which is it for all of them?"
        answer = self._ask("status", text, "completed")
        return Item(literal(answer.value), "status", answer.mark)

    def _amounts(self) -> Iterator[Item]:
        total, notes = self._of_order
        discount = self._export.column("discount_amount")
        if total is not None:
            taxes = self._taxes(read("read_amount", total))
            yield self._columns.passed_on("order_amount", total, [*notes, *taxes])
        elif not self._is_of_lines or self._of_line is None:
            yield self._columns.required("order_amount")
        if self._is_of_lines and self._of_line is not None:
            yield self._of_line
        if discount is not None and self._is_of_lines and self._varies(discount.sql):
            yield self._columns.amount("discount_amount", discount)
        elif discount is not None:
            yield self._columns.passed_on("discount_amount", discount)

    def _names(self) -> list[str]:
        return [item.name for item in self._columns_of_rows()]

    @property
    def _no_credit_notes(self) -> str:
        return "credit_note_for is null" if self._credit_notes else ""

    def _orders_of_rows(self) -> Select:
        names = [name for name in self._names() if name in self._columns.contract("orders")]
        return Select(
            ROWS, [*named(*names), *place()], ["One row per order."], self._no_credit_notes
        )

    def _orders_of_lines(self) -> Select:
        """Values that all lines of an order have are the order's; amounts of lines are summed."""
        items = [
            Item("order_id", "order_id", list(self._rows.mark) if self._was_asked("rows") else [])
        ]
        for name in [*self._names(), *(item.name for item in place())]:
            sql = f"min({name})"
            notes: list[str] = []
            if name == "status":
                sql, notes = self._status_of_lines()
            elif name == "updated_at":
                sql = f"max({name})"
            elif name == "discount_amount" and self._varies(self._named(name)[0].sql):
                sql = _sum(name)
            elif name == "line_amount" and self._of_order[0] is None:
                sql, name = _sum(name), "order_amount"
            if name in {*self._columns.contract("orders"), "source_file", "source_line"} - {
                "order_id"
            }:
                items.append(Item(sql, name, notes))
        head = ["One row per order, of its lines."]
        if self._of_order[0] is None:
            head.append(
                "Of lines whose amounts cannot all be read there is no sum: the order is rejected, and not too small."
            )
        return Select(ROWS, items, head, self._no_credit_notes, "order_id")

    def _status_of_lines(self) -> tuple[str, list[str]]:
        """The status of an order, of those of its lines."""
        column, _ = self._columns.chosen("status")
        if column is None or not self._varies(column.sql) or self._is_one_value(column):
            return "min(status)", []
        text = (
            "lines of one order have several statuses; is it the first or the last by the alphabet?"
        )
        answer = self._ask("status.lines", text, "first", ("first", "last"))
        return ("max(status)" if answer.value == "last" else "min(status)"), answer.mark

    def _was_asked(self, key: str) -> bool:
        return f"orders.{key}" in self._columns.answers.asked

    def _items(self) -> Select:
        names = [*self._names()]
        items = [
            *named("order_id"),
            *(named("line_number") if "line_number" in names else [LINE_NUMBER]),
            *(named("product_id") if "product_id" in names else []),
            *(
                [Item("product_name", "product_id")]
                if "product_id" not in names and "product_name" in names
                else []
            ),
            *named(*(name for name in ("quantity", "line_amount") if name in names)),
        ]
        return Select(
            ROWS, [*items, *place()], ["One row per line of an order."], self._no_credit_notes
        )

    def _products(self) -> Select:
        said = [name for name in ("product_name", "category") if name in self._names()]
        items = [
            *named("product_id"),
            *(Item(f"max({name})", name) for name in said),
            *(Item(f"min({item.name})", item.name) for item in place()),
        ]
        return Select(ROWS, items, ["One row per product."], "product_id is not null", "product_id")

    def _refunds(self) -> Select:
        """Credit notes with a reference are refunds; else what a column of orders says was given back."""
        if not self._credit_notes:
            return self._refunds_of_orders()
        sign, mark = self._sign
        head = [
            "One row per credit note that names its order. Those without a reference are in orders, and rejected."
        ]
        where = "credit_note_for is not null"
        if not self._is_of_lines:
            items = [
                Item("order_id", "refund_id"),
                Item("credit_note_for", "order_id"),
                Item("ordered_at", "refunded_at"),
                Item(f"{sign}read_amount(order_amount)", "refund_amount", mark),
            ]
            return Select(ROWS, [*items, *place()], head, where)
        amount = (
            _sum("line_amount", sign)
            if self._of_order[0] is None
            else f"{sign}min(read_amount(order_amount))"
        )
        items = [
            Item(f"{ROWS}.order_id", "refund_id"),
            Item("min(credit_note_for)", "order_id"),
            Item("min(ordered_at)", "refunded_at"),
            Item(amount, "refund_amount", mark),
            *(Item(f"min({item.name})", item.name) for item in place()),
        ]
        return Select(ROWS, items, head, where, f"{ROWS}.order_id")

    def _refunds_of_orders(self) -> Select:
        one = (lambda name: f"min({name})") if self._is_of_lines else (lambda name: name)
        refunded_at, mark = "refunded_at", []
        if not self._export.has("refunded_at"):
            text = "no column says when an order was refunded; is it the day of the order?"
            answer = self._columns.answers.to(
                Question("refunds.refunded_at", text, "ordered_at", ("ordered_at",))
            )
            refunded_at, mark = "ordered_at", answer.mark
        items = [
            Item(f"{ROWS}.order_id || '-refund'", "refund_id"),
            Item(f"{ROWS}.order_id", "order_id"),
            Item(one(refunded_at), "refunded_at", mark),
            Item(one("refunded_amount"), "refund_amount"),
            *(Item(one(item.name), item.name) for item in place()),
        ]
        where = "read_text(refunded_amount) is not null and coalesce(read_amount(refunded_amount), 1) <> 0"
        head = ["One row per order of which something was given back."]
        return Select(ROWS, items, head, where, f"{ROWS}.order_id" if self._is_of_lines else "")

    def _customers(self) -> Select:
        names = ["customer_id", *(item.name for item in self._columns.person())]
        order = [
            "read_timestamp(ordered_at, 'UTC') desc nulls last",
            "source_file desc",
            "source_line desc",
        ]
        newest = Newest("customer_id", order)
        head = ["One row per customer, as the newest order has it."]
        return Select(ROWS, [*named(*names), *place()], head, newest=newest)


def _sum(name: str, sign: str = "") -> str:
    return f"case when count(*) = count({name}) then {sign}sum({name}) end"
