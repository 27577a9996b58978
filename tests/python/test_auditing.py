"""The audit: it passes what is right, and stops what is wrong or cannot be checked, one way each."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from html import unescape
from pathlib import Path

import duckdb
import pytest
import yaml
from compiled_project import PROJECT

from customer_tiering import auditing
from customer_tiering.auditing import SUITES, AuditSummary, audit
from customer_tiering.configuration import Settings, load_configuration
from customer_tiering.errors import AuditError, ExitCode
from customer_tiering.language import Words
from customer_tiering.rules import Change, RuleChanges

Expectation = dict[str, object]


def settings(**overrides: object) -> Settings:
    return load_configuration(PROJECT, overrides).settings


def expect(kind: str, description: str | None = None, **kwargs: object) -> Expectation:
    described = {"description": description} if description else {}
    return {"type": kind, "kwargs": kwargs, **described}


def write_suite(project: Path, table: str, *expectations: object) -> Path:
    path = project / SUITES / f"{table.replace('.', '/')}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"name": table, "expectations": expectations}), encoding="utf-8")
    return path


def text_of(page: Path) -> str:
    return unescape(page.read_text(encoding="utf-8"))


def refusal(
    work: Path, project: Path, page: Path, previous: Path | None = None, **overrides
) -> str:
    """The message with which the audit stops, which must be one sentence, without a library's names."""
    with pytest.raises(AuditError) as caught:
        audit(work, previous, page, settings(**overrides), project)
    message = str(caught.value)
    assert caught.value.exit_code == ExitCode.AUDIT == 5
    assert "\n" not in message
    assert message.endswith(".")
    return message


# -- The shipped suites ----------------------------------------------------------------------------


def test_sample_passes_beside_its_own_publication(sample_warehouse: Path, tmp_path: Path) -> None:
    """And the page has all tables, with nothing of a person: name, address, id."""
    work, previous = sample_warehouse / "work.duckdb", sample_warehouse / "customer_tiering.duckdb"
    page = tmp_path / "audit.html"
    summary = audit(work, previous.resolve(), page, settings(), PROJECT)
    # Of the marts: customers in common, rows of three, shares of five tiers, the mean score, six components.
    assert summary == AuditSummary(suites=15 + 1, expectations=42 + 16, notes=[])
    text = text_of(page)
    for path in sorted((PROJECT / SUITES).glob("raw/*.json")):
        assert f"<summary>raw.{path.stem} " in text
    assert text.count('<tr class="passed">') == 42 + 16
    assert '<tr class="failed">' not in text

    with duckdb.connect(str(work), read_only=True) as connection:
        values = connection.execute(
            "select distinct unnest([email, full_name, phone, customer_id]) from raw.customers"
        ).fetchall()
    assert "share of Diamond among the customers with a tier" in text
    assert "钻石在有等级客户中的占比" in text
    assert len(values) > 4000
    assert [value for (value,) in values if value and len(value) > 3 and value in text] == []


def required_columns() -> dict[str, list[str]]:
    """The required columns of each raw table, as the source YAML declares them."""
    declared = [
        table
        for path in PROJECT.glob("models/staging/*/*__sources.yml")
        for source in yaml.safe_load(path.read_text(encoding="utf-8"))["sources"]
        for table in source["tables"]
        if "key" in table.get("config", {}).get("meta", {})
    ]
    return {
        table["name"]: [
            column["name"]
            for column in table["columns"]
            if column.get("config", {}).get("meta", {}).get("required")
        ]
        for table in declared
    }


def test_shipped_suites_ask_for_the_required_columns_of_raw_tables_alone() -> None:
    """All but those of erasure requests: however many lack a value, the others may not wait."""
    required = required_columns()
    assert required.pop("erasure_requests") == ["customer_id", "requested_at"]
    assert len(required) == 15
    suites = {
        f"{path.relative_to(PROJECT / SUITES)}": json.loads(path.read_text(encoding="utf-8"))
        for path in (PROJECT / SUITES).rglob("*.json")
    }
    assert {path: suite["name"] for path, suite in suites.items()} == {
        f"raw/{table}.json": f"raw.{table}" for table in required
    }
    for table, columns in required.items():
        assert suites[f"raw/{table}.json"]["expectations"] == [
            expect("expect_column_values_to_not_be_null", column=column, mostly=0.5)
            for column in columns
        ]


