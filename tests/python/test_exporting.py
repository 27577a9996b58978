"""Exports for a CRM, from publications of a few profiles made by hand."""

from __future__ import annotations

import csv
import os
import shutil
from datetime import date
from decimal import Decimal
from io import StringIO
from pathlib import Path
from zipfile import ZipFile

import duckdb
import pytest
import yaml
from typer.testing import CliRunner

from customer_tiering import cli
from customer_tiering.campaign_lists import export_campaign
from customer_tiering.errors import ConfigurationError, ExitCode, SourceError
from customer_tiering.exporting import PACKAGINGS, Packaging, escaped, export, read_layout
from customer_tiering.publishing import current_publication
from customer_tiering.seeds import PERSONAL_SOURCES, ExportColumn

ROOT = Path(__file__).resolve().parents[2]
OLD, NEW = "20260101T000000Z-0001", "20260201T000000Z-0002"

# A customer as the marts show them: what a test does not say of one is as here, and all else NULL.
CUSTOMER = {
    "customer_id": "A",
    "customer_type": "person",
    "tier_code": "gold",
    "tier_label_en": "Gold",
    "tier_label_zh": "黄金",
    "tier_rank": 3,
    "tier_since": date(2025, 11, 30),
    "lifecycle_stage": "active",
    "segment_code": "loyal",
    "alert_codes": "spend_drop;detractor",
    "alert_code": "spend_drop",
    "alert_severity": "high",
    "alert_evidence": '{"fall_percent": 70}',
    "alert_raised_on": date(2025, 10, 31),
    "action_codes": "call;later",
    "action_code": "call",
    "has_marketing_consent": True,
    "is_erased": False,
    "points_to_keep": Decimal("0"),
    "points_to_next": Decimal("16.75"),
    "orders_to_next": 1,
    "revenue_to_next": Decimal("600.50"),
    "protected_until": date(2026, 2, 28),
    "next_review_on": date(2025, 12, 31),
    "management_score": Decimal("61.25"),
    "growth_score": Decimal("-5.5"),
    "star_rating": 4,
    "full_name": "Ann Lee",
    "email": "ann@example.com",
    "phone": "555 0100",
}
PROFILES = ROOT / "models" / "marts" / "retention" / "customer_profiles.yml"


def customer(customer_id: str, **others: object) -> dict[str, object]:
    """A customer like CUSTOMER but for what is said."""
    return {**CUSTOMER, "customer_id": customer_id, **others}


def create(
    connection: duckdb.DuckDBPyConnection,
    schema: str,
    table: str,
    types: dict[str, str],
    customers: list[dict[str, object]],
) -> None:
    connection.execute(f"create schema {schema}")
    columns = ", ".join(f"{name} {kind}" for name, kind in types.items())
    connection.execute(f"create table {schema}.{table} ({columns})")
    connection.executemany(
        f"insert into {schema}.{table} values ({', '.join('?' for _ in types)})",
        [[one.get(name) for name in types] for one in customers],
    )


def publish(
    warehouse: Path,
    run: str,
    customers: list[dict[str, object]],
    *,
    as_of: str = "2025-12-15",
    is_open: bool = True,
) -> Path:
    """Lay out a publication, which is the current one from then on."""
    folder = warehouse / "publications" / run
    folder.mkdir(parents=True)
    (model,) = yaml.safe_load(PROFILES.read_text("utf-8"))["models"]
    types = {column["name"]: column["data_type"] for column in model["columns"]}
    for_all = {"as_of_date": as_of, "is_provisional": is_open}
    with duckdb.connect(str(folder / "customer_tiering.duckdb")) as connection:
        create(connection, "marts", "customer_profiles", types, [for_all | c for c in customers])
    columns = dict.fromkeys(("customer_id", *PERSONAL_SOURCES), "string")
    with duckdb.connect(str(folder / "customer_contacts.duckdb")) as connection:
        create(connection, "restricted", "customer_contacts", columns, customers)
    (folder / "manifest.json").write_text("{}")
    current = warehouse / "current"
    current.unlink(missing_ok=True)
    current.symlink_to(Path("publications") / run)
    return folder


@pytest.fixture
def warehouse(tmp_path: Path) -> Path:
    folder = tmp_path / "warehouse"
    folder.mkdir()
    return folder


def layout(*names: str, family: str = "own") -> list[ExportColumn]:
    """A layout of source columns, or of `source:target`."""
    pairs = [name.partition(":") for name in names]
    return [
        ExportColumn(
            line=2 + place,
            layout=family,
            position=str(1 + place),
            source_column=source,
            target_name=target or source,
            is_key="true" if source == "customer_id" else "false",
            is_personal="true" if source in PERSONAL_SOURCES else "false",
        )
        for place, (source, _, target) in enumerate(pairs)
    ]


def rows(folder: Path) -> list[dict[str, str]]:
    """All records of the CSV files of an export, in order."""
    found = []
    for path in sorted(folder.glob("*.csv")):
        with path.open(encoding="utf-8-sig", newline="") as file:
            found += csv.DictReader(file)
    return found


