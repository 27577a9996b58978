"""Mappings: what is refused of one before anything is built, and what the landing makes of one.

Files are written by the tests, and the rows that they become by hand.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from unittest import mock

import pytest
from landing_in_process import Landings, landings
from typer.testing import CliRunner

from customer_tiering import cli, encodings
from customer_tiering.configuration import load_configuration
from customer_tiering.errors import TieringError
from customer_tiering.mappings import (
    check_mapping,
    fault_of_landing,
    load_mapping,
    notes_on_files,
)
from customer_tiering.reading import connect

ROOT = Path(__file__).parents[2]
LONG_AGO = 1_700_000_000  # a file's time, in seconds
DECLARATION = """\
sources:
  bestellungen:
    files: shop/*.csv
    encoding: gb18030
    delimiter: ;
    skip_lines: 2
    optional_columns: [Kanal]
  order: {}
words:
  orders.status: {Bezahlt: completed, 交易成功: completed}
"""
ORDERS = """\
-- One row per order that is not a test.
select
    nr as order_id,
    kd as customer_id,
    written_as(datum, 'dd.mm.yyyy') as ordered_at,
    st as status,
    written_as(betrag, '1.234,56') as order_amount,
    "Kanal" as channel,
    source_file,
    source_line
from bestellungen
where st <> 'Test'
"""
CUSTOMERS = """\
select kunden.id as customer_id, max(bestellungen.st) as region
from "order" as kunden -- a word of SQL
left join bestellungen on kunden.id = bestellungen.kd
group by kunden.id;
"""


class Shop:
    """A mapping and its files in a folder of a test."""

    def __init__(self, folder: Path) -> None:
        self.raw, self.mapping = folder / "raw", folder / "my_shop"
        self.say("mapping.yml", DECLARATION)
        self.say("orders.sql", ORDERS)
        self.say("customers.sql", CUSTOMERS)
        self.export(
            "1.csv",
            "1;a;01.02.2024;bezahlt;1.234,50;secret-a",
            "2;b;02.02.2024;Test;1,00;secret-b",
            "3;b;02/02/2024;交易成功;1.5;secret-c",
        )
        self.write("order.csv", b"id,name\na,A\nb,B\n")

    def say(self, name: str, text: str) -> None:
        self.mapping.mkdir(exist_ok=True)
        (self.mapping / name).write_text(text, encoding="utf-8")

    def export(self, name: str, *rows: str, header: str = "nr;kd;datum;st;betrag;geheim") -> None:
        lines = ["Export", "", header, *rows]
        self.write(f"shop/{name}", ("\n".join(lines) + "\n").encode("gb18030"))

    def write(self, name: str, content: bytes) -> None:
        path = self.raw / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        os.utime(path, (LONG_AGO, LONG_AGO))

    def refusal(self) -> str:
        """What is said of it before anything is built."""
        with pytest.raises(TieringError) as raised, connect() as connection:
            check_mapping(connection, load_mapping(self.mapping, ROOT), self.raw, ROOT)
        return str(raised.value).replace(f"{self.mapping}/", "").replace(f"{self.raw}", "RAW")


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


BROKEN = {
    "no folder": (None, None, "my_shop: found no such folder; allowed is a folder with mapping.yml and SQL files."),
    "no declaration": ("mapping.yml", None, "found no mapping.yml (it holds customers.sql, orders.sql); allowed"),
    "not YAML": ("mapping.yml", "sources: [", "mapping.yml, line 1: found text that is not YAML"),
    "unknown key": (
        "mapping.yml",
        DECLARATION.replace("delimiter", "delimeter"),
        "mapping.yml, line 5, sources.bestellungen.delimeter: found an unknown key (did you mean delimiter?); allowed is "
        "files, table, encoding, delimiter, quote, skip_lines, optional, optional_columns.",
    ),
    "unknown encoding": (
        "mapping.yml",
        DECLARATION.replace("gb18030", "gb1803"),
        "mapping.yml, line 4, sources.bestellungen.encoding: found 'gb1803'; allowed is an encoding, such as utf-8",
    ),
    "two signs as delimiter": (
        "mapping.yml",
        DECLARATION.replace("delimiter: ;", "delimiter: ;;"),
        "mapping.yml, line 5, sources.bestellungen.delimiter: found ';;'; allowed is",
    ),
    "words of an unknown column": (
        "mapping.yml",
        DECLARATION.replace("orders.status", "orders.state"),
        "mapping.yml, line 10, words: found 'orders.state'; allowed is TABLE.COLUMN of the raw contract",
    ),
    "a question in SQL": (
        "orders.sql",
        ORDERS.replace("from", "-- ASK: Which of the dates is it?\nfrom"),
        "orders.sql, line 11: found a question that is not answered: Which of the dates is it?; allowed is an answer",
    ),
    "a question in YAML": (
        "mapping.yml",
        DECLARATION + "# ASK: Which time zone?\nsource_time_zone: UTC\n",
        "mapping.yml, line 11: found a question that is not answered: Which time zone?",
    ),
    "a file of another name": ("Refunds.sql", "select 1", "Refunds.sql: found another name; allowed is a name of small"),
    "a step named as a source": ("order.sql", "select 1", "order.sql: found a step order, which is a source too"),
    "no orders": ("orders.sql", None, "found no orders.sql; allowed is one select for each required table."),
    "an unknown column of the source": (
        "orders.sql",
        ORDERS.replace("betrag,", "betrg,"),
        'orders.sql, line 7: found SQL that cannot be run (Binder Error: Referenced column "betrg" not found in FROM '
        "clause!); allowed is betrag",
    ),
    "SQL that does not parse": ("orders.sql", "selec 1", "orders.sql, line 1: found SQL that cannot be run (Parser"),
    "an unknown source": (
        "orders.sql",
        ORDERS.replace("from bestellungen", "from bestellung"),
        "orders.sql, line 11: found SQL that cannot be run (Catalog Error: Table with name bestellung does not exist!",
    ),
    "a form that nothing has": (
        "orders.sql",
        ORDERS.replace("dd.mm.yyyy", "tt.mm.jjjj"),
        "orders.sql: found SQL that cannot be run (Invalid Input Error: The declared form of a date is tt.mm.jjjj; "
        "allowed are dd.mm.yyyy",
    ),
    "a column that the contract does not have": (
        "orders.sql",
        ORDERS.replace("as channel", "as chanel"),
        "orders.sql: found a column chanel (did you mean channel?); allowed is order_id,",
    ),
    "no column that it asks for": (
        "orders.sql",
        ORDERS.replace("    st as status,\n", ""),
        "orders.sql: found no column status, which is required (it gives order_id, customer_id, ordered_at,",
    ),
    "words of a column that is not given": (
        "mapping.yml",
        DECLARATION + "  orders.store_id: {a: b}\n",
        "orders.sql: found no column store_id, of which mapping.yml has words; allowed is a select that gives it.",
    ),
    "words of a table that is not made": (
        "mapping.yml",
        DECLARATION + "  tickets.severity: {a: b}\n",
        "mapping.yml, words tickets.severity: found no tickets.sql; allowed is words of tables that it makes.",
    ),
    "bytes of another encoding": (
        "mapping.yml",
        DECLARATION.replace("gb18030", "ascii"),
        "raw file RAW/shop/1.csv: found bytes that are not ASCII; allowed is CSV in ASCII with a header, semicolons",
    ),
    "two statements": ("orders.sql", ORDERS + ";\nselect 1", "orders.sql, line 13: found SQL that cannot be run (Parser"),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN)
def test_what_is_wrong_with_a_mapping_is_said_before_anything_is_built(
    shop: Shop, case: str
) -> None:
    name, text, sentence = BROKEN[case]
    if name is None:
        for path in shop.mapping.iterdir():
            path.unlink()
        shop.mapping.rmdir()
    elif text is None:
        (shop.mapping / name).unlink()
    else:
        shop.say(name, text)
    assert sentence in shop.refusal()


def test_a_step_may_name_itself_within_and_steps_that_read_one_another_are_refused(
    shop: Shop,
) -> None:
    shop.say("orders.sql", ORDERS.replace("from bestellungen", "from one"))
    shop.say("one.sql", "with one as (select * from bestellungen)\n\nselect * from one")
    with connect() as connection:
        made = check_mapping(connection, load_mapping(shop.mapping, ROOT), shop.raw, ROOT)
        assert connection.execute(f"select count(*) from {made['orders']}").fetchall() == [(2,)]
    shop.say("one.sql", "select * from two")
    shop.say("two.sql", "select * from one")
    assert "two.sql, line 1: found SQL that cannot be run (Catalog Error: Table with name one" in (
        shop.refusal()
    )


def test_what_a_mapping_says_of_vars_holds_and_is_told_as_its_own(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DBT_ENV_SECRET_PSEUDONYM_KEY", "a-key-for-tests-0123456789")
    given = {"mapping": str(shop.mapping)}
    shop.say("mapping.yml", "source_time_zone: Asia/Tokyo\npersonal_ids: true\n" + DECLARATION)
    settings = load_configuration(ROOT, given).settings
    assert (settings.source_time_zone, settings.pseudonymise_ids) == ("Asia/Tokyo", True)
    zone = {**given, "source_time_zone": "UTC"}
    assert load_configuration(ROOT, zone).settings.source_time_zone == "UTC", (
        "the command line wins"
    )

    options = ["--raw", str(shop.raw), "--warehouse", str(tmp_path / "w"), "--mapping"]
    less = ("--vars", "{pseudonymise_ids: false}")
    refused = CliRunner().invoke(cli.app, ["refresh", *options, str(shop.mapping), *less])
    assert refused.exit_code == 2
    assert "var pseudonymise_ids: found false, though" in refused.stderr

    shop.say("mapping.yml", "source_time_zone: Asia/Tokio\n" + DECLARATION)
    with pytest.raises(
        TieringError, match=r"my_shop/mapping\.yml, var source_time_zone: found 'Asia"
    ):
        load_configuration(ROOT, given)


def test_a_file_of_another_encoding_is_decoded_once_until_it_changes(shop: Shop) -> None:
    query = f"select count(*) from read_csv('encoded://gb18030/{shop.raw}/shop/1.csv', skip = 2)"
    with (
        connect() as connection,
        mock.patch.object(encodings, "_decoded", wraps=encodings._decoded) as decoded,
    ):
        for _ in range(3):
            assert connection.execute(query).fetchall() == [(3,)]
        assert decoded.call_count == 1
        shop.export("1.csv", "1;a;01.02.2024;bezahlt;1.234,50;secret-a")
        assert connection.execute(query).fetchall() == [(1,)]
        assert decoded.call_count == 2


def test_files_that_are_missing_or_read_by_no_source_are_named(shop: Shop) -> None:
    shop.write("shop/notes.txt", b"x")
    shop.write(".hidden", b"x")
    shop.write("erasure_requests.csv", b"customer_id,requested_at\n")
    shop.write("refunds.csv", b"id,amount\n")
    mapping = load_mapping(shop.mapping, ROOT)
    (note,) = notes_on_files(mapping, shop.raw, ROOT)
    assert note.endswith("reads it: refunds.csv, shop/notes.txt.")
    (shop.raw / "order.csv").unlink()
    assert shop.refusal() == (
        "raw folder RAW: found no file of source order (erasure_requests.csv, refunds.csv, shop); allowed is order.parquet, order.csv or a folder order/."
    )


def test_the_landing_reads_a_mapping_as_the_command_line_does(shop: Shop) -> None:
    read: list[object] = []

    def steps(land: Landings) -> None:
        land.replace_macro(
            "land_raw_tables",
            '{% macro land_raw_tables() %}{% do run_query("create or replace table said as select \'" '
            '~ tojson(customer_tiering.mapping_in_use()) | replace("\'", "\'\'") ~ "\' as said") %}{% endmacro %}',
        )
        land.execute("create schema builds")
        land.execute("create table builds.last_build (is_complete boolean)")
        land.land(mapping=str(shop.mapping), raw_path=str(shop.raw))
        read.extend(json.loads(text) for (text,) in land.sql("from said"))

    (shop.raw.parent / "warehouse").mkdir()
    landings(shop.raw.parent / "warehouse", steps)
    assert read == [load_mapping(shop.mapping, ROOT).for_macros()]


def test_rows_are_landed_as_the_mapping_makes_them(shop: Shop) -> None:
    """Row by row new files are landed on top; what sums or joins is landed whole; nothing else is stored.

    The first file is exchanged without a trace: who reads it again shows it.
    """
    (shop.raw.parent / "warehouse").mkdir()
    orders = "select order_id, ordered_at, status, order_amount, channel, source_place from raw.orders order by 1"
    customers = "select customer_id, region, source_place from raw.customers order by 1"
    first = [
        ("1", "2024-02-01", "completed", "1234.50", None, "shop/1.csv, line 4"),
        ("3", "02/02/2024 (not dd.mm.yyyy)", "completed", "1.5 (not 1.234,56)", None, "shop/1.csv, line 6"),
    ]  # fmt: skip
    second = ("4", "2024-02-03", "offen", "10.00", None, "shop/2.csv, line 4")

    def steps(land: Landings) -> None:
        given = {"mapping": str(shop.mapping), "raw_path": str(shop.raw)}
        land.land(**given)
        assert land.sql(orders) == first
        assert land.sql(customers) == [("a", "bezahlt", None), ("b", "交易成功", None)]
        shop.export("1.csv", *["9;z;09.09.2024;bezahlt;9.999,99;secret-z"] * 3)
        land.land(**given)
        assert land.sql(orders)[0][0] == "9", "another size is another file"
        shop.export(
            "1.csv",
            "1;a;01.02.2024;bezahlt;1.234,50;secret-a",
            "2;b;02.02.2024;Test;1,00;secret-b",
            "3;b;02/02/2024;交易成功;1.5;secret-c",
        )
        land.land(**given)
        whole = (shop.raw / "shop/1.csv").read_bytes()
        shop.write(
            "shop/1.csv", whole.replace(b"1.234,50", b"9.999,99").replace(b"bezahlt", b"BEZAHLT")
        )
        shop.export("2.csv", "4;a;03.02.2024;offen;10,00;secret-d")
        land.land(**given)
        assert land.sql(orders) == [*first, second], "the first file is not read again"
        assert land.sql(customers) == [("a", "offen", None), ("b", "交易成功", None)]
        for name, header, row in (
            ("3.csv", "nr;kd;datum;st;betrag;Kanal", "5;a;04.02.2024;offen;11,00;Laden"),
            ("4.csv", "nr;datum;st;betrag", "6;05.02.2024;offen;12,00"),
        ):
            shop.export(name, row, header=header)
            land.land(**given)
        third = ("5", "2024-02-04", "offen", "11.00", "Laden", "shop/3.csv, line 4")
        fourth = ("6", "2024-02-05", "offen", "12.00", None, "shop/4.csv, line 4")
        assert land.sql(orders) == [*first, second, third, fourth], "each lacks what another has"
        for name in ("3.csv", "4.csv"):
            (shop.raw / "shop" / name).unlink()
        shop.write("erasure_requests.csv", b"customer_id,requested_at\na,2024-03-01\n")
        shop.write("refunds.csv", b"id,amount\n")
        land.land(**given)
        assert land.sql("from raw.erasure_requests") == [("erased_000001", "2024-03-01", None)]
        assert land.sql("from raw.refunds") == []
        assert [row[0] for row in land.sql(customers)] == ["b", "erased_000001"]
        (shop.raw / "erasure_requests.csv").unlink()
        shop.say("orders.sql", ORDERS.replace("'Test'", "'no'"))
        land.land(**given)
        assert [row[0] for row in land.sql(orders)] == ["1", "2", "3", "4"], (
            "another mapping, all anew"
        )
        assert land.sql(orders)[0][3] == "9999.99"
        shop.say("orders.sql", ORDERS.replace("nr as", "nrr as"))
        with pytest.raises(Exception, match="nrr"):
            land.land(**given)
        shop.say("mapping.yml", "source_time_zone: Asia/Tokyo\n" + DECLARATION)
        with pytest.raises(Exception, match="says: give it with --vars"):
            land.land(**given)

    landings(
        shop.raw.parent / "warehouse",
        steps,
        tables=("orders", "customers", "erasure_requests", "refunds"),
    )
    for path in (shop.raw.parent / "warehouse").rglob("*"):
        assert path.is_dir() or not re.search(b"secret-", path.read_bytes()), path


@pytest.mark.parametrize(
    "message",
    [
        'dbt stopped: Database Error column "betrg" does not exist (the whole log: dbt.log).',
        'Runtime Error Binder Error: Referenced column "betrg" not found! LINE 39: betrg',
    ],
    ids=["PostgreSQL", "DuckDB"],
)
def test_a_landing_that_stops_at_a_name_names_the_lines_that_have_it(
    shop: Shop, message: str
) -> None:
    """Over a schema a mapping is not tried before."""
    shop.say("orders.sql", ORDERS.replace("betrag,", "betrg,"))
    mapping = load_mapping(shop.mapping, ROOT)
    said = str(fault_of_landing(mapping, message)).replace(f"{shop.mapping}/", "")
    assert re.match(r'orders.sql, line 7: found SQL that cannot be run \(.*"betrg"', said)
    assert fault_of_landing(mapping, 'a message about "another" name') is None
