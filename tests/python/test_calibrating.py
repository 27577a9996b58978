"""Ladders for wanted shares, on publications of customers counted by hand and on models built with the proposal."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from io import StringIO
from itertools import product
from pathlib import Path

import duckdb
import numpy as np
import pytest
from compiled_project import PROJECT
from typer.testing import CliRunner, Result

from customer_tiering import cli
from customer_tiering.calibrating import (
    EQUALLY_NEAR,
    Calibration,
    _Plan,
    _Search,
    calibrate,
    newest_ladder,
    propose,
    proposed_file,
    read_shares,
)
from customer_tiering.configuration import Configuration, load_configuration
from customer_tiering.errors import ConfigurationError, ExitCode, SourceError
from customer_tiering.publishing import publish
from customer_tiering.replaying import Reviews, ladders_by_review, read_reviews, replay
from customer_tiering.runs import Ledger

SHARES = "diamond=2,platinum=8,gold=20,silver=30"
ENDS = ("2025-01-31", "2025-02-28", "2025-03-31", "2025-04-30", "2025-05-31")
LADDER = """
2000-01-01,bronze,1,Bronze,青铜,0,0,1,1,,
2000-01-01,silver,2,Silver,白银,40,35,1,0,,
2000-01-01,gold,3,Gold,黄金,60,55,1,0,,
2000-01-01,platinum,4,Platinum,铂金,78,73,2,0,,
2000-01-01,diamond,5,Diamond,钻石,88,83,3,0,,
""".lstrip()
# By this ladder, whatever the orders: 88, 78, 60, 40 and 0 points. Customer n has n points.
RANK = "case when n >= 88 then 5 when n >= 78 then 4 when n >= 60 then 3 when n >= 40 then 2 else 1 end"
NO_MORE_THAN_GOLD = "case when n >= 60 then 3 when n >= 40 then 2 else 1 end"

Warehouse = Callable[..., Path]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the shipped configuration, with the ladder above."""
    folder = tmp_path / "project"
    (folder / "seeds").mkdir(parents=True)
    shutil.copy(PROJECT / "dbt_project.yml", folder)
    for seed in (PROJECT / "seeds").glob("*.csv"):
        shutil.copy(seed, folder / "seeds")
    tiers = folder / "seeds" / "tiers.csv"
    header = tiers.read_text(encoding="utf-8").splitlines(keepends=True)[0]
    tiers.write_text(header + LADDER, encoding="utf-8")
    return folder


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    """A publication of a hundred customers, 1 to 100, who are alike at every review."""

    def made(
        score: str = "n",
        orders: str = "5",
        rank: str = RANK,
        ends: tuple[str, ...] = ENDS,
        open_end: str = "2025-06-15",
    ) -> Path:
        folder = tmp_path / "warehouse"
        folder.mkdir()
        periods = ", ".join(f"(date '{end}', false)" for end in ends)
        with duckdb.connect(str(folder / "work.duckdb")) as connection:
            connection.execute("create schema marts")
            connection.execute(
                "create table marts.review_periods as "
                "select date_trunc('month', period_end)::date as period_start, period_end, is_open_period "
                f"from (values {periods}{',' if ends else ''} (date '{open_end}', true)) "
                "as periods (period_end, is_open_period)"
            )
            # What an open review shows is provisional: ranks that no rule gives.
            connection.execute(
                "create table marts.customer_periods as select 'c' || n as customer_id, 5 as recency_days, "
                f"{orders} as frequency, 10.00::decimal(18, 2) as monetary, "
                f"({score})::decimal(18, 14) as management_score, "
                f"if(is_open_period, 9, {rank})::integer as tier_rank, period_end, is_open_period "
                "from marts.review_periods cross join range(1, 101) as numbers (n)"
            )
        publish(folder, [Ledger(folder).start("refresh")])
        return folder

    return made


def lines(calibration: Calibration) -> list[tuple[str, str, int | None]]:
    """Enter line, keep line and least orders of each tier, the lowest first."""
    return [
        (f"{tier.enter_score:g}", f"{tier.keep_score:g}", tier.enter_min_orders)
        for tier in calibration.proposed
    ]


