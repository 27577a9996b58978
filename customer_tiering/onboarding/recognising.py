"""What files are: which shipped source they fit, which table of the raw contract, and which of its columns.

A column is known by its name (column_names.yml), in several languages, and only when its values look like that. Its
place among the others says nothing.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cache
from pathlib import Path

import duckdb
import sqlglot
import yaml
from sqlglot import exp
from sqlglot.optimizer.scope import Scope, traverse_scope

from customer_tiering.mappings import FILE, PLACE, MappingFolder, Source, load_mapping
from customer_tiering.onboarding.value_forms import Form, amount_form, date_form
from customer_tiering.quoting import identifier
from customer_tiering.sources import contract_columns, declared_tables

SHIPPED = "sources"  # the folder of the project with a mapping for each source
NAMES = Path(__file__).with_name("column_names.yml")
DATES = {"timestamp", "date"}
LOOKED_AT = (
    100_000  # rows, to see what values look like; in which form they are is found with all of them
)
MINOR = re.compile("(in)?(cents|cent|minorunits|minor)$|分$")
# What an export says beside the columns of the contract.
AMOUNTS = {"amount", "unit_price", "tax", "shipping", "refunded_amount"}
ITEMS = ("product_id", "product_name", "unit_price", "line_amount")
PERSON = ("email", "phone", "full_name", "first_name", "last_name", "birth_date", "gender", "city")
COMPANY = ("industry", "company_size", "country_code", "region", "postal_code", "signed_up_at")
# Under which other names a table has a column.
STAND_INS = {
    "refunds": {
        "order_id": ["credit_note_for"],
        "refunded_at": ["ordered_at"],
        "refund_amount": ["amount", "order_amount"],
    },
    "order_items": {"line_amount": ["amount", "order_amount"]},
}


# Shipped sources


@dataclass(frozen=True)
class ShippedSource:
    """A mapping that fits: its folder, and the files of each of its sources."""

    mapping: MappingFolder
    files: dict[str, list[Path]]


def shipped_source(
    project: Path, headers: Mapping[Path, Sequence[str]], shipped: Path | None = None
) -> ShippedSource | None:
    """The shipped source that fits files by their columns; of several the one that knows most of them."""
    fitting = [
        (len(known), found)
        for path in sorted((shipped or project / SHIPPED).glob(f"*/{FILE}"))
        if (found := _fitted(load_mapping(path.parent, project), headers))
        if (known := {file for files in found.files.values() for file in files})
    ]
    return max(fitting, key=lambda one: one[0])[1] if fitting else None


def _fitted(mapping: MappingFolder, headers: Mapping[Path, Sequence[str]]) -> ShippedSource | None:
    """The files of a mapping's sources; None when a source that is not optional has none."""
    needed = columns_read(mapping)
    found: dict[str, list[Path]] = {name: [] for name in mapping.sources}
    for file, header in headers.items():
        columns = {name.lower() for name in header}
        likeness = {
            name: _likeness(file, name)
            for name, source in mapping.sources.items()
            if needed[name] <= columns
            and (needed[name] or _is_optional(file, name, source, columns))
        }
        if likeness:
            found[max(likeness, key=lambda name: (likeness[name], len(needed[name])))].append(file)
    for name, files in found.items():
        # files of one source have the same columns as the one that is called most like it
        best = max(files, key=lambda file: _likeness(file, name), default=None)
        found[name] = [file for file in files if best and set(headers[file]) == set(headers[best])]
    lacking = [
        name for name, source in mapping.sources.items() if not source.optional and not found[name]
    ]
    return None if lacking else ShippedSource(mapping, found)


def _is_optional(file: Path, name: str, source: Source, columns: set[str]) -> bool:
    """Whether a file is a source of which no column has to be there: it is called so, and has most of them."""
    known = {column.lower() for column in source.optional_columns}
    return _likeness(file, name) > 0.5 and len(known & columns) * 2 > len(known)


def _likeness(file: Path, name: str) -> float:
    return SequenceMatcher(None, file.name.partition(".")[0].lower(), name).ratio()


def columns_read(mapping: MappingFolder) -> dict[str, set[str]]:
    """The columns, in small letters, that a mapping's SQL reads of each source; those that may be missing do not count."""
    scopes = {
        name: traverse_scope(sqlglot.parse_one(sql, dialect="duckdb"))
        for name, sql in mapping.sql.items()
    }
    whole = {name: found[-1] for name, found in scopes.items()}
    read: dict[str, set[str]] = {name: set() for name in mapping.sources}
    for found in scopes.values():
        for scope in found:
            for column in scope.columns:
                for source in _origins(column.name.lower(), column.table, scope, whole):
                    if source in read:
                        read[source].add(column.name.lower())
    for name, said in mapping.sources.items():
        read[name] -= {*PLACE, *(column.lower() for column in said.optional_columns)}
    return read


