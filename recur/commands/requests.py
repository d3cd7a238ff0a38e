"""
The commands about what an operator asks for: each makes a request, which a tick carries out.

And the one that does a tick by hand.
"""

from datetime import timedelta
from typing import Annotated, Final, Literal

import typer

from recur.app import Context, run
from recur.completion import open_runs, schedules, waiting_requests
from recur.errors import Exit
from recur.requests.manner import WAIT_SECONDS, Manner

_TIME: Final = (
    "ISO 8601 with an offset or Z, else the wall time of the schedule's zone; a date is when it "
    "begins there."
)

Schedule = Annotated[str, typer.Argument(help="The id of a schedule.", autocompletion=schedules)]
Note = Annotated[str | None, typer.Option(help="Why, for the record.")]
By = Annotated[
    str | None,
    typer.Option(
        help="Who asks, for the record: nobody checks it.", show_default="login name and host"
    ),
]
Wait = Annotated[
    int, typer.Option(min=0, metavar="SECONDS", help="How long to wait for the answer.")
]
NoWait = Annotated[
    bool, typer.Option("--no-wait", help="Make the request and end: `recur answer` looks later.")
]


def register(app: typer.Typer) -> None:
    """Register them."""
    for command in (trigger, stop, pause, resume, backfill, answer, tick):
        app.command()(command)


def _manner(by: str | None, note: str | None, wait: int, no_wait: bool) -> Manner:
    return Manner.of(by, note, seconds=None if no_wait else wait)


def trigger(  # noqa: PLR0913, PLR0917 - one argument for each option
    context: typer.Context,
    schedule: Schedule,
    key: Annotated[
        str | None,
        typer.Option(
            help="The same key never makes a second run, so a command with one may be repeated.",
            show_default="a random one, which is printed",
        ),
    ] = None,
    force: Annotated[
        bool,
        typer.Option("--force", help="Whatever else of the schedule runs; and be in nobody's way."),
    ] = False,
    follow: Annotated[
        bool,
        typer.Option(
            "--follow", help="Then show what it writes, until it has ended; 1 unless it succeeded."
        ),
    ] = False,
    note: Note = None,
    by: By = None,
    wait: Wait = WAIT_SECONDS,
    no_wait: NoWait = False,
) -> None:
    """
    Run a schedule now, once, besides its occurrences.

    Its overlap policy holds as for an occurrence; a pause does not keep it from running.

    Example: recur trigger nightly-report --key ticket-4711 --note "figures were wrong"
    """
    from recur.requests import ask  # noqa: PLC0415 - each command loads its own

    def command(given: Context) -> Exit:
        manner = _manner(by, note, wait, no_wait)
        return ask.trigger(given, schedule, manner, key=key, force=force, follow=follow)

    run(context, command)


def stop(  # noqa: PLR0913, PLR0917 - one argument for each option
    context: typer.Context,
    run_id: Annotated[
        str, typer.Argument(metavar="RUN", help="The id of a run.", autocompletion=open_runs)
    ],
    note: Note = None,
    by: By = None,
    wait: Wait = WAIT_SECONDS,
    no_wait: NoWait = False,
) -> None:
    """
    End a run that is open; it is not tried again.

    The tick marks it, and the collector ends its job: a minute or two later it is terminated.

    Example: recur stop nightly-report-20261123T070000Z --note "wrong input"
    """
    from recur.requests import ask  # noqa: PLC0415 - each command loads its own

    run(context, lambda given: ask.stop(given, run_id, _manner(by, note, wait, no_wait)))