@pytest.fixture
def raw_tables(tmp_path: Path) -> Path:
    """A database with a raw table of each suite, of its required columns, without rows."""
    work = tmp_path / "work.duckdb"
    with duckdb.connect(str(work)) as connection:
        connection.execute("create schema raw")
        for table, columns in required_columns().items():
            typed = ", ".join(f"{column} varchar" for column in columns)
            connection.execute(f"create table raw.{table} ({typed})")
    return work


def test_required_column_that_lacks_in_more_than_half_of_the_rows_stops_the_audit(
    raw_tables: Path, tmp_path: Path
) -> None:
    def insert(table: str, **values: str) -> None:
        with duckdb.connect(str(raw_tables)) as connection:
            columns, marks = ", ".join(values), ", ".join("?" * len(values))
            connection.execute(
                f"insert into raw.{table} ({columns}) values ({marks})", list(values.values())
            )

    def audited(page: str) -> None:
        audit(raw_tables, None, tmp_path / page, settings(), PROJECT)

    audited("without rows")
    for table, columns in required_columns().items():
        insert(table, **dict.fromkeys(columns, "1"))
        insert(table, **dict.fromkeys(columns))
    audited("half filled")
    insert("refunds", refund_id="2", refunded_at="2025-01-01", refund_amount="5.00")
    assert refusal(raw_tables, PROJECT, tmp_path / "audit.html") == (
        f"{SUITES}/raw/refunds.json, table raw.refunds, column order_id: "
        "found 2 of 3 rows that do not fit; allowed is a value, in at least 50 % of the rows."
    )
    text = text_of(tmp_path / "audit.html")
    assert (
        text.index("Needs a look")
        < text.index('<tr class="failed">')
        < text.index('<tr class="passed">')
    )
    assert "有值，至少 50 % 的行如此" in text


# -- Suites of one's own ---------------------------------------------------------------------------

ROWS = "unexpected_rows_expectation"
# what is expected of marts.members, where, found, allowed
BROKEN: dict[str, tuple[Expectation, str, str, str]] = {
    "value_out_of_range": (
        expect("expect_column_values_to_be_between", column="score", min_value=0, max_value=100),
        "column score",
        "1 of 4 rows that do not fit",
        "0 to 100",
    ),
    "value_outside_of_the_set": (
        expect("expect_column_values_to_be_in_set", column="tier", value_set=["gold", "silver"]),
        "column tier",
        "1 of 4 rows that do not fit",
        "one of gold, silver",
    ),
    "value_that_lacks_too_often": (
        expect("expect_column_values_to_not_be_null", column="city", mostly=0.5),
        "column city",
        "3 of 4 rows that do not fit",
        "a value, in at least 50 % of the rows",
    ),
    "value_twice": (
        expect("expect_column_values_to_be_unique", column="member_id"),
        "column member_id",
        "2 of 4 rows that do not fit",
        "every value only once",
    ),
    "columns_that_are_not_equal": (
        expect("expect_column_pair_values_to_be_equal", column_A="first_on", column_B="last_on"),
        "columns first_on, last_on",
        "3 of 4 rows that do not fit",
        "the same value in both columns",
    ),
    "columns_that_contradict": (
        expect(
            ROWS,
            "the first day is not after the last",
            unexpected_rows_query="select true as is_broken from {batch} where first_on > last_on",
        ),
        "",
        "2 rows that do not fit",
        "the first day is not after the last",
    ),
    "tables_that_contradict": (
        expect(
            ROWS,
            "tier is one of marts.tiers",
            unexpected_rows_query="select true as is_broken from {batch} "
            "where tier not in (select tier from marts.tiers)",
        ),
        "",
        "1 rows that do not fit",
        "tier is one of marts.tiers",
    ),
    "column_not_there": (
        expect("expect_table_columns_to_match_set", column_set=["phone"], exact_match=False),
        "",
        "nothing that fits",
        "the columns phone",
    ),
    "too_few_rows": (
        expect("expect_table_row_count_to_be_between", min_value=1234, max_value=10000),
        "",
        "4",
        "1,234 to 10,000 rows",
    ),
}


@pytest.fixture
def members(tmp_path: Path) -> Path:
    """A database of four members of a club, most of which are wrong in some way."""
    work = tmp_path / "work.duckdb"
    with duckdb.connect(str(work)) as connection:
        connection.execute("create schema marts")
        connection.execute(
            "create table marts.tiers as from (values ('gold'), ('silver')) as t (tier)"
        )
        connection.execute(
            """
            create table marts.members as from (values
                ('m1', 'gold', 100, 'York', date '2025-01-01', date '2025-03-01'),
                ('m2', 'gold', 0, null, date '2025-02-01', date '2025-02-01'),
                ('m3', 'iron', 101, null, date '2025-03-02', date '2025-03-01'),
                ('m3', 'silver', 50, null, date '2025-04-01', date '2025-03-01')
            ) as members (member_id, tier, score, city, first_on, last_on)
            """
        )
    return work


