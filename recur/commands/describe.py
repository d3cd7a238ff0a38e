"""`recur describe`: what a schedule is, does and did."""

import typer

from recur.arguments import Schedule
from recur.context import Context, run
from recur.description.reader import read_description
from recur.description.rendering import description_json, show_description
from recur.errors import Exit


def command(context: typer.Context, schedule: Schedule) -> None:
    """
    Describe a schedule: when it is due in words, its policies, its last and next occurrences.

    First how it stands, and what somebody should know of it. Then when it is due, its policies, the
    version of the document with who applied it, and how its runs ended in the last 30 days: how
    many succeeded, median and p95 of their duration and of their lateness. Runs that were triggered
    or backfilled have no lateness. Then its open runs, the last ten and the next ten occurrences
    with what changes of the clock make of them, and its table of the document.

    Times are on the clock of the schedule's zone, unless --utc or --zone is given. A schedule that
    was removed is described as long as the ledger remembers it.

    Example: recur describe nightly-report
    """
    run(context, lambda given: show_schedule(given, schedule))


def show_schedule(given: Context, schedule: str) -> Exit:
    """
    Show the description of a schedule.

    Raises:
        CliError: There is none of this id.
    """
    given.output.refuse_lists()
    description = read_description(given, schedule)
    show_description(given.output, description, given.zone)
    given.output.result(description_json(description))
    return Exit.DONE