def change(project: Path, old: str, new: str) -> None:
    path = project / "seeds" / "tiers.csv"
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")


def run(warehouse: Path, project: Path, *more: str, shares: str = SHARES) -> Result:
    options = ("--warehouse", str(warehouse), "--shares", shares, "--project", str(project))
    return CliRunner().invoke(cli.app, ["calibrate", *options, *more])


def printed(result: Result) -> str:
    """What was printed, whatever the width of the terminal."""
    return " ".join(result.stdout.split())


# -- What is proposed ------------------------------------------------------------------------------


def test_lines_and_moves_are_those_counted_by_hand(warehouse, project):
    """Diamond are 99 and 100, platinum 91 to 98, gold 71 to 90, silver 41 to 70."""
    found = calibrate(warehouse(), load_configuration(project, {}), SHARES)
    assert lines(found) == [
        ("0", "0", 1),
        ("41", "36", 1),
        ("71", "66", 1),
        ("91", "86", 2),
        ("99", "94", 3),
    ]
    assert found.reached == {1: 40, 2: 30, 3: 20, 4: 8, 5: 2, **dict.fromkeys(range(6, 11), 0)}
    assert found.present == {1: 39, 2: 20, 3: 18, 4: 10, 5: 13, **dict.fromkeys(range(6, 11), 0)}
    assert found.counted == [date.fromisoformat(end) for end in ENDS[1:]]
    assert found.moves == [(5, 4, 8), (5, 3, 3), (4, 3, 10), (3, 2, 11), (2, 1, 1)]
    assert found.binding == {
        1: None,
        2: ("enter_score", 40),
        3: ("enter_score", 70),
        4: ("enter_score", 90),
        5: ("enter_score", 98),
    }


def test_fewer_orders_are_asked_for_only_where_no_line_lets_enough_in(warehouse, project):
    """From 96 points on two orders, else one: platinum cannot ask for two, diamond can, but not for three."""
    ranks = "case when n >= 96 then 4 when n >= 60 then 3 when n >= 40 then 2 else 1 end"
    folder = warehouse(orders="if(n >= 96, 2, 1)", rank=ranks)
    found = calibrate(folder, load_configuration(project, {}), SHARES)
    assert [orders for *_, orders in lines(found)] == [1, 1, 1, 1, 2]
    assert found.missed == 0


def test_where_all_share_one_score_it_says_what_is_reached(warehouse, project):
    """All in bronze misses by 60 + 30 + 20 + 8 + 2, all in any other tier by more."""
    result = run(warehouse(score="50", rank="2"), project)
    assert result.exit_code == ExitCode.OK
    missed = "No ladder was found that comes nearer: the shares miss by 120.0 percentage points"
    assert missed in printed(result)
    assert "Bronze 40.0 % 100.0 % 0.0 %" in printed(result)


def test_least_revenue_stays_as_it_is_and_is_named_where_it_binds(warehouse, project):
    change(project, "88,83,3,0,,", "88,83,3,0,10.01,7.50")
    ranks = RANK.replace("when n >= 88 then 5 ", "")
    found = calibrate(warehouse(rank=ranks), load_configuration(project, {}), SHARES)
    diamond = found.proposed[-1]
    assert (str(diamond.enter_min_revenue), str(diamond.keep_min_revenue)) == ("10.01", "7.50")
    assert found.reached[5] == 0
    assert found.binding[5][0] == "enter_min_revenue"


def test_lines_leave_growth_its_room(warehouse, project):
    """Two points are enough for one_off; with retail, which has growth, the check asks for 2.5."""
    change(project, "钻石,88,83", "钻石,88,86")
    folder = warehouse(rank=RANK)
    one_off = calibrate(folder, load_configuration(project, {"score_profile": "one_off"}), SHARES)
    assert lines(one_off)[-1] == ("99", "97", 3)
    retail = replace(load_configuration(project, {"score_profile": "one_off"}))
    retail = replace(
        retail, settings=retail.settings.model_copy(update={"score_profile": "retail"})
    )
    assert lines(calibrate(folder, retail, SHARES))[-1] == ("99", "96.5", 3)


