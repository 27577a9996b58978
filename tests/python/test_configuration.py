"""A broken configuration is refused in one sentence: where, what was found, what is allowed."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
import yaml
from jinja2 import Environment
from oracle.reading import COUNTRIES

from customer_tiering.configuration import (
    PACKAGE,
    Configuration,
    ConfigurationError,
    is_period_end,
    load_configuration,
    parse_vars,
)
from customer_tiering.errors import ExitCode
from customer_tiering.seed_rules.export_columns import zoho_findings
from customer_tiering.seeds import COMPONENT_INPUTS, ExportColumn

ROOT = Path(__file__).resolve().parents[2]
Change = Callable[[Path], None]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the shipped configuration, to be broken."""
    shutil.copy(ROOT / "dbt_project.yml", tmp_path)
    (tmp_path / "seeds").mkdir()
    for seed in (ROOT / "seeds").glob("*.csv"):
        shutil.copy(seed, tmp_path / "seeds")
    return tmp_path


def replaced(file: str, old: str, new: str) -> Change:
    """Replace a piece of text that must be in the file exactly once."""

    def change(project: Path) -> None:
        path = project / file
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{old!r} is {text.count(old)} times in {file}"
        path.write_text(text.replace(old, new), encoding="utf-8")

    return change


def seed(name: str, old: str, new: str) -> Change:
    """Replace a piece of a seed; '\\n' before the old text ties it to the start of a line."""
    return replaced(f"seeds/{name}.csv", old, new)


def var(old: str, new: str) -> Change:
    return replaced("dbt_project.yml", old, new)


def appended(name: str, *lines: str) -> Change:
    def change(project: Path) -> None:
        with (project / "seeds" / f"{name}.csv").open("a", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in lines)

    return change


def on_top(name: str, *lines: str) -> Change:
    """Put rows right below a seed's header."""

    def change(project: Path) -> None:
        path = project / "seeds" / f"{name}.csv"
        header, *rows = path.read_text(encoding="utf-8").splitlines()
        path.write_text("\n".join([header, *lines, *rows, ""]), encoding="utf-8")

    return change


def written(file: str, content: bytes) -> Change:
    return lambda project: void((project / file).write_bytes(content))


def removed(file: str) -> Change:
    return lambda project: (project / file).unlink()


def without_rows(name: str, start: str) -> Change:
    """Leave out the rows of a seed that begin with a text."""

    def change(project: Path) -> None:
        path = project / "seeds" / f"{name}.csv"
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        kept = [line for line in lines if not line.startswith(start)]
        assert len(kept) < len(lines)
        path.write_text("".join(kept), encoding="utf-8")

    return change


def void(_: object) -> None:
    return None


TIERS = "seeds/tiers.csv"
WEIGHTS = "seeds/score_weights.csv"
SEGMENTS = "seeds/rfm_segments.csv"
BANDS = "seeds/rfm_bands.csv"
EDGES = "seeds/rfm_fixed_edges.csv"
STARS = "seeds/star_ratings.csv"
LIFECYCLE = "seeds/lifecycle.csv"
ALERTS = "seeds/alert_rules.csv"
PLAYBOOK = "seeds/playbook.csv"
AGES = "seeds/age_bands.csv"
WEALTH = "seeds/high_net_worth_bands.csv"
BUDGET = "seeds/budget_weights.csv"
STATUSES = "seeds/order_statuses.csv"
COUNTRY_WORDS = "seeds/countries.csv"
CHANNELS = "seeds/sales_channels.csv"
EXPORTS = "seeds/export_columns.csv"
LABELS = "seeds/code_labels.csv"

