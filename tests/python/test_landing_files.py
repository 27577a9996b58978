"""All raw files are read, each once: which lie where, what is refused, and what changes while it is read.

The landing's own macros run (landing_in_process); what they are to land is written down by hand.
"""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest
from compiled_project import PROJECT
from landing_in_process import Landings, landings
from rich.console import Console

from customer_tiering import refreshing
from customer_tiering.configuration import load_configuration
from customer_tiering.errors import LandingError, SourceError
from customer_tiering.sources import check_contents, check_raw_folder

LONG_AGO = 1_700_000_000  # a file's time, in seconds
TABLES = {"customers": True, "orders": True, "refunds": False}
HEADER = "order_id,ordered_at,status,order_amount"
STILL = "allowed are files that nobody writes to"


def order(order_id: str) -> str:
    return f"{order_id},2024-01-01,paid,10\n"


def orders(*order_ids: str, header: str = HEADER) -> str:
    return header + "\n" + "".join(order(order_id) for order_id in order_ids)


def write(folder: Path, files: dict[str, str | bytes]) -> Path:
    """Write a raw folder: its files by path, and customers."""
    for path, content in {"customers.csv": "customer_id\na\n", **files}.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        os.utime(file, (LONG_AGO, LONG_AGO))
    return folder


def written_by_duckdb(folder: Path, query: str, options: str) -> bytes:
    """A file of a query's rows; CSV of quoted texts."""
    target = folder / "written"
    with duckdb.connect() as connection:
        connection.execute(f"copy ({query}) to '{target}' ({options})")
    content = target.read_bytes()
    target.unlink()
    return content


def session(folder: Path, steps: Callable[[Landings], None]) -> None:
    (folder / "warehouse").mkdir()
    landings(folder / "warehouse", steps, TABLES)


def landed(session: Landings) -> list[str]:
    return [order_id for (order_id,) in session.sql("select order_id from raw.orders order by 1")]


# -- What is read ----------------------------------------------------------------------------------


