"""Publishes what was built: a folder of its own, made whole beside the others, then one rename.

publications/RUN/         customer_tiering.duckdb, customer_contacts.duckdb, overview.html, audit.html, parquet/, rules.json,
                          manifest.json; Parquet files whose rows are those of the publication before are one with its files
current                   points to the publication that readers see
customer_tiering.duckdb   current/customer_tiering.duckdb, so that readers have one path
customer_contacts.duckdb  current/customer_contacts.duckdb
overview.html             current/overview.html
audit.html                current/audit.html
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import duckdb

from customer_tiering.errors import BuildError, SourceError, phrase
from customer_tiering.locking import is_held
from customer_tiering.memory import limits
from customer_tiering.messages import without_values
from customer_tiering.parts import WHOLE, columns_of, contents_of, is_of, qualified
from customer_tiering.permissions import FOLDER, READERS_FILE, private_files
from customer_tiering.queries import query
from customer_tiering.quoting import identifier, literal
from customer_tiering.republishing import (
    CONTENTS,
    Built,
    Seen,
    checksum,
    link_or_copy,
    replace_what_differs,
    seen_before,
    to_take_over,
)
from customer_tiering.rules import read_rules
from customer_tiering.runs import COLUMNS, DESCRIPTION, DESCRIPTIONS, Run, column_types

WORK = "work.duckdb"
# What dbt builds in, as its profile calls it. Publications built in another database say so in their manifest.
DUCKDB = "duckdb"
# Not named like a schema in them: in marts.duckdb DuckDB refuses `marts.customers` as ambiguous.
PUBLICATION = "customer_tiering.duckdb"
RESTRICTED = "customer_contacts.duckdb"
EARLIER_NAMES = {PUBLICATION: "marts.duckdb", RESTRICTED: "restricted.duckdb"}
PUBLICATIONS = "publications"
CURRENT = "current"
MANIFEST = "manifest.json"
# The pages for people, drawn before the publication is finished.
OVERVIEW = "overview.html"
AUDIT = "audit.html"
LOG = "quality.refresh_log"
SCHEMAS = ("marts", "quality", "history")
RESTRICTED_SCHEMAS = ("restricted",)
STORAGE_VERSION = "v1.4.0"  # the oldest DuckDB whose clients can open the publication
UNFINISHED = ".partial"


@dataclass(frozen=True)
class Description:
    """What a table means, and each of its columns by name."""

    table: str
    columns: Mapping[str, str]


def publish(
    warehouse: Path,
    log: Sequence[Run],
    keys: Mapping[str, list[str]] | None = None,
    erasures: Mapping[str, object] | None = None,
    descriptions: Mapping[str, Description] | None = None,
    published_by: Mapping[str, str] | None = None,
    checks: str | None = None,
    takes_over: bool = True,
) -> Path:
    """Finish `warehouse`/work.duckdb as a publication and let readers see it; gives its folder.

    See `finish`. Raises BuildError, and then the old publication stands.
    """
    finished = finish(
        warehouse, log, keys, erasures, descriptions, published_by, checks, takes_over=takes_over
    )
    point_to(warehouse, finished)
    return finished


def finish(
    warehouse: Path,
    log: Sequence[Run],
    keys: Mapping[str, list[str]] | None = None,
    erasures: Mapping[str, object] | None = None,
    descriptions: Mapping[str, Description] | None = None,
    published_by: Mapping[str, str] | None = None,
    checks: str | None = None,
    target: str = DUCKDB,
    takes_over: bool = False,
) -> Path:
    """Make the publication of the last run of a log of `warehouse`/work.duckdb; gives its folder.

    It is whole, and readers do not see it until `point_to` shows it. The log becomes quality.refresh_log, with what the exit codes mean as
    messages. `keys` are the key columns of tables by name, by which the Parquet copies are ordered
    (all columns for other tables): so equal contents are equal bytes. `published_by` says which tables have a Parquet file for
    each part. `checks` is a digest of what tested and audited. What was laid into the folder that `prepare` gives, such as
    overview.html and audit.html, is published with it.
    `erasures`, if any, are noted in the manifest. `descriptions` by `schema.table` become comments on tables and columns.
    `target` is what dbt built in. With `takes_over`, rows and Parquet files that are those of the publication that readers
    see are taken from it, where that may be. Who else may open what is published, but for the restricted file, is for the
    umask to say. Raises BuildError, and then there is none.
    """
    run = log[-1]
    unfinished = prepare(warehouse, run.run_id)
    finished = warehouse / PUBLICATIONS / run.run_id
    rules = read_rules(unfinished)
    # what a publication must have in common with the one before, to take anything over
    said: dict[str, Any] = {
        "rules": rules and rules.digests(),
        "checks": checks,
        "erasures": erasures or None,
        "published_by": published_by,
        "keys": keys,
    }
    seen = current_publication(warehouse) if takes_over else None
    with (
        private_files() as umask,
        errors_as_build_error(f"the publication of {warehouse / PUBLICATION}"),
    ):
        described = {**(descriptions or {}), LOG: Description(DESCRIPTION, DESCRIPTIONS)}
        work = warehouse / WORK
        taken, built = _write_database(
            work,
            unfinished / PUBLICATION,
            SCHEMAS,
            described,
            log,
            published_by or {},
            seen_before(seen, said, MANIFEST, PUBLICATION),
        )
        _write_database(work, unfinished / RESTRICTED, RESTRICTED_SCHEMAS, described)
        linked = _write_parquet(work, unfinished, built, keys or {}, taken)
        said |= {CONTENTS: built.contents, "target": None if target == DUCKDB else target}
        _write_manifest(unfinished, run, said)
        _seal(unfinished, umask, linked)
        os.rename(unfinished, finished)
        sync(finished.parent)
    return finished


def prepare(warehouse: Path, run_id: str) -> Path:
    """The folder in which the publication of a run is made; it is there afterwards."""
    unfinished = warehouse / PUBLICATIONS / f"{run_id}{UNFINISHED}"
    with errors_as_build_error(f"the publication of {warehouse / PUBLICATION}"):
        unfinished.mkdir(parents=True, exist_ok=True)
    return unfinished


def point_to(warehouse: Path, publication: Path) -> None:
    """Let readers see a publication from now on. Raises BuildError, and then nothing changed.

    The files of one of the release before get the names of today beside their own. In the warehouse
    its names go.
    """
    with errors_as_build_error(f"the publication of {warehouse / PUBLICATION}"):
        for name in EARLIER_NAMES:
            file = file_of(publication, name)
            if file.name != name:
                # a hard link: DuckDB names a database after what a symbolic one points to
                os.link(file, publication / name)
            _link(warehouse / name, Path(CURRENT) / name)
        for page in (OVERVIEW, AUDIT):
            if (publication / page).is_file():
                _link(warehouse / page, Path(CURRENT) / page)
            else:  # one of the release before
                (warehouse / page).unlink(missing_ok=True)
        _link(warehouse / CURRENT, Path(PUBLICATIONS) / publication.name)
        for earlier_name in EARLIER_NAMES.values():
            (warehouse / earlier_name).unlink(missing_ok=True)
        sync(warehouse)


def file_of(folder: Path, name: str = PUBLICATION) -> Path:
    """The file of a name in a warehouse or a publication, which the release before named otherwise."""
    earlier = folder / EARLIER_NAMES[name]
    return earlier if earlier.is_file() and not (folder / name).is_file() else folder / name


def tidy(warehouse: Path, kept: int, unpublished: Collection[str] = ()) -> None:
    """Remove what runs that were cut off left, and all but the newest `kept` publications.

    What the `unpublished` runs finished readers never saw, and cannot be gone back to. The one that
    readers see always stays. To be called under the warehouse's lock. Raises BuildError.
    """
    folder = warehouse / PUBLICATIONS
    current = current_publication(warehouse)
    with errors_as_build_error(f"tidying {warehouse}"):
        for leftover in (*folder.glob(f"*{UNFINISHED}"), *warehouse.glob(f"*{UNFINISHED}")):
            if not is_held(leftover):  # a simulation that is running holds its folder
                remove(leftover)
        for publication in publications(warehouse):
            if publication.name in unpublished and publication != current:
                remove(publication)
        for publication in publications(warehouse)[:-kept]:
            if publication != current:
                remove(publication)


def publications(warehouse: Path) -> list[Path]:
    """The folders of all publications that are kept, oldest first."""
    folder = warehouse / PUBLICATIONS
    return sorted(
        path.resolve() for path in folder.glob("*") if path.is_dir() and path.suffix != UNFINISHED
    )


def current_publication(warehouse: Path) -> Path | None:
    """The folder of the publication that readers see; None before the first."""
    current = warehouse / CURRENT
    return current.resolve() if (current / MANIFEST).is_file() else None


def target_of(warehouse: Path) -> str | None:
    """What dbt built the publication that readers see in; None before the first, or when nothing says so."""
    publication = current_publication(warehouse)
    if publication is None:
        return None
    try:
        manifest = json.loads((publication / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return str(manifest.get("target", DUCKDB))


def publication_of(warehouse: Path, run_id: str) -> Path:
    """The folder of the publication of a run. Raises SourceError, naming those that are kept."""
    kept = {path.name: path for path in publications(warehouse)}
    if run_id not in kept:
        found = f"no publication of run {run_id!r}"
        raise SourceError(str(warehouse), found, f"one of {', '.join(kept) or 'none'}")
    return kept[run_id]


def verify(publication: Path) -> None:
    """Check that a publication's files are what its manifest says. Raises SourceError."""
    allowed = "the files as they were published"
    try:
        files = json.loads((publication / MANIFEST).read_text(encoding="utf-8"))["files"]
    except (OSError, ValueError, KeyError) as error:
        found = f"a manifest that cannot be read ({error})"
        raise SourceError(str(publication / MANIFEST), found, allowed) from None
    for name, published in files.items():
        path = publication / name
        if not path.is_file():
            raise SourceError(str(path), "no such file", allowed)
        if checksum(path) != published["sha256"]:
            raise SourceError(str(path), "a file with another checksum", allowed)