# what is broken: (change, where, found, allowed)
BROKEN_SEEDS = {
    # -- tiers
    "keep_score_above_enter_score": (
        seed("tiers", "白银,40,35", "白银,40,41"),
        f"{TIERS}, line 3",
        "keep_score 41 above enter_score 40",
        "a keep_score of at most enter_score",
    ),
    "enter_score_equal_to_the_tier_below": (
        seed("tiers", "黄金,60,55", "黄金,40,35"),
        f"{TIERS}, line 4",
        "enter_score 40 of gold",
        "more than 40, the enter_score of silver",
    ),
    "keep_score_below_the_tier_below": (
        seed("tiers", "黄金,60,55", "黄金,60,30"),
        f"{TIERS}, line 4",
        "keep_score 30 of gold",
        "at least 35, the keep_score of silver",
    ),
    "enter_score_above_100": (
        seed("tiers", "钻石,87,82", "钻石,101,82"),
        f"{TIERS}, line 6",
        "enter_score '101'",
        "from 0 to 100",
    ),
    "negative_keep_score": (
        seed("tiers", "青铜,0,0", "青铜,0,-1"),
        f"{TIERS}, line 2",
        "keep_score '-1'",
        "from 0 to 100",
    ),
    "score_with_three_decimals": (
        seed("tiers", "白银,40,35", "白银,40.125,35"),
        f"{TIERS}, line 3",
        "enter_score '40.125'",
        "at most 2 decimals",
    ),
    "score_that_is_not_a_number": (
        seed("tiers", "白银,40,35", "白银,NaN,35"),
        f"{TIERS}, line 3",
        "enter_score 'NaN'",
        "a number from 0 to 100",
    ),
    "gap_in_ranks": (
        seed("tiers", "diamond,5", "diamond,6"),
        f"{TIERS}, line 6",
        "tier_rank 6 without a tier_rank 5",
        "ranks from 1 without gaps",
    ),
    "rank_twice": (
        seed("tiers", "gold,3", "gold,2"),
        f"{TIERS}, line 4",
        "tier_rank 2 again in version 2000-01-01",
        "each tier_rank once in a version",
    ),
    "code_twice": (
        seed("tiers", "gold,3", "silver,3"),
        f"{TIERS}, line 4",
        "tier_code silver again",
        "each tier_code once in a version",
    ),
    "rank_zero": (
        seed("tiers", "bronze,1", "bronze,0"),
        f"{TIERS}, line 2",
        "tier_rank '0'",
        "a whole number from 1 to 10",
    ),
    "rank_changed_in_a_later_version": (
        appended(
            "tiers",
            "2024-01-01,silver,1,Silver,白银,0,0,1,1,,",
            "2024-01-01,bronze,2,Bronze,青铜,40,35,1,0,,",
        ),
        f"{TIERS}, line 7",
        "tier_code silver with tier_rank 1 (line 3 pairs silver with 2)",
        "the same pairs of tier_code and tier_rank in all versions",
    ),
    "another_code_for_a_rank_in_a_later_version": (
        appended("tiers", "2024-01-01,basic,1,Basic,基础,0,0,1,1,,"),
        f"{TIERS}, line 7",
        "tier_code basic with tier_rank 1 (line 2 pairs bronze with 1)",
        "the same pairs of tier_code and tier_rank in all versions",
    ),
    "later_version_without_its_first_tier": (
        appended("tiers", "2024-01-01,silver,2,Silver,白银,40,35,1,0,,"),
        f"{TIERS}, line 7",
        "tier_rank 2 without a tier_rank 1 in version 2024-01-01",
        "ranks from 1 without gaps in each version",
    ),
    "version_date_that_does_not_exist": (
        seed("tiers", "2000-01-01,silver", "2000-02-30,silver"),
        f"{TIERS}, line 3",
        "version_valid_from '2000-02-30'",
        "an ISO date (YYYY-MM-DD)",
    ),
    "version_date_in_another_order": (
        seed("tiers", "2000-01-01,silver", "01/01/2000,silver"),
        f"{TIERS}, line 3",
        "version_valid_from '01/01/2000'",
        "an ISO date (YYYY-MM-DD)",
    ),
    "tier_code_with_a_capital": (
        seed("tiers", "gold,3", "Gold,3"),
        f"{TIERS}, line 4",
        "tier_code 'Gold'",
        "a code of a-z, 0-9 and _",
    ),
    "sql_in_a_tier_code": (
        seed("tiers", "gold,3", "gold';drop table x;--,3"),
        f"{TIERS}, line 4",
        'tier_code "gold\';drop table x;--"',
        "a code of a-z, 0-9 and _",
    ),
    "tier_code_none": (
        seed("tiers", "gold,3", "none,3"),
        f"{TIERS}, line 4",
        "tier_code 'none'",
        "any other code",
    ),
    "empty_label": (
        seed("tiers", "Gold,黄金", "Gold,"),
        f"{TIERS}, line 4",
        "an empty label_zh",
        "a text of 1 to 80 characters",
    ),
    "enter_orders_fewer_than_the_tier_below": (
        seed("tiers", "73,1,0,,", "73,2,0,,"),
        f"{TIERS}, line 6",
        "enter_min_orders 1 of diamond",
        "at least 2, the enter_min_orders of platinum",
    ),
    "keep_orders_above_enter_orders": (
        seed("tiers", "82,1,0,,", "82,1,3,,"),
        f"{TIERS}, line 6",
        "keep_min_orders 3 above enter_min_orders 1",
        "a keep_min_orders of at most enter_min_orders",
    ),
    "orders_that_are_not_whole": (
        seed("tiers", "73,1,0,,", "73,2.5,0,,"),
        f"{TIERS}, line 5",
        "enter_min_orders '2.5'",
        "empty or a whole number",
    ),
    "keep_revenue_without_enter_revenue": (
        seed("tiers", "82,1,0,,", "82,1,0,,500"),
        f"{TIERS}, line 6",
        "keep_min_revenue 500 above enter_min_revenue (empty)",
        "a keep_min_revenue of at most enter_min_revenue",
    ),
    "enter_revenue_less_than_the_tier_below": (
        seed("tiers", "73,1,0,,", "73,1,0,900,"),
        f"{TIERS}, line 6",
        "enter_min_revenue (empty) of diamond",
        "at least 900, the enter_min_revenue of platinum",
    ),
    "negative_revenue": (
        seed("tiers", "82,1,0,,", "82,1,0,-5,"),
        f"{TIERS}, line 6",
        "enter_min_revenue '-5'",
        "empty or a number of 0 or more",
    ),
    # -- score weights
    "components_that_sum_to_0_99": (
        seed("score_weights", "\nretail,1,value,,0.64", "\nretail,1,value,,0.63"),
        f"{WEIGHTS}, lines 2 to 23",
        "weights of the components of profile retail that sum to 0.99",
        "a sum of exactly 1",
    ),
    "inputs_that_sum_to_0_99": (
        seed(
            "score_weights", "retail,5,value,contribution,0.4", "retail,5,value,contribution,0.39"
        ),
        f"{WEIGHTS}, lines 3 to 7",
        "weights of the inputs of component value of profile retail that sum to 0.99",
        "a sum of exactly 1",
    ),
    "inputs_of_an_unused_component_that_sum_to_more": (
        seed(
            "score_weights",
            "one_off,16,satisfaction,csat,0.3",
            "one_off,16,satisfaction,csat,0.300001",
        ),
        f"{WEIGHTS}, lines 41 to 43",
        "component satisfaction of profile one_off that sum to 1.000001",
        "a sum of exactly 1",
    ),
    "weight_above_1": (
        seed("score_weights", "one_off,1,value,,1", "one_off,1,value,,1.5"),
        f"{WEIGHTS}, line 27",
        "weight '1.5'",
        "a number from 0 to 1",
    ),
    "negative_weight": (
        seed("score_weights", "one_off,6,value,balance,0", "one_off,6,value,balance,-0.1"),
        f"{WEIGHTS}, line 32",
        "weight '-0.1'",
        "a number from 0 to 1",
    ),
    "weight_with_seven_decimals": (
        seed("score_weights", "one_off,6,value,balance,0", "one_off,6,value,balance,0.0000001"),
        f"{WEIGHTS}, line 32",
        "weight '0.0000001'",
        "at most 6 decimals",
    ),
    "empty_weight": (
        seed("score_weights", "one_off,6,value,balance,0", "one_off,6,value,balance,"),
        f"{WEIGHTS}, line 32",
        "an empty weight",
        "a number from 0 to 1",
    ),
    "unknown_component": (
        seed("score_weights", "\nretail,10,loyalty,,0.12", "\nretail,10,loyality,,0.12"),
        f"{WEIGHTS}, line 11",
        "component 'loyality' (did you mean loyalty?)",
        "one of value, growth, loyalty, satisfaction, engagement, partnership",
    ),
    "unknown_input": (
        seed("score_weights", "retail,3,value,frequency", "retail,3,value,frequence"),
        f"{WEIGHTS}, line 4",
        "input 'frequence' of value (did you mean frequency?)",
        "recency, frequency, monetary, contribution, balance",
    ),
    "input_of_another_component": (
        seed("score_weights", "retail,3,value,frequency", "retail,3,value,tenure"),
        f"{WEIGHTS}, line 4",
        "input 'tenure' of value",
        "recency, frequency, monetary, contribution, balance",
    ),
    "missing_input": (
        without_rows("score_weights", "b2b,6,"),
        f"{WEIGHTS}, lines 52 to 75",
        "no input balance of component value in profile b2b",
        "every component and every input in each profile",
    ),
    "missing_component": (
        without_rows("score_weights", "b2b,22,"),
        f"{WEIGHTS}, lines 52 to 75",
        "no component partnership in profile b2b",
        "every component and every input in each profile",
    ),
    "input_twice": (
        appended("score_weights", "subscription,26,value,balance,0"),
        f"{WEIGHTS}, line 127",
        "input balance of component value of profile subscription again",
        "each input once in a profile",
    ),
    "sort_order_that_falls": (
        seed("score_weights", "\nretail,4,", "\nretail,2,"),
        f"{WEIGHTS}, line 5",
        "sort_order 2 after 3 in profile retail",
        "a sort_order that rises from row to row",
    ),
    "growth_that_alone_could_cost_a_tier": (
        lambda project: (
            seed("score_weights", "\nretail,1,value,,0.64", "\nretail,1,value,,0.58")(project),
            seed("score_weights", "\nretail,7,growth,,0.04", "\nretail,7,growth,,0.1")(project),
        ),
        f"{TIERS}, line 3",
        "keep_score 35 of silver, 5 below its enter_score",
        f"at least 6.25 below 40: growth in profile retail ({WEIGHTS}, line 8) has a weight of 0.1, or 0.1250 where "
        "only orders are known, which times 50 is 6.25",
    ),
    "ladder_too_narrow_for_growth": (
        seed("tiers", "钻石,87,82", "钻石,87,85"),
        f"{TIERS}, line 6",
        "keep_score 85 of diamond, 2 below its enter_score",
        "at least 2.50 below 87: growth in profile retail",
    ),
    # -- segments and bands
    "overlapping_segments": (
        seed("rfm_segments", "promising,4,4,1,1", "promising,4,4,1,2"),
        f"{SEGMENTS}, line 6",
        "cell r=4 f=2 m=1 of map standard again (line 4 holds it too)",
        "each of the 125 cells exactly once",
    ),
    "cells_without_a_segment": (
        seed("rfm_segments", "hibernating,1,2,1,2", "hibernating,2,2,1,2"),
        f"{SEGMENTS}, lines 2 to 11",
        "no segment for cell r=1 f=1 m=1 in map standard",
        "each of the 125 cells exactly once",
    ),
    "segment_map_left_out": (
        without_rows("rfm_segments", "value_matrix"),
        SEGMENTS,
        "no rows of segment_map value_matrix",
        "both maps",
    ),
    "unknown_segment_map": (
        seed("rfm_segments", "standard,champions", "standart,champions"),
        f"{SEGMENTS}, line 2",
        "segment_map 'standart'",
        "one of standard, value_matrix",
    ),
    "segment_score_out_of_range": (
        seed("rfm_segments", "champions,5,5,4,5,1,5", "champions,5,6,4,5,1,5"),
        f"{SEGMENTS}, line 2",
        "r_to '6'",
        "a whole number from 1 to 5",
    ),
    "segment_range_turned_round": (
        seed("rfm_segments", "champions,5,5,4,5,1,5", "champions,5,5,5,4,1,5"),
        f"{SEGMENTS}, line 2",
        "f_from 5 above f_to 4",
        "at most f_to for f_from",
    ),
    "segment_named_lapsed": (
        seed("rfm_segments", "hibernating", "lapsed"),
        f"{SEGMENTS}, line 11",
        "segment_code 'lapsed'",
        "any other code",
    ),
    "band_with_a_hole": (
        seed(
            "rfm_bands",
            "purchasing_power,2,medium,1,5,1,5,3,3",
            "purchasing_power,2,medium,1,5,2,5,3,3",
        ),
        f"{BANDS}, lines 7 to 9",
        "no rule of band purchasing_power for cell r=1 f=1 m=3",
        "a rule for each of the 125 cells",
    ),
    "band_priority_twice": (
        seed("rfm_bands", "buyer_type,2,regular", "buyer_type,1,regular"),
        f"{BANDS}, line 14",
        "priority 1 of buyer_type again (it is on line 13 too)",
        "each priority once in a band",
    ),
    "band_left_out": (
        without_rows("rfm_bands", "buyer_type"),
        BANDS,
        "no rows of band buyer_type",
        "all of value_class, purchasing_power, purchase_frequency_band, buyer_type",
    ),
    # -- edges, stars, ages, words
    "fixed_edges_that_fall": (
        seed("rfm_fixed_edges", "recency,30,90,180,270", "recency,30,90,80,270"),
        f"{EDGES}, line 2",
        "edge_3 80 of recency",
        "at least 90, its edge_2",
    ),
    "negative_fixed_edge": (
        seed("rfm_fixed_edges", "monetary,100", "monetary,-100"),
        f"{EDGES}, line 4",
        "edge_1 '-100'",
        "a number of 0 or more",
    ),
    "metric_left_out": (
        without_rows("rfm_fixed_edges", "frequency"),
        EDGES,
        "no row of metric frequency",
        "recency, frequency and monetary, each once",
    ),
    "metric_twice": (
        appended("rfm_fixed_edges", "recency,1,2,3,4"),
        f"{EDGES}, line 5",
        "metric 'recency' again (it is on line 2 too)",
        "each metric once",
    ),
    "unknown_metric": (
        seed("rfm_fixed_edges", "\nmonetary", "\nmargin"),
        f"{EDGES}, line 4",
        "metric 'margin'",
        "one of recency, frequency, monetary",
    ),
    "stars_that_do_not_begin_at_0": (
        seed("star_ratings", "\n1,0", "\n1,5"),
        f"{STARS}, line 2",
        "min_score 5 of 1 star",
        "allowed is 0",
    ),
    "stars_out_of_order": (
        seed("star_ratings", "\n4,60", "\n4,30"),
        f"{STARS}, line 5",
        "min_score 30 of 4 stars",
        "more than 40, the min_score of 3",
    ),
    "star_left_out": (
        without_rows("star_ratings", "5,"),
        STARS,
        "no star_rating 5",
        "1 to 5, each once",
    ),
    "lifecycle_that_leaves_order_days_out": (
        without_rows("lifecycle", "8,"),
        LIFECYCLE,
        "no rule without ratios for 4 order days",
        "one for every number of order days from 0",
    ),
    "lifecycle_rule_that_is_never_reached": (
        seed("lifecycle", "8,active,maintenance,1,,,", "8,active,maintenance,1,3,,"),
        f"{LIFECYCLE}, line 9",
        "a rule for active that is never reached",
        "a rule whose order days no rule before it takes whatever the gaps",
    ),
    "lifecycle_priority_twice": (
        seed("lifecycle", "\n3,dormant", "\n2,dormant"),
        f"{LIFECYCLE}, line 4",
        "priority '2' again",
        "each priority once",
    ),
    "lifecycle_order_days_that_fall": (
        seed("lifecycle", "developing,maintenance,2,3", "developing,maintenance,3,2"),
        f"{LIFECYCLE}, line 8",
        "order_days_to 2 below order_days_from 3",
        "at least order_days_from",
    ),
    "lifecycle_stage_in_two_classic_stages": (
        appended("lifecycle", "9,lost,maintenance,1,,9,"),
        f"{LIFECYCLE}, line 10",
        "classic_stage maintenance for lost",
        "allowed is exit",
    ),
    "unknown_lifecycle_stage": (
        seed("lifecycle", "dormant", "sleeping"),
        f"{LIFECYCLE}, line 4",
        "lifecycle_stage 'sleeping'",
        "one of prospect, new, developing",
    ),
    "negative_gap_ratio": (
        seed("lifecycle", "4,at_risk,maintenance,1,,1.5,", "4,at_risk,maintenance,1,,-1.5,"),
        f"{LIFECYCLE}, line 5",
        "gap_ratio_from '-1.5'",
        "a number from 0 to 1000",
    ),
    "too_many_lifecycle_rules": (
        appended("lifecycle", "\n".join(f"{n},lost,exit,1,,9," for n in range(9, 14))),
        f"{LIFECYCLE}, lines 2 to 14",
        "13 rules",
        "at most 12",
    ),
    "unknown_alert": (
        seed("alert_rules", "spend_drop,high", "spend_dropp,high"),
        f"{ALERTS}, line 4",
        "alert_code 'spend_dropp'",
        "one of purchases_slowing, spend_drop",
    ),
    "severity_of_an_alert_twice": (
        appended("alert_rules", "spend_drop,high,80,,,,win_back_spending"),
        f"{ALERTS}, line 19",
        "severity high of spend_drop again (it is on line 4 too)",
        "each severity once an alert",
    ),
    "alert_whose_limits_cross": (
        seed("alert_rules", "purchases_slowing,high,3,6", "purchases_slowing,high,6,6"),
        f"{ALERTS}, line 2",
        "measure_from 6 with measure_below 6",
        "less than measure_below",
    ),
    "alert_with_an_unknown_action": (
        seed("alert_rules", "7,,4,call_detractor", "7,,4,call_detractors"),
        f"{ALERTS}, line 10",
        "action_code 'call_detractors' (did you mean call_detractor?)",
        "an action of seeds/playbook.csv",
    ),
    "alert_with_a_negative_limit": (
        seed("alert_rules", "spend_drop,high,70", "spend_drop,high,-70"),
        f"{ALERTS}, line 4",
        "measure_from '-70'",
        "0 or more",
    ),
    "playbook_priority_twice": (
        seed("playbook", "\n20,", "\n10,"),
        f"{PLAYBOOK}, line 3",
        "priority '10' again",
        "each priority once",
    ),
    "playbook_for_no_rank": (
        seed("playbook", "false,4,,,,,Holds one", "false,4,3,,,,Holds one"),
        f"{PLAYBOOK}, line 17",
        "tier ranks from 4 to 3",
        "a range that holds a rank, from 0 (no tier) to 5",
    ),
    "playbook_for_an_unknown_segment": (
        seed("playbook", ",cant_lose,", ",cannot_lose,"),
        f"{PLAYBOOK}, line 10",
        "segment_code 'cannot_lose'",
        "a segment of the standard map",
    ),
    "playbook_for_a_stage_without_a_rule": (
        without_rows("lifecycle", "5,"),
        f"{PLAYBOOK}, line 16",
        "lifecycle_stage 'won_back', which no rule of the lifecycle gives",
        "empty or one of active, at_risk",
    ),
    "playbook_for_an_alert_without_a_rule": (
        without_rows("alert_rules", "complaint_surge"),
        f"{PLAYBOOK}, line 3",
        "alert_code 'complaint_surge', for which there is no rule",
        "an alert of seeds/alert_rules.csv",
    ),
    "figures_where_there_is_no_alert": (
        seed("playbook", "Has just made a first order.", "First order {now} days ago."),
        f"{PLAYBOOK}, line 14",
        "a reason with the figures of an alert, but no alert_code",
        "only in entries for an alert",
    ),
    "unknown_place_in_a_reason": (
        seed("playbook", "Spends {measure} % less", "Spends {percent} % less"),
        f"{PLAYBOOK}, line 8",
        "because_en 'Spends {percent}",
        "no braces but {measure}",
    ),
    "playbook_entry_that_is_never_reached": (
        appended("playbook", "300,vip_service,sales,,,neutral,false,5,,,,,Top.,顶级。"),
        f"{PLAYBOOK}, line 28",
        "an entry for vip_service that is never reached",
        "the entry on line 17 does not take",
    ),
    "playbook_with_a_channel_that_the_department_lacks": (
        seed("playbook", "remind_to_reorder,marketing,email", "remind_to_reorder,marketing,phone"),
        f"{PLAYBOOK}, line 7",
        "channel phone for marketing",
        "that it has by seeds/department_channels.csv: email, sms, app",
    ),
    "channel_of_a_department_twice": (
        appended("department_channels", "sales,phone"),
        "seeds/department_channels.csv, line 11",
        "channel phone of sales again (it is on line 9 too)",
        "each channel once a department",
    ),
    "offer_that_recommends_twice": (
        appended("recommending_offers", "free_shipping"),
        "seeds/recommending_offers.csv, line 7",
        "offer 'free_shipping' again",
        "each offer once",
    ),
    "recommending_offer_that_nobody_makes": (
        appended("recommending_offers", "free_shiping"),
        "seeds/recommending_offers.csv, line 7",
        "offer 'free_shiping' (did you mean free_shipping?)",
        "an offer of seeds/playbook.csv",
    ),
    "benefit_of_a_tier_twice": (
        appended("tier_benefits", "silver,birthday_gift,Birthday gift,生日礼遇,1,0"),
        "seeds/tier_benefits.csv, line 12",
        "benefit birthday_gift of silver again (it is on line 2 too)",
        "each benefit once a tier",
    ),
    "benefit_of_two_names": (
        appended("tier_benefits", "silver,cash_back,Money back,消费返现,1,0"),
        "seeds/tier_benefits.csv, line 12",
        "labels 'Money back' and '消费返现' of cash_back",
        "those of line 7: 'Cash back' and '消费返现'",
    ),
    "benefit_that_costs_more_than_all_revenue": (
        appended("tier_benefits", "silver,cash_back,Cash back,消费返现,0,101"),
        "seeds/tier_benefits.csv, line 12",
        "percent_of_revenue '101'",
        "a number from 0 to 100 with at most 2 decimals",
    ),
    "rhythms_that_leave_customers_out": (
        without_rows("contact_rhythms", "0,"),
        "seeds/contact_rhythms.csv",
        "no row with tier_rank_from 0",
        "so that every customer has a rhythm",
    ),
    "rhythm_twice": (
        appended("contact_rhythms", "5,7"),
        "seeds/contact_rhythms.csv, line 7",
        "tier_rank_from '5' again",
        "each tier_rank_from once",
    ),
    "rhythm_of_no_days": (
        appended("contact_rhythms", "1,0"),
        "seeds/contact_rhythms.csv, line 7",
        "days_between_contacts '0'",
        "a whole number from 1 to 3660",
    ),
    "playbook_that_leaves_customers_out": (
        without_rows("playbook", "1000,"),
        PLAYBOOK,
        "no entry of action none without conditions",
        "for those for whom nothing else is due",
    ),
    "unknown_stance": (
        seed("playbook", "dedicated_contact,neutral", "dedicated_contact,both"),
        f"{PLAYBOOK}, line 17",
        "stance 'both'",
        "one of protect, expand, neutral",
    ),
    "consent_in_other_words": (
        seed("playbook", "dedicated_contact,neutral,false", "dedicated_contact,neutral,no"),
        f"{PLAYBOOK}, line 17",
        "is_marketing 'no'",
        "one of true, false",
    ),
    "age_bands_that_overlap": (
        seed("age_bands", "25_34,25,34", "25_34,24,34"),
        f"{AGES}, line 4",
        "age_from 24 of 25_34",
        "allowed is 25",
    ),
    "age_bands_with_a_gap": (
        seed("age_bands", "under_18,0,17", "under_18,0,16"),
        f"{AGES}, line 3",
        "age_from 18 of 18_24",
        "allowed is 17",
    ),
    "age_bands_that_end_too_early": (
        seed("age_bands", "65_plus,65,150", "65_plus,65,99"),
        f"{AGES}, line 8",
        "age_to 99 of 65_plus",
        "150 for the oldest band",
    ),
    "balance_bands_that_do_not_rise": (
        seed("high_net_worth_bands", "high_net_worth,1000000", "high_net_worth,500000"),
        f"{WEALTH}, line 4",
        "balance_from 500000 of high_net_worth",
        "more than 500000",
    ),
    "balance_bands_that_begin_above_0": (
        seed("high_net_worth_bands", "mass,0", "mass,1"),
        f"{WEALTH}, line 2",
        "balance_from 1 of mass",
        "0 for the first band",
    ),
    "a_balance_band_below_0": (
        seed("high_net_worth_bands", "mass,0", "mass,-1"),
        f"{WEALTH}, line 2",
        "balance_from '-1'",
        "a number of 0 or more",
    ),
    "a_balance_band_again": (
        seed("high_net_worth_bands", "affluent,", "mass,"),
        f"{WEALTH}, line 3",
        "high_net_worth 'mass' again",
        "each high_net_worth once",
    ),
    "budget_weights_that_are_more_than_a_whole": (
        seed("budget_weights", "window_revenue,0.4", "window_revenue,0.5"),
        f"{BUDGET}, lines 2 to 5",
        "weights that sum to 1.1",
        "weights that sum to 1",
    ),
    "unknown_budget_driver": (
        seed("budget_weights", "growth_potential", "growth"),
        f"{BUDGET}, line 4",
        "driver 'growth'",
        "one of window_revenue, revenue_at_risk, growth_potential, service_contacts",
    ),
    "a_budget_driver_left_out": (
        seed("budget_weights", "0.2\ngrowth_potential,0.2", "0.4"),
        BUDGET,
        "no driver growth_potential",
        "every driver (weight 0 leaves it out)",
    ),
    "a_budget_driver_again": (
        seed("budget_weights", "growth_potential,0.2", "growth_potential,0.2\ngrowth_potential,0"),
        f"{BUDGET}, line 5",
        "driver 'growth_potential' again (it is on line 4 too)",
        "each driver once",
    ),
    "a_budget_weight_above_1": (
        seed("budget_weights", "window_revenue,0.4", "window_revenue,4"),
        f"{BUDGET}, line 2",
        "weight '4'",
        "a number from 0 to 1",
    ),
    "unknown_target_status": (
        seed("order_statuses", "\npaid,completed", "\npaid,done"),
        f"{STATUSES}, line 23",
        "order_status 'done'",
        "one of pending, completed, cancelled, returned",
    ),
    "source_status_twice_in_another_case": (
        appended("order_statuses", "PAID,pending,"),
        f"{STATUSES}, line 64",
        "source_status 'PAID' again (it is on line 23 too)",
        "each source_status once, whatever its case",
    ),
    "canonical_status_left_out": (
        without_rows("order_statuses", "returned,"),
        STATUSES,
        "no row for 'returned'",
        "each read as itself",
    ),
    "country_name_twice_in_another_case": (
        appended("countries", "VIETNAM,VN"),
        f"{COUNTRY_WORDS}, line 1818",
        "country_name 'VIETNAM' again (it is on line 1754 too)",
        "each country_name once, whatever its case",
    ),
    "country_code_of_three_letters": (
        seed("countries", "\nVNM,VN", "\nVNM,VNM"),
        f"{COUNTRY_WORDS}, line 1752",
        "country_code 'VNM'",
        "a country's code of two capitals",
    ),
    "country_code_not_read_as_itself": (
        without_rows("countries", "VN,"),
        f"{COUNTRY_WORDS}, lines 1751 to 1756",
        "no row for the country_name VN",
        "each country_code also a country_name",
    ),
    "unknown_channel_type": (
        seed("sales_channels", "\nphone,online", "\nphone,on-line"),
        f"{CHANNELS}, line 10",
        "channel_type 'on-line'",
        "one of online, offline",
    ),
    "industry_word_twice_in_another_case": (
        appended("industries", "RETAIL,retail,retail"),
        "seeds/industries.csv, line 615",
        "industry_name 'RETAIL' again (it is on line",
        "each industry_name once, whatever its case",
    ),
    "industry_in_two_groups": (
        appended("industries", "dairy farming,agriculture,services"),
        "seeds/industries.csv, line 615",
        "agriculture in services (on line 2 in primary)",
        "each industry in one industry_group",
    ),
    "industry_not_read_as_itself": (
        appended("industries", "dragon breeding,dragons,primary"),
        "seeds/industries.csv, line 615",
        "no row for the industry_name dragons",
        "each industry also an industry_name",
    ),
    "no_code_for_unknown_industries": (
        written(
            "seeds/industries.csv", b"industry_name,industry,industry_group\nretail,retail,retail\n"
        ),
        "seeds/industries.csv",
        "no code other",
        "a row for other",
    ),
    "company_sizes_with_a_gap": (
        seed("company_sizes", "\nsmall,small,10,49", "\nsmall,small,11,49"),
        "seeds/company_sizes.csv, line 22",
        "employees_from 11 of small",
        "10, so that each number of employees is in exactly one size",
    ),
    "largest_company_size_with_an_end": (
        seed("company_sizes", "\nlarge,large,250,", "\nlarge,large,250,999"),
        "seeds/company_sizes.csv, line 60",
        "employees_to 999 of large",
        "empty for the largest size",
    ),
    "bounds_of_a_word_for_a_size": (
        seed("company_sizes", "\n1-9,micro,,", "\n1-9,micro,1,9"),
        "seeds/company_sizes.csv, line 3",
        "bounds of 1-9",
        "bounds in the own row of a size alone",
    ),
    "company_size_not_read_as_itself": (
        appended("company_sizes", "gigantic,giant,,"),
        "seeds/company_sizes.csv, line 95",
        "no row for the company_size_name giant",
        "each company_size also a company_size_name",
    ),
    "layout_without_a_key": (
        seed("export_columns", "Customer_ID,true", "Customer_ID,false"),
        f"{EXPORTS}, lines 46 to 72",
        "layout zoho without a key",
        "exactly one column with is_key true",
    ),
    "key_that_names_no_customer": (
        seed("export_columns", "Customer_Tier_Rank,false", "Customer_Tier_Rank,true"),
        f"{EXPORTS}, line 51",
        "tier_rank as the key of layout zoho",
        "customer_id alone",
    ),
    "exported_column_that_is_not_there": (
        seed("export_columns", "plain,5,tier_code", "plain,5,tier_cod"),
        f"{EXPORTS}, line 6",
        "source_column 'tier_cod' (did you mean tier_code?)",
        "one of customer_id, root_customer_id, customer_type",
    ),
    "exported_name_that_is_not_marked_as_personal": (
        seed("export_columns", "Last_Name,false,true", "Last_Name,false,false"),
        f"{EXPORTS}, line 47",
        "is_personal false for full_name",
        "allowed is true",
    ),
    "exported_tier_that_is_marked_as_personal": (
        seed("export_columns", "客户等级,false,false", "客户等级,false,true"),
        f"{EXPORTS}, line 77",
        "is_personal true for tier_label_zh",
        "allowed is false",
    ),
    "exported_under_one_name_twice": (
        seed("export_columns", ",Star_Rating,", ",customer_TIER,"),
        f"{EXPORTS}, line 57",
        "target_name 'customer_TIER' of layout zoho again (line 50 has it too)",
        "each target_name once in a layout",
    ),
    "exported_at_one_place_twice": (
        seed("export_columns", "fxiaoke,6,", "fxiaoke,5,"),
        f"{EXPORTS}, line 78",
        "position '5' of layout fxiaoke again (line 77 has it too)",
        "each position once in a layout",
    ),
    "exported_twice": (
        appended("export_columns", "fxiaoke,24,tier_since,何时,false,false"),
        f"{EXPORTS}, line 96",
        "source_column 'tier_since' of layout fxiaoke again (line 78 has it too)",
        "each source_column once in a layout",
    ),
    "exported_under_a_formula": (
        seed("export_columns", "客户等级", "＝1+1"),
        f"{EXPORTS}, line 77",
        "target_name '＝1+1'",
        "does not begin like a formula",
    ),
    "exported_to_zoho_under_no_api_name": (
        seed("export_columns", ",Star_Rating,", ",Star Rating,"),
        f"{EXPORTS}, line 57",
        "target_name 'Star Rating' in layout zoho",
        "the API name of a field of Zoho CRM",
    ),
    "exported_to_zoho_under_no_api_name_in_a_layout_of_ones_own": (
        appended("export_columns", "zoho_accounts,1,customer_id,客户,true,false"),
        f"{EXPORTS}, line 96",
        "target_name '客户' in layout zoho_accounts",
        "the API name of a field of Zoho CRM",
    ),
    "code_labelled_twice": (
        on_top("code_labels", "colour,red,Red,红", "colour,red,Crimson,红"),
        f"{LABELS}, line 3",
        "code red of kind colour again (it is on line 2 too)",
        "each code once in a kind",
    ),
    "tier_labelled_in_the_wrong_seed": (
        on_top("code_labels", "tier,gold,Gold,黄金"),
        f"{LABELS}, line 2",
        "code gold of kind tier",
        "only none of kind tier",
    ),
    "code_without_its_english_label": (
        on_top("code_labels", "colour,red,,红"),
        f"{LABELS}, line 2",
        "an empty label_en",
        "a text of 1 to 80 characters",
    ),
    # -- files
    "missing_seed": (
        removed(TIERS),
        TIERS,
        "no such file",
        "a comma-separated text file in UTF-8",
    ),
    "empty_seed": (
        written(BANDS, b""),
        BANDS,
        "an empty file",
        "a header with the columns",
    ),
    "seed_without_rows": (
        written(STARS, b"star_rating,min_score\n"),
        STARS,
        "a header without rows",
        "at least one row",
    ),
    "seed_that_is_not_utf_8": (
        written(CHANNELS, "channel,channel_type\nweb,online\n門市,offline\n".encode("big5")),
        f"{CHANNELS}, line 3",
        "a byte that is not UTF-8",
        "in UTF-8",
    ),
    "open_quote": (
        seed("sales_channels", "\nweb,online", '\n"web,online'),
        f"{CHANNELS}, line 3",
        "a line that is not CSV",
        "a comma-separated text file",
    ),
    "semicolons_instead_of_commas": (
        written(STARS, b"star_rating;min_score\n1;0\n"),
        f"{STARS}, line 1",
        "an unknown column 'star_rating;min_score'",
        "the columns star_rating, min_score",
    ),
    "unknown_column": (
        seed("tiers", "label_zh,enter_score", "label_zh,entry_score"),
        f"{TIERS}, line 1",
        "an unknown column 'entry_score' (did you mean enter_score?)",
        "the columns version_valid_from, tier_code",
    ),
    "missing_column": (
        written(STARS, b"star_rating\n1\n"),
        f"{STARS}, line 1",
        "no column min_score",
        "the columns star_rating, min_score",
    ),
    "column_twice": (
        written(STARS, b"star_rating,min_score,min_score\n1,0,0\n"),
        f"{STARS}, line 1",
        "the column min_score more than once",
        "each once",
    ),
    "row_with_too_many_cells": (
        appended("sales_channels", "kiosk,offline,24h"),
        f"{CHANNELS}, line 17",
        "3 cells",
        "2 cells, as in the header",
    ),
    "blank_around_a_value": (
        seed("tiers", "gold,3", " gold,3"),
        f"{TIERS}, line 4",
        "tier_code ' gold'",
        "a value without blanks around it",
    ),
}

