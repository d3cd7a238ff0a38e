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

    It starts with the state of the schedule and anything that needs attention. Then it shows when
    it is due, its policies, the version of the document and who applied it. For the runs of the
    last 30 days it shows the success rate, and median and p95 of duration and lateness; triggered
    and backfilled runs have no lateness. It ends with the open runs, the last ten and next ten
    occurrences with the effects of clock changes, and the table of the document.

    Times are in the schedule's time zone, unless you use --utc or --zone. A removed schedule can be
    described while the ledger still has its state.

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