@pytest.mark.parametrize(("expectation", "where", "found", "allowed"), BROKEN.values(), ids=BROKEN)
def test_expectation_that_does_not_hold_stops_the_audit(
    members: Path,
    tmp_path: Path,
    expectation: Expectation,
    where: str,
    found: str,
    allowed: str,
) -> None:
    write_suite(tmp_path, "marts.members", expectation)
    assert refusal(members, tmp_path, tmp_path / "audit.html") == (
        f"{SUITES}/marts/members.json, table marts.members{where and ', '}{where}: "
        f"found {found}; allowed is {allowed}."
    )


# -- What cannot be checked ------------------------------------------------------------------------


@pytest.fixture
def people(tmp_path: Path) -> Path:
    """A database of three people whose addresses nobody may see."""
    work = tmp_path / "work.duckdb"
    with duckdb.connect(str(work)) as connection:
        connection.execute("create schema raw")
        connection.execute(
            "create table raw.people as from (values ('Q1', 'ann@example.com', 31), "
            "('Q2', 'bob@example.com', 42), ('Q3', null, 53)) as people (id, email, age)"
        )
    return work


# what is broken: (expectation, found)
BROKEN_EXPECTATIONS = {
    "unknown_type": (
        expect("expect_column_values_to_be_nice", column="id"),
        "what is no expectation (expect_column_values_to_be_nice not found)",
    ),
    "unknown_argument": (
        expect("expect_column_values_to_be_between", column="age", minimum=1),
        "what is no expectation",
    ),
    "argument_of_another_type": (
        expect("expect_column_values_to_be_between", column="age", min_value="young"),
        "what is no expectation",
    ),
    "no_arguments": ({"type": "expect_column_values_to_be_unique"}, "what is no expectation"),
    "text_instead_of_an_expectation": ("expect nothing", "what is no expectation"),
    "column_not_there": (
        expect("expect_column_values_to_not_be_null", column="name"),
        'that it cannot be checked (Error: The column "name" in BatchData does not exist)',
    ),
    "sql_with_a_column_not_there": (
        expect(ROWS, unexpected_rows_query="select true from {batch} where name is null"),
        'that it cannot be checked (Binder Error: Referenced column "name" not found',
    ),
    "sql_that_is_none": (
        expect(ROWS, unexpected_rows_query="selec true from {batch}"),
        "that it cannot be checked (Parser Error",
    ),
    "sql_that_stumbles_over_a_value": (
        expect(ROWS, unexpected_rows_query="select cast(email as int) as n from {batch}"),
        "that it cannot be checked (Conversion Error: Could not convert string … to INT32 … ",
    ),
}


@pytest.mark.parametrize(
    ("expectation", "found"), BROKEN_EXPECTATIONS.values(), ids=BROKEN_EXPECTATIONS
)
def test_expectation_that_cannot_be_checked_stops_the_audit(
    people: Path, tmp_path: Path, expectation: object, found: str, capfd: pytest.CaptureFixture
) -> None:
    holds = expect("expect_table_row_count_to_equal", value=3)
    write_suite(tmp_path, "raw.people", holds, expectation)
    message = refusal(people, tmp_path, tmp_path / "audit.html")
    assert message.startswith(f"{SUITES}/raw/people.json, ")
    assert f": found {found}" in message
    page = tmp_path / "audit.html"
    assert "@example.com" not in message + (text_of(page) if page.exists() else "")
    assert capfd.readouterr().err == ""


def test_an_error_of_a_kind_that_nobody_knows_is_left_out() -> None:
    left_out = "an error whose text may hold values and is left out"
    assert auditing._harmless("ValueError: ann@example.com") == left_out


# what is broken: (change of the folder of suites, where, found)
BROKEN_SUITES: dict[str, tuple[Callable[[Path], object], str, str]] = {
    "no_suite": (lambda folder: (folder / "raw/people.json").unlink(), "", "no suite"),
    "no_folder": (shutil.rmtree, "", "no suite"),
    "no_json": (
        lambda folder: (folder / "raw/people.json").write_text('{"expectations": ['),
        "raw/people.json",
        "no JSON (JSONDecodeError)",
    ),
    "no_expectations": (
        lambda folder: (folder / "raw/people.json").write_text('{"expectations": []}'),
        "raw/people.json",
        "no expectations",
    ),
    "list_instead_of_a_suite": (
        lambda folder: (folder / "raw/people.json").write_text("[]"),
        "raw/people.json",
        "no expectations",
    ),
    "suite_of_no_schema": (
        lambda folder: (folder / "people.json").write_text("{}"),
        "people.json",
        "a file that is no suite",
    ),
    "mistyped_ending": (
        lambda folder: (folder / "raw/people.jsn").write_text("{}"),
        "raw/people.jsn",
        "a file that is no suite",
    ),
    "table_not_there": (
        lambda folder: shutil.copy(folder / "raw/people.json", folder / "raw/pets.json"),
        "raw/pets.json, table raw.pets",
        "no such table, or one that cannot be read",
    ),
}


