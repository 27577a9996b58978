"""Any sequence of what happens to raw tables: after each step, what is landed is what the raw tables hold.

The tables below are kept as lists of rows. Files and tables are written from them, what is expected is read
from them, and neither knows anything of the landing's macros, which run for real (landing_in_process).

TIERING_SEQUENCES=20 tries twenty times as many sequences, other ones each time.
"""

from __future__ import annotations

import csv
import gzip
import io
import os
import random
import secrets
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import pytest
from landing_in_process import Landings, landings

MANY = int(os.environ.get("TIERING_SEQUENCES", "0"))
SEEDS = [secrets.randbelow(10**9) for _ in range(4 * MANY)] if MANY else [1, 2, 3, 4]
STEPS = 26
COLUMNS = (
    "order_id",
    "customer_id",
    "ordered_at",
    "status",
    "order_amount",
    "channel",
    "updated_at",
)
OPTIONAL = ("customer_id", "channel", "updated_at")
LONG_AGO = datetime(2024, 1, 1).timestamp()
# Below the folder of the table, whatever its letter case.
NAMES = [
    *("plain.csv", "o[1].csv", "o1.csv", "o*.csv", "o?.csv", "it's.csv", "a b.CSV", "[[]x].csv"),
    *("day=1/x.csv", "channel=app/status=paid/x.csv", "2024/Q[1]/x.Csv", "_x.csv", "#1;.csv"),
    *("packed.csv.gz", "P.CSV.GZ", "day=2/packed.csv.zst", "Z.Csv.Zst", "深圳.csv", "%41.csv"),
]
NOT_READ = [
    "_SUCCESS",
    ".x.csv",
    "_temporary/x.csv",
    "x.csv.crc",
    "~$x.csv",
    "notes.txt",
    ".d/x.csv",
]

Row = tuple[str | None, ...]


@dataclass
class File:
    """What a file holds; without columns nothing at all."""

    rows: list[Row]
    columns: tuple[str, ...]
    modified_at: float

    def text(self) -> str:
        if not self.columns:
            return ""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(self.columns)
        places = [COLUMNS.index(name) for name in self.columns]
        writer.writerows([row[place] for place in places] for row in self.rows)
        return text.getvalue()

    def read(self) -> list[Row]:
        """Its rows, as far as it has their columns."""
        return [
            tuple(
                value if name in self.columns else None
                for name, value in zip(COLUMNS, row, strict=True)
            )
            for row in self.rows
        ]


def packed(path: Path, text: str) -> bytes:
    suffix = path.suffix.lower()
    if suffix == ".gz":
        return gzip.compress(text.encode(), mtime=0)
    if suffix == ".zst" and text:
        return zstd(path, text)
    return text.encode()


def zstd(path: Path, text: str) -> bytes:
    """Compressed by DuckDB, line by line, as Python 3.11 cannot."""
    target = path.with_name(".being-packed")
    with duckdb.connect() as connection:
        connection.execute("create table lines (line varchar)")
        connection.executemany("insert into lines values (?)", [[one] for one in text.splitlines()])
        connection.execute(
            f"copy lines to '{str(target).replace(chr(39), chr(39) * 2)}' "
            "(format csv, header false, compression zstd, delimiter '\x01', quote '', escape '')"
        )
    content = target.read_bytes()
    target.unlink()
    return content