def _origins(column: str, table: str, scope: Scope, whole: Mapping[str, Scope]) -> Iterator[str]:
    """The source from which a query has a column, be it through `*` of other queries. `whole` are those of steps."""
    sources = {name: source for name, (_, source) in scope.selected_sources.items()}
    names = [table] if table else list(sources)
    if len(names) > 1 or names[0] not in sources:
        return  # of which table it is, is not said
    source = sources[names[0]]
    if isinstance(source, exp.Table):
        if source.name not in whole:
            yield source.name.lower()
            return
        source = whole[source.name]
    for part in source.set_operation_scopes or [source]:
        select = part.expression
        if not isinstance(select, exp.Query) or column in {
            name.lower() for name in select.named_selects
        }:
            continue
        for star in (one for one in select.selects if one.is_star):
            yield from _origins(
                column, star.table if isinstance(star, exp.Column) else "", part, whole
            )


# Columns of other files


@dataclass(frozen=True)
class Column:
    """A column as it stands in a file, and what its values look like. Shares are of the values that are there."""

    name: str
    values: int
    distinct: int
    emails: float = 0.0
    phones: float = 0.0
    names: float = 0.0  # texts with a blank and no digit
    whole: float = 0.0  # numbers without a decimal point
    is_minor: bool = False  # called cents
    letters: frozenset[int] = frozenset()  # lengths, when all are letters A to Z
    form: Form | None = None

    @property
    def sql(self) -> str:
        """The column's name as SQL has it."""
        return sql_name(self.name)


@dataclass(frozen=True)
class Export:
    """A source of a mapping to be, recognised: the contract table that it is, and its columns by what they say, best first.

    `relation` is SQL that reads its rows; `table` is empty where it is none.
    """

    source: str
    relation: str
    rows: int
    table: str
    columns: dict[str, list[Column]]
    header: tuple[str, ...] = ()

    def has(self, *said: str) -> bool:
        """Whether there is a column for each of these."""
        return all(self.columns.get(name) for name in said)

    def column(self, said: str) -> Column | None:
        """The best column that says this."""
        return next(iter(self.columns.get(said, [])), None)


def recognise(
    connection: duckdb.DuckDBPyConnection, project: Path, source: str, relation: str, title: str
) -> Export:
    """Recognise a source's rows. `title` is what its files are called: one called as a contract table is that table."""
    described = connection.execute(f"describe select * from {relation}").fetchall()
    header = [name for name, *_ in described if name not in PLACE]
    said: dict[str, list[tuple[int, str]]] = {}
    for name in header:
        for word, rank in _said_by(name, _known_names(project)).items():
            said.setdefault(word, []).append((rank, name))
    named = {name for ranked in said.values() for _, name in ranked}
    rows, figures = _figures(connection, relation, [name for name in header if name in named])
    columns = {
        word: [
            column
            for _, name in sorted(ranked)
            if (column := _confirmed(connection, project, relation, word, figures[name]))
        ]
        for word, ranked in said.items()
    }
    columns = {word: found for word, found in columns.items() if found}
    table = title if title in contract(project) else _table_of(columns, rows)
    return Export(source, relation, rows, table, columns, tuple(header))


def read_as(
    connection: duckdb.DuckDBPyConnection, project: Path, export: Export, said: str, name: str
) -> Column:
    """A column of which somebody has said what it says."""
    _, figures = _figures(connection, export.relation, [name])
    return _confirmed(connection, project, export.relation, said, figures[name]) or figures[name]


def _said_by(name: str, known: Mapping[str, Mapping[str, int]]) -> Mapping[str, int]:
    """What a name says, be its amount in cents or not. One of the contract says nothing else."""
    plain = normalised(name)
    if exact := {
        said: rank for said, rank in known.get(plain, {}).items() if normalised(said) == plain
    }:
        return exact
    return known.get(plain) or known.get(MINOR.sub("", plain)) or {}


def normalised(name: str) -> str:
    """A name without letter case, blanks, signs and accents."""
    return re.sub(r"[\W_]", "", without_accents(name))


def without_accents(name: str) -> str:
    """A name in small letters, without accents."""
    parts = unicodedata.normalize("NFKD", name.casefold())
    return "".join(sign for sign in parts if not unicodedata.combining(sign))


@cache
def _known_names(project: Path) -> dict[str, dict[str, int]]:
    """What columns say, by their normalised names, with the rank of the name among others that say it."""
    listed = yaml.safe_load(NAMES.read_text(encoding="utf-8"))
    for columns in contract(project).values():
        for column in columns:
            listed[column] = [column, *listed.get(column, [])]
    found: dict[str, dict[str, int]] = {}
    for word, names in listed.items():
        for rank, name in enumerate(names):
            found.setdefault(normalised(str(name)), {}).setdefault(word, rank)
    return found


