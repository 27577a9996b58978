"""What alerts and the actions of the playbook must be together: each reached, and one for everybody."""

from __future__ import annotations

from customer_tiering.seed_rules.findings import Findings, finding, grouped, unique_findings
from customer_tiering.seeds import PlaybookEntry, Seeds, did_you_mean

NO_ACTION = "none"  # the action of those for whom nothing is due


def alert_rule_findings(seeds: Seeds) -> Findings:
    rules = seeds.alert_rules
    actions = list(dict.fromkeys(row.action_code for row in seeds.playbook))
    highest = max(row.tier_rank for row in seeds.tiers)
    for (alert, severity), rows in grouped(rules, "alert_code", "severity").items():
        if len(rows) > 1:
            found = f"severity {severity} of {alert} again (it is on line {rows[0].line} too)"
            yield finding("alert_rules", rows[1], found, "each severity once an alert")
    for row in rules:
        low, below = row.measure_from, row.measure_below
        if low is not None and below is not None and low >= below:
            found = f"measure_from {low} with measure_below {below}"
            yield finding("alert_rules", row, found, "a measure_from less than measure_below")
        if row.action_code not in actions:
            found = f"action_code {row.action_code!r}{did_you_mean(row.action_code, actions)}"
            yield finding("alert_rules", row, found, "an action of seeds/playbook.csv")
        if row.tier_rank_from is not None and row.tier_rank_from > highest:
            found = f"tier_rank_from {row.tier_rank_from} for {row.alert_code}"
            allowed = f"empty or a rank up to {highest}, the highest of seeds/tiers.csv"
            yield finding("alert_rules", row, found, allowed)


def contact_rhythm_findings(seeds: Seeds) -> Findings:
    """Every customer has one rhythm."""
    rhythms = seeds.contact_rhythms
    yield from unique_findings("contact_rhythms", rhythms, "tier_rank_from")
    if not any(row.tier_rank_from == 0 for row in rhythms):
        allowed = "one, so that every customer has a rhythm"
        yield finding("contact_rhythms", None, "no row with tier_rank_from 0", allowed)


def department_channel_findings(seeds: Seeds) -> Findings:
    """The playbook gives a department only channels that it has."""
    channels: dict[str, list[str]] = {}
    pairs = grouped(seeds.department_channels, "owner_department", "channel")
    for (department, channel), rows in pairs.items():
        channels.setdefault(department, []).append(channel)
        if len(rows) > 1:
            found = f"channel {channel} of {department} again (it is on line {rows[0].line} too)"
            yield finding("department_channels", rows[1], found, "each channel once a department")
    for entry in seeds.playbook:
        if entry.channel is None:
            continue
        there = channels.get(entry.owner_department or "", [])
        if entry.channel not in there:
            found = f"channel {entry.channel} for {entry.owner_department or 'no department'}"
            allowed = f"empty or a channel that it has by seeds/department_channels.csv: {', '.join(there) or 'none'}"
            yield finding("playbook", entry, found, allowed)


def recommending_offer_findings(seeds: Seeds) -> Findings:
    """What recommends something is an offer of the playbook."""
    yield from unique_findings("recommending_offers", seeds.recommending_offers, "offer")
    offers = list(dict.fromkeys(row.offer for row in seeds.playbook if row.offer))
    for row in seeds.recommending_offers:
        if row.offer not in offers:
            found = f"offer {row.offer!r}{did_you_mean(row.offer, offers)}"
            yield finding("recommending_offers", row, found, "an offer of seeds/playbook.csv")


def playbook_findings(seeds: Seeds) -> Findings:
    """Every entry can be met by some customer, and everybody meets one."""
    playbook = seeds.playbook
    yield from unique_findings("playbook", playbook, "priority")
    ranks = {row.tier_rank for row in seeds.tiers}
    segments = ["lapsed", "prospect"]
    segments += [s.segment_code for s in seeds.rfm_segments if s.segment_map == "standard"]
    alerts = {row.alert_code for row in seeds.alert_rules}
    stages = {row.lifecycle_stage for row in seeds.lifecycle}
    for row in playbook:
        low = 0 if row.tier_rank_from is None else row.tier_rank_from
        high = max(ranks) if row.tier_rank_to is None else row.tier_rank_to
        if not any(low <= rank <= high for rank in {0, *ranks}):
            found = f"tier ranks from {low} to {high} for {row.action_code}"
            allowed = f"a range that holds a rank, from 0 (no tier) to {max(ranks)}"
            yield finding("playbook", row, found, allowed)
        if row.segment_code and row.segment_code not in segments:
            found = f"segment_code {row.segment_code!r}{did_you_mean(row.segment_code, segments)}"
            allowed = "empty, lapsed, prospect or a segment of the standard map"
            yield finding("playbook", row, found, allowed)
        if row.lifecycle_stage and row.lifecycle_stage not in stages:
            found = f"lifecycle_stage {row.lifecycle_stage!r}, which no rule of the lifecycle gives"
            yield finding("playbook", row, found, f"empty or one of {', '.join(sorted(stages))}")
        if row.alert_code and row.alert_code not in alerts:
            found = f"alert_code {row.alert_code!r}, for which there is no rule"
            yield finding("playbook", row, found, "empty or an alert of seeds/alert_rules.csv")
        if not row.alert_code and "{" in row.because_en + row.because_zh:
            found = "a reason with the figures of an alert, but no alert_code"
            yield finding("playbook", row, found, "figures only in entries for an alert")
    yield from _reach_findings(playbook)
    if not any(_fits_all(row) and row.action_code == NO_ACTION for row in playbook):
        found = f"no entry of action {NO_ACTION} without conditions"
        allowed = "one, neutral and no marketing, for those for whom nothing else is due"
        yield finding("playbook", None, found, allowed)


def _reach_findings(playbook: list[PlaybookEntry]) -> Findings:
    """No entry stands behind one of the same action that takes all of its customers."""
    ordered = sorted(playbook, key=lambda row: row.priority)
    for place, row in enumerate(ordered):
        for earlier in ordered[:place]:
            if earlier.action_code == row.action_code and _takes_all_of(earlier, row):
                found = f"an entry for {row.action_code} that is never reached"
                allowed = f"one whose customers the entry on line {earlier.line} does not take"
                yield finding("playbook", row, found, allowed)


def _takes_all_of(wider: PlaybookEntry, narrower: PlaybookEntry) -> bool:
    codes = ("segment_code", "lifecycle_stage", "alert_code")
    return (
        (wider.tier_rank_from or 0) <= (narrower.tier_rank_from or 0)
        and (
            wider.tier_rank_to is None
            or (narrower.tier_rank_to is not None and narrower.tier_rank_to <= wider.tier_rank_to)
        )
        and all(getattr(wider, c) in (None, getattr(narrower, c)) for c in codes)
        and (wider.is_marketing == "false" or narrower.is_marketing == "true")
    )


def _fits_all(row: PlaybookEntry) -> bool:
    conditions = ("tier_rank_from", "tier_rank_to", "segment_code", "lifecycle_stage", "alert_code")
    return (
        row.stance == "neutral"
        and row.is_marketing == "false"
        and all(getattr(row, condition) is None for condition in conditions)
    )