@dataclass
class Shop:
    """The raw tables of a shop: files in a folder, and schemas of databases."""

    folder: Path
    chance: random.Random
    session: Landings
    files: dict[str, File] = field(default_factory=dict)
    tables: dict[str, list[Row]] = field(default_factory=dict)
    origin: str = ""  # database.schema; empty for the folder
    number: int = 0

    # -- Rows ----------------------------------------------------------------------------------

    def row(self, day: int | None = None, order_id: str | None = None) -> Row:
        """An order with an updated_at so many days after 2024-01-01; None for one of unknown age."""
        self.number += 1
        at = None if day is None else str(datetime(2024, 1, 1) + timedelta(days=day))
        return (
            order_id or f"o{self.number}",
            self.chance.choice(["a", "b", None]),
            "2024-01-01 12:00:00",
            self.chance.choice(["paid", "open"]),
            str(self.chance.randrange(1000)),
            self.chance.choice(["app", "store", None]),
            at,
        )

    def expected(self) -> Counter[Row]:
        if self.origin:
            return Counter(self.tables[self.origin])
        return Counter(row for file in self.files.values() for row in file.read())

    def landed(self) -> Counter[Row]:
        listed = ", ".join(COLUMNS)
        return Counter(self.session.sql(f"select {listed} from raw.orders"))

    def land(self) -> None:
        where = {"raw_schema": self.origin} if self.origin else {"raw_path": str(self.folder)}
        self.session.land(late_arrival_days=14, **where)

    # -- Files ---------------------------------------------------------------------------------

    def moment(self) -> float:
        """Mostly another time long ago; or one at which a file may still change without a trace."""
        self.number += 1
        return self.chance.choice(
            [LONG_AGO + self.number] * 4 + [time.time(), time.time() + 86400 * 365]
        )

    def write(self, path: str, file: File) -> None:
        self.files[path] = file
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(packed(target, file.text()))
        os.utime(target, (file.modified_at, file.modified_at))

    def remove(self, path: str) -> None:
        del self.files[path]
        (self.folder / path).unlink()

    def some_file(self) -> str:
        return self.chance.choice(sorted(self.files))

    def add_file(self) -> None:
        left = [name for name in NAMES if f"ORDERS/{name}" not in self.files]
        if not left:
            return self.remove_file()
        columns = tuple(n for n in COLUMNS if n not in OPTIONAL or self.chance.random() < 0.8)
        name = self.chance.choice(left)
        if name.startswith("channel=") and "channel" not in columns:
            columns = (*columns, "channel")
        rows = [self.row(day=n) for n in range(self.chance.randrange(4))]
        if self.chance.random() < 0.1:
            columns, rows = (), []
        return self.write(
            f"ORDERS/{name}", File(rows, tuple(self.shuffled(columns)), self.moment())
        )

    def shuffled(self, names: tuple[str, ...]) -> list[str]:
        return self.chance.sample(names, len(names))

    def remove_file(self) -> None:
        if len([path for path, file in self.files.items() if file.columns]) > 1:
            path = self.some_file()
            if any(file.columns for other, file in self.files.items() if other != path):
                self.remove(path)

    def move_file(self) -> None:
        """Another name may be taken for it, or for a pattern that fits it."""
        file = self.files[path := self.some_file()]
        left = [n for n in NAMES if f"ORDERS/{n}" not in self.files and "channel=" not in n]
        if left:
            self.remove(path)
            self.write(f"ORDERS/{self.chance.choice(left)}", file)

    def grow_file(self) -> None:
        path = self.some_file()
        file = self.files[path]
        if file.columns:
            self.write(path, File([*file.rows, self.row(day=1)], file.columns, self.moment()))

    def shorten_file(self) -> None:
        path = self.some_file()
        file = self.files[path]
        self.write(path, File(file.rows[:-1], file.columns, self.moment()))

    def rewrite_file(self) -> None:
        """As many bytes, other ones. One that is not settled may keep its time."""
        path = self.some_file()
        file = self.files[path]
        rows = [(f"{row[0][:1].swapcase()}{row[0][1:]}", *row[1:]) for row in file.rows]
        is_settled = file.modified_at < time.time() - 1
        at = self.moment() if is_settled else file.modified_at
        self.write(path, File(rows, file.columns, at))

    def add_what_is_not_read(self) -> None:
        path = self.folder / "ORDERS" / self.chance.choice(NOT_READ)
        path.parent.mkdir(exist_ok=True)
        path.write_text("order_id\nx\n")
        link = self.folder / "ORDERS" / "nothing.csv"
        if not link.is_symlink():
            link.symlink_to("nowhere")

    def file_grows_while_it_is_read(self) -> None:
        """Once; what is landed holds its last row."""
        left = [1]

        def grow() -> None:
            if left and any(file.columns for file in self.files.values()):
                left.pop()
                self.grow_file()

        self.session.when_read = grow

    # -- Schemas -------------------------------------------------------------------------------

    def write_table(self) -> None:
        """Write the rows of the current schema's table as they are now."""
        self.session.sql(f"delete from {self.origin}.orders")
        for row in self.tables[self.origin]:
            values = ", ".join("null" if value is None else f"'{value}'" for value in row)
            self.session.sql(f"insert into {self.origin}.orders values ({values})")

    def rows_come(self) -> None:
        """New ones, late ones by months, some of unknown age, some with a time that is yet to come."""
        rows = self.tables[self.origin]
        newest = len(rows)
        for _ in range(self.chance.randint(1, 3)):
            day = self.chance.choice([newest + 60, newest + 61, newest + 50, 3, None, 36500])
            rows.append(self.row(day=day))

    def rows_go(self) -> None:
        rows = self.tables[self.origin]
        for _ in range(min(self.chance.randint(1, 2), len(rows) - 1)):
            rows.remove(self.chance.choice(rows))

    def row_goes_and_late_one_comes(self) -> None:
        """The number of rows is the same."""
        rows = self.tables[self.origin]
        rows.remove(self.chance.choice(rows))
        rows.append(self.row(day=2))

    def rows_change(self) -> None:
        """In the place of the older version, or beside it; with a newer time, or an older one."""
        rows = self.tables[self.origin]
        row = self.chance.choice(rows)
        if self.chance.random() < 0.7:
            rows.remove(row)
        rows.append(self.row(self.chance.choice([200 + self.number, 1, None]), row[0]))

    def exchange_schema(self) -> None:
        """The same number of rows elsewhere, or in another file under the same name."""
        self.origin = self.chance.choice([name for name in self.tables if name != self.origin])
        if self.chance.random() < 0.5:
            self.session.sql("detach shop")
            self.number += 1
            attach_shop(self.session, self.folder.parent / f"shop{self.number}.duckdb")
            rows = self.tables["shop.main"]
            self.tables["shop.main"] = [self.row(day=n) for n in range(len(rows))]
            for origin in ("shop.main", "shop.other"):
                self.origin, now = origin, self.origin
                self.write_table()
                self.origin = now

    def go_to_files(self) -> None:
        self.origin = ""

    def go_to_schema(self) -> None:
        self.origin = self.chance.choice(list(self.tables))

    def step(self) -> str:
        """Do something that can be done; gives its name."""
        if self.origin:
            what: list[Callable[[], None]] = [
                *(self.rows_come, self.rows_go, self.row_goes_and_late_one_comes),
                *(self.rows_change, self.rows_change, self.exchange_schema, self.go_to_files),
            ]
        else:
            what = [
                *(self.add_file, self.add_file, self.remove_file, self.move_file, self.grow_file),
                *(self.shorten_file, self.rewrite_file, self.add_what_is_not_read),
                *(self.file_grows_while_it_is_read, self.file_grows_while_it_is_read),
                self.go_to_schema,
            ]
        done = self.chance.choice(what)
        done()
        if self.origin:
            self.write_table()
        return done.__name__