def unzipped(path: Path) -> tuple[str, bytes]:
    """The name and the content of the one file in a zip."""
    with ZipFile(path) as archive:
        (name,) = archive.namelist()
        return name, archive.read(name)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def refusal(error: type[Exception], *arguments: object, **options: object) -> str:
    """The sentence with which an export is refused."""
    with pytest.raises(error) as caught:
        export(*arguments, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def run(*arguments: object) -> tuple[int, str, str]:
    """(exit code, standard output, standard error) of `tiering export` with these arguments."""
    result = CliRunner().invoke(cli.app, ["export", *(str(argument) for argument in arguments)])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


# -- what is exported


def test_a_customer_is_exported_with_all_that_the_profile_says(
    warehouse: Path, tmp_path: Path
) -> None:
    publish(warehouse, NEW, [CUSTOMER])
    export(warehouse, tmp_path / "out", read_layout(ROOT, "plain"))
    (found,) = rows(tmp_path / "out")
    assert {name: value for name, value in found.items() if value} == {
        "customer_id": "A",
        "as_of_date": "2025-12-15",
        "customer_type": "person",
        "tier_code": "gold",
        "tier_label_en": "Gold",
        "tier_label_zh": "黄金",
        "tier_rank": "3",
        "tier_since": "2025-11-30",
        "points_to_keep": "0.00",
        "points_to_next": "16.75",
        "orders_to_next": "1",
        "revenue_to_next": "600.50",
        "protected_until": "2026-02-28",
        "next_review_on": "2025-12-31",
        "management_score": "61.25",
        "growth_score": "-5.50",
        "star_rating": "4",
        "lifecycle_stage": "active",
        "segment_code": "loyal",
        "alert_codes": "spend_drop;detractor",
        "alert_code": "spend_drop",
        "alert_severity": "high",
        "alert_raised_on": "2025-10-31",
        "alert_evidence": '{"fall_percent": 70}',
        "action_codes": "call;later",
        "action_code": "call",
        "has_marketing_consent": "true",
    }


def test_headers_are_the_names_of_the_receiving_system(warehouse: Path, tmp_path: Path) -> None:
    publish(warehouse, NEW, [CUSTOMER])
    export(warehouse, tmp_path / "zoho", read_layout(ROOT, "zoho"), with_contacts=True)
    name, content = unzipped(tmp_path / "zoho" / "customers-0001.zip")
    header = content.decode("utf-8").splitlines()[0].split(",")
    assert name == "customers-0001.csv"
    assert header[:5] == ["Customer_ID", "Last_Name", "Email", "Phone", "Customer_Tier"]

    export(warehouse, tmp_path / "fxiaoke", read_layout(ROOT, "fxiaoke"), with_contacts=True)
    content = (tmp_path / "fxiaoke" / "customers-0001.csv").read_bytes()
    assert content.startswith("\ufeff客户编号,客户名称,邮件,电话,客户等级,".encode())
    assert "A,Ann Lee,ann@example.com,555 0100,黄金,".encode() in content


# -- names and addresses


def test_names_and_addresses_are_exported_on_request_and_with_consent_alone(
    warehouse: Path, tmp_path: Path
) -> None:
    consents = {"yes": True, "no": False, "unknown": None}
    publish(
        warehouse,
        NEW,
        [customer(key, has_marketing_consent=said) for key, said in consents.items()],
    )
    columns = layout("customer_id", "full_name", "tier_code", "email:mail", "phone")
    export(warehouse, tmp_path / "with", columns, with_contacts=True)
    assert [list(row.values()) for row in rows(tmp_path / "with")] == [
        ["no", "", "gold", "", ""],
        ["unknown", "", "gold", "", ""],
        ["yes", "Ann Lee", "gold", "ann@example.com", "555 0100"],
    ]
    export(warehouse, tmp_path / "without", columns)
    assert [list(row) for row in rows(tmp_path / "without")] == [["customer_id", "tier_code"]] * 3


def test_files_with_contacts_are_for_the_owner_alone(warehouse: Path, tmp_path: Path) -> None:
    publish(warehouse, NEW, [CUSTOMER])
    before = os.umask(0o022)
    try:
        for name, file_format in (("plain", "csv"), ("plain", "parquet"), ("zoho", "csv")):
            for with_contacts in (True, False):
                folder = tmp_path / f"{name}_{file_format}_{with_contacts}"
                export(
                    warehouse,
                    folder,
                    read_layout(ROOT, name),
                    file_format=file_format,
                    with_contacts=with_contacts,
                )
                modes = {path.stat().st_mode & 0o777 for path in folder.iterdir()}
                assert modes == {0o600 if with_contacts else 0o644}, folder.name
                assert folder.stat().st_mode & 0o777 == (0o700 if with_contacts else 0o755)
    finally:
        os.umask(before)


def test_without_contacts_the_restricted_data_are_not_even_opened(
    warehouse: Path, tmp_path: Path
) -> None:
    publication = publish(warehouse, NEW, [CUSTOMER])
    (publication / "customer_contacts.duckdb").unlink()
    export(warehouse, tmp_path / "out", read_layout(ROOT, "plain"))
    plain = read_layout(ROOT, "plain")
    message = refusal(SourceError, warehouse, tmp_path / "with", plain, with_contacts=True)
    assert message == (
        f"{publication / 'customer_contacts.duckdb'}: found no such file; allowed is a publication with its "
        "restricted data."
    )


# -- formulas


@pytest.mark.parametrize("text", ["+8613800138000", "+1 702 555 0100"])
def test_a_phone_number_stays_as_a_crm_reads_it(text: str) -> None:
    assert escaped(text) == text
    assert escaped(f"{text}+1") == f"'{text}+1"
    assert escaped(f"{text} | cmd") == f"'{text} | cmd"


@pytest.mark.parametrize(
    "text",
    [
        *("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\rx", "\nx", "\tx", "  =1", " \tx", "-"),
        *("＝1+1", "＋1", "－1", "＠x", "\u3000=1", "\u00a0＝1", "\ufeff=1", "\u200b@x", "\x00=1"),
    ],
)
def test_a_text_like_a_formula_gets_an_apostrophe(text: str) -> None:
    assert escaped(text) == f"'{text}"


@pytest.mark.parametrize(
    "text", ["", " ", "1-1", "a=b", "O'Neil", " Ann", "何子涵", "{-1}", "_+", "·-"]
)
def test_any_other_text_stays_as_it_is(text: str) -> None:
    assert escaped(text) == text


def test_a_formula_in_a_name_is_text_in_csv_and_untouched_in_parquet(
    warehouse: Path, tmp_path: Path
) -> None:
    name = '=HYPERLINK("http://example.com?"&A1,"何")'
    publish(warehouse, NEW, [customer("-A", full_name=name, email="@a", phone=None)])
    columns = layout("customer_id", "full_name", "email", "growth_score")
    export(warehouse, tmp_path / "csv", columns, with_contacts=True)
    assert (tmp_path / "csv" / "customers-0001.csv").read_bytes().decode() == (
        "customer_id,full_name,email,growth_score\r\n"
        '\'-A,"\'=HYPERLINK(""http://example.com?""&A1,""何"")",\'@a,-5.50\r\n'
    )
    export(warehouse, tmp_path / "parquet", columns, file_format="parquet", with_contacts=True)
    found = duckdb.sql(f"from '{tmp_path}/parquet/customers-0001.parquet'")
    assert found.fetchall() == [("-A", name, "@a", Decimal("-5.50"))]
    assert [str(kind) for kind in found.types] == ["VARCHAR", "VARCHAR", "VARCHAR", "DECIMAL(5,2)"]


def test_commas_quotes_and_line_breaks_stay_in_their_cell(warehouse: Path, tmp_path: Path) -> None:
    name = 'Lee, "Ann"\r\n李\n安'
    publish(warehouse, NEW, [customer("A", full_name=name)])
    export(warehouse, tmp_path / "out", layout("customer_id", "full_name"), with_contacts=True)
    assert rows(tmp_path / "out") == [{"customer_id": "A", "full_name": name}]


# -- what has changed


def changes(
    warehouse: Path, folder: Path, *names: str, with_contacts: bool = False
) -> dict[str, str]:
    """The change of each customer that is exported since OLD."""
    columns = layout("customer_id", "change", *names)
    export(warehouse, folder, columns, changed_since=OLD, with_contacts=with_contacts)
    return {row["customer_id"]: row["change"] for row in rows(folder)}


def test_only_new_changed_and_removed_customers_are_exported(
    warehouse: Path, tmp_path: Path
) -> None:
    publish(warehouse, OLD, [customer(key) for key in ("same", "risen", "untiered", "gone")])
    publish(
        warehouse,
        NEW,
        [
            customer("same"),
            customer("risen", tier_code="platinum"),
            customer("untiered", tier_code="none", tier_rank=0),
            customer("born"),
        ],
    )
    columns = layout("customer_id", "change", "tier_code", "star_rating", "as_of_date")
    exported = export(warehouse, tmp_path / "out", columns, changed_since=OLD)
    assert [list(row.values()) for row in rows(tmp_path / "out")] == [
        ["born", "new", "gold", "4", "2025-12-15"],
        ["gone", "removed", "", "", ""],
        ["risen", "changed", "platinum", "4", "2025-12-15"],
        ["untiered", "changed", "none", "4", "2025-12-15"],
    ]
    assert exported.run_id == NEW
    assert exported.customers == {"new": 1, "changed": 2, "removed": 1}


def test_all_have_changed_since_a_publication_without_profiles(
    warehouse: Path, tmp_path: Path
) -> None:
    """Only its customers are known, of whom the erased one was never exported. So who has gone since is removed."""
    folder = publish(warehouse, OLD, [CUSTOMER])
    with duckdb.connect(str(folder / "customer_tiering.duckdb")) as connection:
        connection.execute("drop table marts.customer_profiles")
        connection.execute(
            "create table marts.customers as from (values ('stays', true, false), ('gone', true, false), ('erased_000001', false, true)) "
            "as customers (customer_id, has_marketing_consent, is_erased)"
        )
    publish(warehouse, NEW, [customer("stays"), customer("born")])
    for with_contacts in (False, True):
        found = changes(
            *(warehouse, tmp_path / str(with_contacts), "tier_code", "email"),
            with_contacts=with_contacts,
        )
        assert found == {"stays": "changed", "born": "new", "gone": "removed"}


def test_what_a_layout_does_not_hold_is_no_change(warehouse: Path, tmp_path: Path) -> None:
    publish(warehouse, OLD, [customer("A", management_score=Decimal("50.11"))])
    publish(warehouse, NEW, [customer("A", management_score=Decimal("50.11"), star_rating=5)])
    assert changes(warehouse, tmp_path / "1", "management_score") == {}
    assert changes(warehouse, tmp_path / "2", "star_rating") == {"A": "changed"}
    assert (tmp_path / "1" / "customers-0001.csv").read_bytes() == (
        b"customer_id,change,management_score\r\n"
    )


def test_dates_that_move_by_themselves_are_no_change(warehouse: Path, tmp_path: Path) -> None:
    """In an open period the as-of date is the date of what has just happened, and moves with it."""

    def of(day: date) -> dict[str, object]:
        moving = dict.fromkeys(("tier_since", "alert_raised_on", "action_due_on"), day)
        return customer("A", **moving, next_review_on=date(2026, 1, 31))

    names = ("as_of_date", "next_review_on", "tier_since", "alert_raised_on", "action_due_on")
    earlier = {**of(date(2025, 12, 15)), "next_review_on": date(2025, 12, 31)}
    publish(warehouse, OLD, [earlier])
    publish(warehouse, NEW, [of(date(2025, 12, 16))], as_of="2025-12-16")
    assert changes(warehouse, tmp_path / "1", *names) == {}
    shutil.rmtree(warehouse / "publications" / NEW)
    publish(warehouse, NEW, [of(date(2025, 12, 31))], as_of="2025-12-31", is_open=False)
    assert changes(warehouse, tmp_path / "2", "tier_since") == {"A": "changed"}
    assert changes(warehouse, tmp_path / "3", "alert_raised_on") == {"A": "changed"}
    assert changes(warehouse, tmp_path / "4", "action_due_on") == {}  # due at once, as before
    shutil.rmtree(warehouse / "publications" / NEW)
    publish(warehouse, NEW, [{**earlier, "action_due_on": date(2026, 1, 9)}])
    assert changes(warehouse, tmp_path / "5", "action_due_on") == {"A": "changed"}


def test_a_column_that_an_earlier_release_lacks_was_empty(warehouse: Path, tmp_path: Path) -> None:
    folder = publish(warehouse, OLD, [customer("A"), customer("B")])
    with duckdb.connect(str(folder / "customer_tiering.duckdb")) as connection:
        connection.execute("alter table marts.customer_profiles drop column action_due_on")
    publish(warehouse, NEW, [customer("A", action_due_on=date(2026, 1, 9)), customer("B")])
    assert changes(warehouse, tmp_path / "1", "action_due_on") == {"A": "changed"}


def test_consent_that_is_withdrawn_is_a_change_and_empties_the_name(
    warehouse: Path, tmp_path: Path
) -> None:
    publish(warehouse, OLD, [customer("A"), customer("B"), customer("C")])
    new = [customer("A", has_marketing_consent=False), customer("B", email="new@b"), customer("C")]
    publish(warehouse, NEW, new)
    columns = ("full_name", "email")
    found = changes(warehouse, tmp_path / "with", *columns, with_contacts=True)
    assert found == {"A": "changed", "B": "changed"}
    assert rows(tmp_path / "with")[0]["full_name"] == ""
    assert changes(warehouse, tmp_path / "without", *columns) == {}


# -- files


def test_files_are_split_by_records(warehouse: Path, tmp_path: Path) -> None:
    publish(warehouse, NEW, [customer(f"C{place}") for place in range(5)])
    export(
        warehouse,
        tmp_path / "out",
        layout("customer_id"),
        packaging=Packaging(max_records=2),
    )
    assert contents(tmp_path / "out") == {
        "customers-0001.csv": b"customer_id\r\nC0\r\nC1\r\n",
        "customers-0002.csv": b"customer_id\r\nC2\r\nC3\r\n",
        "customers-0003.csv": b"customer_id\r\nC4\r\n",
    }


@pytest.mark.parametrize(
    ("max_bytes", "records"), [(25, [3, 1]), (24, [2, 2]), (22, [2, 2]), (21, [2, 1, 1])]
)
def test_files_are_split_by_bytes_of_utf_8_with_the_header(
    warehouse: Path, tmp_path: Path, max_bytes: int, records: list[int]
) -> None:
    """The header has 13 bytes, the lines 4, 4, 4 and 5 (three of them the Chinese sign)."""
    publish(warehouse, NEW, [customer(key) for key in ("C1", "C2", "C3", "客")])
    export(
        warehouse,
        tmp_path / "out",
        layout("customer_id"),
        packaging=Packaging(max_bytes=max_bytes),
    )
    files = contents(tmp_path / "out")
    assert [len(files[name].splitlines()) - 1 for name in sorted(files)] == records
    assert max(map(len, files.values())) <= max_bytes


def test_a_line_that_fits_into_no_file_is_refused(warehouse: Path, tmp_path: Path) -> None:
    publish(warehouse, NEW, [customer("C1"), customer("C2222")])
    message = refusal(
        SourceError,
        warehouse,
        tmp_path / "out",
        layout("customer_id"),
        packaging=Packaging(max_bytes=19),
    )
    assert "found a customer whose line has 7 bytes; allowed is lines that fit" in message
    assert not (tmp_path / "out").exists()


def test_zoho_takes_25000_records_and_25_mb_a_file() -> None:
    assert PACKAGINGS["zoho"] == Packaging(
        max_records=25_000, max_bytes=25_000_000, is_zipped=True, takes_parquet=False
    )


@pytest.mark.parametrize("name", ["zoho", "zoho_accounts"])
def test_customer_25001_begins_a_second_zip(warehouse: Path, tmp_path: Path, name: str) -> None:
    folder = publish(warehouse, NEW, [CUSTOMER])
    with duckdb.connect(str(folder / "customer_tiering.duckdb")) as connection:
        connection.execute(
            "insert into marts.customer_profiles select profiles.* replace (format('C{:05d}', range) as customer_id) "
            "from marts.customer_profiles as profiles cross join range(25000)"
        )
    export(warehouse, tmp_path / "out", layout("customer_id:Customer_ID", family=name))
    first, second = sorted((tmp_path / "out").iterdir())
    assert [first.name, second.name] == ["customers-0001.zip", "customers-0002.zip"]
    lines = unzipped(first)[1].splitlines()
    assert (len(lines), lines[-1]) == (25_001, b"C24998")
    assert unzipped(second) == ("customers-0002.csv", b"Customer_ID\r\nC24999\r\n")


def test_an_erased_person_is_removed_and_never_exported(warehouse: Path, tmp_path: Path) -> None:
    publish(warehouse, OLD, [customer("A"), customer("B")])
    publish(warehouse, NEW, [customer("A"), customer("erased_000001", is_erased=True)])
    export(warehouse, tmp_path / "whole", read_layout(ROOT, "plain"))
    assert [row["customer_id"] for row in rows(tmp_path / "whole")] == ["A"]
    export(warehouse, tmp_path / "changed", read_layout(ROOT, "plain"), changed_since=OLD)
    assert [(row["customer_id"], row["change"]) for row in rows(tmp_path / "changed")] == [
        ("B", "removed")
    ]


def test_nothing_changed_is_nothing_to_upload(warehouse: Path, tmp_path: Path) -> None:
    publish(warehouse, OLD, [CUSTOMER])
    publish(warehouse, NEW, [CUSTOMER])
    exported = export(warehouse, tmp_path / "out", read_layout(ROOT, "zoho"), changed_since=OLD)
    assert exported.files == []
    assert contents(tmp_path / "out") == {}


@pytest.mark.parametrize(("name", "file_format"), [("plain", "parquet"), ("zoho", "csv")])
def test_the_same_publication_gives_the_same_bytes(
    warehouse: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, file_format: str
) -> None:
    """Whatever the order of its rows and the hour: the second is of the same customers backwards."""
    customers = [customer(f"C{place:04d}") for place in range(30)]
    publish(warehouse, OLD, customers)
    publish(warehouse, NEW, customers[::-1])
    columns = read_layout(ROOT, name)
    export(warehouse, tmp_path / "1", columns, file_format=file_format, with_contacts=True)
    (warehouse / "current").unlink()
    (warehouse / "current").symlink_to(f"publications/{OLD}")
    monkeypatch.setattr("time.time", lambda: 2_000_000_000.0)
    monkeypatch.setattr("time.localtime", lambda *_: (2033, 5, 18, 3, 33, 20, 2, 138, 0))
    export(warehouse, tmp_path / "2", columns, file_format=file_format, with_contacts=True)
    assert contents(tmp_path / "1") == contents(tmp_path / "2")


# -- the folder


def test_a_folder_with_other_content_is_refused_and_stays(warehouse: Path, tmp_path: Path) -> None:
    publish(warehouse, NEW, [CUSTOMER])
    out = tmp_path / "out"
    out.mkdir()
    (out / "customers-0001.csv").write_text("customer_id\nmine\n")
    before = contents(out)
    message = refusal(ConfigurationError, warehouse, out, layout("customer_id"))
    assert message == (
        f"command line, --out: found {out}, a folder with other content; allowed is a folder that is "
        "not there, is empty or holds this very export."
    )
    assert contents(out) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "warehouse"]


