"""The pages of a publication, opened in a browser as people do.

Their numbers are compared with plain SQL on the marts, and hostile names and small companies must break nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path

import duckdb
import pytest
from axe_playwright_python.sync_playwright import Axe
from browser import DRAWN, LANGUAGES, SERIOUS, WIDTHS, Opened, chromium, opened, running
from made_up_publication import LABELS, TIERS, Customer, made_up
from playwright.sync_api import Browser

from customer_tiering.audit_page import Check, Verdict, write_page
from customer_tiering.errors import BuildError
from customer_tiering.language import Words
from customer_tiering.overview import page as page_module
from customer_tiering.overview.page import write_overview
from customer_tiering.overview.view import Rules
from customer_tiering.rules import Change, RuleChanges

PAGES = ("overview.html", "audit.html")
SMALLEST = 5
LARGEST_FILE = 1_500_000  # bytes
RULES = Rules(window_days=365, score_profile="retail", min_group_size=SMALLEST)
HOSTILE = (
    '</script><script>alert("1")</script>',
    "<img src=x onerror=alert(1)>",
    "{{ 7 * 7 }} {% raw %}",
    '=cmd|"/C calc"!A0',
    "👩‍👩‍👧‍👦 🏳️‍🌈",
    "שלום עולם ‮abc",
    "Straße-ohne-Umbruch-" * 12,
    "'; drop table marts.customers; --",
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = chromium()
    if program is None:
        pytest.skip("no Chromium: apt-get install chromium fonts-noto-cjk")
    with running(program) as started:
        yield started


def faults(shown: Opened) -> list[str]:
    """What is wrong with a page whatever it shows."""
    found = [*shown.messages, *(f"request: {url}" for url in shown.requests)]
    found += [f"too wide: {element}" for element in shown.too_wide()]
    violations = Axe().run(shown.page).response["violations"]
    found += [
        f"{violation['id']}: {node['html'][:200]}"
        for violation in violations
        if violation["impact"] in SERIOUS
        for node in violation["nodes"]
    ]
    return found


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", PAGES)
def test_pages_are_readable_anywhere(
    browser: Browser, sample_warehouse: Path, name: str, width: int, language: str
) -> None:
    page = sample_warehouse / name
    assert page.stat().st_size <= LARGEST_FILE
    with opened(browser, page, width, language) as shown:
        assert faults(shown) == []
        assert str(shown.page.get_attribute("html", "lang")).startswith(language)


@pytest.mark.parametrize("name", PAGES)
def test_the_language_is_switched_without_loading_the_page_again(
    browser: Browser, sample_warehouse: Path, name: str
) -> None:
    with opened(browser, sample_warehouse / name, 768, "en") as shown:
        english = shown.page.inner_text("body")
        shown.page.evaluate("window.stillThere = true")
        shown.page.click("text=中文")
        shown.page.wait_for_function(DRAWN)
        chinese = shown.page.inner_text("body")
        assert shown.page.evaluate("window.stillThere") is True
        assert faults(shown) == []
        own_words = shown.page.locator(".own").all_text_contents()
    for word in ("中文", *own_words):
        english = english.replace(word, "")
    assert not any("一" <= sign <= "龥" for sign in english)
    assert sum("一" <= sign <= "龥" for sign in chinese) > 100


def number(text: str) -> Decimal:
    return Decimal(text.replace(",", ""))


def same(shown: dict[str, str], expected: dict[str, int]) -> None:
    """Each figure is that of the marts. What is hidden is small, unless `…` says that more is hidden.

    What is missing is in `other`, in so far as its customers are in no two cells.
    """
    for codes, text in shown.items():
        if text == f"<{SMALLEST}":
            assert 0 < expected[codes] < SMALLEST, codes
        elif text not in ("…", "·") and codes != "other":
            assert number(text) == expected[codes], codes
    assert {codes for codes, text in shown.items() if text == "·"}.isdisjoint(expected)
    missing = {codes: count for codes, count in expected.items() if codes not in shown}
    assert bool(missing) == ("other" in shown), missing
    if missing:
        largest, total = max(missing.values()), sum(missing.values())
        assert number(shown["other"]) >= SMALLEST
        assert largest <= number(shown["other"]) <= total


def test_the_overview_says_what_the_marts_say(browser: Browser, sample_warehouse: Path) -> None:
    with duckdb.connect(str(sample_warehouse / "customer_tiering.duckdb"), read_only=True) as marts:

        def counts(sql: str) -> dict[str, int]:
            return {codes.strip(): count for codes, count in marts.execute(sql).fetchall()}

        [(as_of, closed_on)] = marts.execute(
            "select max(period_end), max(period_end) filter (not is_open_period) from marts.review_periods"
        ).fetchall()
        with opened(browser, sample_warehouse / "overview.html", 1440, "en") as shown:
            shown.page.eval_on_selector_all("details", "parts => parts.forEach(p => p.open = true)")

            def first(name: str, column: int = 0) -> dict[str, str]:
                return {codes: texts[column] for codes, texts in shown.table(name).items()}

            assert shown.page.get_attribute("#as-of", "data-as-of") == str(as_of)
            of_day = f"from marts.tier_summary where period_end = '{as_of}'"
            same(first("tiers"), counts(f"select tier_code, customers {of_day} and customers > 0"))
            revenue = {
                code: round_(amount)
                for code, amount in counts(f"select tier_code, window_revenue {of_day}").items()
            }
            assert {code: number(t) for code, t in first("tiers", 2).items()} == {
                code: revenue[code] for code in first("tiers", 2)
            }
            economics(shown, marts)
            campaigns(shown, marts)
            for name, column in (("lifecycle", "lifecycle_stage"), ("segments", "segment_code")):
                same(
                    first(name),
                    counts(f"select {column}, count(*) from marts.customers group by 1"),
                )
            same(
                first("movements"),
                counts(
                    "select from_tier_code || ' ' || to_tier_code, customers from marts.tier_transitions "
                    f"where to_period_end = '{closed_on}'"
                ),
            )
            same(
                {codes: texts[-1] for codes, texts in shown.table("reasons").items()},
                counts(
                    "select change_type || ' ' || reason_code, count(*) from marts.customer_periods "
                    f"where period_end = '{closed_on}' "
                    "and change_type in ('enter', 'upgrade', 'downgrade', 'leave') group by 1"
                ),
            )
            same(
                {codes: text.partition("\n")[0] for codes, text in first("map").items()},
                counts(
                    "select r_score || ' ' || f_score, count(*) from marts.customer_rfm "
                    "where frequency > 0 group by 1"
                ),
            )
            same(
                first("alerts"),
                counts(
                    "select alert_code || ' ' || severity, count(*) from marts.customer_alerts "
                    "where is_open group by 1"
                ),
            )
            same(
                first("actions"),
                counts(
                    "select coalesce(owner_department, '') || ' ' || action_code, count(*) "
                    "from marts.customer_actions where action_code <> 'none' "
                    f"and date_diff('day', date '{as_of}', due_on) <= 7 group by 1"
                ),
            )
            markets(shown, marts, closed_on)
            concentration(shown, marts)
            over_time(shown, marts)
            [(ordered, active, in_window)] = marts.execute(
                "select count(*), count(*) filter (frequency > 0), sum(monetary) "
                f"from marts.customer_periods where period_end = '{as_of}'"
            ).fetchall()
            for name, value in (("ordered", ordered), ("active", active)):
                assert number(shown.page.inner_text(f"[data-kpi={name}] b")) == value
            in_words = shown.page.inner_text("[data-kpi=revenue] b")
            assert in_words.split() == [f"{round_(in_window):,}", "CNY"]
            [rows] = marts.execute(
                "select sum(rows_in), sum(rows_rejected) from quality.reconciliation"
            ).fetchall()
            quality = shown.page.locator("#quality")
            assert (
                int(quality.get_attribute("data-rows-in") or 0),
                int(quality.get_attribute("data-rejected") or 0),
            ) == rows
            warnings = counts("select warning_code, count(*) from quality.warnings group by 1")
            assert set(shown.table("warnings")) == set(warnings)


def round_(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal(1), rounding=ROUND_HALF_EVEN)


def markets(shown: Opened, marts: duckdb.DuckDBPyConnection, closed_on: date) -> None:
    """The largest values; what is pooled is in `other`, and so not compared with a year before."""
    year_before = closed_on.replace(year=closed_on.year - 1)
    columns = {
        "region": "region",
        "industry": "industry",
        "category": "favourite_category",
        "channel": "favourite_channel",
    }
    for name, column in columns.items():
        figures: dict[date, dict[str, tuple[int, Decimal]]] = {}
        for period_end, value, customers, revenue in marts.execute(
            f"select period_end, coalesce({column}, 'unknown'), count(*), sum(monetary) "
            "from marts.customer_periods join (select customer_id, region, industry from marts.customers) "
            "using (customer_id) where frequency > 0 and period_end in ($1, $2) group by all",
            [closed_on, year_before],
        ).fetchall():
            figures.setdefault(period_end, {})[value] = (customers, revenue)
        now, before = figures[closed_on], figures[year_before]
        rows = shown.table(f"market_{name}")
        assert 1 < len(rows) <= 12
        values = [value for value in rows if value != "other"]
        assert values == sorted(values, key=lambda value: (-now[value][1], value))
        for value in values:
            customers, revenue, _, change = rows[value]
            assert number(customers) == now[value][0]
            assert number(revenue) == round_(now[value][1])
            if change != "·":
                growth = 100 * (now[value][1] / before[value][1] - 1)
                assert abs(Decimal(change.rstrip("%")) - growth) < Decimal("0.051")
        assert any(rows[value][3] != "·" for value in values)


def concentration(shown: Opened, marts: duckdb.DuckDBPyConnection) -> None:
    revenue = [
        amount
        for (amount,) in marts.execute(
            "select monetary from marts.customer_rfm where frequency > 0 order by 1 desc"
        ).fetchall()
    ]
    table = shown.table("concentration")
    assert list(table)[-1] == "100"
    for percent, texts in table.items():
        top = revenue[: int(percent) * len(revenue) // 100]
        assert texts[:2] == [f"{len(top):,}", f"{100 * sum(top) / sum(revenue):.1f}%"]


def over_time(shown: Opened, marts: duckdb.DuckDBPyConnection) -> None:
    """Tiers that are pooled in a period are in `other`."""
    columns = shown.page.eval_on_selector_all(
        "#over_time tbody tr:first-child td", "cells => cells.map(cell => cell.dataset.code)"
    )
    rows = shown.table("over_time")
    periods: dict[str, dict[str, Decimal]] = {}
    for period_end, tier, revenue in marts.execute(
        "select cast(period_end as varchar), tier_code, period_revenue from marts.tier_summary "
        "order by period_end desc, tier_code"
    ).fetchall():
        periods.setdefault(period_end, {})[tier] = revenue
    assert list(rows) == list(periods)[:24]
    for period_end, texts in rows.items():
        found = {code: number(t) for code, t in zip(columns, texts, strict=True) if t != "·"}
        assert found.pop("") == round_(sum(periods[period_end].values(), Decimal(0)))
        found.pop("other", None)
        assert found == {code: round_(periods[period_end][code]) for code in found}


def economics(shown: Opened, marts: duckdb.DuckDBPyConnection) -> None:
    """Tiers that are pooled are in `other`; together they have all of it. The sample's ladder asks for no revenue."""
    columns = "customers, round(100 * window_revenue_share, 1), service_contacts, round(100 * recommended_budget_share, 1)"
    found = {
        code: [str(value) for value in row]
        for code, *row in marts.execute(
            f"select tier_code, {columns} from marts.tier_economics"
        ).fetchall()
    }
    rows = {
        code: [text.strip("%").replace(",", "") for text in texts[:4]]
        for code, texts in shown.table("economics").items()
    }
    assert sum(int(row[0]) for row in rows.values()) == sum(int(row[0]) for row in found.values())
    assert sum(int(row[2]) for row in rows.values()) == sum(int(row[2]) for row in found.values())
    rows.pop("other", None)
    assert rows == {code: found[code] for code in rows}
    assert len(rows) > 2


