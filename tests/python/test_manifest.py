"""The laws of the project that its manifest shows: dbt-bouncer's, and those that it cannot see."""

from __future__ import annotations

import csv
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import replace
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

import dbt_in_process
import pytest
import yaml
from compiled_project import PROJECT, CompiledProject
from lineage import Columns, derived, relation_of
from sqlglot import exp, parse_one

Node = dict[str, Any]


@pytest.fixture(scope="module")
def manifest() -> Node:
    """What `dbt parse` makes of the project; a deprecation is an error."""
    return dbt_in_process.manifest()


@pytest.fixture(scope="module")
def columns(compiled: Callable[..., CompiledProject]) -> dict[str, list[str]]:
    """The columns of every raw table, seed and model, by schema.table."""
    found: dict[str, list[str]] = {}
    with compiled().build({}) as connection:
        for schema, table, column in connection.execute(
            "select table_schema, table_name, column_name from information_schema.columns "
            "where table_catalog = 'work' order by 1, 2, ordinal_position"
        ).fetchall():
            found.setdefault(f"{schema}.{table}", []).append(column)
    return {relation: list(dict.fromkeys(names)) for relation, names in found.items()}


def failures_of_bouncer(manifest: Node, folder: Path) -> list[Node]:
    """What dbt-bouncer, by the project's own rules, finds wrong with a manifest."""
    (folder / "target").mkdir()
    (folder / "target" / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    finished = subprocess.run(
        [
            *(str(Path(sys.executable).with_name("dbt-bouncer")), "run"),
            *("--config-file", str(PROJECT / "dbt-bouncer.yml")),
            *("--output-file", str(folder / "results.json"), "--output-only-failures"),
        ],
        cwd=folder,
        env={**os.environ, "DBT_PROJECT_DIR": str(folder)},
        capture_output=True,
        text=True,
    )
    assert finished.returncode in (0, 1), finished.stdout + finished.stderr
    return json.loads((folder / "results.json").read_text(encoding="utf-8"))


def test_dbt_bouncer_finds_no_fault(manifest: Node, tmp_path: Path) -> None:
    found = failures_of_bouncer(manifest, tmp_path)
    assert not found, "\n".join(f"{row['file_path']}: {row['failure_message']}" for row in found)


def test_every_rule_of_dbt_bouncer_can_fail(manifest: Node, tmp_path: Path) -> None:
    rules = yaml.safe_load((PROJECT / "dbt-bouncer.yml").read_text(encoding="utf-8"))
    names = [rule["name"] for rule in rules["manifest_checks"]]
    failed = {
        int(row["check_run_id"].split(":")[1])
        for row in failures_of_bouncer(with_everything_wrong(manifest), tmp_path)
    }
    assert [f"{place} {name}" for place, name in enumerate(names) if place not in failed] == []


def with_everything_wrong(manifest: Node) -> Node:
    """A copy in which every model, seed, snapshot, source, macro and exposure breaks its rules."""
    broken = deepcopy(manifest)
    broken["nodes"] = {key: node for key, node in broken["nodes"].items() if "test." not in key}
    broken["unit_tests"] = {}
    models = [node for node in broken["nodes"].values() if node["resource_type"] == "model"]
    for folder in ("models/elsewhere", "models/marts/elsewhere"):
        moved = deepcopy(models[0])
        moved["unique_id"] += "_" + Path(folder).parent.name
        moved["original_file_path"] = f"{folder}/{moved['name']}.sql"
        broken["nodes"][moved["unique_id"]] = moved
        models.append(moved)
    restricted = next(key for key in broken["nodes"] if key.endswith(".customer_contacts"))
    for model in models:
        # dbt names a model after its file: a name with a digit stands for any that is not allowed
        model.update(name="int1", schema="elsewhere", description="All rows", access="private")
        model.update(patch_path="customer_tiering://elsewhere.yml", raw_code="select current_date;")
        model["config"].update(access="private", materialized="view")
        model["config"]["contract"] = model["contract"] = {"enforced": False}
        model["depends_on"]["nodes"] = [restricted, next(iter(broken["sources"]))]
        for column in model["columns"].values():
            column.update(description="", data_type="text")
        model["columns"]["untyped"] = {"name": "untyped"}
    for node in broken["nodes"].values():
        if node["resource_type"] in ("seed", "snapshot"):
            node.update(description="")
            node["config"].update(unique_key=None, strategy="none")
    for source in broken["sources"].values():
        source.update(description="", source_description="")
        for column in source["columns"].values():
            column.update(meta={}, config={})
    for macro in broken["macros"].values():
        macro.update(description="", arguments=[{"name": "argument", "description": ""}])
    for exposure in broken["exposures"].values():
        exposure.update(description="", owner={}, depends_on={"macros": [], "nodes": [restricted]})
    return broken


def nodes(manifest: Node, *kinds: str) -> Iterator[Node]:
    """The project's own nodes of some kinds: model, seed, snapshot, test, source, exposure."""
    for group in ("nodes", "sources", "exposures"):
        for node in manifest[group].values():
            if node["resource_type"] in kinds and node["package_name"] == "customer_tiering":
                yield node


def is_restricted(node: Node) -> bool:
    return node["original_file_path"].startswith("models/marts/restricted/")


def test_nothing_reads_a_restricted_mart(manifest: Node) -> None:
    restricted = {node["unique_id"] for node in nodes(manifest, "model") if is_restricted(node)}
    assert restricted
    readers = {
        node["name"]
        for node in nodes(manifest, "model", "snapshot", "exposure")
        if restricted & set(node["depends_on"]["nodes"])
    }
    assert readers == set()


def test_staging_models_are_named_after_their_system(manifest: Node) -> None:
    for node in nodes(manifest, "model"):
        folders = Path(node["original_file_path"]).parts
        if folders[1] == "staging":
            layer = "base" if folders[3] == "base" else "stg"
            assert node["name"].startswith(f"{layer}_{folders[2]}__"), node["original_file_path"]


def circle_of_steps(manifest: Node) -> list[str]:
    """Folders of a layer, such as intermediate/money, that read each other in a circle; empty without one."""
    steps = {
        node["unique_id"]: "/".join(Path(node["original_file_path"]).parts[1:3])
        for node in nodes(manifest, "model", "snapshot")
    }
    read: dict[str, set[str]] = {step: set() for step in steps.values()}
    for node, step in steps.items():
        parents = manifest["nodes"][node]["depends_on"]["nodes"]
        read[step] |= {steps[parent] for parent in parents if parent in steps} - {step}
    try:
        TopologicalSorter(read).prepare()
    except CycleError as error:
        return error.args[1]
    return []


def test_steps_do_not_read_each_other_in_a_circle(manifest: Node) -> None:
    assert circle_of_steps(manifest) == []


@pytest.mark.parametrize(
    ("reader", "read", "steps"),
    [
        ("int_interactions", "int_customer_signals", {"facts", "signals"}),
        ("int_rfm_cells", "int_tier_states", {"rfm", "tiers"}),
        ("customers", "published_tier_changes", {"core", "tiers"}),
    ],
)
def test_a_circle_of_steps_is_noticed(
    manifest: Node, reader: str, read: str, steps: set[str]
) -> None:
    broken = deepcopy(manifest)
    parents = broken["nodes"][f"model.customer_tiering.{reader}"]["depends_on"]["nodes"]
    parents.append(f"model.customer_tiering.{read}")
    assert steps <= {Path(step).name for step in circle_of_steps(broken)}


def test_published_history_is_taken_from_an_intermediate_model(manifest: Node) -> None:
    for node in nodes(manifest, "snapshot"):
        for parent in node["depends_on"]["nodes"]:
            path = manifest["nodes"][parent]["original_file_path"]
            assert path.startswith("models/intermediate/"), node["name"]


def test_every_mart_belongs_to_a_group_with_an_owner(manifest: Node) -> None:
    owners = {group["name"]: group["owner"] for group in manifest["groups"].values()}
    for node in nodes(manifest, "model"):
        if node["original_file_path"].startswith("models/marts/"):
            owner = owners.get(node["config"]["group"], {})
            assert owner.get("name"), node["name"]
            assert owner.get("email"), node["name"]


def test_personal_data_stay_in_restricted_marts(manifest: Node) -> None:
    personal = {
        name
        for source in nodes(manifest, "source")
        for name, column in source["columns"].items()
        if column["config"]["meta"].get("pii")
    }
    assert {"full_name", "email", "phone", "birth_date"} <= personal
    for node in nodes(manifest, "model"):
        if not node["original_file_path"].startswith("models/marts/"):
            continue
        for name, column in node["columns"].items():
            marked = bool(column["config"]["meta"].get("pii"))
            if is_restricted(node):
                assert marked or name not in personal, f"{node['name']}.{name} is not marked pii"
            else:
                assert not marked, f"{node['name']}.{name} is personal"
                assert name not in personal, f"{node['name']}.{name} is personal"


# What may be known of personal data: the band of an age, and which values were bad (not the values).
ALLOWED = {
    ("marts.customers", "age_band"),
    ("staging.base_crm__customers", "has_nulled_values"),
    ("staging.base_crm__customers", "nulled_values"),
}


def tagged(manifest: Node, *kinds: str) -> Columns:
    """The columns of relations that are marked as personal data."""
    return {
        (f"{node['schema']}.{node.get('alias') or node['name']}", name)
        for node in nodes(manifest, *kinds)
        for name, column in node["columns"].items()
        if column["config"]["meta"].get("pii")
    }


def test_every_column_that_holds_personal_data_is_marked_so(
    manifest: Node, compiled: Callable[..., CompiledProject], columns: dict[str, list[str]]
) -> None:
    """The marks are those of the raw columns and of all that derives from them, and no others."""
    raw = tagged(manifest, "source")
    found = derived(compiled(), raw, columns, ALLOWED)
    assert found - raw == tagged(manifest, "model", "snapshot")
    assert {relation.split(".")[0] for relation, _ in found} == {
        *("raw", "staging", "intermediate", "restricted")
    }


@pytest.mark.parametrize(
    ("relation", "column", "before", "after"),
    [
        ("marts.customers", "city", "customers.city,", "customers.email as city,"),
        ("marts.customers", "city", "customers.city,", "left(aged.birth_date, 4) as city,"),
        (
            "quality.rejected_records",
            "raw_record",
            "raw_record\n",
            "raw_record_restricted as raw_record\n",
        ),
    ],
)
def test_lineage_sees_a_leak(
    manifest: Node,
    compiled: Callable[..., CompiledProject],
    columns: dict[str, list[str]],
    relation: str,
    column: str,
    before: str,
    after: str,
) -> None:
    def leaking(sql: str) -> str:
        sql = sql.replace(
            "customers.customer_key,\n", "customers.customer_key, customers.birth_date,\n"
        )
        assert before in sql
        return sql.replace(before, after)

    project = replace(
        compiled(),
        models=tuple(
            replace(model, sql=leaking(model.sql))
            if relation_of(model.relation) == relation
            else model
            for model in compiled().models
        ),
    )
    found = derived(project, tagged(manifest, "source"), columns, ALLOWED)
    assert (relation, column) in found


def test_every_column_of_every_model_is_described(
    manifest: Node, compiled: Callable[..., CompiledProject], columns: dict[str, list[str]]
) -> None:
    """All columns that the SQL makes, or the seed has, in its order and none beside them."""
    made = {model.name: columns[relation_of(model.relation)] for model in compiled().models}
    faults = []
    for node in nodes(manifest, "model", "snapshot", "seed", "source"):
        described = [name for name, column in node["columns"].items() if column["description"]]
        expected = list(node["columns"])
        if node["resource_type"] == "model":
            expected = made.get(node["name"], expected)
        if node["resource_type"] == "seed":
            with open(PROJECT / node["original_file_path"], encoding="utf-8", newline="") as file:
                expected = next(csv.reader(file))
        if described != expected or not expected:
            differing = sorted(set(described) ^ set(expected)) or "the order of columns"
            faults.append(f"{node['original_file_path']}, {node['name']}: {differing}")
    assert faults == [], "\n".join(faults)


# -- Length and descriptions of SQL ----------------------------------------------------------------


def macros(manifest: Node) -> Iterator[Node]:
    """The project's own macros, without its tests."""
    for macro in manifest["macros"].values():
        path = macro["original_file_path"]
        if macro["package_name"] == "customer_tiering" and path.startswith("macros/"):
            yield macro


def too_long(manifest: Node) -> set[str]:
    """Models of more than 150 lines, macros of more than 100."""
    code = [(model["name"], model["raw_code"], 150) for model in nodes(manifest, "model")]
    code += [(macro["name"], macro["macro_sql"], 100) for macro in macros(manifest)]
    return {name for name, sql, most in code if len(sql.strip().splitlines()) > most}


def test_models_and_macros_are_short(manifest: Node) -> None:
    assert too_long(manifest) == set()


def test_a_long_model_or_macro_is_noticed(manifest: Node) -> None:
    longer = deepcopy(manifest)
    longer["nodes"]["model.customer_tiering.int_as_of"]["raw_code"] = "select 1\n" * 151
    longer["macros"]["macro.customer_tiering.share"]["macro_sql"] = "select 1\n" * 101
    assert too_long(longer) - too_long(manifest) == {"int_as_of", "share"}


def long_names(manifest: Node) -> set[str]:
    """Names of more than the 63 characters that PostgreSQL keeps; dbt makes a table for each unit test too."""
    tables = [*nodes(manifest, "model", "seed", "snapshot"), *manifest["unit_tests"].values()]
    return {node["name"] for node in tables if len(node["name"]) > 63}


def test_names_fit_postgresql(manifest: Node) -> None:
    assert long_names(manifest) == set()


def test_a_long_name_is_noticed(manifest: Node) -> None:
    longer = deepcopy(manifest)
    longer["nodes"]["model.customer_tiering.int_as_of"]["name"] = "a" * 64
    next(iter(longer["unit_tests"].values()))["name"] = "b" * 64
    assert long_names(longer) == {"a" * 64, "b" * 64}


def undescribed_arguments(manifest: Node) -> list[str]:
    """Macros of which the YAML has other arguments than the macro itself."""
    faults = []
    for macro in macros(manifest):
        if macro["name"].startswith("materialization_"):
            continue  # it has none
        written = re.match(r"\{%-? *macro \w+\((.*?)\) *-?%\}", macro["macro_sql"], re.DOTALL)
        assert written, macro["name"]
        arguments = re.findall(r"(\w+)(?:=[^,\[]+|=\[.*?\])?(?:, *|$)", written[1])
        described = [argument["name"] for argument in macro["arguments"]]
        if arguments != described or not all(row["type"] for row in macro["arguments"]):
            faults.append(f"{macro['name']}: {arguments}, described are {described}")
    return faults


def test_every_argument_of_a_macro_is_described_with_its_type(manifest: Node) -> None:
    assert undescribed_arguments(manifest) == []


@pytest.mark.parametrize(
    "signature", ["numerator", "numerator, other", "numerator, denominator=1, more=[]"]
)
def test_an_argument_that_is_not_described_is_noticed(manifest: Node, signature: str) -> None:
    changed = deepcopy(manifest)
    changed["macros"]["macro.customer_tiering.share"]["macro_sql"] = (
        f"{{% macro share({signature}) %}}"
    )
    assert len(undescribed_arguments(changed)) == 1


# -- What periods are computed from ------------------------------------------------------------------

# What models by period may read beside the facts of int_fact_fingerprints, and why no fingerprint is
# needed for it to be seen that a period has to be computed anew.
NOT_FINGERPRINTED = {
    "int_customers": "only the customer_id of a customer_key is read, which goes with it for ever",
    "int_as_of": "int_first_change compares it with that of the last build",
}


def is_by_period(node: Node) -> bool:
    hooks = node["config"].get("pre-hook", [])
    return any("delete_periods_to_compute" in hook["sql"] for hook in hooks)


def depends_on_kept_periods(node: Node) -> bool:
    """Whether a model keeps rows, each as long as a period is kept."""
    return is_by_period(node) or node["name"] == "customer_alerts"


def keeps_rows(manifest: Node, unique_id: str) -> bool:
    """Whether rows of kept periods stand: a model by period has them, or they are made of those, of seeds and periods."""
    node = manifest["nodes"].get(unique_id, {"name": "", "resource_type": "source", "config": {}})
    if is_by_period(node) or node["name"] == "int_review_periods":
        return True
    parents = node.get("depends_on", {}).get("nodes", [])
    return node["resource_type"] == "seed" or (
        bool(parents) and all(keeps_rows(manifest, parent) for parent in parents)
    )


def careless_tests(manifest: Node) -> set[str]:
    """Tests that leave rows of kept periods out, of models whose rows may be others in each build."""
    return {
        test["name"]
        for test in nodes(manifest, "test")
        if test.get("test_metadata", {}).get("kwargs", {}).get("period")
        and not keeps_rows(manifest, test["attached_node"])
    }


def test_only_rows_that_stand_are_not_tested(manifest: Node) -> None:
    assert careless_tests(manifest) == set()


def test_a_test_of_what_is_not_kept_is_noticed(manifest: Node) -> None:
    careless = deepcopy(manifest)
    for test in nodes(careless, "test"):
        if test["name"] == "customer_tiers_key":
            test["test_metadata"]["kwargs"]["period"] = "period_end"
    assert careless_tests(careless) == {"customer_tiers_key"}


def fingerprinted_facts(manifest: Node) -> set[str]:
    """The models of which int_fact_fingerprints takes the fingerprints."""
    (node,) = (row for row in nodes(manifest, "model") if row["name"] == "int_fact_fingerprints")
    return set(node["depends_on"]["nodes"])


def ways_to_raw_tables(manifest: Node) -> tuple[list[str], set[str]]:
    """How models by period come to read raw tables past all fingerprints; and what they read of
    NOT_FINGERPRINTED."""
    facts = fingerprinted_facts(manifest)
    ways, used = [], set()
    open_ways = [[node] for node in nodes(manifest, "model") if depends_on_kept_periods(node)]
    seen = {way[0]["unique_id"] for way in open_ways}
    while open_ways:
        way = open_ways.pop()
        for parent in sorted(set(way[-1]["depends_on"]["nodes"]) - facts - seen):
            node = manifest["nodes"].get(parent) or manifest["sources"][parent]
            seen.add(parent)
            if node["name"] in NOT_FINGERPRINTED:
                used.add(node["name"])
            elif node["resource_type"] == "model":
                open_ways.append([*way, node])
            elif node["resource_type"] == "seed" or node.get("source_name") == "builds":
                pass  # a build under other rules goes on from nothing; the rest is what builds say
            else:
                ways.append(" from ".join(row["name"] for row in [*way, node]))
    return ways, used


def test_periods_are_computed_from_facts_whose_fingerprints_are_taken(manifest: Node) -> None:
    """Else something new would be known and the periods that read it would still be kept."""
    assert len([node for node in nodes(manifest, "model") if is_by_period(node)]) >= 9
    ways, used = ways_to_raw_tables(manifest)
    assert ways == []
    assert used == set(NOT_FINGERPRINTED)


@pytest.mark.parametrize(
    ("reader", "read"),
    [
        ("customer_periods", "model.customer_tiering.stg_crm__customers"),
        ("int_alert_reviews", "source.customer_tiering.shop.orders"),
        ("int_customer_signals", "model.customer_tiering.int_known_customer_ids"),
        # read by a view that an incremental model reads
        ("int_customer_measures", "model.customer_tiering.int_order_reversals"),
        ("int_review_periods", "model.customer_tiering.int_orders"),
        ("int_lifecycle_rules", "model.customer_tiering.stg_shop__products"),
    ],
)
def test_what_has_no_fingerprint_is_noticed(manifest: Node, reader: str, read: str) -> None:
    broken = deepcopy(manifest)
    broken["nodes"][f"model.customer_tiering.{reader}"]["depends_on"]["nodes"].append(read)
    ways, _ = ways_to_raw_tables(broken)
    assert ways
    assert all(f"{reader} from {read.split('.')[-1]}" in way for way in ways), ways


@pytest.mark.parametrize("fact", ["int_tickets", "int_customer_ledger", "int_referrals"])
def test_a_fact_whose_fingerprint_is_no_longer_taken_is_noticed(manifest: Node, fact: str) -> None:
    broken = deepcopy(manifest)
    read = broken["nodes"]["model.customer_tiering.int_fact_fingerprints"]["depends_on"]["nodes"]
    read.remove(f"model.customer_tiering.{fact}")
    assert any(f"from {fact} from" in way for way in ways_to_raw_tables(broken)[0])


def without_fingerprint(project: CompiledProject, manifest: Node) -> Columns:
    """The columns of facts that are in no fingerprint, and those of int_customers but its ids."""
    (sql,) = (model.sql for model in project.models if model.name == "int_fact_fingerprints")
    tree = parse_one(sql, dialect="duckdb")
    tables = {
        cte.alias: table.name
        for cte in tree.find_all(exp.CTE)
        if cte.alias != "fingerprints"
        for table in cte.find_all(exp.Table)
    }
    (fingerprints,) = (cte for cte in tree.find_all(exp.CTE) if cte.alias == "fingerprints")
    taken = {("int_customers", "customer_key"), ("int_customers", "customer_id")}
    for select in fingerprints.find_all(exp.Select):
        fact = tables[select.args["from_"].this.name]
        taken |= {(fact, column.name) for column in select.find_all(exp.Column)}
    assert {fact for fact, _ in taken} == {
        "int_customers",
        *(manifest["nodes"][fact]["name"] for fact in fingerprinted_facts(manifest)),
    }
    return {
        (f"intermediate.{fact}", column)
        for fact in {fact for fact, _ in taken}
        for column in manifest["nodes"][f"model.customer_tiering.{fact}"]["columns"]
        if (fact, column) not in taken
    }


def read_without_fingerprint(
    project: CompiledProject, manifest: Node, columns: dict[str, list[str]]
) -> Columns:
    """The columns of incremental models that hold values of such a column."""
    between = tuple(
        model
        for model in project.models
        if model.schema == "intermediate" or "is_kept" in model.hook
    )
    found = derived(
        replace(project, models=between), without_fingerprint(project, manifest), columns
    )
    incremental = {relation_of(model.relation) for model in between if "is_kept" in model.hook}
    return {(relation, column) for relation, column in found if relation in incremental}


def test_no_period_holds_a_column_that_is_in_no_fingerprint(
    manifest: Node, compiled: Callable[..., CompiledProject], columns: dict[str, list[str]]
) -> None:
    assert read_without_fingerprint(compiled(), manifest, columns) == set()


@pytest.mark.parametrize(
    ("model", "before", "after", "column"),
    [
        (
            "int_customer_satisfaction",
            "satisfaction_score as rating",
            "ticket_id as rating",
            ("intermediate.int_customer_signals", "csat_sum"),
        ),
        (
            "customer_periods",
            "customer_key, customer_id",
            "customer_key, city as customer_id",
            ("marts.customer_periods", "customer_id"),
        ),
        (
            "customer_alerts",
            "customer_key, customer_id",
            "customer_key, city as customer_id",
            ("marts.customer_alerts", "customer_id"),
        ),
        (
            "int_fact_fingerprints",
            ", duration_seconds",
            "",
            ("intermediate.int_customer_signals", "usage_seconds"),
        ),
    ],
)
def test_a_column_without_fingerprint_is_noticed(
    manifest: Node,
    compiled: Callable[..., CompiledProject],
    columns: dict[str, list[str]],
    model: str,
    before: str,
    after: str,
    column: tuple[str, str],
) -> None:
    def broken(sql: str) -> str:
        assert before in sql
        return sql.replace(before, after)

    project = replace(
        compiled(),
        models=tuple(
            replace(row, sql=broken(row.sql)) if row.name == model else row
            for row in compiled().models
        ),
    )
    assert column in read_without_fingerprint(project, manifest, columns)


# -- Staging reads each column as its source declares it -------------------------------------------------

READERS = {
    "timestamp": "read_timestamp",
    "date": "read_date",
    "boolean": "read_boolean",
    "bigint": "read_whole_number",
    "decimal(18, 2)": "read_amount",
    "decimal(18, 3)": "read_quantity",
    "decimal(18, 8)": "read_rate",
}


LETTER_CASES = {"lower": "lower_case", "upper": "upper"}
MISSING_AS = {"nothing": "''", "reporting_currency": "'{{ reporting }}'"}


def reading_of(column: Node) -> str:
    """How a base model has to read a column, as the SQL of its select list."""
    name, meta = column["name"], column["config"]["meta"]
    function = READERS.get(column["data_type"]) or (
        "read_id" if name.endswith("_id") else "read_text"
    )
    if function == "read_timestamp":
        return f"read_timestamp(landed.{name}, {{{{ source_zone }}}}) as {name}"
    value = f"{function}(landed.{name})"
    if meta.get("customer_id"):
        value = f"somebody({value}, nobody.words)"
    if "letter_case" in meta:
        value = f"{LETTER_CASES[meta['letter_case']]}({value})"
    if "missing_as" in meta:
        value = f"coalesce({value}, {MISSING_AS[meta['missing_as']]})"
    return f"{value} as {name}"


def test_base_models_read_each_column_as_it_is_declared(manifest: Node) -> None:
    models = {node["name"]: node["raw_code"] for node in manifest["nodes"].values()}
    differing = []
    for source in manifest["sources"].values():
        if "key" not in source["config"]["meta"]:
            continue
        name = f"base_{source['source_name']}__{source['name']}"
        expected = {reading_of(column) for column in source["columns"].values()} | {
            f"business_date({column}, {{{{ business_zone }}}}) as {column[:-3]}_on"
            for column, declared in source["columns"].items()
            if declared["data_type"] == "timestamp"
        }
        read = {
            line.strip().removesuffix(",")
            for line in models[name].splitlines()
            if "(landed." in line or line.strip().startswith("business_date(")
        }
        differing += [f"{name}: {line}" for line in sorted(expected ^ read)]
    assert differing == []