def test_an_export_may_be_repeated_and_may_fill_an_empty_folder(
    warehouse: Path, tmp_path: Path
) -> None:
    publish(warehouse, NEW, [CUSTOMER])
    out = tmp_path / "made" / "for" / "it"
    export(warehouse, out, layout("customer_id"))
    export(warehouse, out, layout("customer_id"))
    (tmp_path / "empty").mkdir()
    export(warehouse, tmp_path / "empty", layout("customer_id"))
    assert contents(out) == contents(tmp_path / "empty")
    assert [path.name for path in out.parent.iterdir()] == ["it"]
    (out / "more").mkdir()
    assert "other content" in refusal(ConfigurationError, warehouse, out, layout("customer_id"))


def test_a_folder_that_cannot_be_written_is_refused(warehouse: Path, tmp_path: Path) -> None:
    publish(warehouse, NEW, [CUSTOMER])
    file = tmp_path / "file"
    file.write_text("")
    message = refusal(ConfigurationError, warehouse, file / "out", layout("customer_id"))
    assert message.startswith(f"command line, --out: found {file / 'out'} (")
    assert message.endswith("; allowed is a folder that can be written.")
    assert "which is no folder" in refusal(
        ConfigurationError, warehouse, file, layout("customer_id")
    )


@pytest.mark.parametrize("file_format", ["csv", "parquet"])
def test_nothing_is_left_when_writing_fails(
    warehouse: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file_format: str
) -> None:
    publish(warehouse, NEW, [CUSTOMER])

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    message = refusal(
        ConfigurationError,
        warehouse,
        tmp_path / "out",
        layout("customer_id"),
        file_format=file_format,
    )
    assert "(No space left on device)" in message
    assert [path.name for path in tmp_path.iterdir()] == ["warehouse"]