PROJECT = "dbt_project.yml"
FIXED = {"rfm_edges": "frozen"}

# what is broken: (change of dbt_project.yml or None, overrides, where, found, allowed)
BROKEN_VARS = {
    "a name that is no list": (
        None,
        {"profile_attributes": "diet"},
        "command line, var profile_attributes",
        "'diet'",
        "a list of names of attributes in small letters, each once, such as [diet, hobby]",
    ),
    "an attribute twice": (
        None,
        {"profile_attributes": ["diet", "diet"]},
        "command line, var profile_attributes",
        "['diet', 'diet']",
        "each once",
    ),
    "an attribute in capitals": (
        None,
        {"profile_attributes": ["Diet"]},
        "command line, var profile_attributes",
        "['Diet']",
        "in small letters",
    ),
    "a dimension that is there already": (
        None,
        {"profile_dimensions": ["income", "region"]},
        "command line, var profile_dimensions",
        "['income', 'region']",
        "none of them a dimension that segment_profiles has already",
    ),
    "unknown_var": (
        var("rfm_window_days: 365", "rfm_window: 365"),
        {},
        f"{PROJECT}, var rfm_window",
        "an unknown var 'rfm_window' (did you mean rfm_window_days?)",
        "one of raw_path, raw_schema, mapping, as_of_date",
    ),
    "unknown_var_on_the_command_line": (
        None,
        {"tier_grace_period": 2},
        "command line, var tier_grace_period",
        "an unknown var 'tier_grace_period' (did you mean tier_grace_periods?)",
        "one of raw_path",
    ),
    "missing_var": (
        var("    tier_validity: rolling\n", ""),
        {},
        f"{PROJECT}, var tier_validity",
        "no value",
        "rolling, calendar_year or anniversary",
    ),
    "var_without_a_value": (
        var("tier_validity: rolling", "tier_validity:"),
        {},
        f"{PROJECT}, var tier_validity",
        "no value",
        "rolling, calendar_year or anniversary",
    ),
    "unknown_tier_level": (
        var("tier_level: customer", "tier_level: company"),
        {},
        f"{PROJECT}, var tier_level",
        "'company'",
        "customer or group",
    ),
    "window_of_0_days": (
        var("rfm_window_days: 365", "rfm_window_days: 0"),
        {},
        f"{PROJECT}, var rfm_window_days",
        "found 0",
        "a whole number from 1 to 3660",
    ),
    "window_too_long": (None, {"rfm_window_days": 3661}, "rfm_window_days", "3661", "1 to 3660"),
    "number_as_text": (
        None,
        {"rfm_window_days": "365"},
        "rfm_window_days",
        "'365'",
        "a whole number",
    ),
    "number_as_boolean": (
        None,
        {"tier_grace_periods": True},
        "tier_grace_periods",
        "True",
        "a whole number from 0 to 520",
    ),
    "number_with_a_fraction": (
        None,
        {"tier_min_hold_periods": 2.5},
        "tier_min_hold_periods",
        "2.5",
        "a whole number from 0 to 520",
    ),
    "no_recent_days": (
        None,
        {"alert_recent_days": 0},
        "alert_recent_days",
        "0",
        "a whole number from 1 to 366",
    ),
    "too_many_open_actions": (
        None,
        {"max_open_actions": 21},
        "max_open_actions",
        "21",
        "a whole number from 1 to 20",
    ),
    "no_response_days": (
        None,
        {"campaign_response_days": 0},
        "campaign_response_days",
        "0",
        "a whole number from 1 to 366",
    ),
    "more_than_half_held_out": (
        None,
        {"holdout_percent": 51},
        "holdout_percent",
        "51",
        "a whole number from 0 to 50",
    ),
    "rows_may_shrink_by_more_than_all": (
        None,
        {"audit_max_shrink_percent": 101},
        "audit_max_shrink_percent",
        "101",
        "a whole number from 0 to 100",
    ),
    "tier_shift_below_zero": (
        var("audit_max_tier_shift_points: 10", "audit_max_tier_shift_points: -1"),
        {},
        f"{PROJECT}, var audit_max_tier_shift_points",
        "-1",
        "a whole number from 0 to 100",
    ),
    "score_shift_with_a_fraction": (
        None,
        {"audit_max_score_shift": 2.5},
        "audit_max_score_shift",
        "2.5",
        "a whole number from 0 to 100",
    ),
    "unknown_shift_as_text": (
        None,
        {"audit_max_unknown_shift_points": "25"},
        "audit_max_unknown_shift_points",
        "'25'",
        "a whole number from 0 to 100",
    ),
    "nobody_to_compare": (
        None,
        {"audit_min_customers": 0},
        "audit_min_customers",
        "0",
        "a whole number from 1 to 999999999",
    ),
    "number_with_sql": (
        None,
        {"rfm_window_days": "365) or (1=1"},
        "rfm_window_days",
        "'365) or (1=1'",
        "a whole number from 1 to 3660",
    ),
    "list_instead_of_a_word": (
        None,
        {"review_period": ["month"]},
        "review_period",
        "['month']",
        "month, week or quarter",
    ),
    "unknown_review_period": (
        None,
        {"review_period": "year"},
        "review_period",
        "'year'",
        "month, week or quarter",
    ),
    "unknown_as_of_date": (
        None,
        {"as_of_date": "tomorrow"},
        "as_of_date",
        "'tomorrow'",
        "latest, yesterday or an ISO date",
    ),
    "day_that_does_not_exist": (
        None,
        {"as_of_date": "2025-02-29"},
        "as_of_date",
        "'2025-02-29'",
        "an ISO date (YYYY-MM-DD)",
    ),
    "sql_in_a_date": (
        None,
        {"as_of_date": "2025-01-01' or '1'='1"},
        "as_of_date",
        "2025-01-01'",
        "latest, yesterday or an ISO date",
    ),
    "mistyped_century": (
        None,
        {"run_date": "20225-01-01"},
        "run_date",
        "'20225-01-01'",
        "today or an ISO date (YYYY-MM-DD) from 1900 to 2199",
    ),
    "as_of_date_after_run_date": (
        None,
        {"as_of_date": "2025-03-02", "run_date": "2025-03-01"},
        "as_of_date",
        "2025-03-02",
        "2025-03-01 (run_date) or earlier",
    ),
    "as_of_date_before_history": (
        None,
        {"as_of_date": "1999-12-31"},
        "as_of_date",
        "1999-12-31",
        "2000-01-01 (history_starts_on) or later",
    ),
    "unknown_time_zone": (
        None,
        {"business_time_zone": "Asia/Shangai"},
        "business_time_zone",
        "'Asia/Shangai' (did you mean Asia/Shanghai?)",
        "an IANA time zone",
    ),
    "sql_in_a_time_zone": (
        None,
        {"source_time_zone": "UTC'; drop schema marts cascade; --"},
        "source_time_zone",
        "UTC'; drop schema marts cascade; --",
        "an IANA time zone",
    ),
    "currency_in_small_letters": (
        None,
        {"reporting_currency": "eur"},
        "reporting_currency",
        "'eur'",
        "three capital letters",
    ),
    "unknown_edges_method": (
        None,
        {"rfm_edges": "quantiles"},
        "rfm_edges",
        "'quantiles'",
        "quantile, fixed or frozen",
    ),
    "frozen_without_a_date": (
        None,
        {"rfm_edges": "frozen"},
        "dbt_project.yml, var rfm_edges_frozen_on",
        "''",
        "as rfm_edges is frozen",
    ),
    "frozen_date_without_frozen_edges": (
        None,
        {"rfm_edges_frozen_on": "2024-12-31"},
        "rfm_edges_frozen_on",
        "2024-12-31",
        "empty, as rfm_edges is quantile",
    ),
    "frozen_within_a_month": (
        None,
        {**FIXED, "rfm_edges_frozen_on": "2024-12-30"},
        "rfm_edges_frozen_on",
        "2024-12-30",
        "the last day of a month (review_period)",
    ),
    "frozen_within_a_quarter": (
        None,
        {**FIXED, "rfm_edges_frozen_on": "2024-11-30", "review_period": "quarter"},
        "rfm_edges_frozen_on",
        "2024-11-30",
        "the last day of a quarter (review_period)",
    ),
    "frozen_on_a_saturday": (
        None,
        {**FIXED, "rfm_edges_frozen_on": "2024-11-30", "review_period": "week"},
        "rfm_edges_frozen_on",
        "2024-11-30",
        "the last day of a week (review_period)",
    ),
    "frozen_on_a_period_not_yet_closed": (
        None,
        {**FIXED, "rfm_edges_frozen_on": "2025-01-31", "as_of_date": "2025-01-15"},
        "rfm_edges_frozen_on",
        "2025-01-31",
        "2025-01-15 (as_of_date) or earlier",
    ),
    "unknown_profile": (
        None,
        {"score_profile": "retial"},
        "score_profile",
        "'retial' (did you mean retail?)",
        "a profile of seeds/score_weights.csv (retail, one_off, b2b, finance, subscription)",
    ),
    "profile_in_capitals": (
        None,
        {"score_profile": "Retail"},
        "score_profile",
        "'Retail' (did you mean retail?)",
        "a profile of seeds/score_weights.csv (retail",
    ),
    "raw_schema_of_three_parts": (
        None,
        {"raw_schema": "server.database.schema"},
        "raw_schema",
        "'server.database.schema'",
        "empty, schema or database.schema",
    ),
    "sql_in_raw_schema": (
        None,
        {"raw_schema": "raw; drop schema marts"},
        "raw_schema",
        "'raw; drop schema marts'",
        "letters, digits and _",
    ),
    "sql_in_raw_path": (
        None,
        {"raw_path": "x') union select * from read_csv('/etc/hosts"},
        "raw_path",
        "union select",
        "a folder whose path has no quotes",
    ),
    "wildcard_in_raw_path": (
        None,
        {"raw_path": "landing/*/today"},
        "raw_path",
        "'landing/*/today'",
        "braces or wildcards",
    ),
    "no_raw_at_all": (
        None,
        {"raw_path": ""},
        "raw_path",
        "''",
        "a folder, as raw_schema is empty",
    ),
    "project_file_missing": (
        removed(PROJECT),
        {},
        PROJECT,
        "no such file",
        "a readable YAML file",
    ),
    "project_file_that_is_not_yaml": (
        var("review_period: month", "review_period: [month"),
        {},
        f"{PROJECT}, line ",
        "text that is not YAML",
        "a readable YAML file",
    ),
    "project_without_vars": (
        written(PROJECT, b"name: customer_tiering\n"),
        {},
        PROJECT,
        "no section vars: customer_tiering:",
        "vars: customer_tiering:",
    ),
}


