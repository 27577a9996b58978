"""What bands of ages and balances, words of source systems and labels must be together."""

from __future__ import annotations

from itertools import pairwise

from customer_tiering.seed_rules.findings import Findings, finding, grouped, unique_findings
from customer_tiering.seed_rules.tiers import TIERLESS
from customer_tiering.seeds import (
    ORDER_STATUSES,
    AgeBand,
    CodeLabel,
    CompanySize,
    Country,
    HighNetWorthBand,
    Industry,
    OrderStatus,
    Seeds,
)

# The code of a word that a seed does not know.
OTHER = "other"


def age_band_findings(bands: list[AgeBand]) -> Findings:
    yield from unique_findings("age_bands", bands, "age_band")
    expected = 0
    for row in sorted(bands, key=lambda row: row.age_from):
        if row.age_from > row.age_to:
            found = f"age_from {row.age_from} above age_to {row.age_to}"
            yield finding("age_bands", row, found, "an age_from of at most age_to")
        if row.age_from != expected:
            allowed = f"{expected}, so that each age from 0 to 150 is in exactly one band"
            yield finding("age_bands", row, f"age_from {row.age_from} of {row.age_band}", allowed)
        expected = row.age_to + 1
    if expected != 151:
        last = max(bands, key=lambda row: row.age_to)
        allowed = "150 for the oldest band, so that each age from 0 to 150 is in exactly one band"
        yield finding("age_bands", last, f"age_to {last.age_to} of {last.age_band}", allowed)


def high_net_worth_findings(bands: list[HighNetWorthBand]) -> Findings:
    yield from unique_findings("high_net_worth_bands", bands, "high_net_worth")
    if bands[0].balance_from:
        found = f"balance_from {bands[0].balance_from} of {bands[0].high_net_worth}"
        yield finding("high_net_worth_bands", bands[0], found, "0 for the first band")
    for before, row in pairwise(bands):
        if row.balance_from <= before.balance_from:
            found = f"balance_from {row.balance_from} of {row.high_net_worth}"
            allowed = f"more than {before.balance_from}, as bands rise from the first row on"
            yield finding("high_net_worth_bands", row, found, allowed)


def order_status_findings(statuses: list[OrderStatus]) -> Findings:
    yield from unique_findings("order_statuses", statuses, "source_status")
    meaning = {row.source_status.lower(): row for row in statuses}
    for status in ORDER_STATUSES:
        row = meaning.get(status)
        if row is None or row.order_status != status:
            found = f"{status!r} read as {row.order_status!r}" if row else f"no row for {status!r}"
            allowed = f"{', '.join(ORDER_STATUSES)}, each read as itself"
            yield finding("order_statuses", row, found, allowed)


def country_findings(countries: list[Country]) -> Findings:
    yield from unique_findings("countries", countries, "country_name")
    names = {row.country_name for row in countries}
    for (code,), rows in grouped(countries, "country_code").items():
        if code not in names:
            allowed = "each country_code also a country_name, so that it is read as itself"
            yield finding("countries", rows, f"no row for the country_name {code}", allowed)


def industry_findings(industries: list[Industry]) -> Findings:
    yield from unique_findings("industries", industries, "industry_name")
    names = {row.industry_name for row in industries}
    for (code,), rows in grouped(industries, "industry").items():
        if code not in names:
            allowed = "each industry also an industry_name, so that it is read as itself"
            yield finding("industries", rows, f"no row for the industry_name {code}", allowed)
        for row in rows[1:]:
            if row.industry_group != rows[0].industry_group:
                found = f"{code} in {row.industry_group} (on line {rows[0].line} in {rows[0].industry_group})"
                yield finding("industries", row, found, "each industry in one industry_group")
    yield from _other_findings("industries", [row.industry for row in industries])


def company_size_findings(sizes: list[CompanySize]) -> Findings:
    """Bounds stand in the own row of a size; they follow each other from 0 on, the last without end."""
    yield from unique_findings("company_sizes", sizes, "company_size_name")
    for (code,), rows in grouped(sizes, "company_size").items():
        own = [row for row in rows if row.company_size_name == code]
        if not own:
            allowed = "each company_size also a company_size_name, so that it is read as itself"
            yield finding(
                "company_sizes", rows, f"no row for the company_size_name {code}", allowed
            )
        for row in rows:
            bounds = (row.employees_from, row.employees_to)
            if bounds != (None, None) and (row not in own or code == OTHER):
                allowed = f"bounds in the own row of a size alone, and none of {OTHER}"
                yield finding("company_sizes", row, f"bounds of {row.company_size_name}", allowed)
    yield from _other_findings("company_sizes", [row.company_size for row in sizes])
    bounded = [row for row in sizes if row.employees_from is not None]
    expected: int | None = 0
    for row in sorted(bounded, key=lambda row: row.employees_from or 0):
        if row.employees_from != expected:
            found = f"employees_from {row.employees_from} of {row.company_size}"
            allowed = "no size above the largest" if expected is None else str(expected)
            allowed += ", so that each number of employees is in exactly one size"
            yield finding("company_sizes", row, found, allowed)
        expected = None if row.employees_to is None else row.employees_to + 1
    if bounded and expected is not None:
        last = max(bounded, key=lambda row: row.employees_from or 0)
        found = f"employees_to {last.employees_to} of {last.company_size}"
        yield finding("company_sizes", last, found, "empty for the largest size")


def _other_findings(seed: str, codes: list[str]) -> Findings:
    if OTHER not in codes:
        allowed = f"a row for {OTHER}, the code of all words that are not here"
        yield finding(seed, None, f"no code {OTHER}", allowed)


def code_label_findings(labels: list[CodeLabel]) -> Findings:
    for (kind, code), rows in grouped(labels, "kind", "code").items():
        if len(rows) > 1:
            found = f"code {code} of kind {kind} again (it is on line {rows[0].line} too)"
            yield finding("code_labels", rows[1], found, "each code once in a kind")
        if kind == "tier" and code != TIERLESS:
            allowed = f"only {TIERLESS} of kind tier, as tiers have their labels in seeds/tiers.csv"
            yield finding("code_labels", rows[0], f"code {code} of kind tier", allowed)


def codes_without_label(seeds: Seeds) -> list[str]:
    map_kinds = {"standard": "segment", "value_matrix": "value_matrix"}
    used: dict[tuple[str, str | None], str] = {
        **{(map_kinds[s.segment_map], s.segment_code): "rfm_segments" for s in seeds.rfm_segments},
        **{(b.band, b.band_code): "rfm_bands" for b in seeds.rfm_bands},
        **{("age_band", b.age_band): "age_bands" for b in seeds.age_bands},
        **{("industry", i.industry): "industries" for i in seeds.industries},
        **{("industry_group", i.industry_group): "industries" for i in seeds.industries},
        **{("company_size", s.company_size): "company_sizes" for s in seeds.company_sizes},
        **{
            ("high_net_worth", b.high_net_worth): "high_net_worth_bands"
            for b in seeds.high_net_worth_bands
        },
        **{("action", p.action_code): "playbook" for p in seeds.playbook},
        **{("department", p.owner_department): "playbook" for p in seeds.playbook},
        **{("action_channel", p.channel): "playbook" for p in seeds.playbook},
        **{("offer", p.offer): "playbook" for p in seeds.playbook},
    }
    labelled = {(row.kind, row.code) for row in seeds.code_labels}
    return [
        f"seeds/code_labels.csv: the {kind} {code} of seeds/{seed}.csv has no label."
        for (kind, code), seed in used.items()
        if code is not None and (kind, code) not in labelled
    ]