@pytest.mark.parametrize(("change", "where", "found"), BROKEN_SUITES.values(), ids=BROKEN_SUITES)
def test_suite_that_cannot_be_used_stops_the_audit(
    people: Path, tmp_path: Path, change: Callable[[Path], object], where: str, found: str
) -> None:
    write_suite(tmp_path, "raw.people", expect("expect_table_row_count_to_equal", value=3))
    audit(people, None, tmp_path / "audit.html", settings(), tmp_path)
    change(tmp_path / SUITES)
    message = refusal(people, tmp_path, tmp_path / "other.html")
    assert f"{SUITES / where}: found {found}" in message


def test_database_that_is_not_there_stops_the_audit(people: Path, tmp_path: Path) -> None:
    write_suite(tmp_path, "raw.people", expect("expect_table_row_count_to_equal", value=3))
    message = refusal(tmp_path / "none.duckdb", tmp_path, tmp_path / "audit.html")
    assert message.startswith("the audit: found that it cannot be made (IOException: IO Error: ")
    assert "none.duckdb" in message


def test_first_of_several_failures_is_told_and_the_others_counted(
    people: Path, tmp_path: Path
) -> None:
    write_suite(
        tmp_path,
        "raw.people",
        expect("expect_column_values_to_not_be_null", column="email"),
        expect("expect_column_values_to_be_between", column="age", max_value=40),
        expect("expect_column_values_to_be_unique", column="id"),
    )
    assert (
        "found 1 of 3 rows that do not fit, and 1 more that does not hold; allowed is a value."
    ) in refusal(people, tmp_path, tmp_path / "audit.html")


def test_no_expectation_shows_a_value(people: Path, tmp_path: Path) -> None:
    """Expectations that by themselves show what they found, holding and not."""
    showing = [
        expect("expect_column_values_to_be_in_set", column="email", value_set=["x"]),
        expect("expect_column_distinct_values_to_be_in_set", column="email", value_set=["x"]),
        expect("expect_column_most_common_value_to_be_in_set", column="id", value_set=["x"]),
        expect("expect_column_distinct_values_to_contain_set", column="email", value_set=[]),
        expect("expect_compound_columns_to_be_unique", column_list=["email", "age"]),
        expect(ROWS, unexpected_rows_query="select email, id from {batch}"),
    ]
    for expectation in showing:
        write_suite(tmp_path, "raw.people", expectation)
        page = tmp_path / f"{expectation['type']}.html"
        message = ""
        try:
            audit(people, None, page, settings(), tmp_path)
        except AuditError as error:
            message = str(error)
        text = message + text_of(page)
        assert "raw.people" in text
        assert [word for word in ("ann@", "bob@", "Q1", "Q2", "Q3") if word in text] == []


# -- Where raw tables are --------------------------------------------------------------------------


def test_raw_views_are_read_wherever_dbt_read_them(tmp_path: Path) -> None:
    """A view over a file named from the project's folder, one over a database of the profile."""
    project = tmp_path / "project"
    (project / "profiles").mkdir(parents=True)
    (project / "profiles" / "profiles.yml").write_text(
        "customer_tiering:\n  target: duckdb\n  outputs:\n    duckdb:\n      type: duckdb\n"
        "      path: \"{{ env_var('TIERING_WAREHOUSE', 'warehouse') }}/work.duckdb\"\n"
        "      attach: [{path: shop.duckdb, alias: shop}]\n"
    )
    with duckdb.connect(str(project / "shop.duckdb")) as connection:
        connection.execute("create table orders as from range(4) as orders (order_id)")
        target = project / "people.parquet"
        connection.execute(f"copy (from range(3) as people (id)) to '{target}'")
    work = tmp_path / "it's 100% new #1" / "work.duckdb"
    work.parent.mkdir()
    with duckdb.connect(str(work)) as connection:
        connection.execute(f"set file_search_path = '{project}'")
        connection.execute(f"attach '{project}/shop.duckdb' as shop (read_only)")
        connection.execute("create schema raw")
        connection.execute("create view raw.orders as from shop.main.orders")
        connection.execute("create view raw.people as from read_parquet('people.parquet')")
    write_suite(project, "raw.people", expect("expect_table_row_count_to_equal", value=3))
    audit(work, None, tmp_path / "audit.html", settings(), project)
    write_suite(project, "raw.orders", expect("expect_table_row_count_to_equal", value=4))
    audit(work, None, tmp_path / "audit.html", settings(raw_schema="shop.main"), project)
    # Without the database of the profile its view cannot be read, and that stops the audit.
    message = refusal(work, project, tmp_path / "audit.html")
    assert message.startswith(f"{SUITES}/raw/orders.json, table raw.orders: found no such table")


