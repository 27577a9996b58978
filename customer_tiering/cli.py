"""The command line: `tiering`."""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any

import typer
from rich.console import Console

from customer_tiering.audit_page import ACCEPT_CHANGE
from customer_tiering.calibrating import calibrate as calibrated
from customer_tiering.calibrating import print_calibration, write_proposal
from customer_tiering.campaign_lists import CampaignExport, export_campaign
from customer_tiering.comparing import DIFFERENT, print_comparison
from customer_tiering.comparing import compare as compare_targets
from customer_tiering.configuration import (
    COMMAND_LINE,
    Configuration,
    load_configuration,
    parse_vars,
)
from customer_tiering.errors import (
    PHRASES,
    ConfigurationError,
    ExitCode,
    SourceError,
    Stopped,
    TieringError,
)
from customer_tiering.explaining import as_json as explanation_as_json
from customer_tiering.explaining import print_explanation, read_explanation
from customer_tiering.exporting import export as export_customers
from customer_tiering.exporting import read_layout
from customer_tiering.language import Language, language_of_locale
from customer_tiering.mappings import FILE as MAPPING
from customer_tiering.movements import movements_as_json, print_movements, read_movements
from customer_tiering.notifying import notifying
from customer_tiering.onboarding.exploring import explore
from customer_tiering.onboarding.initialising import initialise, write_mapping
from customer_tiering.onboarding.inspect_reporting import as_json as inspection_as_json
from customer_tiering.onboarding.inspect_reporting import (
    export_as_json,
    print_export,
    print_inspection,
)
from customer_tiering.onboarding.inspected_tables import is_in_contract
from customer_tiering.onboarding.inspecting import inspect as inspect_folder
from customer_tiering.onboarding.questions import Answers, Question
from customer_tiering.onboarding.recognising import SHIPPED
from customer_tiering.pseudonyms import KEY, MAKE_KEY
from customer_tiering.publishing import DUCKDB, publication_of, target_of
from customer_tiering.quoting import command_line
from customer_tiering.refreshing import Refresh
from customer_tiering.refreshing import rollback as roll_back
from customer_tiering.reporting import print_summary, read_summary, summary_as_json
from customer_tiering.rules import changes_between, rules_of, versions
from customer_tiering.run_reporting import (
    changes_as_json,
    history_as_json,
    print_changes,
    print_history,
    print_status,
    read_history,
    read_status,
    status_as_json,
)
from customer_tiering.seeds import did_you_mean
from customer_tiering.simulating.reporting import outcome_as_json, print_outcome
from customer_tiering.simulating.simulation import Request as SimulationRequest
from customer_tiering.simulating.simulation import simulate as simulated
from customer_tiering.simulating.simulation import unpublished_seeds

EXIT_CODES = (
    f"Exit codes: {'; '.join(f'{code} {PHRASES[code]}' for code in ExitCode)}. "
    "Whatever the code, the last good publication stands."
)


class Target(StrEnum):
    """What dbt builds in, as its profile calls it."""

    DUCKDB = DUCKDB
    POSTGRES = "postgres"


app = typer.Typer(
    help=f"RFM, scores and tiers from raw customer and order tables. {EXIT_CODES}",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
)
# labels, names and paths are shown as they are, whatever brackets and colons they hold
console = Console(markup=False, emoji=False)
errors = Console(stderr=True, markup=False, emoji=False)

WarehouseOption = Annotated[
    Path,
    typer.Option(
        "--warehouse",
        envvar="TIERING_WAREHOUSE",
        help="Folder of the warehouse; made when it is not there.",
    ),
]
VarsOption = Annotated[
    str, typer.Option("--vars", help="Vars that differ from dbt_project.yml, as a YAML mapping.")
]
MappingOption = Annotated[
    Path | None,
    typer.Option(
        "--mapping",
        help="Folder that says how the files or tables become raw tables, such as sources/shopify_export; else the var mapping.",
    ),
]
LanguageOption = Annotated[
    Language | None,
    typer.Option("--lang", help="en or zh; else the locale's (LC_ALL, LC_MESSAGES, LANG)."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="For programs: JSON.")]
ProjectOption = Annotated[
    Path, typer.Option("--project", help="Folder of the dbt project with its seeds.")
]
TargetArgument = Annotated[
    str,
    typer.Argument(
        help="The folder of a warehouse, a DuckDB file such as its work.duckdb, postgres (the database that the "
        "environment names) or postgres:DATABASE (another one of that server).",
    ),
]
PROJECT_DIR = Path(__file__).resolve().parent.parent


