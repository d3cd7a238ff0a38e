"""Make a request, and tell how the next tick answered it."""

import time
from collections.abc import Mapping, Sequence
from datetime import timedelta

from azure.core.exceptions import AzureError
from azure.storage.blob import ContainerClient

from orchestrator.ids import ScheduleId
from orchestrator.ledger.request import Request, RequestKind
from recur.context import Context
from recur.errors import CliError, Exit
from recur.ledger_reader.snapshot import Snapshot, read_snapshot
from recur.requests import request_blobs
from recur.requests.answer_wait import Count, Waiting, say_answer, show_answer, wait_for_answer
from recur.requests.options import RequestOptions
from recur.service_errors import in_our_words
from recur.status.timer_notes import submit_silence


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
    Make a request, and wait for its answer if that is wanted, and if a tick may give it.

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
    given.output.say(f"asked for {what}")
    silent = submit_silence(given.target())
    found = None
    if request_options.wait is not None:
        limit = timedelta() if silent else request_options.wait
        found = wait_for_answer(given, ledger, request.id, limit, count)
    return show_answer(
        given,
        request.id,
        request,
        found,
        waiting=Waiting(waited=request_options.wait is not None, silent=silent),
        details=details or {},
    )


def make_requests(
    given: Context,
    ledger: ContainerClient,
    asked: Sequence[tuple[Request, str]],
    request_options: RequestOptions,
) -> Exit:
    """
    Make several requests, then wait for all their answers; programs get a list.

    One that is refused, or cannot be made, keeps none of the others from being answered.

    Args:
        given: What every command is given.
        ledger: Where to.
        asked: Each request, and the same for people.
        request_options: By whom, why, and how long to wait for all answers together.

    Returns:
        The exit code of what went worst.
    """
    codes = [Exit.DONE]
    made, error = _make_in_turn(given, ledger, asked)
    if error:
        codes.append(_tell(given, error))
    silent = submit_silence(given.target()) if made else None
    begin, wait = time.monotonic(), request_options.wait
    waiting = Waiting(waited=wait is not None, silent=silent)
    told = []
    for request in made:
        found = None
        if wait is not None:
            passed = timedelta(seconds=time.monotonic() - begin)
            left = timedelta() if silent else max(wait - passed, timedelta())
            found = wait_for_answer(given, ledger, request.id, left)
        told.append(request_blobs.request_json(request, found))
        try:
            say_answer(given, request.id, found, waiting)
        except CliError as error:
            codes.append(_tell(given, error))
    given.output.result(told)
    return max(codes)


def _make_in_turn(
    given: Context, ledger: ContainerClient, asked: Sequence[tuple[Request, str]]
) -> tuple[list[Request], CliError | None]:
    """
    Make requests until one fails.

    Returns:
        Those that were made, and the error of the next one; it names what was not asked for.

    Raises:
        AzureError: Storage refused the first one, so that none was made.
    """
    made = list[Request]()
    for request, what in asked:
        try:
            request_blobs.make(ledger, request)
        except CliError as error:
            return made, _with_others(error, asked[len(made) :])
        except AzureError as error:
            if not made:
                raise
            return made, _with_others(in_our_words(error, given.target()), asked[len(made) :])
        given.output.say(f"asked for {what}")
        made.append(request)
    return made, None


def _with_others(error: CliError, left: Sequence[tuple[Request, str]]) -> CliError:
    """Return the error of the first of some requests with the others, which were not made."""
    (_, first), *others = left
    not_made = "".join(f"; not asked for: {what}" for _, what in others)
    return CliError(
        error.code, f"{first}: {error.message}{not_made}", error.next_step, details=error.details
    )


def _tell(given: Context, error: CliError) -> Exit:
    given.output.progress.print(f"recur: {error.message}", markup=False)
    if error.next_step:
        given.output.progress.print(f"  next: {error.next_step}", markup=False)
    return error.code


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
