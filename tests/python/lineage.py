"""Which columns hold values of others: lineage over the compiled SQL of the models.

A column derives from every column that its expression reads, through unions, CTEs and subqueries, and
from those that it is looked up by in a join. What is not followed, as it carries no value: conditions
that only choose rows, counts, and the order of windows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache

from compiled_project import CompiledProject
from sqlglot import exp, parse_one
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import Scope, traverse_scope

Columns = set[tuple[str, str]]  # (relation as schema.table, column)


def derived(
    project: CompiledProject,
    tagged: Columns,
    columns: Mapping[str, list[str]],
    allowed: Iterable[tuple[str, str]] = (),
) -> Columns:
    """All columns that hold values of the tagged ones, those included.

    `columns` are the columns of every relation, by schema.table. Nothing derives through an
    `allowed` column.
    """
    found = set(tagged)
    schema = tuple((relation, tuple(names)) for relation, names in sorted(columns.items()))
    for model in project.models:
        relation = relation_of(model.relation)
        names = _derived_outputs(_scopes(model.sql, schema), found)
        found |= {(relation, name) for name in names} - set(allowed)
    return found


@cache
def _scopes(sql: str, columns: tuple[tuple[str, tuple[str, ...]], ...]) -> list[Scope]:
    """The scopes of a query whose columns are all written out; kept, as most models of a case are the same."""
    schema: dict[str, dict[str, dict[str, str]]] = {}
    for relation, names in columns:
        folder, table = relation.split(".")
        schema.setdefault(folder, {})[table] = dict.fromkeys(names, "varchar")
    tree = parse_one(sql, dialect="duckdb")
    for table in tree.find_all(exp.Table):
        table.set("catalog", None)  # dbt names the database too
    tree = qualify(
        tree,
        schema=schema,
        dialect="duckdb",
        quote_identifiers=False,
        validate_qualify_columns=False,
    )
    stars = [star for star in tree.find_all(exp.Star) if not isinstance(star.parent, exp.Count)]
    assert not stars, f"a * that cannot be followed: {sql}"
    return traverse_scope(tree)


def relation_of(name: str) -> str:
    """schema.table of a relation as dbt writes it."""
    return ".".join(name.replace('"', "").split(".")[-2:])


def _derived_outputs(scopes: list[Scope], tagged: Columns) -> set[str]:
    outputs: dict[int, set[str]] = {id(scope.expression): set() for scope in scopes}
    before = -1
    while (size := sum(map(len, outputs.values()))) != before:  # a recursive CTE reads itself
        before = size
        for scope in scopes:
            outputs[id(scope.expression)] |= _outputs_of(scope, scopes, outputs, tagged)
    return outputs[id(scopes[-1].expression)]


def _outputs_of(
    scope: Scope, scopes: list[Scope], outputs: Mapping[int, set[str]], tagged: Columns
) -> set[str]:
    if isinstance(scope.expression, exp.SetOperation):
        names = scope.expression.named_selects
        return {
            names[place]
            for branch in scope.set_operation_scopes
            for place, name in enumerate(branch.expression.named_selects)
            if name in outputs[id(branch.expression)]
        }

    def holds(column: exp.Column) -> bool:
        return _is_derived(column, scope, scopes, outputs, tagged)

    looked_up = set()  # relations joined by a condition on such a column: bands, for example
    for join in scope.expression.args.get("joins") or []:
        read = list((join.args.get("on") or exp.Null()).find_all(exp.Column))
        if any(holds(column) for column in read):
            looked_up |= {column.table for column in read}
    return {
        projection.alias_or_name
        for projection in getattr(scope.expression, "selects", [])
        for column in _carrying(projection)
        if column.table in looked_up or holds(column)
    }


def _carrying(projection: exp.Expression) -> Iterator[exp.Column]:
    """The columns of an expression whose values it carries."""

    def is_order(node: exp.Expression) -> bool:
        return isinstance(node, (exp.Count, exp.Where)) or (
            isinstance(node, exp.Order) and isinstance(node.parent, exp.Window)
        )

    for node in projection.walk(prune=is_order):
        if isinstance(node, exp.Column):
            yield node


def _is_derived(
    column: exp.Column,
    scope: Scope,
    scopes: list[Scope],
    outputs: Mapping[int, set[str]],
    tagged: Columns,
) -> bool:
    for place in [scope, *scopes]:  # a subquery's own relations are those of another scope
        source = place.sources.get(column.table)
        if isinstance(source, exp.Table):
            return (f"{source.db}.{source.name}", column.name) in tagged
        if source is not None:
            return column.name in outputs.get(id(source.expression), ())
    assert not column.table, column.sql()
    return False  # the argument of a lambda
