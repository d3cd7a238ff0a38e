"""The commands about what happened: runs, show, explain, gaps and logs."""

from typing import Annotated

import typer

from orchestrator.enums import Outcome
from orchestrator.ledger.record import Action, Kind
from recur.app import Context, run
from recur.completion import schedules
from recur.errors import Exit
from recur.history.offers import run_ids

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
    app.command()(explain)
    app.command()(gaps)
    app.command()(logs)


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

    TIME is ISO 8601: with an offset or Z, or on the wall clock of the schedule's zone, or a date
    for the beginning of that day: --since 2026-11-01 --until 2026-11-02 is one day.

    A filter may have to read much of the history before it finds enough: --since bounds that.

    Example: recur runs nightly-report --outcome failed --since 2026-11-01
    """
    from recur.history.runs import list_runs  # noqa: PLC0415 - each command loads its own
    from recur.history.search import Wanted  # noqa: PLC0415 - the same

    if open_only and outcome:
        raise typer.BadParameter(
            "--open and --outcome exclude each other: an open run has none yet"
        )
    if open_only and decision and Action.SUBMIT not in decision:
        raise typer.BadParameter("--open is about runs: what was skipped or missed is never open")
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
    from recur.history.show import show_run  # noqa: PLC0415 - each command loads its own

    def command(given: Context) -> Exit:
        return show_run(given, run_id)

    run(context, command)


def explain(
    context: typer.Context,
    schedule: Annotated[str, typer.Argument(help="Its id.", autocompletion=schedules)],
    time: Annotated[
        str, typer.Argument(metavar="TIME", help="An instant, a wall time, or a whole day.")
    ],
) -> None:
    """
    Say in one sentence what became of an occurrence and why, then show the evidence.

    It answers for every instant: what ran, runs, waits, was skipped or missed, is not due, lies in
    the future, or should have been decided and is not (exit code 1).

    TIME is ISO 8601: with an offset or Z, or on the wall clock of the schedule's zone; of a wall
    time that comes twice both are explained. A date means all occurrences of that day; of more than
    twenty those that did not succeed are shown first, and the others counted. --json has them all.

    Example: recur explain nightly-report 2026-11-01T01:30
    """
    from recur.history.explain import explain_time  # noqa: PLC0415 - each command loads its own

    def command(given: Context) -> Exit:
        return explain_time(given, schedule, time)

    run(context, command)


def gaps(
    context: typer.Context,
    schedule: Annotated[
        str | None, typer.Argument(help="Default: all.", autocompletion=schedules)
    ] = None,
    since: Since = None,
) -> None:
    """
    Compare what should be recorded with what is: exit code 1 if anything is missing.

    Every occurrence up to the watermark has one record, or lies in a range of missed ones. What is
    due for more than five minutes and undecided is told as well: then nothing ticks.

    Example: recur gaps --since 2026-11-01
    """
    from recur.history.gaps import find_gaps  # noqa: PLC0415 - each command loads its own

    def command(given: Context) -> Exit:
        return find_gaps(given, schedule, since)

    run(context, command)


def logs(  # noqa: PLR0913, PLR0917 - one argument for each option
    context: typer.Context,
    run_id: RunArgument,
    stderr: Annotated[bool, typer.Option("--stderr", help="stderr.txt instead of stdout.")] = False,
    output: Annotated[
        str | None, typer.Option(metavar="PATH", help="Another output, as --outputs lists them.")
    ] = None,
    outputs: Annotated[bool, typer.Option("--outputs", help="List what is stored.")] = False,
    attempt: Annotated[
        int | None, typer.Option(min=1, help="Its number. Default: the newest.")
    ] = None,
    follow: Annotated[
        bool, typer.Option("--follow", help="Go on until the run has ended.")
    ] = False,
) -> None:
    """
    Write what a run wrote to stdout, byte for byte; by default what it wrote to its own stdout.

    While it runs that is read from its node. With --follow it ends when the run has ended: exit
    code 0 if it succeeded, 1 if not.

    Example: recur logs nightly-report-20261123T070000Z --follow
    """
    from recur.history.logs import Wish, list_outputs, show_output  # noqa: PLC0415 - the same

    chosen = [stderr, output is not None, outputs]
    if sum(chosen) > 1:
        raise typer.BadParameter("--stderr, --output and --outputs exclude each other")
    if follow and (outputs or attempt is not None):
        raise typer.BadParameter("--follow is about the newest attempt, and about one output")

    def command(given: Context) -> Exit:
        if outputs:
            return list_outputs(given, run_id, attempt)
        stream = "stderr.txt" if stderr else "stdout.txt"
        path = stream if output is None else output
        return show_output(given, Wish(run=run_id, path=path, attempt=attempt, follow=follow))

    run(context, command)
