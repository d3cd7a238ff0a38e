"""`recur` as a program: the options that all commands share, and the way out for each error."""

import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from orchestrator import __version__
from recur.commands import CommandGroup
from recur.context import Context
from recur.errors import CliError, Exit
from recur.output import Printer
from recur.terminal_text import escape_the_unforeseen

app = typer.Typer(
    name="recur",
    cls=CommandGroup,
    help="Recurrent batch jobs on Azure Batch: their schedules, what became of each occurrence, "
    "what an operator asks for, and the deployment itself. Every command takes --json and "
    "--settings, before its name or after it.",
    epilog="Exit codes: 0 done, 1 something was found, 2 usage, 3 refused, 4 changed meanwhile, "
    "5 no access, 6 no answer.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=True,
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def options(
    context: typer.Context,
    settings: Annotated[
        Path | None,
        typer.Option(
            envvar="RECUR_SETTINGS",
            help="A settings file such as local.settings.json, and nothing else. Default: the "
            "environment where it names a deployment, else azd's.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
    _version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say the version.")
    ] = False,
) -> None:
    """Take the options that all commands share."""
    context.obj = Context(settings=settings, output=Printer(as_json=as_json))


def hoisted(arguments: Sequence[str]) -> list[str]:
    """Return the arguments with the options that all commands share in front, where they belong."""
    shared: list[str] = []
    others: list[str] = []
    waiting = iter(arguments)
    for argument in waiting:
        if argument == "--json" or argument.startswith("--settings="):
            shared.append(argument)
        elif argument == "--settings":
            shared += [argument, *(value for value in [next(waiting, None)] if value is not None)]
        else:
            others.append(argument)
    return shared + others


def main() -> None:
    """Run `recur`."""
    escape_the_unforeseen()
    # Our own words say what failed; the clients would tell each try at length.
    logging.getLogger("azure").setLevel(logging.CRITICAL)
    arguments = hoisted(sys.argv[1:])
    if "--json" in arguments:
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
        told = CliError(Exit.FOUND, "interrupted", "the command may be given again")
    Printer(as_json=True).fail(told)
    return told.code


def _plainly(error: typer.TyperException) -> str:
    return str(getattr(error, "format_message", error.__str__)())