# -- what is refused


def test_without_a_publication_there_is_nothing_to_export(warehouse: Path, tmp_path: Path) -> None:
    code, _, error = run("--warehouse", warehouse, "--out", tmp_path / "out", "--layout", "plain")
    assert code == ExitCode.SOURCE
    assert error == (
        f"Error: {warehouse / 'customer_tiering.duckdb'}: found no publication; allowed is a warehouse that "
        "`tiering refresh` has published.\n"
    )


def test_a_run_that_is_not_there_is_told_with_those_that_are(
    warehouse: Path, tmp_path: Path
) -> None:
    publish(warehouse, OLD, [CUSTOMER])
    publish(warehouse, NEW, [CUSTOMER])
    arguments = ("--warehouse", warehouse, "--out", tmp_path / "out", "--layout", "plain")
    code, _, error = run(*arguments, "--changed-since", "../x")
    assert code == ExitCode.SOURCE
    assert error == (
        f"Error: {warehouse}: found no publication of run '../x'; allowed is one of {OLD}, {NEW}.\n"
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ("--layout", "zohoo"),
            "--layout: found an unknown layout 'zohoo' (did you mean zoho?); allowed is one of plain, "
            "zoho, fxiaoke.",
        ),
        (
            ("--layout", "plain", "--format", "xlsx"),
            "--format: found an unknown format 'xlsx'; allowed is one of csv, parquet.",
        ),
        (
            ("--layout", "zoho", "--format", "parquet"),
            "--format: found parquet with the layout zoho; allowed is csv for this layout.",
        ),
    ],
)
def test_a_mistyped_command_line_is_told(
    warehouse: Path, tmp_path: Path, options: tuple[str, ...], message: str
) -> None:
    publish(warehouse, NEW, [CUSTOMER])
    code, _, error = run("--warehouse", warehouse, "--out", tmp_path / "out", *options)
    assert code == ExitCode.CONFIGURATION
    assert error == f"Error: command line, {message}\n"
    assert not (tmp_path / "out").exists()


