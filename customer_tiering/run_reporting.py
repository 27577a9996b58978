"""What runs have done: the status of a warehouse, the history of its runs, and what changed of their rules."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path

from rich.console import Console

from customer_tiering.audit_page import ACCEPT_CHANGE
from customer_tiering.errors import ExitCode, SourceError
from customer_tiering.language import Language, Words
from customer_tiering.locking import is_locked
from customer_tiering.publishing import (
    AUDIT,
    PUBLICATIONS,
    UNFINISHED,
    current_publication,
    publications,
)
from customer_tiering.reporting import heading, plain_table
from customer_tiering.rules import Change
from customer_tiering.runs import LEDGER, Ledger, Run

STYLES = {"published": "green", "failed": "red", "interrupted": "yellow", "running": "cyan"}
PIPE_WIDTH = 1_000  # columns: a file or a pipe has no edge, so that nothing is cut off there
STATUSES = {
    "published": Words("published", "已发布"),
    "failed": Words("failed", "失败"),
    "interrupted": Words("interrupted", "中断"),
    "running": Words("running", "运行中"),
}
KINDS = {"refresh": Words("refresh", "刷新"), "rollback": Words("rollback", "回退")}
STAGES = {
    "preflight": Words("preflight", "预检"),
    "build": Words("build", "构建"),
    "audit": Words("audit", "审核"),
    "publish": Words("publish", "发布"),
}


@dataclass(frozen=True)
class Status:
    """What readers of a warehouse see, and what its last run does or did.

    `published_at` is when the run that readers see was finished, None when it ended without a word; `age` is the time
    since, `running_for` that of a run that goes on; `next` is what to do.
    """

    warehouse: Path
    readers_see: str | None
    as_of_date: str | None
    published_at: str | None
    age: timedelta | None
    publications_kept: int
    last_run: Run
    status: str
    running_for: timedelta | None
    next: Words


def read_status(warehouse: Path, at: datetime) -> Status:
    """The status of a warehouse at a moment. Raises SourceError when nothing has run on it."""
    runs = _runs(warehouse)
    current, last = current_publication(warehouse), runs[-1]
    seen = next((run for run in runs if current and run.run_id == current.name), None)
    # the next run will say so in the ledger
    was_cut_off = last.status == "running" and not is_locked(warehouse)
    status = "interrupted" if was_cut_off else last.status
    published_at = seen.finished_at if seen else None
    return Status(
        warehouse=warehouse,
        readers_see=current.name if current else None,
        as_of_date=seen.as_of_date if seen else None,
        published_at=published_at,
        age=at - datetime.fromisoformat(published_at) if published_at else None,
        publications_kept=len(publications(warehouse)),
        last_run=last,
        status=status,
        running_for=at - datetime.fromisoformat(last.started_at) if status == "running" else None,
        next=_next(warehouse, last, status),
    )


def _next(warehouse: Path, last: Run, status: str) -> Words:
    """What to do after a run, or while it runs."""
    if status == "running":
        stages = list(STAGES)
        left = stages[stages.index(last.stage) + 1 :] if last.stage in stages else []
        if not left:
            return Words("wait: it ends after this stage", "等待：这是最后一步")
        return Words(
            f"wait: then comes {', '.join(STAGES[stage].en for stage in left)}",
            f"等待：之后是{'、'.join(STAGES[stage].zh for stage in left)}",
        )
    if status == "published":
        return Words("refresh when there are new raw data", "有新的原始数据时再刷新")
    page = warehouse / PUBLICATIONS / f"{last.run_id}{UNFINISHED}" / AUDIT
    log = warehouse / "logs" / "dbt.log"
    by_code: dict[int | None, Words] = {
        ExitCode.CONFIGURATION: Words("mend the configuration, then refresh", "修正配置，然后刷新"),
        ExitCode.SOURCE: Words("mend the raw data, then refresh", "修正原始数据，然后刷新"),
        ExitCode.BUILD: Words(f"look at {log}, then refresh", f"查看 {log}，然后刷新"),
        ExitCode.AUDIT: Words(
            f"look at {page}; refresh when the data are right, with {ACCEPT_CHANGE} when the difference is intended",
            f"查看 {page}；数据无误后刷新，差异是有意的则加上 {ACCEPT_CHANGE}",
        ),
    }
    return by_code.get(last.exit_code, Words("refresh again", "重新刷新"))


def print_status(status: Status, console: Console, say: Language) -> None:
    """Print what readers see, since when, how the last run ended or how far it is, and what is next."""
    last = status.last_run
    table = plain_table("", "")
    table.show_header = False
    nothing = say("nothing yet", "暂无")
    table.add_row(say("Readers see", "读者看到的"), status.readers_see or nothing)
    if status.readers_see:
        table.add_row(say("As of", "截至"), status.as_of_date or say("no orders", "没有订单"))
    if status.published_at and status.age is not None:
        ago = _age(status.age, say)
        moment = f"{datetime.fromisoformat(status.published_at):%Y-%m-%d %H:%M} UTC"
        table.add_row(
            say("Published at", "发布时间"), say(f"{moment} ({ago} ago)", f"{moment}（{ago}前）")
        )
    table.add_row(say("Publications kept", "保留的发布"), f"{status.publications_kept:,}")
    state = _ended(last, status.status, say)
    kind = say(*KINDS.get(last.kind, (last.kind, "")))
    ended = say(f"{last.run_id}, {kind}: {state}", f"{last.run_id}，{kind}：{state}")
    table.add_row(say("Last run", "最近一次运行"), ended)
    if status.running_for is not None:
        stage = say(*STAGES.get(last.stage, (last.stage, "")))
        since = _age(status.running_for, say)
        table.add_row(
            say("Stage", "步骤"), say(f"{stage}, running for {since}", f"{stage}，已运行 {since}")
        )
    if last.message:
        table.add_row("", last.message)
    table.add_row(say("Next", "下一步"), say(*status.next))
    _widen(console)
    console.print(heading(say(f"Warehouse {status.warehouse}", f"数据仓库 {status.warehouse}")))
    console.print(table, markup=False)


def status_as_json(status: Status) -> str:
    """The status for programs; ages in whole seconds."""
    found = {
        **asdict(status),
        "age": _seconds(status.age),
        "running_for": _seconds(status.running_for),
        "next": status.next.en,
    }
    names = {"age": "age_seconds", "running_for": "running_for_seconds"}
    return _as_json({names.get(name, name): value for name, value in found.items()})


def _seconds(age: timedelta | None) -> int | None:
    return None if age is None else int(age.total_seconds())


def _age(age: timedelta, say: Language) -> str:
    """A time in the largest unit of which there are two or more."""
    seconds = max(int(age.total_seconds()), 0)
    for length, one in (
        (86_400, Words("days", "天")),
        (3_600, Words("hours", "小时")),
        (60, Words("minutes", "分钟")),
    ):
        if seconds >= 2 * length:
            return f"{seconds // length:,} {say(*one)}"
    return f"{seconds:,} {say('seconds', '秒')}"


def read_history(warehouse: Path, last: int) -> list[Run]:
    """The newest runs, the newest first. Raises SourceError when nothing has run."""
    return list(reversed(_runs(warehouse)[-last:]))


def print_history(runs: Sequence[Run], console: Console, say: Language) -> None:
    """Print runs."""
    table = plain_table(
        *(say("Run", "运行"), say("What", "类型"), say("Status", "状态"), say("Stage", "步骤")),
        *(say("As of", "截至"), f">{say('Rows in', '读入行数')}", f">{say('Rejected', '拒绝')}"),
        *(f">{say('Tests', '测试')}", say("Rules", "规则"), say("Options", "选项"), ""),
    )
    for run in runs:
        seen = say(f"readers see {run.publication}", f"读者看到 {run.publication}")
        table.add_row(
            run.run_id,
            say(*KINDS.get(run.kind, (run.kind, ""))),
            _ended(run, run.status, say),
            say(*STAGES.get(run.stage, (run.stage, ""))),
            run.as_of_date,
            *("" if n is None else f"{n:,}" for n in (run.rows_in, run.rows_rejected, run.tests)),
            *(run.rules, run.options),
            run.message or (seen if run.kind == "rollback" else ""),
            style=STYLES[run.status] if run.status != "published" else None,
        )
    _widen(console)
    console.print(table, markup=False)


def history_as_json(runs: Sequence[Run]) -> str:
    """Runs for programs."""
    return _as_json([asdict(run) for run in runs])


def print_changes(changes: Sequence[Change], console: Console, say: Language) -> None:
    """Print what has changed of the rules."""
    if not changes:
        console.print(say("No rule has changed.", "规则没有变化。"))
        return
    table = plain_table(say("Rule", "规则"), say("Before", "之前"), say("After", "之后"))
    for change in changes:
        table.add_row(say(*change.where), change.before or "", change.after or "")
    _widen(console)
    console.print(table, markup=False)


def changes_as_json(changes: Sequence[Change]) -> str:
    """Changes of the rules for programs; of seeds that are new or gone the header."""
    return _as_json([{**asdict(change), "where": change.where.en} for change in changes])


def _as_json(found: object) -> str:
    return json.dumps(found, default=str, ensure_ascii=False, indent=2)


def _widen(console: Console) -> None:
    if not console.is_terminal:
        console.width = max(console.width, PIPE_WIDTH)


def _ended(run: Run, status: str, say: Language) -> str:
    named = say(*STATUSES[status])
    code = say(f" ({run.exit_code})", f"（{run.exit_code}）")
    return named if run.exit_code in (None, 0) else f"{named}{code}"


def _runs(warehouse: Path) -> list[Run]:
    runs = Ledger(warehouse).runs()
    if not runs:
        allowed = "a warehouse that `tiering refresh` has run on"
        raise SourceError(str(warehouse / LEDGER), "no runs", allowed)
    return runs
