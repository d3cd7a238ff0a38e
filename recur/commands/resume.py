"""`recur resume`: the end of a pause."""

import typer

from orchestrator.ledger.request import RequestKind
from recur.arguments import By, Note, NoWait, Schedule, Wait
from recur.context import Context, run
from recur.errors import Exit
from recur.ledger_reader.snapshot import check_schedule
from recur.requests.new_request import make_request, new_request, open_ledger
from recur.requests.options import WAIT_SECONDS, RequestOptions


def command(  # noqa: PLR0913, PLR0917 - one argument for each option
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

    def ask(given: Context) -> Exit:
        request_options = RequestOptions.of(by, note, seconds=None if no_wait else wait)
        return request_resume(given, schedule, request_options)

    run(context, ask)


def request_resume(given: Context, schedule: str, request_options: RequestOptions) -> Exit:
    """Ask for the end of a pause, by whomever."""
    ledger, snapshot = open_ledger(given)
    id_ = check_schedule(snapshot, schedule)
    request = new_request(RequestKind.RESUME, id_, request_options)
    return make_request(given, ledger, request, request_options, f"the end of a pause of {id_}")