def _print_version(is_asked: bool) -> None:
    if is_asked:
        named = ", ".join(f"{what} {number}" for what, number in versions(PROJECT_DIR).items())
        typer.echo(f"tiering {named.removeprefix('code ')}")
        raise typer.Exit


@app.callback()
def main(
    _version: Annotated[
        bool,
        typer.Option(
            "--version", is_eager=True, callback=_print_version, help="Show versions and exit."
        ),
    ] = False,
) -> None:
    """What holds for all commands."""


@app.command()
def refresh(
    warehouse: WarehouseOption,
    raw: Annotated[
        Path | None,
        typer.Option(help="Folder of the raw tables; else what raw_path or raw_schema says."),
    ] = None,
    mapping: MappingOption = None,
    as_of: Annotated[
        str | None, typer.Option(help="latest, yesterday or an ISO date; wins over --vars.")
    ] = None,
    vars_: VarsOption = "{}",
    full: Annotated[
        bool,
        typer.Option("--full", help="Recompute all periods; the marts are the same without."),
    ] = False,
    accepts_change: Annotated[
        bool,
        typer.Option(
            ACCEPT_CHANGE,
            help="Publish however much differs from the last publication, this once; all else is checked as ever.",
        ),
    ] = False,
    target: Annotated[
        Target, typer.Option(help="Where dbt builds: duckdb, or a PostgreSQL database.")
    ] = Target.DUCKDB,
    on_failure: Annotated[
        str | None,
        typer.Option(
            metavar="COMMAND",
            help="What to run when the refresh fails or is stopped, such as a mail or a webhook; see docs/operations.md.",
        ),
    ] = None,
    language: LanguageOption = None,
    project: ProjectOption = PROJECT_DIR,
) -> None:
    """Build, test and publish a warehouse from raw tables, then show the summary."""
    notified = notifying(on_failure, _note) if on_failure is not None else nullcontext()
    with _errors_as_one_sentence(), notified:
        overrides = parse_vars(vars_)
        if as_of is not None:
            overrides["as_of_date"] = as_of
        if raw is not None:
            overrides["raw_path"] = str(raw.resolve())
        _choose_mapping(overrides, mapping)
        configuration = _checked(project, overrides)
        if raw is not None and configuration.settings.raw_schema:
            found = f"--raw together with the var raw_schema {configuration.settings.raw_schema}"
            raise ConfigurationError(COMMAND_LINE, found, "one of the two")
        _refresh(project, configuration, warehouse, language, full, target, accepts_change)


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(help="Folder with an export: CSV or Parquet files.")],
    out: Annotated[Path, typer.Option(help="Folder of the mapping; it must not be there yet.")],
    answer: Annotated[
        list[str] | None,
        typer.Option(help="KEY=VALUE, the answer to a question by its key; may be repeated."),
    ] = None,
    yes: Annotated[
        bool,
        typer.Option("--yes", help="Accept what is proposed; nothing is asked on the terminal."),
    ] = False,
    vars_: VarsOption = "{}",
    project: ProjectOption = PROJECT_DIR,
) -> None:
    """Write a mapping for a folder that nobody prepared: a shipped source's, or one of its own.

    What only you know is asked. A question without an answer stands in the mapping, and a refresh refuses it until it is
    answered there.
    """
    with _errors_as_one_sentence():
        if out.exists():
            raise ConfigurationError(
                f"--out {out}", "a folder or file that is there", "a new folder"
            )
        given = dict(_key_and_value(one) for one in answer or [])
        asks = sys.stdin.isatty() and not yes
        answers = Answers(given, accepts_proposals=yes, prompt=_prompt if asks else None)
        made = initialise(project, _checked(project, parse_vars(vars_)).settings, folder, answers)
        write_mapping(made, out)
        source = f" of {SHIPPED}/{made.shipped}" if made.shipped else ""
        lines = [f"{out} is a mapping{source}: {', '.join(made.files)}."]
        if made.unused:
            lines.append(f"Not used: {', '.join(made.unused)}.")
        if answers.accepted:
            accepted = ", ".join(f"{key}={value}" for key, value in answers.accepted.items())
            lines.append(f"Accepted as proposed: {accepted}.")
        if made.open_questions:
            lines.append(
                "\nA refresh asks for answers first. Answer in the file, and delete the line of the question:"
            )
            lines += [f"- {out / question}" for question in made.open_questions]
        lines.append("\nNext:")
        if made.personal_ids and not os.environ.get(KEY):
            lines.append(f"{MAKE_KEY}  # keep it")
        words = ("--mapping", out, "--raw", folder, "--warehouse", "warehouse")
        lines.append(command_line("refresh", *words))
        console.print("\n".join(lines), highlight=False, soft_wrap=True)