def campaigns(shown: Opened, marts: duckdb.DuckDBPyConnection) -> None:
    """The sample's campaigns, the newest first: all are judged, none held out as many as its revenue asks for."""
    found = marts.execute(
        "select starts_on, effect_status, treated, held_out, [treated, held_out, treated_responses, "
        "treated - treated_responses, held_out_responses, held_out - held_out_responses] as groups, "
        "round(effect, 1), round(effect_low, 1), "
        "round(effect_high, 1), cost from marts.campaign_effects where dimension = 'all' "
        "order by starts_on desc, campaign_id"
    ).fetchall()
    rows = shown.page.eval_on_selector_all(
        "#campaigns tbody tr",
        "rows => rows.map(row => [...row.cells].slice(1).map(cell => cell.innerText))",
    )
    assert len(rows) == len(found) == 10
    for texts, row in zip(rows, found, strict=True):
        starts_on, status, treated, held_out, groups, effect, low, high, cost = row
        assert status == "judged"
        assert texts[:2] == [str(starts_on), str(treated)]
        assert texts[2].startswith(str(held_out) if held_out >= 5 else "<5")
        assert texts[-1] == ("·" if cost is None else f"{round_(cost):,}")
        if not any(0 < customers < 5 for customers in groups):
            assert texts[3] == f"{effect:+} ({low:+} to {high:+})"
            assert texts[5] == "·"
        else:
            assert texts[3:-1] == ["Too few who ordered, or did not"]
    assert {len(texts) for texts in rows} == {5, 7}