def open_publication(publication: Path, **config: Any) -> duckdb.DuckDBPyConnection:
    """A read-only connection in which the schemas go by their own names, such as marts.customers.

    Attached as `warehouse`, as a publication of the release before is named like its schema marts. `config` are settings
    of DuckDB.
    """
    connection = duckdb.connect(config=config)
    try:
        connection.execute(f"attach {literal(publication)} as warehouse (read_only)")
        connection.execute("use warehouse")
    except duckdb.Error:
        connection.close()
        raise
    return connection


def _write_database(
    work: Path,
    new: Path,
    schemas: tuple[str, ...],
    descriptions: Mapping[str, Description],
    log: Sequence[Run] = (),
    published_by: Mapping[str, str] | None = None,
    seen: Seen | None = None,
) -> tuple[Seen | None, Built]:
    """Write schemas of the work database into a new file, with the log of runs if there is one.

    Rows are taken over from the publication `seen` where that may be. Gives it if so, and what was built.
    """
    new.unlink(missing_ok=True)
    with duckdb.connect(config=limits(work)) as connection:
        # dbt names the work database after its file; views in it need that name.
        connection.execute(f"attach {literal(work)} as work (read_only)")
        columns = columns_of(connection, "work", schemas)
        if "marts" in schemas and not any(table.startswith("marts.") for table in columns):
            raise BuildError(f"the publication failed: {work} holds no marts.")
        by = published_by or {}
        built = Built("work", columns, contents_of(connection, "work", columns, by), by)
        taken = to_take_over(connection, seen, PUBLICATION, built) if seen else None
        if taken:
            # contents alone: the file of readers may not be written to
            shutil.copyfile(taken.folder / PUBLICATION, new)
        connection.execute(
            f"attach {literal(new)} as publication (storage_version '{STORAGE_VERSION}')"
        )
        replace_what_differs(
            connection, taken or Seen(new.parent, {CONTENTS: {}}), "publication", built
        )
        if log:
            _write_log(connection, log)
        _comment(connection, descriptions)
        connection.execute("detach publication")  # writes all of it into the one file
        connection.execute(f"attach {literal(new)} as publication (read_only)")
        if contents_of(connection, "publication", columns, by) != built.contents:
            raise BuildError(f"the publication failed: {new} does not hold the rows of {work}.")
    return taken, built