def _figures(
    connection: duckdb.DuckDBPyConnection, relation: str, names: Sequence[str]
) -> tuple[int, dict[str, Column]]:
    """The number of rows, and what the values of columns look like: of a large file, those of a sample."""
    sample = f"(from {relation} using sample reservoir({LOOKED_AT} rows) repeatable (1)) as sample"

    def measured(name: str) -> Iterator[str]:
        text = f"read_text({identifier(name)})"
        yield f"count({text})"
        yield f"approx_count_distinct({text})"
        for pattern in (
            r"[^@\s]+@[^@\s]+\.[^@\s]+",
            r"\+\d[\d ()/.-]{6,18}|1[3-9]\d{9}|0\d[\d ()/.-]{7,14}",
            r"[^\d]*\p{L}[^\d]* [^\d]*\p{L}[^\d]*",
            r"-?\d+",
            "[A-Za-z]+",
        ):
            yield f"count(*) filter (regexp_full_match({text}, '{pattern}'))"
        yield f"list(distinct length({text}))[:4]"

    measures = ["count(*)", *(sql for name in names for sql in measured(name))]
    found = connection.execute(f"select {', '.join(measures)} from {sample}").fetchone() or (0,)
    columns = {}
    for place, name in enumerate(names):
        values, distinct, emails, phones, blanks, numbers, letters, lengths = found[
            1 + 8 * place :
        ][:8]
        whole = max(values, 1)
        columns[name] = Column(
            name,
            values,
            distinct,
            emails / whole,
            phones / whole,
            blanks / whole,
            numbers / whole,
            MINOR.search(normalised(name)) is not None,
            frozenset(lengths or []) if values and letters == values else frozenset(),
        )
    return int(found[0]), columns


def _confirmed(
    connection: duckdb.DuckDBPyConnection,
    project: Path,
    relation: str,
    said: str,
    column: Column,
) -> Column | None:
    """A column that looks like what its name says, with its form; None where it does not, or is empty."""
    data_type = "decimal" if said in AMOUNTS else data_types(project).get(said, "string")
    if not column.values:
        return None
    if data_type in DATES:
        form = date_form(connection, relation, column.sql)
    elif data_type.startswith("decimal"):
        form = amount_form(connection, relation, column.sql)
    else:
        looks_right = {"email": column.emails > 0.5, "currency_code": column.letters == {3}}
        return column if looks_right.get(said, True) else None
    return Column(**{**column.__dict__, "form": form}) if form.fits else None


def sql_name(name: str) -> str:
    """A name as SQL has it, in quotes only where it needs them."""
    is_plain = re.fullmatch("[a-z_][a-z0-9_]*", name) and name not in reserved_words()
    return name if is_plain else identifier(name)


@cache
def contract(project: Path) -> dict[str, dict[str, bool]]:
    """The columns of each table of the contract and whether each is required, read once."""
    return contract_columns(project)


@cache
def reserved_words() -> frozenset[str]:
    """The words that SQL needs in quotes where they are names."""
    query = "select keyword_name from duckdb_keywords() where keyword_category <> 'unreserved'"
    with duckdb.connect() as connection:
        return frozenset(row[0] for row in connection.execute(query).fetchall()) | {"user"}


@cache
def data_types(project: Path) -> dict[str, str]:
    """The type of each column of the contract; those of one name have one type."""
    return {
        column["name"]: column["data_type"]
        for table in declared_tables(project)
        for column in table.get("columns", [])
    }


def _table_of(columns: Mapping[str, Sequence[Column]], rows: int) -> str:
    """The contract table that columns make; empty where they make none."""

    def has(*said: str) -> bool:
        return any(name in columns for name in said)

    who = next((columns[name][0] for name in WHO if name in columns), None)
    is_one_a_customer = who is not None and who.distinct > 0.9 * rows
    if has("refund_id") and has("refund_amount", "amount") and has("order_id", "credit_note_for"):
        return "refunds"
    if not has("order_id") and is_one_a_customer and has(*PERSON, *COMPANY):
        return "customers"
    if (
        has("ordered_at")
        and (who is not None or has("order_id"))
        and has("order_amount", "amount", "line_amount", "unit_price")
    ):
        return "orders"
    if (
        has("order_id")
        and has("product_id", "product_name")
        and has("quantity", "line_amount", "amount")
    ):
        return "order_items"
    if has("product_id") and has("product_name", "category") and who is None:
        return "products"
    return ""


# By what a customer is known, best first.
WHO = ("customer_id", "email", "phone", "customer", "full_name")