def refusal(project: Path, overrides: dict[str, object]) -> str:
    """What is first told of a configuration that is refused; each finding must be one sentence."""
    return refusals(project, overrides)[0]


def refusals(project: Path, overrides: dict[str, object]) -> list[str]:
    """All that is told of a configuration that is refused."""
    with pytest.raises(ConfigurationError) as caught:
        load_configuration(project, overrides)
    assert caught.value.exit_code == ExitCode.CONFIGURATION
    findings = [str(finding) for finding in getattr(caught.value, "findings", [caught.value])]
    for finding in findings:
        assert "\n" not in finding
        assert finding.endswith(".")
        assert ". " not in finding
    if len(findings) > 1:
        lines = [f"- {finding}" for finding in findings]
        assert str(caught.value) == "\n".join(["rules that do not hold:", *lines])
    return findings


@pytest.mark.parametrize(
    ("change", "where", "found", "allowed"), BROKEN_SEEDS.values(), ids=BROKEN_SEEDS
)
def test_broken_seed_is_refused(
    project: Path, change: Change, where: str, found: str, allowed: str
) -> None:
    change(project)
    message = refusal(project, {})
    assert message.startswith(f"{where}: found ")
    assert found in message.partition("; allowed is ")[0]
    assert allowed in f"allowed is {message.partition('; allowed is ')[2]}"