@app.command()
def check(
    mapping: MappingOption = None,
    as_json: JsonOption = False,
    vars_: VarsOption = "{}",
    project: ProjectOption = PROJECT_DIR,
) -> None:
    """Check the configuration (vars, seeds and mapping) and build nothing."""
    with _errors_as_one_sentence():
        overrides = parse_vars(vars_)
        _choose_mapping(overrides, mapping)
        configuration = _checked(project, overrides)
        seeds = configuration.seeds
        found = {
            "vars": len(configuration.settings.model_fields_set),
            "tiers": len(seeds.tiers),
            "rule_versions": len({row.version_valid_from for row in seeds.tiers}),
            "profiles": list(seeds.profiles),
            "notes": configuration.notes,
            "rules": rules_of(project, configuration).digests(),
        }
        if as_json:
            typer.echo(json.dumps(found, ensure_ascii=False, indent=2))
            return
        console.print(
            f"The configuration holds together: {found['vars']} vars, {found['tiers']} tiers in "
            f"{found['rule_versions']} rule version{'s' if found['rule_versions'] != 1 else ''}, "
            f"profiles {', '.join(seeds.profiles)}.",
            highlight=False,
            soft_wrap=True,
        )
        for note in configuration.notes:
            _note(note)


@app.command()
def inspect(
    folder: Annotated[
        Path,
        typer.Argument(
            help="Folder of the raw tables or of an export, or FILE.duckdb:SCHEMA or postgres:SCHEMA."
        ),
    ],
    mapping: MappingOption = None,
    as_json: JsonOption = False,
    vars_: VarsOption = "{}",
    project: ProjectOption = PROJECT_DIR,
) -> None:
    """Say what a refresh would say of raw tables, and what to write where it would stop. Builds nothing.

    Exits with 3 when a refresh would stop.
    """
    with _errors_as_one_sentence():
        overrides = {**parse_vars(vars_), "pseudonymise_ids": False}  # nothing of an id is shown
        _choose_mapping(overrides, mapping)
        configuration = _checked(project, overrides)
        if configuration.mapping is None and not is_in_contract(folder, project):
            found = explore(folder, project)
            if as_json:
                typer.echo(export_as_json(found))
            else:
                print_export(found, folder, console)
            raise typer.Exit(ExitCode.SOURCE)
        inspection = inspect_folder(folder, project, configuration)
        if as_json:
            typer.echo(inspection_as_json(inspection))
        else:
            for note in inspection.notes:
                _note(note)
            of_var = configuration.mapping.folder if configuration.mapping else None
            print_inspection(inspection, folder, mapping or of_var, console)
        if inspection.stops:
            raise typer.Exit(ExitCode.SOURCE)


@app.command()
def example(
    name: Annotated[str, typer.Argument(help="A folder of examples/, such as online_retail.")],
    warehouse: WarehouseOption,
    data: Annotated[
        Path | None,
        typer.Option(help="Folder of the public files; not needed for an example that ships."),
    ] = None,
    language: LanguageOption = None,
    vars_: VarsOption = "{}",
    project: ProjectOption = PROJECT_DIR,
) -> None:
    """Refresh a warehouse from a public data set, by its mapping."""
    with _errors_as_one_sentence():
        overrides = parse_vars(vars_)
        overrides.update(_vars_of_example(project, name, data))
        _refresh(project, _checked(project, overrides), warehouse, language)


@app.command()
def report(
    warehouse: WarehouseOption, language: LanguageOption = None, as_json: JsonOption = False
) -> None:
    """Show the summary of what a warehouse last published."""
    with _errors_as_one_sentence():
        summary = read_summary(warehouse)
        if as_json:
            typer.echo(summary_as_json(summary))
        else:
            print_summary(summary, console, language or language_of_locale())