def _write_log(connection: duckdb.DuckDBPyConnection, log: Sequence[Run]) -> None:
    """Write the log of runs; of messages, which may name files and figures, what their exit codes mean."""
    columns = ", ".join(f"{name} {kind}" for name, kind in column_types().items())
    connection.execute("create schema if not exists publication.quality")
    connection.execute(f"create or replace table publication.{LOG} ({columns})")
    connection.executemany(
        f"insert into publication.{LOG} values ({', '.join('?' for _ in COLUMNS)})",
        [list(asdict(replace(run, message=phrase(run.exit_code))).values()) for run in log],
    )


def _comment(
    connection: duckdb.DuckDBPyConnection, descriptions: Mapping[str, Description]
) -> None:
    """Let tables and columns of the publication say what they mean, where that is known."""
    tables = connection.execute(query("published_columns")).fetchall()
    connection.execute("begin")
    for schema, table, columns in tables:
        if description := descriptions.get(f"{schema}.{table}"):
            name = f"publication.{identifier(schema)}.{identifier(table)}"
            connection.execute(f"comment on table {name} is {literal(description.table)}")
            for column, text in description.columns.items():
                if column in columns:
                    connection.execute(
                        f"comment on column {name}.{identifier(column)} is {literal(text)}"
                    )
    connection.execute("commit")


