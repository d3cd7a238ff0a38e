"""Wait for what a tick answers, visibly, and no longer than was asked for."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import Final

from azure.core.exceptions import (
    ClientAuthenticationError,
    HttpResponseError,
    ServiceRequestError,
    ServiceResponseError,
)
from azure.storage.blob import ContainerClient
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from orchestrator.ledger.request import Answer, Request, Status
from recur.context import Context
from recur.errors import CliError, Exit
from recur.requests import request_blobs
from recur.status.value import Finding

_POLL_SECONDS: Final = 1.0
_QUIET_SECONDS: Final = 2.0
_LATE_SECONDS: Final = 90.0
_SHOWN_RUNS: Final = 10
_CLIENT_ERROR: Final = range(400, 500)

type Count = Callable[[], tuple[int, int]]
"""Returns how much is done, and of how much."""


def wait_for_answer(
    given: Context,
    ledger: ContainerClient,
    request_id: str,
    limit: timedelta,
    count: Count | None = None,
) -> Answer | None:
    """
    Return the answer, once a tick has given it; None if none does in time, or upon Ctrl-C.

    Storage that does not answer in between ends nothing: the request is made.
    """
    begin = time.monotonic()
    with _progress_bar(given) as progress:
        task = progress.add_task("", total=None, visible=False)
        try:
            while True:
                answer = _look_for_answer(ledger, request_id)
                waited = time.monotonic() - begin
                if answer is not None or waited >= limit.total_seconds():
                    return answer
                if waited >= _QUIET_SECONDS and not progress.disable:
                    done, total = _safe_count(count)
                    progress.update(
                        task,
                        description=_waiting_text(waited, done),
                        completed=done,
                        total=total,
                        visible=True,
                    )
                time.sleep(max(0.0, min(_POLL_SECONDS, limit.total_seconds() - waited)))
        except KeyboardInterrupt:
            return None


def _progress_bar(given: Context) -> Progress:
    """Return a line on stderr, shown on a terminal alone."""
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=20),
        TimeElapsedColumn(),
        console=given.output.progress,
        transient=True,
        disable=given.output.as_json or not given.output.progress.is_terminal,
    )


def _look_for_answer(ledger: ContainerClient, request_id: str) -> Answer | None:
    try:
        return request_blobs.find_answer(ledger, request_id)
    except ClientAuthenticationError:
        raise
    except (ServiceRequestError, ServiceResponseError):
        return None
    except HttpResponseError as error:
        if error.status_code in _CLIENT_ERROR:
            raise
        return None


def _safe_count(count: Count | None) -> tuple[int, int | None]:
    if count is None:
        return 0, None
    try:
        return count()
    except (ServiceRequestError, ServiceResponseError, HttpResponseError):
        return 0, None


def _waiting_text(waited: float, done: int) -> str:
    if done:
        return "a tick is working on it"
    if waited < _LATE_SECONDS:
        return "waiting for the next tick, about a minute"
    return "no tick has answered yet; the timers may be down"


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """
    How an answer was waited for.

    Attributes:
        waited: Whether it was.
        silent: That no tick is to be expected, which makes it useless; None: one is, or may be.
    """

    waited: bool
    silent: Finding | None = None


def show_answer(  # noqa: PLR0913 - what was asked for, and how it ended
    given: Context,
    request_id: str,
    request: Request | None,
    answer: Answer | None,
    *,
    waiting: Waiting,
    details: Mapping[str, object] = MappingProxyType({}),
) -> Exit:
    """
    Tell how a request was answered, or that it waits.

    Args:
        given: What every command is given.
        request_id: Of what was asked for.
        request: The same; None if it cannot be read.
        answer: How it was answered; None if it was not yet.
        waiting: How that was waited for.
        details: What else programs are told.

    Raises:
        CliError: It was refused, or no tick answered in time.
    """
    details = {**details, **request_blobs.request_json(request, answer)}
    try:
        say_answer(given, request_id, answer, waiting)
    except CliError as error:
        error.details.update(details)
        raise
    given.output.result(details)
    return Exit.DONE


def say_answer(given: Context, request_id: str, answer: Answer | None, waiting: Waiting) -> None:
    """
    Tell people how a request was answered, or that it waits.

    Raises:
        CliError: It was refused, or no tick answered in time.
    """
    if answer is None:
        look = f"recur answer {request_id}"
        silent = waiting.silent
        if not waiting.waited:
            given.output.say(f"the next tick answers it: {look}")
            if silent:
                given.output.progress.print(f"{silent.what}: {silent.next_step}", markup=False)
            return
        if silent:
            raise CliError(
                Exit.UNAVAILABLE,
                f"{silent.what}; request {request_id} waits for the next tick",
                f"{silent.next_step}. Then {look}",
            )
        raise CliError(
            Exit.UNAVAILABLE,
            f"no tick has answered yet; request {request_id} waits for the next tick",
            f"{look}; `recur doctor` checks whether the timers run; if they do not, "
            "`recur tick submit` does one tick now",
        )
    if answer.status is Status.REFUSED:
        raise CliError(Exit.REFUSED, answer.sentence)
    given.output.say(answer.sentence)
    if len(answer.runs) == 1 and answer.runs[0] in answer.sentence.split():
        return
    for run in answer.runs[:_SHOWN_RUNS]:
        given.output.say(f"  {run}")
    if len(answer.runs) > _SHOWN_RUNS:
        given.output.say(f"  and {len(answer.runs) - _SHOWN_RUNS} more")
