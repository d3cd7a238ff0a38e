"""The commands about what happened: runs and show."""

from typing import Annotated

import typer

from cli.app import Context, run
from cli.completion import schedules
from cli.errors import Exit
from cli.history.offers import run_ids
from orchestrator.record import Action, Kind
from orchestrator.words import Outcome

RunArgument = Annotated[
    str, typer.Argument(help="A run id, or the id of one of its jobs.", autocompletion=run_ids)
]
Since = Annotated[
    str | None,
    typer.Option(metavar="TIME", help="From this nominal time on. Default: 400 days back."),
]


def register(app: typer.Typer) -> None:
    """Register them."""
    app.command()(runs)
    app.command()(show)


def runs(  # noqa: PLR0913, PLR0917 - one argument for each option
    context: typer.Context,
    schedule: Annotated[
        str | None, typer.Argument(help="Default: all.", autocompletion=schedules)
    ] = None,
    since: Since = None,
    until: Annotated[
        str | None, typer.Option(metavar="TIME", help="Up to this nominal time.")
    ] = None,
    outcome: Annotated[
        list[Outcome] | None, typer.Option(help="Only runs that ended so; may be repeated.")
    ] = None,
    decision: Annotated[
        list[Action] | None, typer.Option(help="Only what was decided so; may be repeated.")
    ] = None,
    kind: Annotated[
        list[Kind] | None, typer.Option(help="Only what was asked for so; may be repeated.")
    ] = None,
    open_only: Annotated[
        bool, typer.Option("--open", help="Only runs that have not ended.")
    ] = False,
    count: Annotated[int, typer.Option("-n", min=1, help="So many at most.")] = 20,
) -> None:
    """
    List what ran, what did not and why, newest first; runs that have not ended are among them.

    TIME is ISO 8601: with an offset or Z, or on the wall clock of the schedule's zone, or a date.
    A filter may have to read much of the history before it finds enough: --since bounds that.

    Example: recur runs nightly-report --outcome failed --since 2026-11-01
    """
    from cli.history.runs import Wanted, list_runs  # noqa: PLC0415 - each command loads its own

    wanted = Wanted(
        schedule=schedule,
        since=since,
        until=until,
        outcomes=tuple(outcome or ()),
        decisions=tuple(decision or ()),
        kinds=tuple(kind or ()),
        open_only=open_only,
        count=count,
    )

    def command(given: Context) -> Exit:
        return list_runs(given, wanted)

    run(context, command)


def show(context: typer.Context, run_id: RunArgument) -> None:
    """
    Show the record of one run: what was decided, its attempts, its outputs, its past.

    Example: recur show nightly-report-20261123T070000Z
    """
    from cli.history.show import show_run  # noqa: PLC0415 - each command loads its own

    def command(given: Context) -> Exit:
        return show_run(given, run_id)

    run(context, command)