def _write_parquet(
    work: Path,
    publication: Path,
    built: Built,
    keys: Mapping[str, list[str]],
    seen: Seen | None,
) -> set[Path]:
    """Copy every table of a publication into Parquet files, ordered by its key; one for each part of a table in parts.

    Files of the publication `seen` with the same rows are not written again. Gives those that are one with its files.
    """
    linked = set()
    with open_publication(publication / PUBLICATION, **limits(work)) as connection:
        connection.execute("set preserve_insertion_order = true")
        for table in columns_of(connection, "warehouse", SCHEMAS):
            order = ", ".join(map(identifier, keys.get(table.split(".")[1], []))) or "all"
            for part in built.contents.get(table, {WHOLE: []}):
                name = "/".join(("parquet", *table.split("."), part)).rstrip("/") + ".parquet"
                target = publication / name
                target.parent.mkdir(parents=True, exist_ok=True)
                if seen and seen.has_part(built, table, part) and seen.has_file(name):
                    if link_or_copy(seen.folder / name, target):
                        linked.add(target)
                    continue
                connection.execute(
                    f"copy (from {qualified('warehouse', table)} "
                    f"where {is_of(table, built.published_by, part)} order by {order}) "
                    f"to {literal(target)} (format parquet, compression zstd)"
                )
    return linked


def _write_manifest(folder: Path, run: Run, said: Mapping[str, object]) -> None:
    """Write down whose publication it is, what is `said` of it, and the size and checksum of each file."""
    files = {
        str(path.relative_to(folder)): {"sha256": checksum(path), "bytes": path.stat().st_size}
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    manifest: dict[str, object] = {
        "run_id": run.run_id,
        "as_of_date": run.as_of_date,
        "files": files,
    }
    manifest |= {name: value for name, value in said.items() if value}
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")


def _seal(folder: Path, umask: int, linked: Collection[Path]) -> None:
    """Make all files read-only and durable, and let readers at those without personal data.

    Those that are another publication's too are as they should be.
    """
    for path in folder.rglob("*"):
        if path.is_file() and path not in linked:
            path.chmod(0o400 if path.name == RESTRICTED else READERS_FILE & ~umask)
            sync(path)
    for path in (folder, *folder.rglob("*")):
        if path.is_dir():
            path.chmod(FOLDER & ~umask)
            sync(path)


def _link(path: Path, target: Path) -> None:
    """Let a link point to a target, in one step for those who look at it."""
    if path.is_symlink() and path.readlink() == target:
        return
    new = path.with_name(f"{path.name}{UNFINISHED}")
    new.unlink(missing_ok=True)
    new.symlink_to(target)
    os.replace(new, path)


def remove(path: Path) -> None:
    """Remove a file, a link, or a folder with all that is in it."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


@contextmanager
def errors_as_build_error(what: str) -> Iterator[None]:
    """Turn what DuckDB or the operating system refuse into a BuildError about `what`."""
    try:
        yield
    except (duckdb.Error, OSError) as error:
        message = " ".join(without_values(str(error)).split()).rstrip(".")
        raise BuildError(f"{what} failed: {message}.") from error


def sync(path: Path) -> None:
    """Make sure that a file, or a folder's entries, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