def test_older_versions_stay_and_fewer_reviews_of_the_newest_are_counted(warehouse, project):
    """The second version, the same ladder, holds at the last two reviews. Lower lines take effect at once."""
    path = project / "seeds" / "tiers.csv"
    header, *rows = path.read_text(encoding="utf-8").splitlines()
    newer = [row.replace("2000-01-01", "2025-04-01") for row in rows]
    path.write_text("\n".join([header, *newer, *rows, ""]), encoding="utf-8")
    result = run(warehouse(), project, shares="diamond=20,platinum=20,gold=20,silver=20")
    assert result.exit_code == ExitCode.OK
    assert "in 2 closed reviews to 2025-05-31" in printed(result)
    assert "has only 2 closed reviews" in printed(result)
    proposed = (project / "tiers.proposed.csv").read_text(encoding="utf-8").splitlines()
    assert proposed[0] == header
    assert proposed[6:] == rows
    assert [row.split(",")[5] for row in proposed[1:6]] == ["0", "21", "41", "61", "81"]


# -- The proof -------------------------------------------------------------------------------------


def test_models_built_with_the_proposal_give_the_shares_and_moves_that_it_names(compiled):
    raw = PROJECT / "examples" / "completejourney_small"
    configuration = load_configuration(PROJECT, {})
    wanted = read_shares(SHARES, newest_ladder(configuration.seeds.tiers))
    with compiled().build(raw) as connection:
        reviews = read_reviews(connection)
    found = propose(reviews, configuration, wanted, "completejourney_small")
    text = proposed_file(configuration.seeds.tiers, found.proposed)
    with compiled().build(raw, seeds={"tiers": list(csv.DictReader(StringIO(text)))}) as connection:
        built = read_reviews(connection)
    of_counted = built.tier_rank[-len(found.counted) :]
    holders = np.count_nonzero(of_counted)
    for rank, share in found.reached.items():
        assert Fraction(100 * np.count_nonzero(of_counted == rank), holders) == share
    pairs = list(zip(reviews.tier_rank[-1].tolist(), built.tier_rank[-1].tolist(), strict=True))
    assert {(before, after): n for before, after, n in found.moves} == {
        pair: pairs.count(pair) for pair in set(pairs) if pair[0] != pair[1]
    }


@pytest.mark.parametrize("seed", range(6))
def test_no_ladder_of_whole_lines_comes_nearer(seed):
    """Three tiers, a few customers whose scores wander or, for every third company, are only three."""
    shipped = load_configuration(PROJECT, {})
    tiers = [tier for tier in shipped.seeds.tiers if tier.tier_rank <= 3]
    configuration = replace(shipped, seeds=shipped.seeds.model_copy(update={"tiers": tiers}))
    reviews = wandering(seed, configuration)
    wanted = {1: Fraction(60), 2: Fraction(30), 3: Fraction(10)}
    found = propose(reviews, configuration, wanted, "a company")
    search = _Search(reviews, configuration, wanted, 4)
    plans = (
        _Plan((low, high), (1, 1))
        for low, high in product(range(300, 10_000, 500), repeat=2)
        if low < high
    )
    assert found.missed <= min(map(search.missed, plans)) + EQUALLY_NEAR
    assert found.missed <= search.missed(search.live_plan) + EQUALLY_NEAR


def wandering(seed: int, configuration: Configuration) -> Reviews:
    """Reviews of some customers, with the tiers that the ladder in use gives them."""
    random = np.random.default_rng(seed)
    customers, periods = int(random.integers(5, 60)), int(random.integers(4, 10))
    starts = [date(2025, month, 1) for month in range(1, periods + 1)]
    ends = [date(2025, month + 1, 1) - timedelta(days=1) for month in range(1, periods + 1)]
    steps = random.integers(-10, 11, (periods, customers)).cumsum(axis=0)
    score = random.integers(0, 100, customers) + steps
    if seed % 3 == 0:
        score = np.tile(random.choice([20, 50, 80], customers), (periods, 1))
    none = np.zeros((periods, customers), np.int64)
    reviews = Reviews(
        period_starts=starts,
        period_ends=ends,
        score=(100 * score.clip(0, 100)).astype(np.int16),
        orders=random.integers(0, 4, none.shape).astype(np.int32),
        revenue=none,
        tier_rank=none.astype(np.int8),
    )
    ladders = ladders_by_review(configuration.seeds.tiers, ends)
    return replace(reviews, tier_rank=replay(reviews, ladders, configuration.settings, periods))