@app.command()
def movements(
    warehouse: WarehouseOption,
    from_: Annotated[
        str | None,
        typer.Option("--from", help="End of a closed period; else twelve reviews before --to."),
    ] = None,
    to: Annotated[
        str | None, typer.Option(help="End of a later closed period; else the newest.")
    ] = None,
    language: LanguageOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show who moved between tiers from one period to another, for which reason and cause."""
    with _errors_as_one_sentence():
        found = read_movements(warehouse, from_, to)
        if as_json:
            typer.echo(movements_as_json(found))
        else:
            print_movements(found, console, language or language_of_locale())


@app.command()
def explain(
    customer: Annotated[str, typer.Argument(help="A customer_id of marts.customers.")],
    warehouse: WarehouseOption,
    from_: Annotated[
        str | None,
        typer.Option(
            "--from",
            help="Period end: changes after it are explained; else since the tier is held.",
        ),
    ] = None,
    to: Annotated[str | None, typer.Option(help="Period end; else the newest.")] = None,
    language: LanguageOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show why a customer holds a tier, what keeps it and what lifts it. No personal data is shown."""
    with _errors_as_one_sentence():
        explanation = read_explanation(warehouse, customer, from_, to)
        if as_json:
            typer.echo(explanation_as_json(explanation))
        else:
            print_explanation(explanation, console, language or language_of_locale())


@app.command()
def calibrate(
    warehouse: WarehouseOption,
    shares: Annotated[
        str,
        typer.Option(
            help="Per cent of the customers with a tier, such as diamond=2,platinum=8,gold=20,silver=30; the "
            "lowest tier takes the rest."
        ),
    ],
    vars_: VarsOption = "{}",
    out: Annotated[
        Path | None,
        typer.Option(
            help="File of the proposal, which must not be there yet; else tiers.proposed.csv in the project."
        ),
    ] = None,
    language: LanguageOption = None,
    project: ProjectOption = PROJECT_DIR,
) -> None:
    """Propose a ladder (tiers.csv) that gives wanted shares, and show who would move."""
    with _errors_as_one_sentence():
        configuration = _checked(project, parse_vars(vars_))
        calibration = calibrated(warehouse, configuration, shares)
        path = write_proposal(calibration, configuration, project, out)
        print_calibration(calibration, console, language or language_of_locale())
        console.print(
            f"\nThe proposal is {path}. To use it, replace seeds/tiers.csv by it and refresh.",
            highlight=False,
            soft_wrap=True,
        )


@app.command()
def simulate(
    warehouse: WarehouseOption,
    vars_: Annotated[
        str, typer.Option("--vars", help="Vars to try, as a YAML mapping; others as published.")
    ] = "{}",
    seeds: Annotated[
        Path | None,
        typer.Option(help="Folder of seeds to try, named as in seeds/; others as published."),
    ] = None,
    as_of: Annotated[
        str | None, typer.Option(help="ISO date; else the date of the last refresh.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="File for the customers who would move, .csv or .parquet, which must not be there yet."
        ),
    ] = None,
    language: LanguageOption = None,
    as_json: JsonOption = False,
    project: ProjectOption = PROJECT_DIR,
) -> None:
    """Show who would move under other tiers, weights, edges or policies, and what that costs. Publishes nothing.

    The models are built on a copy of the work database, which is removed in the end.
    """
    with _errors_as_one_sentence():
        request = SimulationRequest(parse_vars(vars_), seeds, as_of, out)
        for seed in unpublished_seeds(project, warehouse, seeds):
            _note(
                f"seeds/{seed} differs from what was published, and the published one is used. To try it, give its folder: "
                "--seeds."
            )
        outcome = simulated(project, warehouse, request, errors)
        if as_json:
            typer.echo(outcome_as_json(outcome, out))
        else:
            print_outcome(outcome, console, language or language_of_locale())


@app.command()
def export(
    warehouse: WarehouseOption,
    out: Annotated[Path, typer.Option(help="Folder of the files; it must not be there yet.")],
    layout: Annotated[
        str | None,
        typer.Option(
            help="A layout of seeds/export_columns.csv: plain; zoho (bulk write of Zoho CRM); fxiaoke "
            "(sheet for Fxiaoke, not checked against a live tenant); or one of your own."
        ),
    ] = None,
    campaign: Annotated[
        str | None,
        typer.Option(
            help="Instead of a layout: whom this campaign contacts and whom it holds out."
        ),
    ] = None,
    audience: Annotated[
        bool,
        typer.Option(
            "--audience",
            help="Of the campaign, hashes of e-mail addresses and phones for advertising platforms.",
        ),
    ] = False,
    format_: Annotated[
        str, typer.Option("--format", help="csv or parquet; zoho and fxiaoke take csv alone.")
    ] = "csv",
    changed_since: Annotated[
        str | None,
        typer.Option(help="Run of an earlier publication: only customers that differ from it."),
    ] = None,
    with_contacts: Annotated[
        bool,
        typer.Option(
            "--with-contacts",
            help="Also names, addresses and owners, of those who have consented to marketing.",
        ),
    ] = False,
    project: ProjectOption = PROJECT_DIR,
) -> None:
    """Export tiers, scores, open alerts and actions of customers for a CRM, or the list of a campaign."""
    with _errors_as_one_sentence():
        _check_what_is_exported(
            layout,
            campaign,
            {
                "--audience": audience,
                "--changed-since": changed_since is not None,
                "--with-contacts": with_contacts,
            },
        )
        if campaign is not None:
            listed = export_campaign(
                warehouse, out, campaign, file_format=format_, is_audience=audience
            )
            _print_campaign(campaign, listed, out, audience)
            return
        exported = export_customers(
            warehouse,
            out,
            read_layout(project, layout or ""),
            file_format=format_,
            changed_since=changed_since,
            with_contacts=with_contacts,
        )
        total = f"{exported.customers.total():,} customers"
        if changed_since is not None:
            changes = ("new", "changed", "removed")
            total += f" ({', '.join(f'{exported.customers[c]:,} {c}' for c in changes)})"
        files = len(exported.files)
        console.print(
            f"{total} in {files} file{'' if files == 1 else 's'} in {out}. For what changes from now "
            f"on: --changed-since {exported.run_id}",
            highlight=False,
            soft_wrap=True,
        )


def _check_what_is_exported(
    layout: str | None, campaign: str | None, options: Mapping[str, bool]
) -> None:
    """Refuse options that do not go together. Raises ConfigurationError."""
    if (layout is None) == (campaign is None):
        found = "neither --layout nor --campaign" if layout is None else "--layout and --campaign"
        raise ConfigurationError(COMMAND_LINE, found, "either a layout or a campaign")
    of_other = ["--audience"] if campaign is None else ["--changed-since", "--with-contacts"]
    for option in of_other:
        if options[option]:
            found = f"{option} with {'a layout' if campaign is None else 'a campaign'}"
            allowed = f"it with {'a campaign' if campaign is None else 'a layout'} alone"
            raise ConfigurationError(f"{COMMAND_LINE}, {option}", found, allowed)


def _print_campaign(campaign: str, listed: CampaignExport, out: Path, is_audience: bool) -> None:
    groups = listed.customers
    what = (
        f"{groups['treatment']:,} in the audience"
        if is_audience
        else f"{groups['treatment']:,} contacted, {groups['holdout']:,} held out"
    )
    files = f"{len(listed.files)} file{'' if len(listed.files) == 1 else 's'}"
    said = [f"Campaign {campaign}: {what}, in {files} in {out}.", *listed.in_words()]
    console.print(" ".join(said), highlight=False, soft_wrap=True)


@app.command()
def compare(left: TargetArgument, right: TargetArgument) -> None:
    """Compare the public tables of two warehouses, on any engine, row by row and column by column.

    Exits with 0 when they are equal and with 1 when they differ.
    """
    with _errors_as_one_sentence():
        compared = compare_targets(left, right)
        print_comparison(compared, (left, right), console)
        if not all(table.is_equal for table in compared):
            raise typer.Exit(DIFFERENT)


@app.command()
def rollback(
    warehouse: WarehouseOption,
    to: Annotated[
        str | None, typer.Option(help="Run whose publication it is; else the one before.")
    ] = None,
) -> None:
    """Let readers see an earlier publication again."""
    with _errors_as_one_sentence():
        if target_of(warehouse) == Target.POSTGRES:
            run = _postgres().rollback(warehouse, to)
        else:
            run = roll_back(warehouse, to)
        console.print(f"Readers see the publication of run {run.publication} again.")


@app.command()
def status(
    warehouse: WarehouseOption, language: LanguageOption = None, as_json: JsonOption = False
) -> None:
    """Show what readers see now and since when, how the last run ended or how far it is, and what is next."""
    with _errors_as_one_sentence():
        found = read_status(warehouse, datetime.now(UTC))
        if as_json:
            typer.echo(status_as_json(found))
        else:
            print_status(found, console, language or language_of_locale())


@app.command()
def history(
    warehouse: WarehouseOption,
    last: Annotated[int, typer.Option(help="How many runs, the newest.", min=1)] = 20,
    rules: Annotated[
        tuple[str, str] | None,
        typer.Option(
            metavar="RUN RUN", help="What has changed of the rules from one publication to another."
        ),
    ] = None,
    language: LanguageOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the runs of a warehouse: when, as of what, by which rules, how many rows, published or why not."""
    say = language or language_of_locale()
    with _errors_as_one_sentence():
        if rules is not None:
            earlier, later = (publication_of(warehouse, run_id) for run_id in rules)
            changed = changes_between(earlier, later)
            if as_json:
                typer.echo(changes_as_json(changed))
            else:
                print_changes(changed, console, say)
            return
        runs = read_history(warehouse, last)
        if as_json:
            typer.echo(history_as_json(runs))
        else:
            print_history(runs, console, say)


@contextmanager
def _errors_as_one_sentence() -> Iterator[None]:
    """Turn a foreseen failure into its sentence and its exit code."""
    try:
        yield
    except (TieringError, Stopped) as error:
        errors.print(f"Error: {error}", style="red", highlight=False, soft_wrap=True)
        raise typer.Exit(int(error.exit_code)) from None


def _key_and_value(answer: str) -> tuple[str, str]:
    key, equals, value = answer.partition("=")
    if not equals:
        raise ConfigurationError("--answer", repr(answer), "KEY=VALUE")
    return key.strip(), value.strip()


def _prompt(question: Question) -> str:
    """What somebody answers on the terminal; nothing leaves a question open that has no proposal."""
    allowed = f" ({question.allowed})" if question.choices else ""
    while True:
        value = str(
            typer.prompt(
                f"{question.text}{allowed}",
                default=question.proposal,
                show_default=bool(question.proposal),
            )
        ).strip()
        if not value or not question.choices or value in question.choices:
            return value
        _note(f"{value!r} is not {question.allowed}.")


def _note(text: str) -> None:
    errors.print(f"Note: {text}", style="dim", highlight=False, soft_wrap=True)


def _checked(project: Path, overrides: dict[str, Any]) -> Configuration:
    return load_configuration(project, overrides)


def _choose_mapping(overrides: dict[str, Any], mapping: Path | None) -> None:
    if mapping is not None:
        overrides["mapping"] = str(mapping.resolve())


def _refresh(
    project: Path,
    configuration: Configuration,
    warehouse: Path,
    language: Language | None,
    from_scratch: bool = False,
    target: Target = Target.DUCKDB,
    accepts_change: bool = False,
) -> None:
    """Everything after the configuration: the refresh itself, then the summary."""
    for note in configuration.notes:
        _note(note)
    refresh_of = _postgres().PostgresRefresh if target is Target.POSTGRES else Refresh
    refresh_of(
        project, configuration, warehouse, console, _note, from_scratch, accepts_change
    ).run()
    print_summary(read_summary(warehouse), console, language or language_of_locale())


def _postgres() -> ModuleType:
    """What refreshes in PostgreSQL; only `make setup-postgres` installs what it needs."""
    try:
        return importlib.import_module("customer_tiering.postgres_refresh")
    except ModuleNotFoundError as error:
        allowed = "what `make setup-postgres` installs"
        raise ConfigurationError("Python", f"no module {error.name}", allowed) from None


def _vars_of_example(project: Path, name: str, data: Path | None) -> dict[str, Any]:
    """The vars by which an example is refreshed: it ships as raw tables, or is a mapping of public files."""
    examples = project / "examples"
    names = sorted(p.name for p in examples.glob("[a-z]*") if p.is_dir())
    if name not in names:
        found = f"an unknown example {name!r}{did_you_mean(name, names)}"
        raise SourceError(str(examples), found, f"one of {', '.join(names) or 'none'}")
    folder = (examples / name).resolve()
    if not (folder / MAPPING).is_file():
        return {"raw_path": str(folder)}
    if data is None or not data.is_dir():
        found = "no --data" if data is None else f"no such folder {data}"
        allowed = f"the folder of its public files (see examples/{name}/README.md)"
        raise SourceError(f"example {name}", found, allowed)
    return {"mapping": str(folder), "raw_path": str(data.resolve())}
