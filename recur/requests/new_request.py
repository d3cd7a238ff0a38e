"""Make a request, and tell how the next tick answered it."""

from collections.abc import Mapping

from azure.storage.blob import ContainerClient

from orchestrator.ids import ScheduleId
from orchestrator.ledger.request import Request, RequestKind
from recur.context import Context
from recur.errors import Exit
from recur.ledger_reader.snapshot import Snapshot, read_snapshot
from recur.requests import request_blobs
from recur.requests.answer_wait import Count, show_answer, wait_for_answer
from recur.requests.options import RequestOptions


def make_request(  # noqa: PLR0913, PLR0917 - what is asked, how, and how it is told
    given: Context,
    ledger: ContainerClient,
    request: Request,
    request_options: RequestOptions,
    what: str,
    count: Count | None = None,
    details: Mapping[str, object] | None = None,
) -> Exit:
    """
    Make a request, and wait for its answer if that is wanted.

    Args:
        given: What every command is given.
        ledger: Where to.
        request: What is asked for.
        request_options: By whom, why, and how long to wait for the answer.
        what: The same for people.
        count: Tells how far the tick has come with it.
        details: What else programs are told.
    """
    request_blobs.make(ledger, request)
    given.output.say(f"request {request.id}: {what}")
    found = (
        wait_for_answer(given, ledger, request.id, request_options.wait, count)
        if request_options.wait is not None
        else None
    )
    waited = request_options.wait is not None
    return show_answer(given, request.id, request, found, waited=waited, details=details or {})


def open_ledger(given: Context) -> tuple[ContainerClient, Snapshot]:
    """Return the ledger and what it says of schedules; doubts are told on stderr."""
    ledger = given.target().ledger()
    snapshot = read_snapshot(ledger)
    for doubt in snapshot.doubts:
        given.output.progress.print(f"not checked: {doubt}", markup=False)
    return ledger, snapshot


def new_request(
    kind: RequestKind, schedule: ScheduleId, request_options: RequestOptions
) -> Request:
    """Return a new request with what all of them hold."""
    return Request(
        id=request_blobs.new_id(),
        kind=kind,
        by=request_options.by,
        schedule=schedule,
        note=request_options.note,
    )