def test_a_layout_without_a_key_is_refused(warehouse: Path, tmp_path: Path) -> None:
    seeds = tmp_path / "project" / "seeds"
    seeds.mkdir(parents=True)
    (seeds / "export_columns.csv").write_text(
        "layout,position,source_column,target_name,is_key,is_personal\nown,1,tier_code,tier,false,false\n"
    )
    code, _, error = run(
        *("--warehouse", warehouse, "--out", tmp_path / "out", "--layout", "own"),
        *("--project", tmp_path / "project"),
    )
    assert code == ExitCode.CONFIGURATION
    assert error == (
        "Error: seeds/export_columns.csv, line 2: found layout own without a key; allowed is "
        "exactly one column with is_key true, that of customer_id.\n"
    )


def test_contacts_that_a_layout_does_not_hold_are_refused(warehouse: Path, tmp_path: Path) -> None:
    publish(warehouse, NEW, [CUSTOMER])
    columns = layout("customer_id", "tier_code")
    message = refusal(ConfigurationError, warehouse, tmp_path / "out", columns, with_contacts=True)
    assert "found the layout own, which has no personal column" in message


def test_a_publication_of_a_release_without_profiles_is_refused(
    warehouse: Path, tmp_path: Path
) -> None:
    folder = publish(warehouse, NEW, [CUSTOMER])
    with duckdb.connect(str(folder / "customer_tiering.duckdb")) as connection:
        connection.execute("drop table marts.customer_profiles")
    message = refusal(SourceError, warehouse, tmp_path / "out", read_layout(ROOT, "plain"))
    assert message == (
        f"{folder}: found no marts.customer_profiles, as an earlier release published it; allowed is a "
        "publication of this release, which `tiering refresh` makes."
    )
    assert not (tmp_path / "out").exists()