def test_nothing_is_written_but_the_page(people: Path, tmp_path: Path) -> None:
    project, home, page = tmp_path / "project", tmp_path / "home", tmp_path / "audit.html"
    write_suite(project, "raw.people", expect("expect_table_row_count_to_equal", value=3))
    script = (
        "import sys; from pathlib import Path; from customer_tiering.auditing import audit\n"
        "from customer_tiering.configuration import load_configuration\n"
        "work, page, project, shipped = map(Path, sys.argv[1:])\n"
        "audit(work, None, page, load_configuration(shipped, {}).settings, project)\n"
    )
    for folder in ("", "temporary", "here"):
        (home / folder).mkdir(exist_ok=True)
    before = sorted(tmp_path.rglob("*"))
    finished = subprocess.run(
        [sys.executable, "-c", script, *map(str, (people, page, project, PROJECT))],
        cwd=home / "here",
        env={**os.environ, "HOME": str(home), "TMPDIR": str(home / "temporary")},
        capture_output=True,
        text=True,
    )
    assert (finished.returncode, finished.stdout, finished.stderr) == (0, "", "")
    written = [path for path in sorted(tmp_path.rglob("*")) if path not in before]
    assert written == [page]


# -- Beside the last publication -------------------------------------------------------------------

Marts = Callable[..., Path]


@pytest.fixture
def marts(tmp_path: Path) -> Marts:
    """Makes a database of marts: some customers in tiers, scored alike."""
    write_suite(tmp_path, "marts.orders", expect("expect_column_to_exist", column="order_id"))

    def make(
        name: str,
        tiers: dict[str | None, int],
        orders: int = 1000,
        periods: int = 2000,
        score: str | None = "50",
        unknown: int = 0,
        period: tuple[str, str] = ("2025-05-01", "2025-05-31"),
        as_of: str = "2025-06-10",
        first_id: int = 0,
        ordered_later: bool = False,
    ) -> Path:
        """Ids count on from `first_id`; first orders are on another day each, or a day later. `unknown` of the customers have no satisfaction_score; loyalty is known of nobody."""
        path = tmp_path / f"{name}.duckdb"
        with duckdb.connect() as connection:
            connection.execute(f"attach '{path}' as made")
            connection.execute("use made")
            connection.execute("create schema marts")
            connection.execute(
                "create table marts.customers "
                "(customer_id varchar, tier_code varchar, tier_rank integer, first_order_on date)"
            )
            for tier, customers in tiers.items():
                connection.execute(
                    "insert into marts.customers select 'c' || i, ?, ?, date '2025-01-01' + i "
                    "from (select cast(range + ? as integer) as i from range(?))",
                    [tier, 0 if tier in (None, "none") else 1, first_id, customers],
                )
            if ordered_later:
                connection.execute("update marts.customers set first_order_on = first_order_on + 1")
            connection.execute(f"create table marts.orders as from range({orders}) as r (order_id)")
            connection.execute(
                f"create table marts.customer_periods as from range({periods}) as r (i)"
            )
            connection.execute(
                f"""
                create table marts.customer_scores as
                select
                    50.0 as value_score,
                    50.0 as growth_score,
                    cast(null as double) as loyalty_score,
                    case when row_number() over () > {unknown} then 50.0 end as satisfaction_score,
                    50.0 as engagement_score,
                    50.0 as partnership_score,
                    cast({score or "null"} as decimal(18, 14)) as management_score
                from marts.customers
                """
            )
            connection.execute(
                "create table marts.review_periods as select cast(period_start as date) as period_start, "
                "cast(period_end as date) as period_end, is_open_period from (values "
                f"('{period[0]}', '{period[1]}', false), ('2025-06-01', '{as_of}', true)) "
                "as periods (period_start, period_end, is_open_period)"
            )
        return path

    return make