@pytest.mark.parametrize(
    ("change", "overrides", "where", "found", "allowed"), BROKEN_VARS.values(), ids=BROKEN_VARS
)
def test_broken_var_is_refused(
    project: Path,
    change: Change | None,
    overrides: dict[str, object],
    where: str,
    found: str,
    allowed: str,
) -> None:
    if change:
        change(project)
    head, _, tail = refusal(project, overrides).partition("; allowed is ")
    assert where in head.partition(": found ")[0]
    assert found in f"found {head.partition(': found ')[2]}"
    assert allowed in tail


class Returned(Exception):  # noqa: N818 - no error
    """What a macro returns."""


class PlainDbt:
    """The macros that check vars in plain dbt, without dbt."""

    def __init__(self, values: dict[str, object]) -> None:
        files = ("settings.sql", "checked_vars.sql")
        folder = ROOT / "macros" / "configuration"
        text = "".join((folder / file).read_text(encoding="utf-8") for file in files)
        known = {"customer_tiering": self, "modules": {"re": re}, "var": values.__getitem__}
        known |= {"return": self._return, "exceptions": {"raise_compiler_error": self._refuse}}
        self._macros = Environment().from_string(text, known).module

    def __getattr__(self, name: str) -> Callable[..., object]:
        def call(*arguments: object) -> object:
            try:
                return str(getattr(self._macros, name)(*arguments))
            except Returned as returned:
                return returned.args[0]

        return call

    def _return(self, value: object) -> None:
        raise Returned(value)

    def _refuse(self, sentence: str) -> None:
        raise ValueError(sentence)


