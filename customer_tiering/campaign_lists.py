"""Exports of a campaign: the list of whom it contacts and whom it holds out, and the audience for advertising platforms.

Both are those of marts.holdout_assignments in the publication that readers see. Nobody is contacted without a consent to
marketing, erased persons are in neither, and held-out customers are never in an audience.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import duckdb

from customer_tiering.configuration import COMMAND_LINE
from customer_tiering.errors import ConfigurationError, SourceError
from customer_tiering.exporting import (
    Packaging,
    check_format,
    check_published,
    contacts_of,
    latest_publication,
    new_folder,
    reading_publications,
    write_files,
)
from customer_tiering.queries import query
from customer_tiering.seeds import did_you_mean

LIST, AUDIENCE = "campaign", "audience"  # names of the files, before their number
CAMPAIGNS_NAMED = 20  # in the message of an unknown campaign

_LISTED = """
    select * exclude (left_out_because)
    from listed
    where left_out_because is null
    order by customer_id
"""
# By the hashes themselves, so that the order says nothing of the customers.
_HASHED = """
    select distinct email_sha256, phone_e164_sha256, phone_digits_sha256
    from audience
    where email_sha256 is not null or phone_e164_sha256 is not null
    order by all
"""
# Why customers are left out, in words.
_REASONS = {
    "no_consent": "without consent to marketing",
    "consent_unknown": "whose consent is unknown",
    "erased": "erased",
    "holdout": "held out",
    "no_address": "without an e-mail address or phone that can be hashed",
}


@dataclass(frozen=True)
class CampaignExport:
    """What was exported of a campaign.

    `customers` are those on the list by contact group, or those in an audience as `treatment`; `left_out` are counted by
    reason. `unusable` are e-mail addresses and phones that are there but cannot be hashed. `is_preliminary`: the
    list may still change.
    """

    customers: Counter[str]
    left_out: Counter[str]
    unusable: Counter[str]
    is_preliminary: bool
    files: list[Path]

    def in_words(self) -> list[str]:
        """What is to be known of it, a sentence each."""
        said = []
        if reasons := [
            f"{self.left_out[reason]:,} {words}"
            for reason, words in _REASONS.items()
            if self.left_out[reason]
        ]:
            said.append(f"Left out: {', '.join(reasons)}.")
        if unusable := [f"{count:,} {what}" for what, count in self.unusable.items() if count]:
            said.append(f"Not in a form that can be hashed: {', '.join(unusable)}.")
        if self.is_preliminary:
            said.append(
                "The list is preliminary: the last review before the campaign is not closed yet."
            )
        return said


def export_campaign(
    warehouse: Path,
    folder: Path,
    campaign_id: str,
    *,
    file_format: str = "csv",
    is_audience: bool = False,
) -> CampaignExport:
    """Write the list of a campaign, or its audience, into a new folder.

    An audience holds nothing but hashes, in files for the owner alone. The folder appears when it is complete,
    or not at all. Raises ConfigurationError and SourceError.
    """
    check_format(file_format)
    latest = latest_publication(warehouse)
    if is_audience:
        contacts_of(latest)
    with (
        reading_publications({"latest": latest}, is_audience) as connection,
        new_folder(folder, is_audience) as new,
    ):
        for mart in ("holdout_assignments", "customer_profiles"):
            check_published(connection, latest, mart)
        connection.execute("use latest_publication")
        _check_campaign(connection, campaign_id)
        connection.execute(
            f"create temp table listed as {query('campaign_list')}", {"campaign_id": campaign_id}
        )
        found = _audience(connection) if is_audience else _list(connection)
        selected, name = (_HASHED, AUDIENCE) if is_audience else (_LISTED, LIST)
        write_files(connection, selected, new, name, file_format, Packaging())
        files = sorted(path.name for path in new.iterdir())
    customers, left_out, unusable, is_preliminary = found
    return CampaignExport(
        customers, left_out, unusable, is_preliminary, [folder / file for file in files]
    )


_Found = tuple["Counter[str]", "Counter[str]", "Counter[str]", bool]


def _list(connection: duckdb.DuckDBPyConnection) -> _Found:
    customers, left_out = (
        _counted(connection, "contact_group"),
        _counted(connection, "left_out_because"),
    )
    return customers, left_out, Counter(), _is_preliminary(connection)


def _audience(connection: duckdb.DuckDBPyConnection) -> _Found:
    """Put the audience into the temporary table `audience`, a row per customer who may be contacted."""
    connection.execute(f"create temp table audience as {query('campaign_audience')}")
    [(customers, unreachable, emails, phones)] = connection.execute(
        "select count(*) filter (email_sha256 is not null or phone_e164_sha256 is not null), "
        "count(*) filter (email_sha256 is null and phone_e164_sha256 is null), "
        "count(*) filter (has_email and email_sha256 is null), "
        "count(*) filter (has_phone and phone_e164_sha256 is null) from audience"
    ).fetchall()
    left_out = _counted(connection, "left_out_because")
    left_out["holdout"] = _counted(connection, "contact_group")["holdout"]
    left_out["no_address"] = unreachable
    unusable = Counter({"e-mail addresses": emails, "phones": phones})
    return Counter({"treatment": customers}), left_out, unusable, _is_preliminary(connection)


def _counted(connection: duckdb.DuckDBPyConnection, column: str) -> Counter[str]:
    """How many on the list there are of each contact group, or how many are left out for each reason."""
    wanted = "is null" if column == "contact_group" else "is not null"
    return Counter(
        dict(
            connection.execute(
                f"select {column}, count(*) from listed where left_out_because {wanted} group by 1"
            ).fetchall()
        )
    )


def _is_preliminary(connection: duckdb.DuckDBPyConnection) -> bool:
    [(is_preliminary,)] = connection.execute(
        "select coalesce(bool_or(is_preliminary), false) from listed"
    ).fetchall()
    return bool(is_preliminary)


def _check_campaign(connection: duckdb.DuckDBPyConnection, campaign_id: str) -> None:
    """Refuse a campaign without a list. Raises ConfigurationError, and SourceError where no campaign has one."""
    known = [
        name
        for (name,) in connection.execute(
            "select distinct campaign_id from marts.holdout_assignments order by all"
        ).fetchall()
    ]
    if not known:
        found = "no campaign with a list"
        raise SourceError("marts.holdout_assignments", found, "campaigns that hold customers out")
    if campaign_id not in known:
        found = f"{campaign_id!r}, of which there is no list{did_you_mean(campaign_id, known)}"
        named = ", ".join(known[:CAMPAIGNS_NAMED])
        more = len(known) - CAMPAIGNS_NAMED
        allowed = f"one of {named}" + (f" or {more:,} others" if more > 0 else "")
        raise ConfigurationError(f"{COMMAND_LINE}, --campaign", found, allowed)