def test_a_file_that_is_no_database_is_refused(warehouse: Path, tmp_path: Path) -> None:
    folder = publish(warehouse, NEW, [CUSTOMER])
    (folder / "customer_tiering.duckdb").write_bytes(b"torn")
    message = refusal(SourceError, warehouse, tmp_path / "out", read_layout(ROOT, "plain"))
    assert message.startswith(f"{folder}: found a publication that cannot be exported (")
    assert not (tmp_path / "out").exists()


# -- campaigns

# SHA-256 of what advertising platforms hash, by sha256sum; that of test@test.com is a published one.
HASHED = {
    "test@test.com": "f660ab912ec121d1b1e928a0bb4bc61b15f5ad44d5efdc4e1c92a25e99b8e44a",
    "ann@example.com": "71d4f55f72fa128dfb468a1a3901507c804b74316488744d769d7f4b16696476",
    "+8613800138000": "ec61f3c620a98bdead8c1f1f0ae747abd1b62a0c2dba4fd4bc22cf0d1d8653e5",
    "8613800138000": "bf08aacce7f9b2452863cf99373043c3333f0e3127f1f787c4abb46ab6cf2b83",
    "+17025550100": "91408a87bf2c2fd5eb2e69d0cdd9bc546e9868543ac203a89d5b8a6e8cc87b5d",
    "17025550100": "259a09d4f4b8ebe4870d4130f24573c569c10ec2e3f1f7530d9b476b66bd4509",
}