def test_plain_dbt_reads_vars_as_the_command_line_does(project: Path) -> None:
    values = yaml.safe_load((ROOT / PROJECT).read_text(encoding="utf-8"))["vars"][PACKAGE]
    settings = load_configuration(project, {}).settings
    dbt = PlainDbt(values)
    assert list(dbt.settings()) == list(type(settings).model_fields)
    for name in values:
        value = getattr(settings, name)
        assert dbt.setting(name) == (value.isoformat() if isinstance(value, date) else value)


def test_plain_dbt_refuses_vars_in_the_words_of_the_command_line(project: Path) -> None:
    """A text that nothing may be, and each number that is one too small or too large."""
    broken: list[tuple[str, object]] = []
    for name, rule in PlainDbt({}).settings().items():
        # dbt takes any folder, and the seeds say which names there are
        if rule["type"] not in ("folder", "name"):
            broken.append((name, "';'"))
        if rule["type"] == "number":
            broken += [(name, rule["from"] - 1), (name, rule["to"] + 1)]
            for value in (rule["from"], rule["to"]):
                assert PlainDbt({name: value}).setting(name) == value
    for name, value in broken:
        allowed = refusal(project, {name: value}).partition("; allowed is ")[2]
        with pytest.raises(ValueError, match=f"^dbt_project.yml, vars: {name} is ") as refused:
            PlainDbt({name: value}).setting(name)
        assert str(refused.value).endswith(f"is '{value}'; allowed is {allowed}")