def test_what_lies_in_a_tables_folder_is_read_and_the_rest_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A link to a folder is a folder; only hidden files, other kinds and links to nothing are not read."""
    raw = write(
        tmp_path / "raw",
        {
            "ORDERS/1.CSV": orders("one"),
            "ORDERS/2024/Q1/2.Csv": orders("two"),
            "ORDERS/3.csv.gz": gzip.compress(orders("three").encode()),
            "ORDERS/4.CSV.GZ": gzip.compress(orders("four").encode()),
            "ORDERS/5.csv.ZST": written_by_duckdb(
                tmp_path,
                "select 'five' as order_id, '2024-01-01' as ordered_at, 'paid' as status, '10' as order_amount",
                "format csv, header, compression zstd",
            ),
            "ORDERS/header.csv": orders(),
            "ORDERS/nothing.csv": "",
            "ORDERS/_SUCCESS": "",
            "ORDERS/.1.csv.crc": "crc",
            "ORDERS/.~lock.1.csv#": "",
            "ORDERS/_temporary/0/9.csv": orders("nine"),
            "ORDERS/old.xlsx": "",
            "Refunds.Parquet": written_by_duckdb(
                tmp_path,
                "select 'r' as refund_id, 'one' as order_id, date '2024-01-02' as refunded_at, 1 as refund_amount",
                "format parquet",
            ),
        },
    )
    write(tmp_path / "archive", {"2022/m1/6.csv": orders("six")})
    (raw / "ORDERS" / "linked").symlink_to("../../archive/2022")
    (raw / "ORDERS" / "dangling.csv").symlink_to("nowhere")

    def steps(session: Landings) -> None:
        session.land(raw_path=str(raw))
        assert landed(session) == ["five", "four", "one", "six", "three", "two"]
        assert session.sql("select refund_id from raw.refunds") == [("r",)]
        assert session.sql(
            "select parse_filename(file), row_count from builds.landed_files where row_count = 0 order by 1"
        ) == [("header.csv", "0"), ("nothing.csv", "0")]
        # a file without content differs from its siblings in its columns
        assert session.sql("from builds.landing_notes") == [
            (
                "raw table orders: columns differ from those of most files in ORDERS/nothing.csv (empty).",
            )
        ]

    session(tmp_path, steps)
    assert check_raw_folder(raw, TABLES) == [
        "raw table orders: not read, as neither Parquet nor CSV, or hidden: ORDERS/.1.csv.crc, "
        "ORDERS/.~lock.1.csv#, ORDERS/_SUCCESS and 3 more."
    ]
    (raw / "ORDERS" / ".1.csv.crc").unlink()
    (raw / "ORDERS" / ".~lock.1.csv#").unlink()
    (note,) = check_raw_folder(raw, TABLES)
    assert "ORDERS/dangling.csv (a link to nothing) and 1 more" in note
    check_contents(raw, TABLES)


def test_a_file_with_other_columns_than_its_siblings_is_named(tmp_path: Path) -> None:
    raw = write(
        tmp_path / "raw",
        {
            **{f"orders/{n}.csv": orders(str(n)) for n in range(3)},
            "orders/7.csv": "status,order_id,order_amount,ORDERED_AT\npaid,7,10,2024-01-01\n",
            "orders/8.csv": orders(header=f"{HEADER},Rebate"),
        },
    )
    write(raw, {"refunds/1.csv": "refund_id,order_id,refunded_at,refund_amount,note\n"})

    def steps(session: Landings) -> None:
        named = "orders/8.csv (with rebate)"
        session.land(raw_path=str(raw))
        assert session.sql("from builds.landing_notes") == [
            (f"raw table orders: columns differ from those of most files in {named}.",)
        ]
        session.execute("update builds.last_landing set published_run = 'a run'")
        # what was read before is named as before
        write(raw, {"orders/9.csv": orders(header=f"{HEADER},rebate,channel")})
        write(raw, {"orders/a.csv": orders(header=f"{HEADER},rebate")})
        write(raw, {"orders/b.csv": orders(header=f"{HEADER},store_id")})
        named += ", orders/9.csv (with channel, rebate), orders/a.csv (with rebate) and 1 more"
        session.land(raw_path=str(raw))
        assert session.sql("from builds.landing_notes") == [
            (f"raw table orders: columns differ from those of most files in {named}.",)
        ]
        # what is landed now is not what that run has published
        assert session.sql("from builds.last_landing") == [(None, None, "2026-01-31")]

    session(tmp_path, steps)


# -- What is refused -------------------------------------------------------------------------------


def parquet_with_one_column_twice(folder: Path) -> bytes:
    """As Spark writes it where case matters: DuckDB itself would rename one."""
    query = (
        "select '1' as order_id, 'a' as status, 'b' as Ztatus, 'c' as ordered_at, 1 as order_amount"
    )
    return written_by_duckdb(folder, query, "format parquet").replace(b"Ztatus", b"STATUS")


REFUSED: dict[str, tuple[dict[str, str | Callable[[Path], bytes]], str]] = {
    "one name twice in CSV": (
        {"orders/1.csv": orders("1"), "orders/2.csv": orders(header=f"{HEADER},Note,note")},
        "/orders/2.csv has one column twice: Note and note; allowed is each name once",
    ),
    "one name twice in Parquet": (
        {"orders.parquet": parquet_with_one_column_twice},
        "/orders.parquet has one column twice: STATUS and status",
    ),
    "a column that a folder alone holds": (
        {"orders/1.csv": orders("1"), "orders/y=2024/Channel=app/2.csv": orders("2")},
        "raw table orders: column channel is only in the name of the folder Channel=app, not in ",
    ),
    "a required column that a folder alone holds": (
        {"orders/status=paid/1.csv": "order_id,ordered_at,order_amount\n"},
        "column status is only in the name of the folder status=paid",
    ),
    "a required column that one file lacks": (
        {"orders/1.csv": orders("1"), "orders/2.csv": "order_id,ordered_at,order_amount\n"},
        "/orders/2.csv has no column status; found are order_id, ordered_at, order_amount, and status",
    ),
    "two forms": (
        {"Orders.csv": orders("1"), "orders/1.csv": orders("1")},
        "raw table orders is there more than once",
    ),
    "two letter cases": (
        {"ORDERS/1.csv": orders("1"), "orders/1.csv": orders("1")},
        "raw table orders is there more than once",
    ),
    "two formats": (
        {"orders/1.csv": orders("1"), "orders/a/2.parquet": b""},
        "raw table orders is there more than once",
    ),
    "no content at all": (
        {"orders/1.csv": "", "orders/2.csv": ""},
        "/orders/1.csv has no column order_id; found are none",
    ),
}


def test_files_that_cannot_be_read_in_one_way_are_refused(tmp_path: Path) -> None:
    def steps(session: Landings) -> None:
        for number, (what, (files, sentence)) in enumerate(REFUSED.items()):
            raw = write(
                tmp_path / str(number),
                {
                    path: content(tmp_path) if callable(content) else content
                    for path, content in files.items()
                },
            )
            with pytest.raises(Exception, match="Compilation Error") as refused:
                session.land(raw_path=str(raw))
            assert sentence in str(refused.value), what
        raw = write(
            tmp_path / "fine",
            {
                # a column of the contract in file and folder, a nested column of its name, names left empty
                "orders/status=open/1.csv": f"{HEADER},,\n1,2024-01-01,paid,10,,\n",
                "refunds.parquet": written_by_duckdb(
                    tmp_path,
                    "select 'r' as refund_id, '1' as order_id, date '2024-01-02' as refunded_at, "
                    "1 as refund_amount, [{'order_id': 7}] as lines, 0 as a_1",
                    "format parquet",
                ),
            },
        )
        session.land(raw_path=str(raw))
        assert session.sql("select order_id, status from raw.orders") == [("1", "paid")]
        assert session.sql("select order_id from raw.refunds") == [("1",)]

    session(tmp_path, steps)


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ({"ORDERS.CSV": orders(), "orders/1.csv": orders()}, "table orders as ORDERS.CSV and orders/*.csv"),
        ({"orders/1.csv": "", "orders/2.csv": ""}, "orders/1.csv: found no content"),
        ({"orders/1.csv": orders(), "refunds.parquet": ""}, "refunds.parquet: found no content"),
    ],
)  # fmt: skip
def test_a_refresh_refuses_folders_before_it_builds(
    files: dict[str, str | bytes], sentence: str, tmp_path: Path
) -> None:
    with pytest.raises(SourceError) as refused:
        check_raw_folder(write(tmp_path, files), TABLES)
    assert sentence in str(refused.value)


def test_a_file_or_folder_that_may_not_be_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = write(tmp_path, {"orders/2023/1.csv": orders(), "orders/2024/1.csv": orders()})
    hidden = {raw / "orders" / "2024" / "1.csv", raw / "orders" / "2023"}
    iterdir = Path.iterdir

    def listed(path: Path) -> Iterator[Path]:
        """As for others than root, who may read anything."""
        if path in hidden:
            raise PermissionError(path)
        return iterdir(path)

    monkeypatch.setattr(os, "access", lambda path, _: path not in hidden)
    monkeypatch.setattr(Path, "iterdir", listed)
    with pytest.raises(SourceError, match=r"raw folder .*/orders/2023: found no permission"):
        check_raw_folder(raw, TABLES)
    hidden.remove(raw / "orders" / "2023")
    with pytest.raises(SourceError, match=r"raw file .*/orders/2024/1\.csv: found no permission"):
        check_raw_folder(raw, TABLES)


def test_a_link_to_nothing_in_the_place_of_a_table_is_told(tmp_path: Path) -> None:
    raw = write(tmp_path, {"orders.csv": orders()})
    (raw / "refunds.csv").symlink_to("nowhere")
    (note,) = check_raw_folder(raw, TABLES)
    assert note.startswith("raw table refunds: not read")
    assert note.endswith("refunds.csv (a link to nothing).")
    (raw / "orders.csv").unlink()
    (raw / "orders.csv").symlink_to("nowhere")
    with pytest.raises(SourceError, match=r"no table orders .*orders\.csv \(a link to nothing\)"):
        check_raw_folder(raw, TABLES)


def test_a_file_taken_for_a_pattern_is_not_passed_over(tmp_path: Path) -> None:
    """Were names not quoted, a file would be read in the place of another: the rows by file tell."""
    raw = write(tmp_path / "raw", {"orders/a.csv": orders("a"), "orders/[ab].csv": orders("b")})

    def steps(session: Landings) -> None:
        session.replace_macro(
            "literal_path", "{% macro literal_path(path) %}{{ return(path) }}{% endmacro %}"
        )
        with pytest.raises(Exception, match="allowed is each row of each file once"):
            session.land(raw_path=str(raw))

    session(tmp_path, steps)


# -- What changes while it is read -----------------------------------------------------------------


def test_files_that_change_while_they_are_read_are_read_again_and_then_refused(
    tmp_path: Path,
) -> None:
    raw = write(tmp_path / "raw", {"orders/1.csv": orders("1"), "orders/2.csv": orders("2")})
    times: list[int] = []

    def at_most(most: int, change: Callable[[int], object]) -> Callable[[], None]:
        def when_read() -> None:
            if "orders" in reading and len(times) < most:
                times.append(len(times))
                change(len(times))

        times.clear()
        return when_read

    reading = ["orders"]

    def grow(number: int) -> None:
        with (raw / "orders" / "1.csv").open("a") as file:
            file.write(order(f"1.{number}"))

    def arrive(number: int) -> None:
        write(raw, {f"orders/n{number}.csv": orders(f"n{number}")})

    def steps(session: Landings) -> None:
        session.land(raw_path=str(raw))
        assert landed(session) == ["1", "2"]

        arrive(0)  # so that there is something to read
        session.when_read = at_most(1, grow)
        session.land(raw_path=str(raw))
        assert landed(session) == ["1", "1.1", "2", "n0"]

        session.when_read = at_most(2, grow)
        write(raw, {"orders/more.csv": orders("more")})
        with pytest.raises(Exception, match=r"orders/1\.csv changed while it was read") as refused:
            session.land(raw_path=str(raw))
        assert STILL in " ".join(str(refused.value).split())

        # of a feed that never rests the next run reads the rest
        session.when_read = at_most(9, arrive)
        session.land(raw_path=str(raw))
        assert "n1" in landed(session)
        session.when_read = lambda: None
        session.land(raw_path=str(raw))
        assert landed(session) == sorted(
            ["1", "1.1", "1.1", "1.2", "2", "more", "n0", *(f"n{n + 1}" for n in times)]
        )

        session.when_read = at_most(2, lambda _: (raw / "orders" / "2.csv").unlink(missing_ok=True))
        arrive(20)
        session.land(raw_path=str(raw))
        assert "2" not in landed(session)

    session(tmp_path, steps)


@pytest.mark.parametrize(("changes", "fails"), [(1, False), (2, True)])
def test_a_line_read_in_the_middle_of_being_written_is_read_again(
    changes: int, fails: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """dbt stops at half a line, by no rule of the landing; the file says that it has changed."""
    raw = write(tmp_path / "raw", {"orders/1.csv": orders("1")})
    builds: list[int] = []

    def build(*_: object) -> str:
        builds.append(1)
        if len(builds) <= changes:
            with (raw / "orders" / "1.csv").open("a") as file:
                file.write(order("2"))
            raise LandingError("a line with 2 cells.")
        return "built"

    monkeypatch.setattr(refreshing, "build", build)
    configuration = load_configuration(PROJECT, {"raw_path": str(raw)})
    refresh = refreshing.Refresh(
        PROJECT, configuration, tmp_path, Console(quiet=True), lambda _: None
    )
    if fails:
        with pytest.raises(SourceError, match=r"1\.csv: found a change while it was read"):
            refresh._build(0, tmp_path / "erased")
    else:
        assert refresh._build(0, tmp_path / "erased") == "built"
    assert len(builds) == 2
