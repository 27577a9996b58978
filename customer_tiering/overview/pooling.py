"""What may leave the house: figures from which no fewer than `min_group_size` customers can be told apart.

A table has cells, a cell the customers on whom its figure rests. Two things make a figure too much:

- its cell is small: 1 to min_group_size - 1 customers;
- a small group can be worked out: tables are added and subtracted until only its customers remain.

For the second, each figure is a sum over groups of customers that no table tells apart. A small group can be worked
out exactly when its own sum is a linear combination of the figures that are shown. Whoever reads the page is taken to
know which customers are in which cell, so that is more than anybody can do.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from itertools import accumulate, count

import numpy as np
import numpy.typing as npt

Members = npt.NDArray[np.bool_]
Counts = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.float64]

# Sums of zeros and ones: what is smaller than this is the noise of floating point.
NOISE = 1e-6
# Steps of the search for small groups in one round. When they do not suffice, it is taken that there is one.
STEPS = 500


class Remedy(Enum):
    """What becomes of cells that may not be shown."""

    POOL = auto()  # they are one cell, `other`
    HIDE = auto()  # they are left blank, as in a map
    WITHHOLD = auto()  # the whole table is left out, as where cells are steps of one scale


@dataclass
class Table:
    """A table of the page. `cells` says by key which of the groups are in a cell.

    `has_amounts`: beside customers it shows revenue, which rests only on customers who have some.
    `other` are the keys of cells that are pooled or hidden; `is_withheld` when nothing of it may be shown.
    """

    name: str
    cells: Mapping[Hashable, Members]
    remedy: Remedy = Remedy.POOL
    has_amounts: bool = False
    other: set[Hashable] = field(default_factory=set)
    is_withheld: bool = False

    def shown(self) -> list[Hashable]:
        """The keys of the cells that are shown as they are."""
        return [] if self.is_withheld else [key for key in self.cells if key not in self.other]

    def pooled(self) -> Members | None:
        """The groups in `other`, where that is a cell that is shown."""
        if self.is_withheld or not self.other or self.remedy is not Remedy.POOL:
            return None
        pooled: Members = np.logical_or.reduce([self.cells[key] for key in self.other])
        return pooled

    def figures(self) -> Iterator[tuple[Hashable | None, Members]]:
        """All cells of which figures are shown; the key of `other` is None."""
        for key in self.shown():
            yield key, self.cells[key]
        if (pooled := self.pooled()) is not None:
            yield None, pooled


def pool(
    families: Sequence[Sequence[Table]], customers: Counts, has_revenue: Members, smallest: int
) -> None:
    """Pool, hide or withhold cells of tables until all that they show rests on `smallest` customers or none.

    `families` are tables that say something of each other: only these are added and subtracted. Where several tables
    could give way, the last does. `customers` are those of each group, `has_revenue` says whose amounts count.
    """
    buyers = np.where(has_revenue, customers, 0)

    def is_small(table: Table, members: Members) -> bool:
        sizes = [customers[members].sum()]
        if table.has_amounts:
            sizes.append(buyers[members].sum())
        return any(0 < size < smallest for size in sizes)

    def is_safe(family: Sequence[Table], counts: Counts) -> bool:
        """Whether no small group can be worked out from a family; if one can, a cell gives way."""
        shown = [dict(table.figures()) for table in family]
        found = isolating([list(figures.values()) for figures in shown], counts, smallest)
        if found is None:
            return True
        place, cells = found
        keys = list(shown[place])
        _give_way(family[place], [keys[cell] for cell in cells], customers)
        return False

    for table in {id(table): table for family in families for table in family}.values():
        while small := [key for key, members in table.figures() if is_small(table, members)]:
            _give_way(table, small, customers)
    while not all(
        is_safe(family, customers) and is_safe([t for t in family if t.has_amounts], buyers)
        for family in families
    ):
        pass


def _give_way(table: Table, keys: Sequence[Hashable | None], customers: Counts) -> None:
    """Let the smallest of some cells go to the others; where that is `other` itself, the next smallest joins it."""

    def size(key: Hashable) -> int:
        return int(customers[table.cells[key]].sum())

    shown = [key for key in table.shown() if size(key)]
    candidates = [key for key in shown if key in keys] or shown
    if table.remedy is Remedy.WITHHOLD or not candidates:
        table.is_withheld = True
    else:
        table.other.add(min(candidates, key=size))


def isolating(
    tables: Sequence[Sequence[Members]], counts: Counts, smallest: int
) -> tuple[int, list[int]] | None:
    """Where sums and differences of cells isolate a small group: the last table that this takes, and which of its cells.

    Both by place; None when nothing does.
    """
    cells = [cell for table in tables for cell in table]
    if not cells or smallest < 2:
        return None
    shown = np.array(cells)[:, counts > 0]
    # groups that no cell tells apart are one
    columns, place = np.unique(shown, axis=1, return_inverse=True)
    sizes = np.zeros(columns.shape[1], dtype=np.int64)
    np.add.at(sizes, place.ravel(), counts[counts > 0])
    matrix = columns.astype(np.float64)
    matrix = matrix[:, matrix.any(axis=0)]
    sizes = sizes[columns.any(axis=0)]
    values, vectors = np.linalg.eigh(matrix @ matrix.T)
    is_kept = values > NOISE
    basis = matrix.T @ (vectors[:, is_kept] / np.sqrt(values[is_kept]))
    found = _small_group(basis, sizes, smallest)
    return None if found is None else _needed(matrix, found, [len(table) for table in tables])


def _needed(matrix: Numbers, group: Sequence[int], lengths: Sequence[int]) -> tuple[int, list[int]]:
    """The last table without which some groups cannot be worked out, and those of its cells that it takes, by place.

    `matrix` has a row a cell, table by table; `lengths` says how many are of each table.
    """
    products, sums = matrix @ matrix.T, matrix[:, group].sum(axis=1)

    def determine(places: Sequence[int]) -> bool:
        """Whether the part of the groups' sum that lies in the span of these cells is all of it."""
        if not places:
            return False
        inverse = np.linalg.pinv(products[np.ix_(places, places)], rcond=NOISE, hermitian=True)
        return bool(abs(sums[places] @ inverse @ sums[places] - len(group)) < NOISE)

    ends = [0, *accumulate(lengths)]
    last = next(i for i, end in enumerate(ends[1:]) if determine(range(end)) or end == ends[-1])
    earlier = list(range(ends[last]))
    needed = list(range(ends[last], ends[last + 1]))
    for place in reversed(needed[:]):
        fewer = [other for other in needed if other != place]
        if fewer and determine([*earlier, *fewer]):
            needed = fewer
    return last, [place - ends[last] for place in needed]