@pytest.mark.parametrize("names", [[], ["diet", "收入"], ("diet", "city class")])
def test_plain_dbt_takes_lists_of_names(names: list[str]) -> None:
    assert PlainDbt({"profile_attributes": names}).setting("profile_attributes") == names


@pytest.mark.parametrize(
    "names",
    [["diet", "diet"], ["Diet"], [" diet"], ["gender "], [1], {"diet": 1}, ["a'b"], ["gender"]],
)
def test_plain_dbt_refuses_other_names(names: object) -> None:
    with pytest.raises(ValueError, match="allowed is a list of names"):
        PlainDbt({"profile_dimensions": names}).setting("profile_dimensions")


def test_the_dimensions_that_are_there_already_are_those_of_the_model() -> None:
    pattern = PlainDbt({}).settings()["profile_dimensions"]["pattern"]
    macro = (ROOT / "macros" / "profiled_dimensions.sql").read_text(encoding="utf-8")
    assert pattern.partition("(?!(")[2].partition(")")[0].split("|") == re.findall(
        r"'(\w+)'", macro
    )


def test_vars_are_read_by_their_table_alone() -> None:
    """A var that is read past `setting` would be checked by nobody."""
    own = ("checked_vars.sql", "tier_drift.sql")  # the latter's vars are its own
    readers = [
        path.name
        for folder in ("models", "macros", "seeds", "analyses", "tests")
        for path in (ROOT / folder).rglob("*.*")
        if path.suffix in (".sql", ".yml") and re.search(r"\bvar\(", path.read_text("utf-8"))
    ]
    assert sorted(readers) == sorted(own)


@pytest.mark.parametrize(
    ("key", "found"), [("", "no value"), ("a-key-too-short", "a key of 15 characters")]
)
def test_pseudonyms_without_a_good_key_are_refused(
    project: Path, monkeypatch: pytest.MonkeyPatch, key: str, found: str
) -> None:
    monkeypatch.setenv("DBT_ENV_SECRET_PSEUDONYM_KEY", key)
    assert load_configuration(project, {})
    with pytest.raises(ConfigurationError) as error:
        load_configuration(project, {"pseudonymise_ids": True})
    assert str(error.value) == (
        f"environment variable DBT_ENV_SECRET_PSEUDONYM_KEY: found {found}; "
        "allowed is a secret of at least 16 characters, as pseudonymise_ids is true (to make one, and keep it: export "
        "DBT_ENV_SECRET_PSEUDONYM_KEY=$(python3 -c 'import secrets; print(secrets.token_hex(16))'))."
    )
    monkeypatch.setenv("DBT_ENV_SECRET_PSEUDONYM_KEY", "a-key-long-enough")
    assert load_configuration(project, {"pseudonymise_ids": True}).settings.pseudonymise_ids


@pytest.mark.parametrize("text", ["{x", "rfm_window_days", "- a", "", "3"])
def test_vars_that_are_no_mapping_are_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^command line, --vars: found .*; allowed is "):
        parse_vars(text)


def test_shipped_configuration_is_valid(project: Path) -> None:
    configuration = load_configuration(project, {})
    assert configuration.notes == []
    assert configuration.overrides == {}
    assert len(configuration.seeds.tiers) == 5


def test_every_country_has_codes_and_words(project: Path) -> None:
    countries = load_configuration(project, {}).seeds.countries
    codes = {row.country_name.lower(): row.country_code for row in countries}
    assert {word: codes.get(word) for word in COUNTRIES} == COUNTRIES
    words: dict[str, list[str]] = {}
    for row in countries:
        words.setdefault(row.country_code, []).append(row.country_name)
    assert len(words) == 249 + 1  # ISO 3166-1, and Kosovo
    for code, names in words.items():
        assert any(re.fullmatch("[A-Z]{3}", name) for name in names), code
        assert any(re.fullmatch("[A-Z][a-z].+", name) for name in names), code
        assert any("\u4e00" <= name[0] <= "\u9fff" for name in names), code


@pytest.mark.parametrize("profile", ["retail", "one_off", "b2b", "finance", "subscription"])
def test_every_shipped_profile_is_valid(project: Path, profile: str) -> None:
    configuration = load_configuration(project, {"score_profile": profile})
    assert configuration.settings.score_profile == profile
    assert profile in configuration.seeds.profiles


def test_defaults_come_from_the_project_file(project: Path) -> None:
    var("rfm_window_days: 365", "rfm_window_days: 400")(project)
    assert load_configuration(project, {}).settings.rfm_window_days == 400
    assert load_configuration(project, {"rfm_window_days": 90}).settings.rfm_window_days == 90


def test_tier_may_be_added(project: Path) -> None:
    appended("tiers", "2000-01-01,black,6,Black,黑卡,95,90,5,0,50000,20000.50")(project)
    assert [row.tier_rank for row in load_configuration(project, {}).seeds.tiers][-1] == 6


def test_rule_version_may_be_added_with_fewer_tiers(project: Path) -> None:
    appended(
        "tiers",
        "2025-07-01,bronze,1,Bronze,青铜,0,0,1,1,,",
        "2025-07-01,silver,2,Silver,白银,45,40,1,0,,",
        "2025-07-01,gold,3,Gold,黄金,70,60,2,0,,",
    )(project)
    versions = {row.version_valid_from for row in load_configuration(project, {}).seeds.tiers}
    assert versions == {date(2000, 1, 1), date(2025, 7, 1)}