def draw(file: Path, **what: object) -> Path:
    database = made_up(file.with_suffix(".duckdb"), **what)  # type: ignore[arg-type]
    write_overview(database, RULES, file)
    return file


def test_hostile_names_are_shown_as_they_are(browser: Browser, tmp_path: Path) -> None:
    moved = ("silver", "gold", "upgrade", "reason")
    segments = [f"segment_{place}" for place in range(len(HOSTILE))]
    customers = [
        Customer(
            tier=TIERS[1 + place % 3],
            segment=segments[place % len(segments)],
            stage=f"stage {place % 3}",
            scores=(1 + place % 5, 1 + place // 5 % 5),
            moved=moved,
            alerts=(("alert", "high"),),
            actions=(("department", "action"), (HOSTILE[0], "unknown action")),
        )
        for place in range(len(HOSTILE) * 20)
    ]
    kinds = ("reason_code", "alert", "department", "action", "warning")
    codes = ("reason", "alert", "department", "action", "warning")
    labels = [
        *LABELS,
        *(("segment", code, HOSTILE[i], HOSTILE[i]) for i, code in enumerate(segments)),
        *((kind, code, HOSTILE[i], HOSTILE[i]) for i, (kind, code) in enumerate(zip(kinds, codes, strict=True))),
        ("change_type", "upgrade", HOSTILE[6], HOSTILE[6]),
        ("severity", "high", HOSTILE[5], HOSTILE[5]),
    ]  # fmt: skip
    page = draw(
        tmp_path / "overview.html",
        customers=customers,
        labels=labels,
        tier_labels=[("", "")]
        + [(HOSTILE[0], HOSTILE[0]), (HOSTILE[4], HOSTILE[4]), (HOSTILE[5], HOSTILE[5])],
        warnings=[("warning", HOSTILE[1]), ("unknown", HOSTILE[2])],
        currency=HOSTILE[1],
    )
    for width, language in ((390, "zh"), (1440, "en")):
        with opened(browser, page, width, language) as shown:
            assert faults(shown) == []
            names = shown.page.locator(f"#segments bdi[lang|={language}]")
            assert sorted(names.all_text_contents()) == sorted(HOSTILE)


@pytest.mark.parametrize(("width", "language"), [(390, "zh"), (1440, "en")])
def test_an_audit_that_failed_says_so_first(
    browser: Browser, tmp_path: Path, width: int, language: str
) -> None:
    """Whatever a suite, a seed or a var is called."""

    def check(name: str, verdict: Verdict) -> Check:
        words = Words(name, name)
        return Check("", words, words, words, words, verdict, is_comparison=True, hint=words)

    checks = [check(name, Verdict.HOLDS) for name in HOSTILE]
    checks += [check(name, Verdict.FAILS) for name in HOSTILE]
    rules = RuleChanges("RUN", [Change(Words(name, name), name, "after") for name in HOSTILE])
    page = tmp_path / "audit.html"
    write_page(page, checks, [Words(HOSTILE[0], HOSTILE[0])], rules)
    with opened(browser, page, width, language) as shown:
        assert faults(shown) == []
        table = shown.page.locator("table").first
        assert table.locator("tr.failed").count() == len(HOSTILE)
        for name, row in zip(HOSTILE, table.locator("tr.failed").all(), strict=True):
            assert name in (row.text_content() or "")
        visible = shown.page.inner_text("main")
        assert HOSTILE[0] in visible
        assert "tiering refresh --accept-change" in visible


@pytest.mark.parametrize(
    ("customers", "language", "words"),
    [
        ([], "zh", "尚无订单"),
        ([Customer(tier=None, segment="prospect", stage="prospect")], "en", "no orders yet"),
        ([Customer()], "en", "Too few customers"),
        ([Customer(tier="none", revenue=Decimal(0), frequency=0)] * 9, "zh", "无等级"),
        ([Customer(moved=("gold", "gold", "keep", None))] * 9, "en", "Nobody changed tier"),
    ],
    ids=["nobody", "nobody who ordered", "one customer", "nobody with a tier", "nobody who moved"],
)
def test_companies_that_have_little_to_show(
    browser: Browser, tmp_path: Path, customers: list[Customer], language: str, words: str
) -> None:
    page = draw(tmp_path / "overview.html", customers=customers)
    with opened(browser, page, 390, language) as shown:
        assert faults(shown) == []
        assert words in shown.page.inner_text("main")


def test_a_page_that_cannot_be_drawn_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = made_up(tmp_path / "made_up.duckdb", [Customer()] * 9)

    def fails(*_: object) -> str:
        raise ValueError("canary-value")

    monkeypatch.setattr(page_module, "render", fails)
    with pytest.raises(BuildError) as failed:
        write_overview(database, RULES, tmp_path / "overview.html")
    assert str(failed.value) == (
        f"the page overview.html cannot be drawn of {database} (ValueError)."
    )
    with duckdb.connect(str(database)) as connection:
        connection.execute("drop table marts.labels")
    with pytest.raises(BuildError, match=r"^the page overview\.html failed: .*labels.*\.$"):
        write_overview(database, RULES, tmp_path / "overview.html")
    assert not (tmp_path / "overview.html").exists()


def test_the_same_publication_gives_the_same_bytes(tmp_path: Path) -> None:
    customers = [Customer(scores=(1 + i % 5, 1)) for i in range(40)]
    first = draw(tmp_path / "first.html", customers=customers)
    second = draw(tmp_path / "second.html", customers=customers[::-1])
    assert first.read_bytes() == second.read_bytes()
    assert date.today().isoformat() not in first.read_text(encoding="utf-8")