HALVES = {"gold": 50, "silver": 50}
QUARTER = ("2025-04-01", "2025-06-30")

# what changed: (before, now, vars, None or measure, found, allowed)
DRIFTS: dict[str, tuple] = {
    "nothing": ({}, {}, {}, None),
    # 101 customers less 20 % are 80.8: 81 are enough and 80 are not.
    "customers_just_enough": (
        {"tiers": {"gold": 101}}, {"tiers": {"gold": 81}}, {}, None
    ),
    "customers_too_few": (
        {"tiers": {"gold": 101}}, {"tiers": {"gold": 80}}, {},
        "rows of marts.customers", "80", "at least 81, as it was 101 in the last publication (var audit_max_shrink_percent)",
    ),
    "orders_just_enough": ({"orders": 1000}, {"orders": 800}, {}, None),
    "orders_too_few": (
        {"orders": 1000}, {"orders": 799}, {}, "rows of marts.orders", "799", "at least 800, as it was 1,000",
    ),
    "orders_just_enough_of_a_limit_given": (
        {"orders": 1000}, {"orders": 970}, {"audit_max_shrink_percent": 3}, None
    ),
    "orders_too_few_for_a_limit_given": (
        {"orders": 1000}, {"orders": 969}, {"audit_max_shrink_percent": 3},
        "rows of marts.orders", "969", "at least 970,",
    ),
    "no_rows_left": (
        {"orders": 1000}, {"orders": 0}, {}, "rows of marts.orders", "0", "at least 800,",
    ),
    "all_may_go": ({"orders": 1000}, {"orders": 0}, {"audit_max_shrink_percent": 100}, None),
    "more_rows": ({"orders": 1000}, {"orders": 900_000}, {}, None),
    "periods_too_few": (
        {"periods": 2000}, {"periods": 1599}, {},
        "rows of marts.customer_periods", "1,599", "at least 1,600,",
    ),
    # Holders of a tier are the whole: who has none does not count, nor NULL of an earlier release.
    "tier_shifted_by_the_limit": (
        {"tiers": {**HALVES, None: 100}}, {"tiers": {"gold": 60, "silver": 40, "none": 60}}, {}, None
    ),
    "tier_shifted_beyond": (
        {"tiers": HALVES}, {"tiers": {"gold": 61, "silver": 39}}, {},
        "share of gold", "61.00 %", "40.00 to 60.00 %, as it was 50.00 % in the last publication (var audit_max_t",
    ),
    # A third more than a third of 300 is 33.333333 + 10: 130 customers are 43.333333, 131 more.
    "odd_share_shifted_by_the_limit": (
        {"tiers": {"gold": 100, "silver": 200}}, {"tiers": {"gold": 130, "silver": 170}}, {}, None
    ),
    "odd_share_shifted_beyond": (
        {"tiers": {"gold": 100, "silver": 200}}, {"tiers": {"gold": 131, "silver": 169}}, {},
        "share of gold", "43.67 %", "23.33 to 43.33 %,",
    ),
    "tier_that_vanished": (
        {"tiers": {**HALVES, "iron": 12}}, {"tiers": {"gold": 56, "silver": 56}}, {},
        "share of iron", "0.00 %", "0.71 to 20.71 %,",
    ),
    "tier_that_is_new": (
        {"tiers": HALVES}, {"tiers": {"gold": 45, "iron": 11, "silver": 44}}, {},
        "share of iron", "11.00 %", "0.00 to 10.00 %,",
    ),
    "nobody_has_a_tier_any_more": (
        {"tiers": HALVES}, {"tiers": {"none": 100}}, {}, "share of gold", "0.00 %", "40.00 to 60.00 %,",
    ),
    "tier_shift_let_pass": (
        {"tiers": HALVES}, {"tiers": {"gold": 99, "silver": 1}},
        {"audit_max_tier_shift_points": 49}, None,
    ),
    "mean_shifted_by_the_limit": ({"score": "50"}, {"score": "45"}, {}, None),
    "mean_shifted_beyond": (
        {"score": "50"}, {"score": "44.999999"}, {},
        "mean customer management score", "44.999999 points", "45.00 to 55.00 points,",
    ),
    "nobody_has_a_score_any_more": (
        {"score": "50"}, {"score": None}, {}, "mean customer management score", "no value",
        "45.00 to 55.00 points,",
    ),
    "unknown_shifted_by_the_limit": ({"unknown": 10}, {"unknown": 35}, {}, None),
    "unknown_shifted_beyond": (
        {"unknown": 10}, {"unknown": 36}, {},
        "share of the customers with orders without a score for satisfaction", "36.00 %",
        "0.00 to 35.00 %,",
    ),
    "unknown_no_more": (
        {"unknown": 40}, {"unknown": 0}, {}, "share of the customers with orders without a score for satisfaction", "0.00 %",
        "15.00 to 65.00 %,",
    ),
    # 99 customers are fewer than 100: their shares may move, their number may not.
    "few_customers": (
        {"tiers": {"gold": 99}}, {"tiers": {"silver": 99}, "score": "90"}, {}, None
    ),
    "few_customers_enough_for_a_limit_given": (
        {"tiers": {"gold": 99}}, {"tiers": {"silver": 99}}, {"audit_min_customers": 99},
        "share of gold", "0.00 %", "90.00 to 110.00 %,",
    ),
    # A later publication knows more; one of the same day may be compared.
    "as_of_a_day_before": (
        {"as_of": "2025-06-11"}, {"as_of": "2025-06-10", "orders": 1}, {}, None
    ),
    "as_of_the_same_day": (
        {"as_of": "2025-06-10"}, {"as_of": "2025-06-10", "orders": 1}, {},
        "rows of marts.orders", "1", "at least 800,",
    ),
    # 10 of 100 customers in common are enough and 9 are not, whoever has more customers and whatever is newer.
    "customers_known_just_enough": (
        {"tiers": {"gold": 100}}, {"tiers": {"gold": 500}, "first_id": 90}, {}, None
    ),
    "customers_of_another_company": (
        {"tiers": {"gold": 100}}, {"tiers": {"gold": 500}, "first_id": 91}, {},
        "customers with orders in common with it", "9.00 %", "at least 10.00 % (var audit_min_known_percent)",
    ),
    "customers_of_another_company_with_the_same_numbers": (
        {"tiers": {"gold": 100}}, {"tiers": {"gold": 100}, "ordered_later": True}, {},
        "customers with orders in common", "0.00 %", "at least 10.00 %",
    ),
    "customers_of_another_company_as_of_a_day_before": (
        {"tiers": {"gold": 100}, "as_of": "2025-06-11"}, {"tiers": {"gold": 10}, "first_id": 100}, {},
        "customers with orders in common", "0.00 %", "at least 10.00 %",
    ),
    "another_company_let_pass": (
        {"tiers": {"gold": 100}}, {"tiers": {"gold": 100}, "first_id": 100},
        {"audit_min_known_percent": 0}, None,
    ),
    "too_few_customers_to_tell": (
        {"tiers": {"gold": 9}}, {"tiers": {"gold": 90}, "first_id": 9}, {}, None
    ),
    # Other reviews give other tiers and other rows of customer_periods, not other orders.
    "quarters_before": (
        {"period": ("2025-01-01", "2025-03-31")}, {"tiers": {"gold": 100}, "periods": 1}, {}, None
    ),
    "quarters_before_and_now": (
        {"period": ("2025-01-01", "2025-03-31")}, {"periods": 1}, {"review_period": "quarter"},
        "rows of marts.customer_periods", "1", "at least 1,600,",
    ),
    "months_before_and_quarters_now": (
        {"period": ("2025-03-01", "2025-03-31")}, {"periods": 1}, {"review_period": "quarter"}, None
    ),
    "quarters_before_and_fewer_orders": (
        {"period": ("2025-01-01", "2025-03-31")}, {"orders": 1}, {},
        "rows of marts.orders", "1", "at least 800,",
    ),
}  # fmt: skip