def pause(  # noqa: PLR0913, PLR0917 - one argument for each option
    context: typer.Context,
    schedule: Schedule,
    until: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help=f"{_TIME} Or for so long from now on: 30m, 2h, 1d, PT2H.",
            show_default="until somebody resumes it",
        ),
    ] = None,
    note: Note = None,
    by: By = None,
    wait: Wait = WAIT_SECONDS,
    no_wait: NoWait = False,
) -> None:
    """
    Skip the occurrences of a schedule from now on; each is recorded as skipped (paused).

    Runs that are open go on. What was skipped is not made up for: `recur backfill` can run it.

    Example: recur pause nightly-report --until 2h

    Example: recur pause nightly-report --until 2026-12-01T06:00 --note "database moves"
    """
    from recur.requests import ask  # noqa: PLC0415 - each command loads its own

    def command(given: Context) -> Exit:
        return ask.pause(given, schedule, _manner(by, note, wait, no_wait), until=until)

    run(context, command)


def resume(  # noqa: PLR0913, PLR0917 - one argument for each option
    context: typer.Context,
    schedule: Schedule,
    note: Note = None,
    by: By = None,
    wait: Wait = WAIT_SECONDS,
    no_wait: NoWait = False,
) -> None:
    """
    End a pause by `recur pause` or after failures, from now on.

    A schedule with paused = true in the document is resumed by `recur apply`.

    Example: recur resume nightly-report
    """
    from recur.requests import ask  # noqa: PLC0415 - each command loads its own

    run(context, lambda given: ask.resume(given, schedule, _manner(by, note, wait, no_wait)))


def backfill(  # noqa: PLR0913, PLR0917 - one argument for each option
    context: typer.Context,
    schedule: Schedule,
    begin: Annotated[str, typer.Option("--from", metavar="TIME", help=f"Exclusive. {_TIME}")],
    end: Annotated[str, typer.Option("--to", metavar="TIME", help="Inclusive; as --from.")],
    rerun: Annotated[
        bool, typer.Option("--rerun", help="Also what has run, and what `except` leaves out.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask; needed off a terminal.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would run; ask for nothing.")
    ] = False,
    note: Note = None,
    by: By = None,
    wait: Wait = WAIT_SECONDS,
    no_wait: NoWait = False,
) -> None:
    """
    Run past occurrences: those later than --from and not later than --to that have not run.

    First the plan: how many, and which. They run one at a time, oldest first, under the ids of the
    schedule and beside its other runs; what has run is left, unless --rerun is given. At most 1,000
    occurrences at once, none that is still to be decided, and none from before Recur knew the
    schedule.

    Example: recur backfill nightly-report --from 2026-11-01 --to 2026-12-01 --dry-run
    """
    from recur.requests.backfill import Wish, backfill  # noqa: PLC0415 - each command loads its own

    def command(given: Context) -> Exit:
        wish = Wish(begin=begin, end=end, rerun=rerun, yes=yes, dry_run=dry_run)
        return backfill(given, schedule, wish, _manner(by, note, wait, no_wait))

    run(context, command)


def answer(
    context: typer.Context,
    request: Annotated[
        str | None,
        typer.Argument(
            help="The id of a request; without it, those that wait are listed.",
            autocompletion=waiting_requests,
        ),
    ] = None,
    wait: Wait = WAIT_SECONDS,
) -> None:
    """
    Tell how a request was answered, waiting for that where it was not yet.

    Answers are kept for 30 days.

    Example: recur answer 5f0c2b7e9d3a4c1f8e6b7a5d4c3b2a19
    """
    from recur.requests import ask  # noqa: PLC0415 - each command loads its own

    def command(given: Context) -> Exit:
        if request is None:
            return ask.list_waiting(given)
        return ask.answer(given, request, timedelta(seconds=wait))

    run(context, command)


def tick(
    context: typer.Context,
    which: Annotated[
        Literal["submit", "collect", "both"], typer.Argument(metavar="PASS", help="Which one.")
    ] = "both",
    verbose: Annotated[
        bool, typer.Option("--verbose", help="Tell each event on stderr, as telemetry has it.")
    ] = False,
) -> None:
    """
    Do the timers' work once, from here, as whoever is signed in: submit, collect, or both.

    For when the timers are down. Safe beside them, and beside others who do the same.

    Example: recur tick
    """
    from recur.tick import tick  # noqa: PLC0415 - each command loads its own

    run(context, lambda given: tick(given, which, verbose=verbose))
