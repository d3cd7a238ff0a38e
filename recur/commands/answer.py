"""`recur answer`: how a request was answered, or which requests wait."""

from datetime import UTC, datetime, timedelta, tzinfo
from typing import Annotated, Final

import typer

from orchestrator import ids
from recur.arguments import Wait
from recur.completion import waiting_requests
from recur.context import Context, run
from recur.errors import CliError, Exit
from recur.formats import NOTHING, ago, local
from recur.requests import request_blobs
from recur.requests.answer_wait import Waiting, show_answer, wait_for_answer
from recur.requests.options import WAIT_SECONDS
from recur.status.timer_notes import submit_silence
from recur.tables import Column, show_table

_COLUMNS: Final = (
    Column(name="REQUEST", rank=0),
    Column(name="MADE", rank=4),
    Column(name="SINCE", rank=3),
    Column(name="KIND", rank=1),
    Column(name="OF", rank=2),
    Column(name="BY", rank=5, prose=True),
)
_FIELDS: Final = ("id", "made", "request")


def command(
    context: typer.Context,
    request: Annotated[
        str | None,
        typer.Argument(
            help="The id of a request. Default: list the requests that wait.",
            autocompletion=waiting_requests,
        ),
    ] = None,
    wait: Wait = WAIT_SECONDS,
) -> None:
    """
    Show the answer to a request; wait for it if there is none yet.

    Answers are kept for 30 days.

    Example: recur answer 5f0c2b7e9d3a4c1f8e6b7a5d4c3b2a19
    """

    def look(given: Context) -> Exit:
        if request is None:
            return list_waiting(given)
        return look_up_answer(given, request, timedelta(seconds=wait))

    run(context, look)


def look_up_answer(given: Context, request_id: str, wait: timedelta) -> Exit:
    """
    Tell how a request was answered, waiting for it where it waits.

    Raises:
        CliError: There is neither a request nor an answer of this id, or it is none.
    """
    if not ids.REQUEST_ID.fullmatch(request_id):
        raise CliError(
            Exit.REFUSED,
            f"{request_id!r} is not a request id, which has 1 to 64 lower-case letters and digits",
            "`recur answer` lists the requests that wait",
        )
    ledger = given.target().ledger()
    asked = silent = None
    found = request_blobs.find_answer(ledger, request_id)
    if found is None:
        waiting = request_blobs.find_request(ledger, request_id)
        asked = waiting.request if waiting else None
        # A tick answers first and removes then: whoever finds neither looks once more.
        silent = submit_silence(given.target()) if waiting else None
        limit = wait if waiting and not silent else timedelta()
        found = wait_for_answer(given, ledger, request_id, limit)
        if found is None and waiting is None:
            raise CliError(
                Exit.REFUSED,
                f"there is no request {request_id!r}: it was never made, or was answered more "
                "than 30 days ago",
                "`recur answer` lists the requests that wait; if it is not there, ask again",
            )
    request = found.request if found else asked
    how = Waiting(waited=True, silent=silent)
    return show_answer(given, request_id, request, found, waiting=how)


def list_waiting(given: Context) -> Exit:
    """Tell which requests no tick has answered yet, the oldest first."""
    ledger = given.target().ledger()
    found = [request_blobs.find_request(ledger, one) for one in request_blobs.waiting_ids(ledger)]
    waiting = sorted((one for one in found if one), key=lambda one: (one.made, one.id))
    if waiting:
        show_table(given.output, _COLUMNS, [_row(one, given.zone) for one in waiting])
    else:
        given.output.say("no requests are waiting")
    told = [
        {"id": one.id, "made": one.made}
        | {"request": request_blobs.request_json(one.request, None)["request"]}
        for one in waiting
    ]
    given.output.listing(told, told, _FIELDS)
    return Exit.DONE


def _row(one: request_blobs.Waiting, zone: tzinfo | None) -> tuple[str, ...]:
    made, asked = local(one.made, zone), one.request
    since = ago(one.made, datetime.now(UTC))
    if asked is None:
        return one.id, made, since, "cannot be read", NOTHING, NOTHING
    return one.id, made, since, asked.kind, asked.run_id or asked.schedule, asked.by