@pytest.mark.parametrize("drift", DRIFTS.values(), ids=DRIFTS)
def test_drift_up_to_the_limit_passes_and_beyond_stops(
    marts: Marts, tmp_path: Path, drift: tuple
) -> None:
    before, now, limits, measure, *words = drift
    previous = marts("marts", **{"tiers": HALVES, **before})
    work = marts("work", **{"tiers": HALVES, **now})
    if measure is None:
        audit(work, previous, tmp_path / "audit.html", settings(**limits), tmp_path)
        return
    found, allowed = words
    message = refusal(work, tmp_path, tmp_path / "audit.html", previous, **limits)
    head, _, tail = message.partition("; allowed is ")
    assert head.startswith(f"comparison with the last publication, {measure}")
    assert "expect_" not in message
    assert head.partition(": found ")[2].partition(", and ")[0] == found
    assert tail.startswith(allowed)
    assert "audit_m" in tail  # the var to raise


def test_an_intended_change_is_let_through_by_one_option_and_nothing_else_is(
    marts: Marts, tmp_path: Path
) -> None:
    previous, work = marts("marts", HALVES), marts("work", {"gold": 61, "silver": 39})
    page = tmp_path / "audit.html"
    rules = RuleChanges(
        "R1", [Change(Words("seeds/tiers.csv, row gold, enter_score", "等级线"), "60", "<55>")]
    )
    said = "Rules that have changed since the last publication (R1): seeds/tiers.csv, row gold, enter_score 60 → <55>."

    def audited(accepts: bool, known: RuleChanges | None = rules) -> list[str]:
        given = (work, previous, page, settings(), tmp_path, known, accepts)
        return [note.en for note in audit(*given).notes]

    share = "share of gold among the customers with a tier"
    allowed = "40.00 to 60.00 %, as it was 50.00 % in the last publication (var audit_max_tier_shift_points)"
    with pytest.raises(AuditError) as caught:
        audited(accepts=False)
    assert str(caught.value) == (
        f"comparison with the last publication, {share}: found 61.00 %, and 1 more that does not hold; "
        f"allowed is {allowed}. {said} If the difference is intended: tiering refresh --accept-change."
    )
    text = text_of(page)
    assert text.count('<tr class="failed">') == 2 * 2
    assert "enter_score 60 → &lt;55&gt;" in page.read_text(encoding="utf-8")
    assert "tiering refresh --accept-change" in text
    for known, sentence in (
        (RuleChanges("R1", []), "No rule has changed since the last publication (R1): look at the"),
        (RuleChanges("R1", None), "The last publication (R1) does not say by which rules"),
    ):
        with pytest.raises(AuditError, match=re.escape(sentence)):
            audited(accepts=False, known=known)

    notes = audited(accepts=True)
    assert notes[0] == f"accepted: {share} 61.00 %; allowed is {allowed}"
    assert (len(notes), notes[-1]) == (3, said)
    assert text_of(page).count('<tr class="accepted">') == 2 * 2
    write_suite(tmp_path, "marts.orders", expect("expect_table_row_count_to_equal", value=7))
    with pytest.raises(AuditError, match=r"found 1,000; allowed is 7 rows\.$"):
        audited(accepts=True)
    assert "--accept-change" not in text_of(page)  # it would not help