def test_the_search_among_some_of_many_customers_ends_at_the_wanted_shares(project):
    """45,000 customers with every score from 0 to 90 in hundredths, five of each; every third has 0.6 points more.

    It is these alone among whom lines are sought first.
    """
    configuration = load_configuration(project, {})
    ends = [date.fromisoformat(end) for end in ENDS]
    points = np.repeat(np.arange(9000), 5) + 60 * (np.arange(45_000) % 3 == 0)
    score = np.tile(points, (len(ends), 1)).astype(np.int16)
    reviews = Reviews(
        [end.replace(day=1) for end in ends],
        ends,
        score,
        np.full(score.shape, 9, np.int32),
        np.zeros(score.shape, np.int64),
        np.zeros(score.shape, np.int8),
    )
    ladders = ladders_by_review(configuration.seeds.tiers, ends)
    ranks = replay(reviews, ladders, configuration.settings, len(ends))
    wanted = read_shares(SHARES, newest_ladder(configuration.seeds.tiers))
    found = propose(replace(reviews, tier_rank=ranks), configuration, wanted, "many")
    assert found.missed <= EQUALLY_NEAR


# -- The file --------------------------------------------------------------------------------------


def test_the_proposal_can_be_put_in_place_and_is_the_same_every_time(warehouse, project):
    folder, path = warehouse(), project / "tiers.proposed.csv"
    live = (project / "seeds" / "tiers.csv").read_bytes()
    path.symlink_to(project / "seeds" / "tiers.csv")
    assert run(folder, project).exit_code == ExitCode.OK
    assert (project / "seeds" / "tiers.csv").read_bytes() == live
    first = path.read_bytes()
    assert run(folder, project).exit_code == ExitCode.OK
    assert path.read_bytes() == first
    path.replace(project / "seeds" / "tiers.csv")
    tiers = load_configuration(project, {}).seeds.tiers
    assert [str(tier.enter_score) for tier in tiers] == ["0", "41", "71", "91", "99"]


def test_no_file_is_written_over_and_none_becomes_a_seed(warehouse, project, tmp_path):
    folder, live = warehouse(), project / "seeds" / "tiers.csv"
    before = live.read_bytes()
    other = tmp_path / "mine.csv"
    other.write_text("mine", encoding="utf-8")
    for out, words in (
        (live, "found the folder of the seeds"),
        (live.with_name("tiers_new.csv"), "where dbt would take it for a seed"),
        (other, "found a file that is there; allowed is a file that is not there yet"),
        (tmp_path / "nowhere" / "tiers.csv", "found a file that cannot be written"),
    ):
        result = run(folder, project, "--out", str(out))
        assert result.exit_code == ExitCode.CONFIGURATION
        assert words in result.stderr
    assert live.read_bytes() == before
    assert other.read_text(encoding="utf-8") == "mine"
    assert run(folder, project, "--out", str(tmp_path / "new.csv")).exit_code == ExitCode.OK


def test_the_command_prints_all_of_it(warehouse, project):
    folder = warehouse()
    text = printed(run(folder, project))
    for words in (
        "Diamond 2.0 % 2.0 % 13.0 % 88 → 99 83 → 94 3",
        "Bronze 40.0 % 40.0 % 39.0 % 0 0 1",
        "Diamond score line 98",
        "33 of 100 customers would hold a lower tier, 0 a higher one",
        "Gold Silver 11",
        f"The proposal is {project / 'tiers.proposed.csv'}.",
    ):
        assert words in text
    (project / "tiers.proposed.csv").unlink()
    text = printed(run(folder, project, "--lang", "zh"))
    for words in ("钻石 2.0 % 2.0 % 13.0 % 88 → 99 83 → 94 3", "钻石 等级线 98", "黄金 白银 11"):
        assert words in text


