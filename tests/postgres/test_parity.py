"""One SQL, two engines: what plain dbt builds on PostgreSQL equals, in every public table, what it builds on DuckDB."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import pytest
from companies import small_company, with_an_erasure, with_late_facts
from made_once import PROJECT
from postgres_project import (
    basis,
    begin_with,
    build_on_duckdb,
    build_on_postgres,
    keep,
    periods_kept,
    tables_with,
)
from postgres_server import PostgresServer
from raw_schema import rows_of, sources
from refreshed_sample import refreshed_sample

from customer_tiering.comparing import compare
from customer_tiering.mappings import MAPPING, MappingFolder, load_mapping
from customer_tiering.pseudonyms import KEY

VARS = {"run_date": "2026-01-31"}
NEW_YORK = {"source_time_zone": "America/New_York", "business_time_zone": "America/New_York"}
ICU = "locale_provider icu icu_locale 'en-US' locale 'C.UTF-8'"
RFM_ALONE = "+customer_rfm"
PSEUDONYM_KEY = "a-key-for-tests-0123456789"
# They show what was published before, which a first build has none of.
PUBLISHED_TIERS = "marts.published_tier_changes"
OF_HISTORY = (PUBLISHED_TIERS, "marts.holdout_assignments", "marts.campaign_effects")


@pytest.fixture(autouse=True)
def _where_the_server_is(server: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in server.environment("postgres").items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The raw folder of a small company."""
    raw = tmp_path_factory.mktemp("small") / "raw"
    small_company(raw)
    return raw


@pytest.fixture(scope="module")
def first_on_duckdb(small: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small company's warehouse after its first build; not to be changed."""
    warehouse = tmp_path_factory.mktemp("first") / "warehouse"
    build_on_duckdb(warehouse, small, VARS)
    return warehouse


@pytest.fixture(scope="module")
def first_on_postgres(
    server: PostgresServer, small: Path, tmp_path_factory: pytest.TempPathFactory
) -> str:
    """The name of the database after its first build; not to be changed."""
    begin_with(server)
    build_on_postgres(server, tmp_path_factory.mktemp("first"), small, VARS)
    keep(server, "first")
    return "first"


def differences(left: str, right: Path, but: tuple[str, ...] = ()) -> list[str]:
    """What is said of tables that differ; that there are any is tested too."""
    tables = [table for table in compare(left, str(right)) if table.table not in but]
    assert sum(table.left_rows for table in tables) > 1000
    return [
        f"{table.table}: {line}"
        for table in tables
        if not table.is_equal
        for line in (*table.faults, *table.differences)
    ]


def test_the_sample_company_is_the_same_on_both(server, tmp_path):
    """And dbt's own tests pass on PostgreSQL, of units and of data."""
    begin_with(server)
    build_on_postgres(server, tmp_path, PROJECT / "sample", VARS, without=())
    assert differences(keep(server, "sample"), refreshed_sample()) == []


def test_a_small_company_is_the_same_on_both(first_on_postgres, first_on_duckdb):
    assert differences(f"postgres:{first_on_postgres}", first_on_duckdb / "work.duckdb") == []


def test_a_build_goes_on_from_the_last_as_on_duckdb_and_equals_one_from_nothing(
    server, small, first_on_postgres, first_on_duckdb, tmp_path
):
    """Even if RFM alone was built between the two, or before the first."""
    later = tmp_path / "later"
    with_late_facts(small, later)
    begin_with(server, first_on_postgres)
    build_on_postgres(server, tmp_path, later, VARS, only=RFM_ALONE)
    build_on_postgres(server, tmp_path, later, VARS)
    assert periods_kept(server) > 0
    built = keep(server, "later")

    goes_on = shutil.copytree(first_on_duckdb, tmp_path / "goes_on", symlinks=True)
    build_on_duckdb(goes_on, later, VARS, only=RFM_ALONE)
    build_on_duckdb(goes_on, later, VARS)
    # What was recorded of erased persons, plain dbt forgets on PostgreSQL, as a refresh does on both.
    found = differences(built, goes_on / "work.duckdb")
    assert [line for line in found if not line.startswith(f"{PUBLISHED_TIERS}: 'erased_")] == []

    build_on_duckdb(tmp_path / "anew", later, VARS, only=RFM_ALONE)
    build_on_duckdb(tmp_path / "anew", later, VARS)
    assert differences(built, tmp_path / "anew" / "work.duckdb", but=OF_HISTORY) == []


def test_another_declaration_of_a_raw_table_is_another_rule(
    server, small, first_on_postgres, tmp_path
):
    def allow_more_words(parsed):
        source = parsed.sources["source.customer_tiering.shop.products"]
        source.columns["product_type"].config.meta["allowed"] = "product_type <> ''"

    begin_with(server, first_on_postgres)
    one_model = {"only": "stg_shop__exchange_rates"}
    built = basis(server)
    build_on_postgres(server, tmp_path, small, VARS, **one_model)
    assert basis(server) == built
    build_on_postgres(server, tmp_path, small, VARS, **one_model, change=allow_more_words)
    assert basis(server) != built


def test_an_erased_person_is_nobody_on_both(
    server, small, first_on_postgres, first_on_duckdb, tmp_path
):
    later = tmp_path / "later"
    erased = with_an_erasure(small, later)
    begin_with(server, first_on_postgres)
    build_on_postgres(server, tmp_path, later, VARS)
    built = keep(server, "erased")
    goes_on = shutil.copytree(first_on_duckdb, tmp_path / "goes_on", symlinks=True)
    build_on_duckdb(goes_on, later, VARS)
    assert differences(built, goes_on / "work.duckdb", but=(PUBLISHED_TIERS,)) == []
    assert tables_with(server, "erased", erased) == []


def mapping_of(raw: Path, folder: Path) -> MappingFolder:
    """A mapping that makes the raw tables of files, or of tables, that are raw tables but for their names."""
    folder.mkdir()
    declared = ["sources:"]
    for source in sources(raw):
        columns = ", ".join(duckdb.sql(f"from {rows_of(source)}").columns)
        name = f"shop_{source.stem}"
        (folder / f"{source.stem}.sql").write_text(f"select {columns} from {name}")
        files = f"{source.name}/*" if source.is_dir() else source.name
        declared.append(f"  {name}: {{table: {source.stem}, files: {files}}}")
    (folder / "mapping.yml").write_text("\n".join(declared))
    return load_mapping(folder, PROJECT)


def test_time_zone_locale_pseudonyms_and_a_mapping_change_nothing(
    server, small, tmp_path, monkeypatch
):
    """An ICU locale orders texts by language, where DuckDB goes by bytes."""
    mapping = mapping_of(small, tmp_path / "shop")
    monkeypatch.setenv(MAPPING, mapping.as_json())
    monkeypatch.setenv(KEY, PSEUDONYM_KEY)
    monkeypatch.setenv("PGOPTIONS", f"-c tiering.pseudonym_key={PSEUDONYM_KEY}")
    project_vars = VARS | NEW_YORK | {"pseudonymise_ids": True, "mapping": str(mapping.folder)}
    begin_with(server, options=ICU)
    build_on_postgres(server, tmp_path, small, project_vars)
    build_on_duckdb(tmp_path / "warehouse", small, project_vars)
    built = keep(server, "icu")
    assert differences(built, tmp_path / "warehouse" / "work.duckdb") == []
    assert tables_with(server, "icu", "C0024") == []