def test_what_is_not_compared_is_noted(marts: Marts, tmp_path: Path) -> None:
    work = marts("work", HALVES, as_of="2025-06-10")

    def notes(previous: Path) -> list[str]:
        summary = audit(work, previous, tmp_path / "audit.html", settings(), tmp_path)
        return [note.en for note in summary.notes]

    assert notes(marts("later", HALVES, as_of="2025-06-11")) == [
        "not compared with the last publication, as it is as of 2025-06-11, which is later"
    ]
    assert notes(marts("weeks", HALVES, period=("2025-05-26", "2025-06-01"))) == [
        "only customers and orders compared, as the last publication has other review periods"
    ]
    assert notes(marts("few", {"gold": 99})) == [
        "few customers before (var audit_min_customers): not all of tiers and scores compared"
    ]
    assert notes(marts("same", HALVES)) == []


def test_publication_that_cannot_be_read_stops_the_audit(marts: Marts, tmp_path: Path) -> None:
    work = marts("work", HALVES)
    broken = tmp_path / "customer_tiering.duckdb"
    for content in (None, "no database", "no marts"):
        broken.unlink(missing_ok=True)
        if content == "no database":
            broken.write_text(content)
        elif content:
            duckdb.connect(str(broken)).close()
        message = refusal(work, tmp_path, tmp_path / "audit.html", broken)
        assert message.startswith(f"{broken}: found a database that cannot be compared")


def test_tier_that_is_no_code_is_not_made_part_of_a_query(marts: Marts, tmp_path: Path) -> None:
    work = marts("work", {"gold' or '1'='1": 100})
    message = refusal(work, tmp_path, tmp_path / "audit.html", marts("marts", HALVES))
    assert message.startswith("marts.customers, column tier_code: found \"gold' or '1'='1\"")


def test_date_of_the_comparison_needs_no_closed_period(marts: Marts, tmp_path: Path) -> None:
    """In a company's first period all is open; it is compared as if the periods were the same."""
    previous, work = marts("marts", HALVES), marts("work", {"gold": 100})
    with duckdb.connect() as connection:
        connection.execute(f"attach '{previous}' as made")
        connection.execute("use made")
        connection.execute("delete from marts.review_periods where not is_open_period")
    assert "share of gold" in refusal(work, tmp_path, tmp_path / "audit.html", previous)