def publish_campaign(
    warehouse: Path,
    customers: list[dict[str, object]],
    *,
    held_out: tuple[str, ...] = (),
    campaign_id: str = "spring",
    is_preliminary: bool = False,
) -> Path:
    """Publish customers who are all on the list of a campaign, some of them held out."""
    folder = publish(warehouse, NEW, customers)
    with duckdb.connect(str(folder / "customer_tiering.duckdb")) as connection:
        connection.execute(
            "create table marts.holdout_assignments (campaign_id text, customer_id text, contact_group text, "
            "tier_code text, is_preliminary boolean, reviewed_on date, assigned_on date)"
        )
        connection.execute(
            "create table marts.labels as from (values ('tier', 'gold', 'Gold', '黄金'), "
            "('segment', 'gold', 'no', '否'), ('contact_group', 'holdout', 'Held out', '对照组')) "
            "as labels (kind, code, label_en, label_zh)"
        )
        connection.executemany(
            "insert into marts.holdout_assignments values (?, ?, ?, 'gold', ?, '2025-11-30', '2025-12-01')",
            [
                (campaign_id, key, "holdout" if key in held_out else "treatment", is_preliminary)
                for one in customers
                for key in [one["customer_id"]]
            ],
        )
    return folder


def asked(warehouse: Path, out: Path, *options: object) -> tuple[int, str, str]:
    return run("--warehouse", warehouse, "--out", out, *options)


def test_the_list_of_a_campaign_names_whom_it_contacts_and_whom_it_holds_out(
    warehouse: Path, tmp_path: Path
) -> None:
    """Consent is asked of those who are contacted; nobody who is erased is named at all."""
    publish_campaign(
        warehouse,
        [
            customer("a"),
            customer("b", has_marketing_consent=False),
            customer("c", has_marketing_consent=None),
            customer("d", has_marketing_consent=False),
            customer("erased_000001", has_marketing_consent=False, is_erased=True),
            customer("erased_000002", has_marketing_consent=False, is_erased=True),
        ],
        held_out=("d", "erased_000002"),
    )
    code, printed, error = asked(warehouse, tmp_path / "out", "--campaign", "spring")
    assert (code, error) == (0, "")
    assert printed == (
        f"Campaign spring: 1 contacted, 1 held out, in 1 file in {tmp_path / 'out'}. Left out: "
        "1 without consent to marketing, 1 whose consent is unknown, 2 erased.\n"
    )
    assert (tmp_path / "out" / "campaign-0001.csv").read_text("utf-8").splitlines() == [
        "customer_id,contact_group,contact_group_label_en,contact_group_label_zh,tier_code,tier_label_en,"
        "tier_label_zh,is_preliminary,reviewed_on,assigned_on",
        "a,treatment,,,gold,Gold,黄金,false,2025-11-30,2025-12-01",
        "d,holdout,Held out,对照组,gold,Gold,黄金,false,2025-11-30,2025-12-01",
    ]


def test_a_preliminary_list_says_so(warehouse: Path, tmp_path: Path) -> None:
    publish_campaign(warehouse, [customer("a")], is_preliminary=True)
    code, printed, _ = asked(warehouse, tmp_path / "out", "--campaign", "spring")
    assert code == 0
    assert printed.endswith(
        "The list is preliminary: the last review before the campaign is not closed yet.\n"
    )
    assert [row["is_preliminary"] for row in rows(tmp_path / "out")] == ["true"]


def test_an_audience_is_hashes_of_those_who_are_contacted(warehouse: Path, tmp_path: Path) -> None:
    """Addresses in any writing give one hash; a phone is hashed with its plus and without, as platforms ask for either."""
    folder = publish_campaign(
        warehouse,
        [
            customer("a", email=" TEST@test.com\u00a0", phone="+86 138-0013-8000"),
            customer("b", email="Ann@Example.com", phone="0086 (138) 0013 8000"),
            customer("c", email="ann@example.com", phone=None),
            customer("d", email="ann at example.com", phone="+1 (0)702 555-0100"),
            customer("e", email="ann@localhost", phone="138 0013 8000"),
            customer("f", email=None, phone="+1 702"),
            customer("g", has_marketing_consent=False),
            customer("h", has_marketing_consent=None),
            customer("i", email="held@example.com"),
            customer("erased_000001", has_marketing_consent=False, is_erased=True),
        ],
        held_out=("i",),
    )
    out = tmp_path / "out"
    code, printed, error = asked(warehouse, out, "--campaign", "spring", "--audience")
    assert (code, error) == (0, "")
    assert printed == (
        f"Campaign spring: 4 in the audience, in 1 file in {out}. Left out: 1 without consent "
        "to marketing, 1 whose consent is unknown, 1 erased, 1 held out, 2 without an e-mail address or phone "
        "that can be hashed. Not in a form that can be hashed: 2 e-mail addresses, 2 phones.\n"
    )
    hashed = {"": "", **HASHED}
    chinese, american = ("+8613800138000", "8613800138000"), ("+17025550100", "17025550100")
    expected = [
        ("test@test.com", *chinese),
        ("ann@example.com", *chinese),
        ("ann@example.com", "", ""),
        ("", *american),
    ]
    found = [tuple(row.values()) for row in rows(out)]
    assert sorted(found) == sorted(tuple(hashed[text] for text in row) for row in expected)
    assert list(rows(out)[0]) == ["email_sha256", "phone_e164_sha256", "phone_digits_sha256"]
    assert (out / "audience-0001.csv").stat().st_mode & 0o777 == 0o600
    assert out.stat().st_mode & 0o777 == 0o700

    (folder / "customer_contacts.duckdb").unlink()
    code, _, error = asked(warehouse, tmp_path / "again", "--campaign", "spring", "--audience")
    assert code == ExitCode.SOURCE
    assert "customer_contacts.duckdb: found no such file" in error
    assert asked(warehouse, tmp_path / "list", "--campaign", "spring")[0] == 0


