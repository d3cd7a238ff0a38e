"""The commands about the schedule document: apply, validate, next and schema."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from recur.app import Context, run
from recur.completion import schedules
from recur.errors import CliError, Exit

FileArgument = Annotated[Path, typer.Argument(help="The schedule document, TOML.")]


def register(app: typer.Typer) -> None:
    """Register them."""
    app.command()(apply)
    app.command()(validate)
    app.command(name="next")(next_)
    app.command()(schema)


def apply(  # noqa: PLR0913, PLR0917 - one argument for each option
    context: typer.Context,
    file: FileArgument,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would change; upload nothing.")
    ] = False,
    count: Annotated[
        int, typer.Option("--next", min=0, max=100, help="So many occurrences of each schedule.")
    ] = 3,
    empty: Annotated[
        bool, typer.Option("--empty", help="Take a document without schedules: it ends them all.")
    ] = False,
    wait: Annotated[
        int, typer.Option(min=0, help="Seconds to wait for a role that was given just now.")
    ] = 0,
) -> None:
    """
    Validate a schedule document, show what changes, and put it in force.

    An invalid one is refused with every problem at once (exit code 3), and nothing is uploaded. If
    somebody else applies one at the same time, the second is refused (exit code 4).

    Example: recur apply schedules.toml --dry-run
    """
    from recur.apply import apply_document  # noqa: PLC0415 - each command loads its own

    def command(given: Context) -> Exit:
        limit = timedelta(seconds=wait)
        return apply_document(given, file, dry_run=dry_run, count=count, empty=empty, wait=limit)

    run(context, command)


def validate(context: typer.Context, file: FileArgument) -> None:
    """
    Say what is wrong with a schedule document (exit code 3), and what may not be meant.

    It needs no deployment. Notes on what may not be meant never change the exit code.

    Example: recur validate schedules.toml
    """
    from recur.schedules.validate import validate_document  # noqa: PLC0415 - as above

    def command(given: Context) -> Exit:
        return validate_document(given, file)

    run(context, command)


def next_(  # noqa: PLR0913, PLR0917 - one argument for each option
    context: typer.Context,
    schedule: Annotated[
        str | None,
        typer.Argument(help="Its id; without it, all are listed.", autocompletion=schedules),
    ] = None,
    count: Annotated[
        int | None,
        typer.Option("-n", min=1, max=10_000, help="So many occurrences. Default: 10."),
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="A document that need not be in force. Default: the one that is."
        ),
    ] = None,
    begin: Annotated[
        str | None, typer.Option("--from", metavar="TIME", help="From this time on. Default: now.")
    ] = None,
    compare: Annotated[
        str | None,
        typer.Option(metavar="POLICY", help="Show beside it what another dst would give."),
    ] = None,
) -> None:
    """
    Show when a schedule is due: wall time, offset, UTC, and what changes of the clock do to it.

    Without SCHEDULE: one line for each, with when it is due next and what keeps it from running;
    of the document in force also its last success, by nominal time, and how many failed since.

    It goes by the table as it stands, also for times in the past; what was in force then is told
    by explain. Pauses by operators are taken into account for the document in force. Wall times
    that do not exist have a line of their own. Exit code 1: nothing comes due within nine years.

    TIME is ISO 8601: with an offset or Z, or on the wall clock of the schedule's zone, or a date.
    POLICY is gap=auto|shift|skip, overlap=auto|first|second|both, or both with a comma between.

    Example: recur next

    Example: recur next nightly-report -n 5 --from 2026-03-07 --compare gap=skip
    """
    from recur.schedules.next import Wanted, show_next  # noqa: PLC0415 - as above
    from recur.schedules.overview import show_overview  # noqa: PLC0415 - as above

    def command(given: Context) -> Exit:
        if schedule is not None:
            wanted = Wanted(
                schedule=schedule, count=count or 10, file=file, begin=begin, compare=compare
            )
            return show_next(given, wanted)
        if count is not None or compare is not None:
            raise CliError(
                Exit.USAGE, "-n and --compare need a SCHEDULE", "`recur next` alone lists them all"
            )
        return show_overview(given, file, begin)

    run(context, command)


def schema(context: typer.Context) -> None:
    """
    Print the JSON Schema of the schedule document, for editors.

    In an editor with taplo or Even Better TOML, a first line `#:schema ./schedules.schema.json`
    in the document makes it complete keys and mark mistakes.

    Example: recur schema > schedules.schema.json
    """
    from recur.schedules.validate import show_schema  # noqa: PLC0415 - as above

    run(context, show_schema)
