"""Requests and answers in the ledger."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import uuid4

from azure.core.exceptions import (
    ClientAuthenticationError,
    HttpResponseError,
    ResourceExistsError,
    ResourceNotFoundError,
    ServiceRequestError,
    ServiceResponseError,
)
from azure.storage.blob import ContainerClient, ContentSettings

from orchestrator import ids
from orchestrator.decisions.request_rules import broken_rule
from orchestrator.errors import RecordUnreadable
from orchestrator.ledger.request import (
    Answer,
    Request,
    dump_answer,
    dump_request,
    load_answer,
    load_request,
)
from recur.errors import CliError, Exit

_JSON: Final = ContentSettings(content_type="application/json")
_SERVER_ERROR: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """
    A request that no tick has answered yet.

    Attributes:
        id: Its id.
        made: When it was made, by the storage's clock.
        request: What it asks for; None if that cannot be read.
    """

    id: str
    made: datetime
    request: Request | None


def new_id() -> str:
    """Return an id that no other request has."""
    return uuid4().hex


def make(ledger: ContainerClient, request: Request) -> None:
    """
    Put a request where the next tick looks.

    An upload whose answer was lost is tried again by the client, and finds its own blob: the id is
    nobody else's, so that is as good.

    Raises:
        CliError: The tick would refuse it. Or storage gave no answer, and it is not known whether
            the request is there.
    """
    if wrong := broken_rule(request, request.id):
        hint = (
            "give your name with --by NAME"
            if wrong.startswith("by ")
            else "correct it, then ask again"
        )
        raise CliError(Exit.USAGE, wrong, hint)
    try:
        ledger.upload_blob(
            ids.request_blob(request.id),
            dump_request(request),
            overwrite=False,
            content_settings=_JSON,
        )
    except ResourceExistsError as error:
        if error.error_code != "BlobAlreadyExists":  # type: ignore[attr-defined] # of storage's errors
            raise
    except ClientAuthenticationError:
        raise
    except (ServiceRequestError, ServiceResponseError) as error:
        raise _unanswered(request, str(error.message)) from error
    except HttpResponseError as error:
        if (error.status_code or _SERVER_ERROR) >= _SERVER_ERROR:
            raise _unanswered(request, str(error.message)) from error
        raise


def _unanswered(request: Request, said: str) -> CliError:
    first = said.partition("\n")[0]
    return CliError(
        Exit.UNAVAILABLE,
        f"storage did not answer: request {request.id} may or may not have been made ({first})",
        f"`recur answer {request.id}` shows whether it exists; if not, ask again",
        details=request_json(request, None),
    )


def find_answer(ledger: ContainerClient, request_id: str) -> Answer | None:
    """
    Return the answer to a request; None if there is none yet.

    Raises:
        CliError: It cannot be read.
    """
    try:
        data = ledger.download_blob(ids.answer_blob(request_id)).readall()
    except ResourceNotFoundError:
        return None
    try:
        return load_answer(data)
    except RecordUnreadable as error:
        raise CliError(
            Exit.FOUND,
            f"{ids.answer_blob(request_id)} cannot be read: {str(error).partition(chr(10))[0]}",
            "use the `recur` of the deployed version",
        ) from error


def find_request(ledger: ContainerClient, request_id: str) -> Waiting | None:
    """Return a request that waits; None if there is none of this id."""
    try:
        blob = ledger.download_blob(ids.request_blob(request_id))
        made: datetime = blob.properties.creation_time
        data = blob.readall()
    except ResourceNotFoundError:
        return None
    try:
        return Waiting(id=request_id, made=made, request=load_request(data))
    except RecordUnreadable:
        return Waiting(id=request_id, made=made, request=None)


def waiting_ids(ledger: ContainerClient, begin: str = "") -> Iterator[str]:
    """Yield the ids of the requests that wait and begin with ``begin``."""
    for name in ledger.list_blob_names(name_starts_with=f"{ids.REQUEST_PREFIX}{begin}"):
        if request_id := ids.open_request_id(str(name)):
            yield request_id


def request_json(request: Request | None, answer: Answer | None) -> dict[str, Any]:
    """Return a request and its answer as programs are told of them; null for what is not known."""
    answered: dict[str, Any] | None = None
    if answer is not None:
        answered = json.loads(dump_answer(answer))
        answered.pop("request", None)
    asked = json.loads(dump_request(request)) if request else None
    return {"request": asked, "answer": answered}