def attach_shop(session: Landings, path: Path) -> None:
    session.sql(f"attach '{path}' as shop")
    session.sql("create schema shop.other")
    for schema in ("shop.main", "shop.other"):
        session.sql(f"create table {schema}.customers as select 'a' as customer_id")
        session.sql(
            f"create table {schema}.orders (order_id varchar, customer_id varchar, ordered_at varchar, "
            "status varchar, order_amount varchar, channel varchar, updated_at timestamp)"
        )


@pytest.mark.parametrize("seed", SEEDS)
def test_after_any_step_the_rows_of_all_files_and_tables_are_landed_once(
    seed: int, tmp_path: Path
) -> None:
    def steps(session: Landings) -> None:
        folder = tmp_path / "status=lost [a-z]*"
        folder.mkdir()
        (folder / "Customers.CSV").write_text("customer_id\na\n")
        shop = Shop(folder, random.Random(seed), session)
        attach_shop(session, tmp_path / "shop.duckdb")
        for origin in ("shop.main", "shop.other"):
            shop.tables[origin] = [shop.row(day=n) for n in range(6)]
            shop.origin = origin
            shop.write_table()
        shop.write("ORDERS/first.csv", File([shop.row(day=1)], COLUMNS, LONG_AGO))
        shop.origin = shop.chance.choice(["", "shop.main"])
        done: list[str] = []
        for _ in range(STEPS):
            done += [shop.step() for _ in range(shop.chance.choice([1, 1, 2]))]
            shop.land()
            session.when_read = lambda: None
            landed, expected = shop.landed(), shop.expected()
            assert landed == expected, (seed, done, landed - expected, expected - landed)

    (tmp_path / "warehouse").mkdir()
    landings(tmp_path / "warehouse", steps, ["customers", "orders"])
