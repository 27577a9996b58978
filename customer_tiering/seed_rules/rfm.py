"""What the boxes of RFM cells, the fixed edges and the star ratings must be together: whole and in order."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise, product

from customer_tiering.seed_rules.findings import Findings, finding, grouped, unique_findings
from customer_tiering.seeds import (
    BANDS,
    METRICS,
    SEGMENT_MAPS,
    CellRange,
    RfmBand,
    RfmFixedEdges,
    RfmSegment,
    StarRating,
)

CELLS = tuple(product(range(1, 6), range(1, 6), range(1, 6)))


def _range_findings(seed: str, rows: Iterable[CellRange]) -> Findings:
    for row in rows:
        for metric in "rfm":
            low, high = getattr(row, f"{metric}_from"), getattr(row, f"{metric}_to")
            if low > high:
                found = f"{metric}_from {low} above {metric}_to {high}"
                yield finding(seed, row, found, f"at most {metric}_to for {metric}_from")


def _named(cell: tuple[int, int, int]) -> str:
    return "cell r={} f={} m={}".format(*cell)


def segment_findings(segments: list[RfmSegment]) -> Findings:
    yield from _range_findings("rfm_segments", segments)
    for row in segments:
        if row.segment_code in ("lapsed", "prospect"):
            allowed = "any other code, as lapsed and prospect are given without scores"
            yield finding("rfm_segments", row, f"segment_code {row.segment_code!r}", allowed)
    for name in SEGMENT_MAPS:
        rows = [row for row in segments if row.segment_map == name]
        if not rows:
            yield finding(
                "rfm_segments", None, f"no rows of segment_map {name}", "both maps, each whole"
            )
            continue
        for cell in CELLS:
            holders = [row for row in rows if row.holds(cell)]
            allowed = f"each of the {len(CELLS)} cells exactly once in a map"
            if not holders:
                yield finding(
                    "rfm_segments", rows, f"no segment for {_named(cell)} in map {name}", allowed
                )
                break
            if len(holders) > 1:
                found = f"{_named(cell)} of map {name} again (line {holders[0].line} holds it too)"
                yield finding("rfm_segments", holders[1], found, allowed)
                break


def band_findings(bands: list[RfmBand]) -> Findings:
    yield from _range_findings("rfm_bands", bands)
    for (band, priority), rows in grouped(bands, "band", "priority").items():
        if len(rows) > 1:
            found = f"priority {priority} of {band} again (it is on line {rows[0].line} too)"
            yield finding("rfm_bands", rows[1], found, "each priority once in a band")
    for band in BANDS:
        rows = [row for row in bands if row.band == band]
        if not rows:
            yield finding(
                "rfm_bands", None, f"no rows of band {band}", f"all of {', '.join(BANDS)}"
            )
            continue
        for cell in CELLS:
            if not any(row.holds(cell) for row in rows):
                found = f"no rule of band {band} for {_named(cell)}"
                yield finding(
                    "rfm_bands", rows, found, f"a rule for each of the {len(CELLS)} cells"
                )
                break


def fixed_edge_findings(edges: list[RfmFixedEdges]) -> Findings:
    yield from unique_findings("rfm_fixed_edges", edges, "metric")
    for metric in METRICS:
        if metric not in (row.metric for row in edges):
            allowed = "recency, frequency and monetary, each once"
            yield finding("rfm_fixed_edges", None, f"no row of metric {metric}", allowed)
    for row in edges:
        for low, high in pairwise(("edge_1", "edge_2", "edge_3", "edge_4")):
            if getattr(row, high) < getattr(row, low):
                found = f"{high} {getattr(row, high)} of {row.metric}"
                allowed = f"at least {getattr(row, low)}, its {low}"
                yield finding("rfm_fixed_edges", row, found, allowed)


def star_rating_findings(ratings: list[StarRating]) -> Findings:
    yield from unique_findings("star_ratings", ratings, "star_rating")
    for stars in range(1, 6):
        if stars not in (row.star_rating for row in ratings):
            yield finding("star_ratings", None, f"no star_rating {stars}", "1 to 5, each once")
    ratings = sorted(ratings, key=lambda row: row.star_rating)
    if ratings[0].min_score != 0:
        yield finding(
            "star_ratings", ratings[0], f"min_score {ratings[0].min_score} of 1 star", "0"
        )
    for low, high in pairwise(ratings):
        if high.min_score <= low.min_score:
            found = f"min_score {high.min_score} of {high.star_rating} stars"
            allowed = f"more than {low.min_score}, the min_score of {low.star_rating}"
            yield finding("star_ratings", high, found, allowed)