def test_profile_may_be_added(project: Path) -> None:
    path = project / "seeds" / "score_weights.csv"
    lines = path.read_text(encoding="utf-8").splitlines()
    ours = [line.replace("retail,", "kiosk,", 1) for line in lines if line.startswith("retail,")]
    appended("score_weights", *ours)(project)
    assert load_configuration(project, {"score_profile": "kiosk"}).seeds.profiles[-1] == "kiosk"


def test_growth_may_weigh_what_the_ladder_allows(project: Path) -> None:
    """Growth of 0.08 is 0.1 where only orders are known; 0.1 x 50 is the 5 points of the ladder."""
    seed("score_weights", "\nretail,1,value,,0.64", "\nretail,1,value,,0.6")(project)
    seed("score_weights", "\nretail,7,growth,,0.04", "\nretail,7,growth,,0.08")(project)
    load_configuration(project, {})


def test_growth_of_the_profile_in_use_alone_is_checked(project: Path) -> None:
    """Two points are too few for the growth of retail and enough for one_off, which has none."""
    seed("tiers", "钻石,87,82", "钻石,87,85")(project)
    load_configuration(project, {"score_profile": "one_off"})
    assert "growth in profile retail " in refusal(project, {})
    (finding,) = refusals(project, {"score_profile": "subscription"})
    assert "growth in profile subscription " in finding
    var("score_profile: retail", "score_profile: one_off")(project)
    load_configuration(project, {})


THREE_TIERS = (
    "2000-01-01,basic,1,Basic,基础,0,0,1,1,,",
    "2000-01-01,plus,2,Plus,进阶,40,41,1,0,,",
    "2000-01-01,top,3,Top,顶级,80,79,2,0,,",
)


def other_tiers(*rows: str) -> Change:
    """Replace the whole ladder."""

    def change(project: Path) -> None:
        path = project / "seeds" / "tiers.csv"
        header = path.read_text(encoding="utf-8").splitlines()[0]
        path.write_text("\n".join([header, *rows, ""]), encoding="utf-8")

    return change


def test_all_that_a_ladder_of_three_tiers_asks_for_is_told_at_once(project: Path) -> None:
    other_tiers(*THREE_TIERS)(project)
    found = [finding.partition(";")[0] for finding in refusals(project, {})]
    alert = f"{ALERTS}, line {{}}: found tier_rank_from 4 for {{}}"
    assert found == [
        f"{TIERS}, line 3: found keep_score 41 above enter_score 40",
        f"{TIERS}, line 4: found keep_score 79 of top, 1 below its enter_score",
        alert.format(10, "detractor_in_high_tier"),
        alert.format(12, "downgrade_ahead"),
        alert.format(15, "silent_high_value"),
        alert.format(16, "silent_high_value"),
        f"{PLAYBOOK}, line 17: found tier ranks from 4 to 3 for vip_service",
        f"{PLAYBOOK}, line 18: found tier ranks from 4 to 3 for exclusive_offer",
    ]
    seed("tiers", "进阶,40,41", "进阶,40,35")(project)
    seed("tiers", "顶级,80,79", "顶级,80,75")(project)
    seed("alert_rules", "detractor_in_high_tier,high,,7,,4", "detractor_in_high_tier,high,,7,,3")(
        project
    )
    seed("alert_rules", "downgrade_ahead,high,,46,,4", "downgrade_ahead,high,,46,,3")(project)
    seed("alert_rules", "silent_high_value,high,120,,,4", "silent_high_value,high,120,,,3")(project)
    seed("alert_rules", "silent_high_value,medium,60,,,4", "silent_high_value,medium,60,,,3")(
        project
    )
    seed("playbook", "neutral,false,4,", "neutral,false,3,")(project)
    seed("playbook", "expand,true,4,", "expand,true,3,")(project)
    assert load_configuration(project, {}).notes == [
        "seeds/tier_benefits.csv has costs of tiers that seeds/tiers.csv does not have: silver, gold, platinum, diamond."
    ]


def test_a_ladder_by_revenue_alone_may_have_no_score_lines(project: Path) -> None:
    limits = (("", ""), ("500", "400"), ("2000", "1500"), ("5000", "4000"), ("20000", "15000"))
    other_tiers(
        *(
            f"2000-01-01,level_{rank},{rank},Level {rank},等级{rank},0,0,1,0,{enter},{keep}"
            for rank, (enter, keep) in enumerate(limits, start=1)
        )
    )(project)
    assert len(load_configuration(project, {}).seeds.tiers) == 5
    seed("tiers", "0,0,1,0,2000,1500", "0,0,1,0,500,400")(project)
    assert refusals(project, {}) == [
        f"{TIERS}, line 4: found enter_score 0 of level_3, with the same least orders and revenue; allowed is "
        "more than 0, the enter_score of level_2 below it, or more of the others."
    ]


def test_profile_with_little_value_is_a_note(project: Path) -> None:
    seed("score_weights", "subscription,1,value,,0.5", "subscription,1,value,,0.45")(project)
    seed("score_weights", "subscription,10,loyalty,,0.15", "subscription,10,loyalty,,0.2")(project)
    (note,) = load_configuration(project, {}).notes
    assert "line 102: profile subscription gives value a weight of 0.45" in note


def test_a_file_for_zoho_has_at_most_200_columns() -> None:
    columns = [
        ExportColumn(
            line=2 + place,
            layout="zoho",
            position=str(1 + place),
            source_column=source,
            target_name=f"Field_{place}",
            is_key="true" if source == "customer_id" else "false",
            is_personal="false",
        )
        for place, source in enumerate(["customer_id", *["tier_code"] * 200])
    ]
    (finding,) = zoho_findings("zoho", columns)
    assert re.search(r"lines 2 to 202: found 201 columns .* at most 200", str(finding))
    assert not list(zoho_findings("zoho", columns[:200]))


def test_components_and_inputs_of_the_check_are_those_of_the_models() -> None:
    """The check knows inputs more: those that no model computes are unknown for everybody."""
    returned: list = []
    text = (ROOT / "macros/score_inputs.sql").read_text(encoding="utf-8")
    as_dbt_has_it = Environment(extensions=["jinja2.ext.do"])
    macros = as_dbt_has_it.from_string(text, globals={"return": returned.append}).module
    macros.score_components()
    macros.score_inputs()
    components, inputs = returned
    assert components == list(COMPONENT_INPUTS)
    assert {(component, name) for component, name in inputs} <= {
        (component, name) for component, names in COMPONENT_INPUTS.items() for name in names
    }


def test_layout_may_be_added(project: Path) -> None:
    appended("export_columns", "zoho_accounts,1,customer_id,Account_Name.Code,true,false")(project)
    configuration = load_configuration(project, {})
    assert configuration.seeds.export_columns[-1].layout == "zoho_accounts"


def test_code_without_a_label_is_a_note(project: Path) -> None:
    seed("rfm_segments", "standard,need_attention", "standard,rising")(project)
    assert load_configuration(project, {}).notes == [
        "seeds/code_labels.csv: the segment rising of seeds/rfm_segments.csv has no label."
    ]


def test_columns_may_come_in_another_order(project: Path) -> None:
    rows = b"min_score,star_rating\r\n80,5\r\n0,1\r\n20,2\r\n\r\n40,3\r\n60,4\r\n"
    written(STARS, b"\xef\xbb\xbf" + rows)(project)
    ratings = load_configuration(project, {}).seeds.star_ratings
    assert {row.star_rating: row.line for row in ratings} == {5: 2, 1: 3, 2: 4, 3: 6, 4: 7}


def test_dates_may_be_yaml_dates(project: Path) -> None:
    configuration: Configuration = load_configuration(
        project,
        parse_vars("{as_of_date: 2025-06-30, rfm_edges: frozen, rfm_edges_frozen_on: 2024-12-31}"),
    )
    assert configuration.settings.as_of_date == date(2025, 6, 30)
    assert configuration.overrides == {
        "as_of_date": "2025-06-30",
        "rfm_edges": "frozen",
        "rfm_edges_frozen_on": "2024-12-31",
    }


@pytest.mark.parametrize(
    ("day", "review_period", "is_end"),
    [
        (date(2024, 2, 29), "month", True),
        (date(2024, 2, 28), "month", False),
        (date(2025, 2, 28), "month", True),
        (date(2025, 6, 30), "quarter", True),
        (date(2025, 5, 31), "quarter", False),
        (date(2025, 6, 29), "week", True),
        (date(2025, 6, 30), "week", False),
    ],
)
def test_period_ends(day: date, review_period: str, is_end: bool) -> None:
    assert is_period_end(day, review_period) is is_end
