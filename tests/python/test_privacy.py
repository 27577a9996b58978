"""Personal data: none in what everybody may read, and none of a person who was erased."""

from __future__ import annotations

import csv
import hmac
import json
import os
import random
import shutil
import sqlite3
import stat
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from unittest import mock

import duckdb
import oracle
import pytest
from compiled_project import PROJECT, CompiledProject
from dbt_in_process import dbt, parsed_project
from landing_in_process import Landings, landings
from oracle.erasure import anonymous_ids
from oracle.reading import Setting, nobody
from refresh_in_process import refresh_in_process
from rich.console import Console
from typer.testing import CliRunner

from customer_tiering import building, cli, erasures, refreshing
from customer_tiering.encodings import register
from customer_tiering.errors import ExitCode
from customer_tiering.locking import locked
from customer_tiering.publishing import PUBLICATION, RESTRICTED, WORK

SAMPLE = PROJECT / "sample"
CANARY = "canary"
AS_OF = {"run_date": "2026-01-31", "as_of_date": "2025-12-31"}
# All of them were born on this day, which occurs nowhere else.
BORN_ON = "1931-07-19"


@pytest.fixture(scope="module")
def raw_with_canaries(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample company, each value of a raw column with personal data replaced by a canary."""
    folder = tmp_path_factory.mktemp("raw")
    for entry in SAMPLE.iterdir():
        if entry.name != "customers.csv":
            (folder / entry.name).symlink_to(entry)
    with (SAMPLE / "customers.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for number, row in enumerate(rows):
        for name in ("full_name", "email", "phone", "postal_code", "owner"):
            row[name] = f"{CANARY} {name} {number}"
        row["birth_date"] = BORN_ON if number % 10 else f"{CANARY}, not a date"
    with (folder / "customers.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return folder


def holding_canaries(
    connection: duckdb.DuckDBPyConnection,
    relations: Iterable[str],
    words: Iterable[str] = (CANARY, BORN_ON),
) -> dict[str, int]:
    """The rows with a canary in any value, of the relations that have some."""
    found = {}
    condition = " or ".join(
        f"contains(lower(cast(whole_row as varchar)), '{word}')" for word in words
    )
    for relation in relations:
        (rows,) = connection.execute(
            f"select count(*) from {relation} as whole_row where {condition}"
        ).fetchone()
        if rows:
            found[relation] = rows
    return found


def test_no_value_of_a_public_mart_holds_personal_data(
    raw_with_canaries: Path, compiled: Callable[..., CompiledProject]
) -> None:
    project = compiled(run_date="2026-01-31")
    models = {model.name: model for model in project.models}
    with project.build(raw_with_canaries) as connection:
        public = {m.relation for m in models.values() if m.schema in ("marts", "quality")}
        assert holding_canaries(connection, public) == {}
        restricted = {m.relation for m in models.values() if m.schema == "restricted"}
        assert set(holding_canaries(connection, restricted)) == restricted
        assert connection.execute(
            "select count(*) from quality.rejected_records where column_name = 'birth_date'"
        ).fetchone()[0]  # bad ones are listed, without the value

        # the scan sees a leak, of a text or a date
        for name, before, after in [
            ("customers", "customers.city,", "upper(customers.email) as city,"),
            ("customers", "customers.signed_up_on,", "customers.birth_date as signed_up_on,"),
            ("rejected_records", "raw_record\n", "raw_record_restricted as raw_record\n"),
        ]:
            sql = models[name].sql
            assert before in sql
            connection.execute(f"create or replace table leak as ({sql.replace(before, after)}\n)")
            assert holding_canaries(connection, ["leak"]) != {}, after


# -- Erasure ---------------------------------------------------------------------------------------

PERSON = "canaryid77"  # into which the id that the request names was merged
FORMER = "canaryformer42"
# Words of her in columns that are marked as personal, and in no other one.
OF_PERSONAL_COLUMNS = (
    *(
        "canary maiden",
        "canary@mail",
        "former.canary",
        "canary555",
        "canary777",
        "canary1234",
        "canary rep",
    ),
    *(BORN_ON, "canary born"),
)
LIVING = "erased_000001"  # an id of the form that erased persons get, and here just that of FORMER


def company(folder: Path) -> Path:
    """Forty customers with orders, and one of whom everything is a canary."""
    folder.mkdir()
    customers = [f"C{number},person,Oslo,{number % 28 + 1:02d}" for number in range(40)]
    write(
        folder / "customers.csv",
        "customer_id,customer_type,full_name,email,phone,birth_date,gender,country_code,region,city,"
        "postal_code,acquisition_channel,signed_up_at,marketing_consent,parent_customer_id,updated_at,owner",
        *(
            f"{c},{kind},Name {c},{c}@example.com,555,1980-05-{day},F,SE,East,{city},0150,web,"
            "2024-01-01,true,,2025-01-01,Rep"
            for c, kind, city, day in (row.split(",") for row in customers)
        ),
        f" {PERSON},person,Canary Name,canary@mail.example,canary555,{BORN_ON},canarygender,SE,"
        "Canaryland,Canarytown,canary1234,canarychannel,2021-03-04 05:06:07,true,,2025-01-01,canary rep",
        f"{FORMER},person,Canary Maiden,former.canary@mail.example,canary777,canary born,F,SE,"
        "Canaryland,Canarytown,canary1234,web,2021-03-04,true,,2024-01-01,canary rep",
        f"C900,person,Child of it,,,,,SE,,,,,2024-01-01,,{PERSON},2025-01-01,",
        # alive, and called as the one who is erased will be
        f"{LIVING},person,Somebody Else,,,,,SE,,,,,2024-01-01,,,2025-01-01,",
    )
    orders = [
        (f"C{number}", f"2025-{month:02d}-{number % 27 + 1:02d}", 20 + number * 7 % 90)
        for number in range(40)
        for month in range(1, 13)
        if (number * month) % 5 < 2
    ]
    orders += [(PERSON, f"2025-{month:02d}-15", 75) for month in (2, 5, 11)]
    orders += [(f"{FORMER} ", "2025-03-15", 60), (FORMER, "2024-12-24", 10)]
    write(
        folder / "orders.csv",
        "order_id,customer_id,ordered_at,status,order_amount,currency_code",
        *(
            f"O{n},{who},{day},completed,{amount},CNY"
            for n, (who, day, amount) in enumerate(orders)
        ),
        f"O9001,{PERSON},2025-06-01,sent to Canary Name,30,CNY",
        f"O9002,{PERSON},2025-06-02,completed,canary amount,CNY",
        f"O9003,{PERSON},canary day,completed,30,CNY",
        f"O9004,{LIVING},2025-06-01,completed,1000,CNY",
        "O9005, Guest,2025-06-01,completed,12,CNY",
        "O9006,N/A,2025-06-01,completed,13,CNY",
    )
    write(
        folder / "customer_merges.csv",
        "from_customer_id,into_customer_id,merged_at",
        f"{FORMER},{PERSON},2025-01-05",
        f"{PERSON},{PERSON},2025-01-06",
        "C1,C2,2025-04-01",
        f"{LIVING},{PERSON},2025-04-01",
        f"guest,{PERSON},2025-04-01",
    )
    write(
        folder / "tickets.csv",
        "ticket_id,customer_id,opened_at,ticket_type,satisfaction_score",
        f"T1,{FORMER},2025-04-01,complaint,2",
        f"T2,{PERSON},2025-05-01,Canary Name is angry,canary score",
        f"T3,{PERSON},when canary called,complaint,3",
    )
    write(
        folder / "referrals.csv",
        "referral_id,referrer_customer_id,referred_customer_id,referred_at",
        f"R1,C3,{PERSON},2025-02-01",
        f"R2,{PERSON},C4,2025-02-01",
        f"R3,{PERSON},{FORMER},2025-02-01",
    )
    write(
        folder / "account_balances.csv",
        "customer_id,account_id,balance_date,balance_amount,currency_code",
        f"{PERSON},canaryaccount1,2025-03-31,1000,CNY",
        f"{PERSON},canaryaccount2,2025-03-31,20,CNY",
        f"{PERSON},,2025-03-31,3,CNY",
        f"{FORMER}, canaryaccount1,2025-03-31,400,CNY",
        f"{FORMER},canaryaccount1,2025-06-30,canary balance,CNY",
        "C3,A3,2025-03-31,50,CNY",
    )
    write(
        folder / "customer_attributes.csv",
        "customer_id,attribute,value,updated_at",
        f"{PERSON},diet,canary seed,2025-01-01",
        f" {FORMER},canary attribute,seed,when canary ate",
        "C3,diet,vegan,2025-01-01",
    )
    write(
        folder / "campaigns.csv",
        "campaign_id,starts_on,holdout_percent",
        "K1,2025-04-01,",
        "K2,2026-01-10,50",
    )
    write(
        folder / "campaign_contacts.csv",
        "campaign_id,customer_id,contacted_at,contact_group",
        f"K1,{PERSON},2025-04-02,canary group",
        f"K1,{FORMER},2025-04-02,holdout",
        "K1,C3,2025-04-02,treatment",
    )
    return folder


def write(file: Path, *lines: str) -> None:
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")


def as_parquet(raw: Path, folder: Path, all_varchar: bool = False) -> Path:
    """The same raw tables as Parquet, with types of their own where DuckDB sees one, or as text."""
    folder.mkdir()
    for file in raw.glob("*.csv"):
        table = duckdb.read_csv(str(file), header=True, all_varchar=all_varchar)
        table.write_parquet(str(folder / f"{file.stem}.parquet"))
    return folder


def behind_mapping(raw: Path, folder: Path) -> Path:
    """The same raw tables under other names, with a column that is none of the contract's, and the mapping to them."""
    folder.mkdir()
    sources = []
    for file in raw.glob("*.csv"):
        header, *rows = list(csv.reader(file.read_text(encoding="utf-8").splitlines()))
        with (folder / f"shop_{file.stem}.csv").open("w", encoding="utf-16", newline="") as content:
            lines = [[*header, "remark"], *([*row, "canary remark"] for row in rows)]
            csv.writer(content, delimiter="|").writerows(lines)
        (folder / "shop").mkdir(exist_ok=True)
        write(
            folder / "shop" / f"{file.stem}.sql",
            f"select {', '.join(header)} from shop_{file.stem}",
        )
        sources.append(f"  shop_{file.stem}: {{encoding: utf-16, delimiter: '|'}}")
    write(folder / "shop" / "mapping.yml", "sources:", *sources)
    return folder


@contextmanager
def umask(wanted: int) -> Iterator[None]:
    before = os.umask(wanted)
    try:
        yield
    finally:
        os.umask(before)


def age_history(
    _project: Path,
    warehouse: Path,
    _overrides: dict[str, object],
    _console: Console,
    _held: list[int],
    environment: dict[str, str],
) -> building.Build:
    """A build that changes nothing, but that all that was published was published a month before."""
    with duckdb.connect(str(warehouse / WORK)) as connection:
        connection.execute(
            f"attach '{environment[erasures.LAST_PUBLICATION]}' as published (read_only)"
        )
        connection.execute("create schema history")
        connection.execute(
            "create table history.published_tiers as select * replace (dbt_valid_from - interval 1 month "
            "as dbt_valid_from) from published.history.published_tiers"
        )
        connection.execute(
            "create table history.published_holdouts as from published.history.published_holdouts"
        )
    return building.Build(nodes=0, tests=0, keys={})


def land_alone(
    _project: Path,
    warehouse: Path,
    overrides: dict[str, object],
    _console: Console,
    _held: list[int],
    environment: dict[str, str],
) -> building.Build:
    """A build that gets no further than landing the raw tables."""
    with mock.patch.dict(os.environ, environment):
        landings(warehouse, lambda session: session.land(**overrides))
    return building.Build(nodes=0, tests=0, keys={})


def files_with_canaries(warehouse: Path, words: Iterable[str] = (CANARY, BORN_ON)) -> set[str]:
    """The files of a warehouse in whose bytes or, as databases pack them, values is a canary."""
    found = set()
    for file in warehouse.rglob("*"):
        if not file.is_file() or file.is_symlink():
            continue
        content = file.read_bytes().lower()
        if any(word.encode() in content for word in words) or holds_canary(file, words):
            found.add(str(file.relative_to(warehouse)))
    return found


def holds_canary(file: Path, words: Iterable[str]) -> bool:
    """Whether a value of a database or Parquet file holds a canary; its tables, not its views."""
    if file.suffix == ".parquet":
        with duckdb.connect() as connection:
            return bool(holding_canaries(connection, [f"read_parquet('{file}')"], words))
    if file.suffix == ".duckdb":
        with duckdb.connect() as connection:
            connection.execute(f"attach '{file}' as scanned (read_only)")
            tables = connection.execute(
                'select format(\'scanned."{}"."{}"\', schema_name, table_name) '
                "from duckdb_tables() where database_name = 'scanned'"
            ).fetchall()
            return bool(holding_canaries(connection, [name for (name,) in tables], words))
    if file.suffix == ".sqlite":
        with sqlite3.connect(file) as connection:
            rows = [str(row).lower() for row in connection.execute("select * from runs")]
            return any(word in row for word in words for row in rows)
    return False


def wrong_modes(warehouse: Path, umask: int, made_at: int = 0) -> dict[str, str]:
    """The files and folders whose rights are not as promised, after a refresh at a umask that published.

    `made_at` is the umask at which the warehouse itself was made. Earlier publications and dated
    warehouses are left out.
    """
    newest = max((warehouse / "publications").iterdir())
    found = {}
    for path in (warehouse, *warehouse.rglob("*")):
        of_readers = path == newest or newest in path.parents
        is_earlier = warehouse / "publications" in path.parents and not of_readers
        if path.is_symlink() or is_earlier or "as_of" in path.parts:
            continue
        if path in (warehouse, warehouse / "publications"):
            expected = 0o755 & ~made_at
        elif path.name == RESTRICTED:
            expected = 0o400
        elif of_readers:
            expected = (0o755 if path.is_dir() else 0o444) & ~umask
        else:
            expected = 0o700 if path.is_dir() else 0o600
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode != expected:
            found[str(path.relative_to(warehouse))] = f"{mode:o}, not {expected:o}"
    return found


def as_an_earlier_release_left_it(warehouse: Path) -> None:
    """Let everybody read what is for the owner alone."""
    for path in warehouse.rglob("*"):
        if "publications" not in path.parts and not path.is_symlink():
            path.chmod(0o755 if path.is_dir() else 0o644)


def totals(warehouse: Path) -> dict[str, list[tuple]]:
    """What erasure may not change."""
    queries = {
        "tiers": "select period_end, tier_code, customers, window_revenue from marts.tier_summary",
        "customers": "select tier_code, management_score, lifetime_revenue from marts.customers",
        "cohorts": "from marts.customer_cohorts",
        "repeats": "from marts.cohort_repeat_rates",
        "habits": "select period_end, demand_type, favourite_category, favourite_channel, channel_mix, "
        "count(*) from marts.customer_periods group by all",
        "categories": "select category, category_rank, orders, revenue from marts.customer_categories",
        "markets": "from marts.market_trends where dimension not in ('region', 'industry')",
        "affinity": "from marts.product_affinity",
        "backtest": "from marts.recommendation_backtest",
        "flows": "from marts.category_flows",
        "economics": "from marts.tier_economics",
        "concentration": "from marts.revenue_concentration",
        "products": "from marts.products",
        "rows": "from quality.reconciliation "
        "where source_table not in ('erasure_requests', 'customer_attributes')",
        "history": "select customer_id, tier_code, dbt_valid_from from history.published_tiers "
        f"where customer_id <> '{PERSON}' and customer_id not like 'erased%'",
        "lists": "select customer_id, contact_group, assigned_on from history.published_holdouts "
        f"where customer_id <> '{PERSON}'",
    }
    with duckdb.connect(str(warehouse / PUBLICATION), read_only=True) as connection:
        return {
            name: sorted(connection.execute(query).fetchall(), key=repr)
            for name, query in queries.items()
        }


@pytest.mark.parametrize("form", ["csv", "parquet", "mapping"])
def test_raw_tables_are_landed_as_the_oracle_masks_them(tmp_path: Path, form: str) -> None:
    """Persons of many ids: chains, forks, circles, decisions that were replaced or are unreadable."""
    raw, rules = company(tmp_path / "raw"), oracle.Rules.from_seeds(PROJECT / "seeds")
    draw = random.Random(7)
    ids = [f"C{number}" for number in range(40)]
    days = ["2025-01-0" + str(day) for day in range(1, 10)]
    merges = [
        [draw.choice(ids), draw.choice(ids), draw.choice([*days, "x", ""])] for _ in range(30)
    ]
    merges += [["C50", "C51", days[0]], ["C50", "C52", days[0]], ["C53", "C50", days[0]]]
    write(
        raw / "customer_merges.csv",
        "from_customer_id,into_customer_id,merged_at",
        *(",".join(merge) for merge in [*merges, [FORMER, f" {PERSON}", days[0]]]),
    )
    asked = [[draw.choice(ids), draw.choice([*days, "", "soon"])] for _ in range(6)]
    write(
        raw / "erasure_requests.csv",
        "customer_id,requested_at",
        *(
            ",".join(one)
            for one in [
                *[*asked, ["C52", days[0]], [f"{FORMER} ", days[1]], ["", days[1]]],
                *[["guest", days[0]], [LIVING, days[0]]],
            ]
        ),
        f"C52,{days[8]}",
    )
    tables = oracle.load_raw(raw)
    if form == "parquet":
        raw = as_parquet(raw, tmp_path / "parquet", all_varchar=True)
    project_vars = {"raw_path": str(raw), "run_date": "2026-01-31"}
    if form == "mapping":
        raw = behind_mapping(raw, tmp_path / "shop")
        project_vars |= {"raw_path": str(raw), "mapping": str(raw / "shop")}
    landing = ("run-operation", "land_raw_tables", "--vars", json.dumps(project_vars))
    dbt(tmp_path, *landing, parsed=parsed_project())

    run_date = date(2026, 1, 31)
    names = anonymous_ids(tables, Setting(rules, run_date, nobody(tables, rules)))
    # of targets of the same moment both count; here by way of C50, which was merged into both
    assert len({names[each].split("_")[1] for each in ("C50", "C51", "C52", "C53")}) == 1
    assert len(names) > 12
    masked = oracle.erased(tables, rules, run_date)
    with duckdb.connect() as connection:
        register(connection)
        connection.execute(f"attach '{tmp_path}/work.duckdb' as work (read_only)")
        connection.execute("use work")
        landed = dict(connection.execute("from raw.erased_ids").fetchall())
        assert landed == names
        for table, rows in masked.items():
            columns = list(rows[0]) if rows else ["1"]
            found = connection.execute(f"select {', '.join(columns)} from raw.{table}").fetchall()
            assert Counter(found) == Counter(tuple(row.values()) for row in rows), table
    assert not holds_canary(tmp_path / WORK, [CANARY])
    assert b"canary" not in (tmp_path / WORK).read_bytes()


def test_nothing_is_left_of_a_person_who_was_erased(tmp_path: Path) -> None:
    """Published twice and once failed, then erased, then all old files landed again: in Parquet.

    Each at another umask; a warehouse as of a date and one that is being refreshed lie below it.
    """
    raw, warehouse = company(tmp_path / "raw"), tmp_path / "warehouse"
    with umask(0):
        refresh_in_process(raw, warehouse, AS_OF)
    assert wrong_modes(warehouse, 0) == {}
    as_an_earlier_release_left_it(warehouse)
    with umask(0o022):
        refresh_in_process(raw, warehouse, AS_OF, age_history)
    assert wrong_modes(warehouse, 0o022) == {}
    before = totals(warehouse)
    broken = shutil.copytree(raw, tmp_path / "broken")
    write(broken / "customers.csv", "Canary Maiden,canary@mail.example", "1,2")
    arguments = ["refresh", "--raw", str(broken), "--warehouse", str(warehouse)]
    failed = CliRunner().invoke(cli.app, arguments)
    assert failed.exit_code == 3
    assert "customers.csv has no column customer_id; found are 2 of other names" in failed.stderr
    assert "canary" not in failed.output.lower()

    runs = sorted(path.name for path in (warehouse / "publications").iterdir())
    assert len(runs) == 2
    assert files_with_canaries(warehouse, OF_PERSONAL_COLUMNS) == {
        "work.duckdb",
        *(f"publications/{run}/{RESTRICTED}" for run in runs),
    }
    with_person = files_with_canaries(warehouse)
    for run in runs:
        assert f"publications/{run}/{PUBLICATION}" in with_person
        assert f"publications/{run}/parquet/marts/customers.parquet" in with_person

    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    write(elsewhere / "dbt.log.1", "of an earlier release: Canary Name")
    (warehouse / "logs").symlink_to(elsewhere)
    below = {day: tmp_path / "warehouse" / "as_of" / day for day in ("2025-09-30", "2025-10-31")}
    for folder in below.values():
        shutil.copytree(
            warehouse, folder, symlinks=True, ignore=shutil.ignore_patterns("as_of", "logs")
        )
    as_an_earlier_release_left_it(warehouse)

    write(
        raw / "erasure_requests.csv",
        "customer_id,requested_at",
        f"{FORMER},2026-01-10 09:00:00",
        f" {FORMER},2026-01-11 09:00:00",
        f"{PERSON},canary asks",
        "canarynobody,2026-01-12",
    )
    with locked(below["2025-10-31"]), umask(0o077):
        said = "".join(refresh_in_process(raw, warehouse, AS_OF))
    assert "that may hold them are removed (2)" in said
    assert "dated warehouses that may hold them are emptied (2025-09-30)" in said
    assert "are being refreshed may hold them still (2025-10-31): the next refresh looks" in said
    assert "canary" not in said.lower()
    assert list(below["2025-09-30"].iterdir()) == list(elsewhere.iterdir()) == []
    assert stat.S_IMODE(elsewhere.stat().st_mode) == 0o700
    assert {file.split("/")[1] for file in files_with_canaries(warehouse)} == {"2025-10-31"}
    assert not set(runs) & {path.name for path in (warehouse / "publications").iterdir()}
    assert totals(warehouse) == before

    replayed = as_parquet(raw, tmp_path / "replayed")
    with umask(0o077):
        refresh_in_process(replayed, warehouse, AS_OF, land_alone)
    assert files_with_canaries(warehouse) == files_with_canaries(elsewhere) == set()
    assert list(below["2025-10-31"].iterdir()) == []
    assert wrong_modes(warehouse, 0o077) == {}
    assert totals(warehouse) == before
    assert len(list((warehouse / "publications").iterdir())) == 2
    with duckdb.connect() as connection:
        connection.execute(f"attach '{warehouse}/{PUBLICATION}' as warehouse (read_only)")
        assert connection.execute(
            "select status, message from warehouse.quality.refresh_log order by run_id"
        ).fetchall() == [
            ("published", "done"),
            ("published", "done"),
            ("failed", "raw data, or the warehouse to report on, are missing or unusable"),
            ("published", "done"),
            ("published", "done"),
        ]
        # what the living one bought is nobody's, and no part of what the erased one did
        assert connection.execute(
            "select lifetime_revenue from warehouse.marts.customers where is_erased"
        ).fetchall() == [(295,)]
        assert connection.execute(
            "select source_table, source_key, reject_reason "
            "from warehouse.quality.rejected_records where reject_reason = 'reserved_id' order by all"
        ).fetchall() == [
            ("customer_merges", f"reserved:{LIVING}|erased_000001_2", "reserved_id"),
            ("customers", f"reserved:{LIVING}", "reserved_id"),
            ("orders", "O9004", "reserved_id"),
        ]
        # of attributes only those of others are landed; of balances all, each of its account
        assert connection.execute(
            "select rows_in, rows_staged from warehouse.quality.reconciliation "
            "where source_table in ('account_balances', 'customer_attributes') order by source_table"
        ).fetchall() == [(6, 5), (1, 1)]
        assert connection.execute(
            "select count(*), sum(net_amount) from warehouse.marts.orders where customer_id is null"
        ).fetchone() == (2, 25)
        assert connection.execute(
            "select customer_id, is_erased, has_marketing_consent, country_code, city "
            "from warehouse.marts.customers where is_erased"
        ).fetchall() == [("erased_000001_2", True, False, "SE", None)]
        assert connection.execute(
            "select source_key, reject_reason from warehouse.quality.rejected_records "
            "where source_table = 'erasure_requests' order by all"
        ).fetchall() == [
            ("erased_000001_2", "missing_value"),  # what could not be read is taken away
            ("erased_000002", "unknown_customer"),
        ]
        connection.execute(
            f"attach '{warehouse}/customer_contacts.duckdb' as restricted (read_only)"
        )
        assert connection.execute(
            "select count(*), count(*) filter (customer_id like 'erased%') "
            "from restricted.restricted.customer_contacts"
        ).fetchone() == (40, 0)


@pytest.mark.parametrize("size", [0, 31, 33])
def test_a_key_of_another_length_is_refused_before_anything_is_built(
    size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refreshing, "build", lambda *_: pytest.fail("built"))
    key = tmp_path / "erasures.key"
    key.write_bytes(b"k" * size)
    finished = CliRunner().invoke(
        cli.app, ["refresh", "--raw", str(SAMPLE), "--warehouse", str(tmp_path)]
    )
    assert finished.exit_code == ExitCode.CONFIGURATION == 2
    assert finished.stderr == (
        f"Error: {key}: found {size} bytes; allowed is 32 bytes: restore the file, or remove it, and the "
        "next refresh removes earlier publications once more.\n"
    )
    assert len(key.read_bytes()) == size


def test_the_key_is_whole_and_on_the_disk_before_it_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced = []

    def sync(path: Path) -> None:
        synced.append((path.name, len(path.read_bytes()) if path.is_file() else None))

    monkeypatch.setattr(erasures, "sync", sync)
    handed = tmp_path / "erased.parquet"
    duckdb.sql("select 'C1' as customer_id").write_parquet(str(handed))
    (tmp_path / "w").mkdir()
    (tmp_path / "w" / "erasures.key.partial").write_bytes(b"of a run that was cut off")
    made = erasures.erasures_of(tmp_path / "w", handed)
    assert synced == [("erasures.key.partial", 32), ("w", None)]
    key = (tmp_path / "w" / "erasures.key").read_bytes()
    digest = hmac.new(key, (2).to_bytes(8, "big") + b"C1", "sha256").hexdigest()
    assert made == {"ids": 1, "digest": digest}
    assert erasures.erasures_of(tmp_path / "w", handed) == made


# -- What dbt says ---------------------------------------------------------------------------------


def test_neither_dbts_log_nor_its_errors_quote_a_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of files that cannot be landed, and of SQL that fails on a value; in the files of plain dbt.

    Nor the ids and the key, where pseudonyms are asked for.
    """
    raw = company(tmp_path / "raw")
    monkeypatch.setenv("DBT_ENV_SECRET_PSEUDONYM_KEY", KEY)
    customers = (raw / "customers.csv").read_text(encoding="utf-8")
    wrong = {
        "without a header": customers.split("\n", 1)[1],
        "open quote": customers.replace("canary@mail", '"canary@mail'),
        "long row": customers.replace("canary1234,canarychannel", "canary1234,canarychannel,more"),
    }
    said = []

    def steps(session: Landings) -> None:
        for text in wrong.values():
            write(raw / "customers.csv", text)
            with pytest.raises(Exception, match=r"customers\.csv") as error:
                session.land(raw_path=str(raw))
            said.append(str(error.value))
            with pytest.raises(Exception, match=r"customers\.csv") as error:
                session.land(raw_path=str(raw), pseudonymise_ids=True)
            said.append(str(error.value))
        write(raw / "customers.csv", customers)
        session.land(raw_path=str(raw), pseudonymise_ids=True)
        session.land(raw_path=str(raw))
        for sql in (
            "create table t as select cast(birth_date as date) as b from raw.customers",
            "select cast(full_name as integer) from raw.customers where full_name like 'Canary%'",
        ):
            with pytest.raises(Exception, match="Conversion Error") as error:
                session.execute(sql)
            said.append(str(error.value))

    warehouse = tmp_path / "w"
    with umask(0):
        warehouse.mkdir()
        landings(warehouse, steps, log_level="debug")
    assert len(said) == 8
    hidden = (*OF_PERSONAL_COLUMNS, KEY, PERSON, FORMER)
    assert not [one for one in said if any(word in one.lower() for word in hidden)]
    for work in warehouse.glob("work.duckdb*"):
        assert stat.S_IMODE(work.stat().st_mode) == 0o600
        work.unlink()
    assert files_with_canaries(warehouse, hidden) == set()
    log = (warehouse / "dbt.log").read_text(encoding="utf-8")
    assert "Conversion Error: Could not convert string … to INT32 …" in log


# -- Pseudonyms ------------------------------------------------------------------------------------

KEY = "canary-key-0123456789"
# printf canaryid77 | openssl dgst -sha256 -hmac canary-key-0123456789, the first 32 digits
PSEUDONYM = "6013ee410383ce3a1dbc68e4ac600f3c"


def test_neither_ids_nor_the_key_are_written_where_pseudonyms_are_asked_for(
    tmp_path: Path,
    compiled: Callable[..., CompiledProject],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where raw tables are landed, with as much said as dbt can, and in what all models make of them."""
    raw, warehouse = company(tmp_path / "raw"), tmp_path / "warehouse"
    warehouse.mkdir()
    monkeypatch.setenv("DBT_ENV_SECRET_PSEUDONYM_KEY", KEY)
    asked = {"raw_path": str(raw), "pseudonymise_ids": True}
    landings(warehouse, lambda session: session.land(**asked), log_level="debug")
    assert "customer_pseudonym(" in (warehouse / "dbt.log").read_text(encoding="utf-8")
    assert files_with_canaries(warehouse, [KEY, PERSON, FORMER]) == set()
    assert WORK in files_with_canaries(warehouse, [PSEUDONYM])
    project = compiled(run_date="2026-01-31")
    with project.build_landed(warehouse / WORK) as connection:
        relations = [model.relation for model in project.models]
        assert holding_canaries(connection, relations, [KEY, PERSON, FORMER]) == {}
        assert connection.execute(
            "select customer_id, lifetime_orders, lifetime_revenue from marts.customers "
            f"where customer_id = '{PSEUDONYM}'"
        ).fetchall() == [(PSEUDONYM, 5, 295)]  # under both ids, with blanks or without
        assert connection.execute(
            "select count(*), count(*) filter (regexp_full_match(customer_id, '[0-9a-f]{32}')), "
            f"count(*) filter (parent_customer_id = '{PSEUDONYM}') from marts.customers"
        ).fetchone() == (41, 41, 1)
