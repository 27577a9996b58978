"""A publication that takes rows and files over from the one before is what it would be if it were written whole."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from customer_tiering import publishing, republishing
from customer_tiering.errors import BuildError
from customer_tiering.publishing import (
    PUBLICATION,
    RESTRICTED,
    current_publication,
    open_publication,
    publish,
)
from customer_tiering.runs import Ledger

PUBLISHED_BY = {"customer_periods": "period", "orders": "month"}
KEYS = {"customer_periods": ["customer_id", "period_end"], "orders": ["order_id"]}
# Twenty customers; eight closed periods and an open one; an order a month of each.
COMPANY = """
create schema marts;
create schema quality;
create schema restricted;
create table marts.review_periods as
select cast(last_day(date '2024-01-01' + to_months(n)) as date) as period_end, n = 8 as is_open_period
from range(9) as numbers (n);
create table marts.customers as
select 'C' || lpad(n::varchar, 2, '0') as customer_id, 'Town ' || n as city from range(20) as numbers (n);
create table marts.customer_periods as
select customer_id, period_end, 10.50::decimal(18, 2) as monetary
from marts.customers cross join marts.review_periods;
create table marts.orders as
select customer_id || strftime(period_end, '%y%m') as order_id, customer_id, period_end - 3 as order_date, null::integer as channel
from marts.customers cross join marts.review_periods;
create table quality.warnings as select 'none' as warning_code;
create table restricted.customer_contacts as select customer_id, customer_id || '@mail' as email from marts.customers;
"""
OPEN, CLOSED = "period_end = date '2024-09-30'", "period_end = date '2024-06-30'"


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "warehouse"
    folder.mkdir()
    build(folder, COMPANY)
    before = os.umask(0o022)
    try:
        show(folder)
        yield folder
    finally:
        os.umask(before)


def build(warehouse: Path, statements: str) -> None:
    with duckdb.connect(str(warehouse / "work.duckdb")) as connection:
        connection.execute(statements)


def show(warehouse: Path, takes_over: bool = True, **given: object) -> Path:
    log = [Ledger(warehouse).start("refresh")]
    arguments = {"keys": KEYS, "published_by": PUBLISHED_BY, "takes_over": takes_over, **given}
    return publish(warehouse, log, **arguments)


def parquet(publication: Path) -> dict[str, Path]:
    """The Parquet files of a publication by their names, but for that of the runs."""
    files = (path for path in (publication / "parquet").rglob("*.parquet"))
    found = {str(path.relative_to(publication / "parquet")): path for path in files}
    return {name: path for name, path in found.items() if name != "quality/refresh_log.parquet"}


def shared(before: Path, now: Path) -> set[str]:
    """The Parquet files that are one with those of another publication."""
    others = parquet(before)
    return {n for n, path in parquet(now).items() if n in others and path.samefile(others[n])}


def rows(publication: Path) -> dict[str, list[tuple]]:
    with open_publication(publication / PUBLICATION) as connection:
        tables = connection.execute(
            "select schema_name || '.' || table_name from duckdb_tables() where database_name = 'warehouse' "
            "and table_name <> 'refresh_log'"
        ).fetchall()
        return {
            t: connection.execute(f"from {t} order by all").fetchall() for (t,) in sorted(tables)
        }


def is_as_written_whole(warehouse: Path, publication: Path, **given: object) -> bool:
    """Whether rows and Parquet files are those of the same tables published into an empty warehouse."""
    other = warehouse.parent / f"whole-{publication.name}"
    other.mkdir()
    os.link(warehouse / "work.duckdb", other / "work.duckdb")
    whole = show(other, **given)
    contents = [
        {n: p.read_bytes() for n, p in parquet(one).items()} for one in (publication, whole)
    ]
    return rows(publication) == rows(whole) and contents[0] == contents[1]


def test_only_what_differs_is_written(warehouse: Path) -> None:
    before = current_publication(warehouse)
    build(
        warehouse,
        f"update marts.customer_periods set monetary = 11 where {OPEN} and customer_id = 'C03';"
        "insert into marts.orders values ('X1', 'C03', date '2024-09-30', null);"
        # a late refund of an old order
        "update marts.orders set channel = 1 where order_id = 'C052402'",
    )
    now = show(warehouse)
    written = parquet(now).keys() - shared(before, now)
    assert written == {
        "marts/customer_periods/2024-09-30.parquet",
        "marts/orders/2024-09.parquet",
        "marts/orders/2024-02.parquet",
    }
    assert len(parquet(now)) == 9 + 9 + 3
    assert is_as_written_whole(warehouse, now)


def test_nothing_new_shares_every_file(warehouse: Path) -> None:
    before = current_publication(warehouse)
    now = show(warehouse)
    assert shared(before, now) == parquet(now).keys()
    assert not (now / PUBLICATION).samefile(before / PUBLICATION)
    assert {f"{stat.S_IMODE(path.stat().st_mode):o}" for path in parquet(now).values()} == {"444"}
    assert is_as_written_whole(warehouse, now)


@pytest.mark.parametrize(
    ("statements", "given"),
    [
        pytest.param("delete from marts.customers where customer_id = 'C19'", {}, id="no customer"),
        pytest.param("delete from marts.orders where order_id = 'C032405'", {}, id="no order"),
        pytest.param(
            "update marts.review_periods set is_open_period = false;"
            "insert into marts.review_periods values (date '2024-10-31', true)",
            {},
            id="a period closed",
        ),
        pytest.param("", {"erasures": {"C01": "2026-01-01"}}, id="an erasure"),
        pytest.param("", {"takes_over": False}, id="--full"),
        pytest.param("", {"checks": "other"}, id="another test"),
        pytest.param("", {"published_by": {"orders": "month"}}, id="other parts"),
        pytest.param(
            "", {"keys": {**KEYS, "orders": ["customer_id", "order_id"]}}, id="another order"
        ),
        pytest.param(
            "update marts.customer_periods set monetary = 1 where period_end < date '2024-06-01'",
            {},
            id="5 of 18 parts",
        ),
    ],
)
def test_all_is_written_anew(warehouse: Path, statements: str, given: dict[str, object]) -> None:
    before = current_publication(warehouse)
    build(warehouse, statements)
    now = show(warehouse, **given)
    assert shared(before, now) == set()
    assert is_as_written_whole(warehouse, now, **given)


def test_up_to_a_quarter_of_the_rows_in_parts_may_differ(warehouse: Path) -> None:
    before = current_publication(warehouse)
    build(
        warehouse,
        "update marts.customer_periods set monetary = 1 where period_end < date '2024-05-01'",
    )
    now = show(warehouse)
    assert len(shared(before, now)) == 21 - 4


def test_an_order_that_moves_to_another_month_is_not_gone(warehouse: Path) -> None:
    before = current_publication(warehouse)
    build(
        warehouse,
        "update marts.orders set order_date = date '2024-08-01' where order_id = 'C032405'",
    )
    now = show(warehouse)
    assert parquet(now).keys() - shared(before, now) == {
        "marts/orders/2024-05.parquet",
        "marts/orders/2024-08.parquet",
    }
    assert is_as_written_whole(warehouse, now)


def test_other_rules_write_all_anew(warehouse: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Rules:
        def digests(self) -> dict[str, str]:
            return {"seeds": "other"}

    before = current_publication(warehouse)
    monkeypatch.setattr(publishing, "read_rules", lambda folder: Rules())
    changed = show(warehouse)
    assert shared(before, changed) == set()
    same = show(warehouse)
    assert shared(changed, same) == parquet(same).keys()


def test_a_customer_deleted_in_the_source_is_in_no_byte(warehouse: Path) -> None:
    """Nor is an address that has changed: the file of contacts is always written whole."""
    build(
        warehouse,
        "insert into marts.customers values ('CANARY-7', 'CANARY-TOWN');"
        "update restricted.customer_contacts set email = 'CANARY@old' where customer_id = 'C01'",
    )
    held = show(warehouse)
    assert b"CANARY-7" in (held / PUBLICATION).read_bytes()
    assert b"CANARY@old" in (held / RESTRICTED).read_bytes()
    build(
        warehouse,
        "delete from marts.customers where customer_id = 'CANARY-7';"
        "update restricted.customer_contacts set email = 'new' where customer_id = 'C01'",
    )
    now = show(warehouse)
    assert [
        path for path in now.rglob("*") if path.is_file() and b"CANARY" in path.read_bytes()
    ] == []


def test_a_damaged_database_is_not_copied(warehouse: Path) -> None:
    before = current_publication(warehouse)
    file = before / PUBLICATION
    file.chmod(0o600)
    content = bytearray(file.read_bytes())
    content[-5] ^= 1
    file.write_bytes(content)
    now = show(warehouse)
    assert shared(before, now) == set()
    assert is_as_written_whole(warehouse, now)


@pytest.mark.parametrize("fault", ["damaged", "gone"])
def test_a_damaged_file_is_written_anew(warehouse: Path, fault: str) -> None:
    before = current_publication(warehouse)
    name = "marts/orders/2024-05.parquet"
    file = parquet(before)[name]
    file.chmod(0o600)
    if fault == "gone":
        file.unlink()
    else:
        file.write_bytes(file.read_bytes() + b"x")
    now = show(warehouse)
    assert parquet(now).keys() - shared(before, now) == {name}
    assert is_as_written_whole(warehouse, now)


@pytest.mark.parametrize("manifest", ["", "{}", '{"contents": 1}', None])
def test_without_a_manifest_all_is_written(warehouse: Path, manifest: str | None) -> None:
    before = current_publication(warehouse)
    (before / "manifest.json").chmod(0o600)
    if manifest is not None:
        (before / "manifest.json").write_text(manifest)
    else:
        (before / "manifest.json").unlink()
    now = show(warehouse)
    assert shared(before, now) == set()
    assert is_as_written_whole(warehouse, now)


def test_where_there_are_no_hard_links_files_are_copied(
    warehouse: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError("no links here")

    before = current_publication(warehouse)
    with monkeypatch.context() as patched:
        patched.setattr(republishing.os, "link", refuse)
        now = show(warehouse)
    assert shared(before, now) == set()
    assert {f"{stat.S_IMODE(path.stat().st_mode):o}" for path in parquet(now).values()} == {"444"}
    assert is_as_written_whole(warehouse, now)


@pytest.mark.parametrize(
    "statements",
    [
        "alter table marts.customers add column region varchar",
        "alter table marts.orders add column region varchar",
        "alter table marts.customer_periods alter monetary type decimal(20, 2)",
        "drop table quality.warnings",
        "create table quality.news as select 1 as n",
        "delete from marts.customer_periods",
        "delete from quality.warnings",
        # the same rows in another order
        "create table marts.again as from marts.orders order by order_id desc; delete from marts.orders; "
        "insert into marts.orders from marts.again; drop table marts.again",
    ],
)
def test_other_tables_and_columns_are_published(warehouse: Path, statements: str) -> None:
    build(warehouse, statements)
    assert is_as_written_whole(warehouse, show(warehouse))


def test_rows_that_did_not_arrive_stop_the_publication(
    warehouse: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = current_publication(warehouse)
    build(warehouse, f"update marts.customer_periods set monetary = 11 where {CLOSED}")
    monkeypatch.setattr(publishing, "replace_what_differs", lambda *_: None)
    with pytest.raises(BuildError, match="does not hold the rows of"):
        show(warehouse)
    assert current_publication(warehouse) == before


def test_fifteen_days_on_the_file_is_of_the_old_format(warehouse: Path) -> None:
    for day in range(15):
        build(warehouse, f"update marts.customer_periods set monetary = {day} where {OPEN}")
        now = show(warehouse)
    with duckdb.connect() as connection:
        connection.execute(f"attach '{now / PUBLICATION}' as publication (read_only)")
        (tags,) = connection.execute(
            "select tags from duckdb_databases() where database_name = 'publication'"
        ).fetchone()
    assert tags["storage_version"].startswith("v1.4")
    assert is_as_written_whole(warehouse, now)


PERIODS = st.integers(0, 8).map(
    lambda n: f"(select period_end from marts.review_periods offset {n} limit 1)"
)
STATEMENTS = st.one_of(
    st.builds(
        "update marts.customer_periods set monetary = monetary + 1 where period_end = {}".format,
        PERIODS,
    ),
    st.builds("delete from marts.customer_periods where period_end = {}".format, PERIODS),
    st.builds(
        "insert into marts.customer_periods select 'N', {}, 1 where not exists "
        "(select 1 from marts.customer_periods where customer_id = 'N')".format,
        PERIODS,
    ),
    st.builds("update marts.orders set order_date = order_date + {}".format, st.integers(-40, 40)),
    st.builds(
        "update marts.orders set order_date = order_date + {} where customer_id = 'C{:02}'".format,
        st.integers(-40, 40),
        st.integers(0, 19),
    ),
    st.builds("delete from marts.orders where customer_id = 'C{:02}'".format, st.integers(0, 19)),
    st.builds("update marts.customers set city = '{}'".format, st.integers(0, 3)),
)


@settings(
    max_examples=10 * int(os.environ.get("TIERING_EXAMPLES", "1")),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    deadline=None,
)
@given(days=st.lists(st.lists(STATEMENTS, max_size=3), min_size=1, max_size=3))
def test_any_days_end_in_what_is_written_whole(
    days: list[list[str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A day may fail its audit: what was built then is new the day after."""
    warehouse = tmp_path_factory.mktemp("days") / "warehouse"
    warehouse.mkdir()
    build(warehouse, COMPANY)
    show(warehouse)
    for number, statements in enumerate(days):
        build(warehouse, ";".join(statements))
        if number % 2 == 0:
            assert is_as_written_whole(warehouse, show(warehouse))