def test_a_campaign_without_a_list_is_told_with_those_that_have_one(
    warehouse: Path, tmp_path: Path
) -> None:
    publish_campaign(warehouse, [customer("a")])
    code, _, error = asked(warehouse, tmp_path / "out", "--campaign", "sprung")
    assert code == ExitCode.CONFIGURATION
    assert error == (
        "Error: command line, --campaign: found 'sprung', of which there is no list (did you mean spring?); "
        "allowed is one of spring.\n"
    )
    assert not (tmp_path / "out").exists()


def test_without_any_list_or_its_mart_there_is_no_campaign_to_export(
    warehouse: Path, tmp_path: Path
) -> None:
    folder = publish_campaign(warehouse, [customer("a")])
    with duckdb.connect(str(folder / "customer_tiering.duckdb")) as connection:
        connection.execute("delete from marts.holdout_assignments")
    assert refusal_of_campaign(warehouse, tmp_path / "out") == (
        "marts.holdout_assignments: found no campaign with a list; allowed is campaigns that hold customers out."
    )
    shutil.rmtree(warehouse / "publications")
    folder = publish(warehouse, NEW, [CUSTOMER])
    assert refusal_of_campaign(warehouse, tmp_path / "out") == (
        f"{folder}: found no marts.holdout_assignments, as an earlier release published it; allowed is a "
        "publication of this release, which `tiering refresh` makes."
    )


def refusal_of_campaign(warehouse: Path, out: Path) -> str:
    """The sentence with which the list of a campaign is refused."""
    with pytest.raises(SourceError) as caught:
        export_campaign(warehouse, out, "spring")
    assert not out.exists()
    return str(caught.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((), ": found neither --layout nor --campaign; allowed is either a layout or a campaign."),
        (
            ("--layout", "plain", "--campaign", "spring"),
            ": found --layout and --campaign; allowed is either a layout or a campaign.",
        ),
        (
            ("--layout", "plain", "--audience"),
            ", --audience: found --audience with a layout; allowed is it with a campaign alone.",
        ),
        (
            ("--campaign", "spring", "--with-contacts"),
            ", --with-contacts: found --with-contacts with a campaign; allowed is it with a layout alone.",
        ),
        (
            ("--campaign", "spring", "--changed-since", "x"),
            ", --changed-since: found --changed-since with a campaign; allowed is it with a layout alone.",
        ),
    ],
)
def test_options_that_do_not_go_together_are_refused(
    warehouse: Path, tmp_path: Path, options: tuple[str, ...], message: str
) -> None:
    code, _, error = asked(warehouse, tmp_path / "out", *options)
    assert code == ExitCode.CONFIGURATION
    assert error == f"Error: command line{message}\n"


# -- the sample


def test_the_sample_is_exported_whole(sample_warehouse: Path, tmp_path: Path) -> None:
    arguments = ("--warehouse", sample_warehouse, "--layout", "zoho", "--with-contacts")
    code, printed, error = run(*arguments, "--out", tmp_path / "out")
    assert (code, error) == (0, "")
    _, content = unzipped(tmp_path / "out" / "customers-0001.zip")
    found = list(csv.DictReader(StringIO(content.decode("utf-8"), newline="")))
    with duckdb.connect() as connection:
        connection.execute(
            f"attach '{sample_warehouse}/customer_tiering.duckdb' as warehouse (read_only)"
        )
        connection.execute(
            f"attach '{sample_warehouse}/customer_contacts.duckdb' as personal (read_only)"
        )
        expected = connection.execute(
            "select customers.customer_id, labels.label_en, "
            "if(coalesce(has_marketing_consent, false), coalesce(full_name, ''), '') "
            "from warehouse.marts.customers "
            "join warehouse.marts.labels on labels.kind = 'tier' and labels.code = tier_code "
            "left join personal.restricted.customer_contacts using (customer_id) "
            "where not is_erased order by 1"
        ).fetchall()
    assert [(r["Customer_ID"], r["Customer_Tier"], r["Last_Name"]) for r in found] == expected
    assert {r["Top_Alert_Severity"] for r in found} == {"", "High", "Medium", "Low"}
    publication = current_publication(sample_warehouse)
    assert publication is not None
    assert printed == (
        f"{len(expected):,} customers in 1 file in {tmp_path / 'out'}. For what changes from now on: "
        f"--changed-since {publication.name}\n"
    )
    code, printed, _ = run(*arguments, "--out", tmp_path / "2", "--changed-since", publication.name)
    assert (code, contents(tmp_path / "2")) == (0, {})
    assert printed.startswith("0 customers (0 new, 0 changed, 0 removed) in 0 files")
