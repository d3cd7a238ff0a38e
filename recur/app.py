"""`recur` as a program: the options that all commands share, and the way out for each error."""

import logging
import sys
from collections.abc import Sequence
from datetime import tzinfo
from pathlib import Path
from typing import Annotated

import typer

from orchestrator import __version__
from orchestrator.document.zone_names import check_zone
from orchestrator.errors import ScheduleSyntaxError
from orchestrator.timing.zones import parse_zone
from recur.commands import LISTS, CommandGroup
from recur.context import Context
from recur.errors import CliError, Exit
from recur.output import Format, Printer
from recur.shared_options import wants_json
from recur.terminal_text import escape_the_unforeseen

app = typer.Typer(
    name="recur",
    cls=CommandGroup,
    help="Recurrent batch jobs on Azure Batch: apply schedules, see what each occurrence did and why, "
    "run or stop jobs, and check the deployment. Every command takes the options below, before or "
    "after its name.",
    epilog="Exit codes: 0 done, 1 problems found, 2 usage error, 3 refused, 4 changed by someone else "
    "at the same time, 5 no access, 6 no answer.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["--help", "-h"]},
    pretty_exceptions_enable=False,
    add_completion=True,
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def options(  # noqa: PLR0913, PLR0917 - one argument for each option
    context: typer.Context,
    settings: Annotated[
        Path | None,
        typer.Option(
            envvar="RECUR_SETTINGS",
            help="Read the settings only from this file: on a laptop local.settings.json, which make up "
            "writes. Default: the environment variables if they name a deployment, else azd's "
            "environment.",
        ),
    ] = None,
    form: Annotated[
        Format,
        typer.Option(
            "-o",
            metavar="FORMAT",
            help="The format of lists: a table that fits the terminal, a table with all columns, one "
            "JSON document, one JSON line for each item, or CSV. One of",
        ),
    ] = Format.TABLE,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON document on stdout; the same as -o json.")
    ] = False,
    zone: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="The time zone for times in tables, such as Europe/Paris. Default: the terminal's.",
        ),
    ] = None,
    utc: Annotated[bool, typer.Option("--utc", help="The same as --zone UTC.")] = False,
    _version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Take the options that all commands share."""
    name = context.invoked_subcommand
    if form in {Format.JSONL, Format.CSV} and name not in LISTS:
        listed = ", ".join(sorted(LISTS))
        raise typer.BadParameter(
            f"-o {form} works only with commands that print lists: {listed}. Use -o json here."
        )
    if as_json and form not in {Format.TABLE, Format.JSON}:
        raise typer.BadParameter(f"--json and -o {form} exclude each other")
    if utc and zone not in {None, "UTC"}:
        raise typer.BadParameter("--utc and --zone exclude each other")
    context.obj = Context(
        settings=settings,
        output=Printer(as_json=as_json, form=form),
        zone=_parse_zone("UTC" if utc else zone),
    )


def _parse_zone(name: str | None) -> tzinfo | None:
    if name is None:
        return None
    try:
        check_zone(name)
    except ScheduleSyntaxError as error:
        raise typer.BadParameter(f"--zone: {error}") from error
    return parse_zone(name)


def main() -> None:
    """Run `recur`."""
    escape_the_unforeseen()
    # Our own words say what failed; the clients would tell each try at length.
    logging.getLogger("azure").setLevel(logging.CRITICAL)
    arguments = sys.argv[1:]
    if wants_json(arguments):
        sys.exit(_for_programs(arguments))
    app(args=arguments)


def _for_programs(arguments: Sequence[str]) -> int:
    """Run a command whose stdout is one JSON document, also where its line is wrong."""
    try:
        return int(app(args=arguments, standalone_mode=False) or Exit.DONE)
    except typer.TyperException as error:
        where = getattr(getattr(error, "ctx", None), "command_path", app.info.name)
        told = CliError(Exit.USAGE, _plainly(error), f"{where} --help")
    except typer.Abort:
        told = CliError(Exit.FOUND, "interrupted", "run the command again")
    Printer(as_json=True).fail(told)
    return told.code


def _plainly(error: typer.TyperException) -> str:
    return str(getattr(error, "format_message", error.__str__)())