# -- What is refused -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shares", "found", "allowed"),
    [
        ("diamnd=2", "tier 'diamnd' (did you mean diamond?)", "each of silver, gold, platinum"),
        ("", "tier ''", "each of silver, gold, platinum, diamond with its share"),
        ("bronze=40", "bronze, the lowest tier", "the lowest tier takes the rest"),
        ("diamond=2,gold=20", "no share of silver, platinum", "a share for each of"),
        (f"{SHARES},gold=20", "gold more than once", "each tier once"),
        ("diamond=few", "share 'few' of diamond", "per cent above 0"),
        ("diamond", "share '' of diamond", "per cent above 0"),
        ("diamond=-2", "share '-2' of diamond", "per cent above 0"),
        ("diamond=0", "share '0' of diamond", "per cent above 0"),
        ("diamond=1.234", "share '1.234' of diamond", "at most 2 decimals"),
        ("diamond=2,platinum=8,gold=20,silver=80", "shares that sum to 110", "a sum below 100"),
        ("diamond=2,platinum=8,gold=20,silver=70", "shares that sum to 100", "is left to bronze"),
    ],
)
def test_shares_that_cannot_be_are_refused(project, shares, found, allowed):
    ladder = newest_ladder(load_configuration(project, {}).seeds.tiers)
    with pytest.raises(ConfigurationError) as error:
        read_shares(shares, ladder)
    assert str(error.value).startswith(f"command line, --shares: found {found}; allowed is ")
    assert allowed in error.value.allowed


def test_blanks_and_hundredths_in_shares_are_fine(project):
    ladder = newest_ladder(load_configuration(project, {}).seeds.tiers)
    shares = read_shares("gold = 20, silver=30 ,platinum=8.25,diamond=1.5", ladder)
    assert shares == {1: Fraction("40.25"), 2: 30, 3: 20, 4: Fraction("8.25"), 5: Fraction("1.5")}


def test_other_rules_than_those_of_the_warehouse_are_refused(warehouse, project):
    """40 to 44 points were silver when it was published, five customers in each of five reviews."""
    folder = warehouse()
    change(project, "白银,40,35", "白银,45,35")
    with pytest.raises(ConfigurationError, match="another tier than was published in 25 reviews"):
        calibrate(folder, load_configuration(project, {}), SHARES)


def test_reviews_that_say_nothing_are_refused(warehouse, project):
    configuration = load_configuration(project, {})
    with pytest.raises(SourceError, match="no such file"):
        calibrate(project, configuration, SHARES)
    folder = warehouse(ends=())
    with pytest.raises(ConfigurationError, match="found no closed review; allowed is one"):
        calibrate(folder, configuration, SHARES)


def test_a_ladder_that_holds_from_later_on_is_refused(warehouse, project):
    path = project / "seeds" / "tiers.csv"
    _, *rows = path.read_text(encoding="utf-8").splitlines()
    with path.open("a", encoding="utf-8") as file:
        file.writelines(f"{row.replace('2000-01-01', '2025-06-30')}\n" for row in rows)
    with pytest.raises(ConfigurationError, match="no closed review on or after 2025-06-30"):
        calibrate(warehouse(), load_configuration(project, {}), SHARES)


def test_nobody_with_a_tier_is_refused(warehouse, project):
    with pytest.raises(SourceError, match="nobody with a tier in the reviews from 2025-02-28"):
        calibrate(warehouse(orders="0", rank="0"), load_configuration(project, {}), SHARES)


def test_few_customers_are_said_to_be_few(warehouse, project):
    ranks = f"if(n > 90, {RANK}, 0)"
    result = run(warehouse(orders="if(n > 90, 5, 0)", rank=ranks), project)
    assert "Only 10 customers hold a tier" in printed(result)
