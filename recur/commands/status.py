"""`recur status`: how the deployment stands, and every schedule of it, on one screen."""

import time
from dataclasses import fields
from typing import Annotated, Final

import typer

from recur.context import Context, run
from recur.errors import CliError, Exit
from recur.status.reader import read_status
from recur.status.rendering import show_status, status_json
from recur.status.value import ScheduleStatus, Status
from recur.target import Target

_EVERY_SECONDS: Final = 5


def command(
    context: typer.Context,
    watch: Annotated[
        bool, typer.Option("--watch", help="Refresh every 5 seconds until Ctrl-C.")
    ] = False,
) -> None:
    """
    Show the state of the deployment and of each schedule, worst first.

    It starts with both timers, the pool, the ledger and the document. Then it lists blocked, stuck,
    failed and overdue runs, each with its cause and what to do. Then it has a line for each
    schedule: what it does, how its last run ended, when it is due next, and who paused it until
    when.

    What cannot be read is shown as unknown, with the missing role. Exit code 1: someone needs to
    act, because of a problem or because something is unknown. When you have dealt with a failure,
    recur resume SCHEDULE clears it; so does the next success.

    Example: recur status

    Example: recur status --watch
    """

    def look(given: Context) -> Exit:
        target = given.target()
        if not watch:
            return show_once(given, target)
        if not given.output.for_people:
            form = given.output.form
            raise CliError(
                Exit.USAGE, f"--watch prints no {form}", f"recur status -o {form}, again"
            )
        return show_until_interrupted(given, target)

    run(context, look)


def show_once(given: Context, target: Target) -> Exit:
    """Show the status; 1 if somebody is needed."""
    status = read_status(target)
    show_status(given.output, status, given.zone)
    told = status_json(status)
    given.output.listing(told, told["schedules"], [one.name for one in fields(ScheduleStatus)])
    return _exit(status)


def show_until_interrupted(given: Context, target: Target) -> Exit:
    """Show the status again and again, until Ctrl-C; then it ends as the last one would."""
    code = Exit.DONE
    try:
        while True:
            status = read_status(target)
            code = _exit(status)
            given.output.people.clear()
            show_status(given.output, status, given.zone)
            time.sleep(_EVERY_SECONDS)
    except KeyboardInterrupt:
        return code


def _exit(status: Status) -> Exit:
    return Exit.FOUND if status.needs_person else Exit.DONE