def _small_group(basis: Numbers, sizes: Counts, smallest: int) -> list[int] | None:
    """Groups, of fewer than `smallest` customers in all, whose sum is a combination of the figures; None without any.

    `basis` spans what the figures say, orthonormal, one row per group. Only combinations that are zero for all
    other groups matter: the span of those is small. With P its projector, S is found when for each a of S the
    P[a, b] over S add up to 1. As P[a, b] <= sqrt(P[a, a]), each P[a, a] of m groups is at least 1 / m squared;
    groups with less are others too.
    """
    most = smallest - 1
    is_candidate = sizes <= most
    while True:
        others = basis[~is_candidate]
        values, vectors = np.linalg.eigh(others.T @ others)
        basis = basis @ vectors[:, values < NOISE]
        remain = is_candidate & (np.sum(basis**2, axis=1) > 1 / most**2 - NOISE)
        if remain.sum() == is_candidate.sum():
            break
        is_candidate = remain
    candidates = np.flatnonzero(is_candidate)
    projector, customers = basis[candidates] @ basis[candidates].T, sizes[candidates]
    steps = count()

    def search(chosen: list[int]) -> list[int] | None:
        lacking = 1.0 - projector[np.ix_(chosen, chosen)].sum(axis=1)
        if np.all(np.abs(lacking) < NOISE) or next(steps) > STEPS:
            return chosen
        room = most - customers[chosen].sum()
        row = projector[chosen[int(np.argmax(lacking))]]
        # as many groups as there is room for must make up for what is lacking most
        is_help = (customers <= room) & (row > lacking.max() / max(room, 1) - NOISE)
        is_help[[*chosen, *range(chosen[0])]] = False
        for other in np.flatnonzero(is_help)[np.argsort(-row[is_help])]:
            if found := search([*chosen, int(other)]):
                return found
        return None

    for first in range(len(candidates)):
        if found := search([first]):
            return [int(place) for place in candidates[found]]
    return None
