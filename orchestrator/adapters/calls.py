"""How long one call to a service may take, and what its failures mean."""

import asyncio
from collections.abc import Awaitable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import Enum
from typing import Any, Final
from urllib.request import getproxies

from aiohttp import ClientError
from azure.core.exceptions import (
    ClientAuthenticationError,
    DecodeError,
    DeserializationError,
    HttpResponseError,
    IncompleteReadError,
    ServiceRequestError,
    ServiceResponseError,
)
from azure.core.pipeline import PipelineResponse

from orchestrator.adapters.time_limits import CALL_SECONDS
from orchestrator.errors import (
    BatchRefused,
    BatchUnavailable,
    BlobRefused,
    LedgerConflict,
    LedgerUnavailable,
)

RETRIES: Final[dict[str, Any]] = {
    "retry_total": 2,
    "retry_backoff_factor": 0.2,  # seconds, doubled each time
    "connection_timeout": 3,
    "read_timeout": 8,
    "connection_data_block_size": 256 * 1024,  # the client's own 4 KiB make large files slow
}
"""Of the Azure clients: what still fails is tried by the next tick."""

NO_ANSWER: Final = (
    TimeoutError,
    ServiceRequestError,
    ServiceResponseError,
    IncompleteReadError,
    DecodeError,
    DeserializationError,
    ClientError,
)
"""Raised when the service did not answer: what was asked for may have been done all the same."""

_NOT_MODIFIED = 304
_NOT_FOUND = 404
_BAD_REQUEST = 400
_UNAUTHORIZED = 401
_ACCESS = {_UNAUTHORIZED, 403}
_WHOLE_PLACE = ("Account", "Container")  # how codes begin that are not about one blob
_TOO_MANY = 429
_SERVER_ERROR = 500


def environment_options() -> dict[str, Any]:
    """
    Return an option of the Azure clients: use the environment only if it names a proxy.

    Where they use it, they read it and ``~/.netrc`` anew for each request, in two threads. And a
    login that ``.netrc`` has for the service makes them fail.
    """
    return {"use_env_settings": bool(getproxies())}


async def in_time[T](call: Awaitable[T]) -> T:
    """
    Await one call.

    Raises:
        TimeoutError: It took longer than 10 s.
    """
    async with asyncio.timeout(CALL_SECONDS):
        return await call


def says_nothing(error: HttpResponseError) -> bool:
    """
    Tell an answer that says nothing about the request itself.

    Throttled, a server's error, or no answer of the service at all: a proxy's page, a redirect.
    """
    status = error.status_code
    return status is None or status == _TOO_MANY or not _BAD_REQUEST <= status < _SERVER_ERROR


def no_credential(error: HttpResponseError) -> bool:
    """Tell a credential that could not be had: the service itself was never asked."""
    return isinstance(error, ClientAuthenticationError) and error.response is None


def words(error: BaseException) -> str:
    """Return what an exception says, or its kind where it says nothing, as a time-out does."""
    return str(error) or type(error).__name__


def first_line(error: BaseException) -> str:
    """Return the first line of what an exception says: the Azure clients add details below it."""
    return str(error).partition("\n")[0]


def enum_word(value: Enum | str | None) -> str | None:
    """Return the word of an Azure client's value: an enum where the client knows it, else a text."""
    return str(value.value) if isinstance(value, Enum) else value


class BlobAnswer(Exception):  # noqa: N818 - an answer that the adapter acts on, not an error
    """
    An answer that brings no blob.

    Attributes:
        now: The Date of the reply.
    """

    def __init__(self, now: datetime) -> None:
        self.now = now
        super().__init__()


class BlobMissing(BlobAnswer):
    """There is no such blob."""


class BlobUnchanged(BlobAnswer):
    """The blob is the one that was read before."""


async def reply_of_batch[T](call: Awaitable[T]) -> T:
    """
    Await one call to Batch.

    Raises:
        BatchUnavailable: There is no answer.
        BatchRefused: There is no credential.
        HttpResponseError: The answer is an error.
    """
    try:
        return await in_time(call)
    except NO_ANSWER as error:
        raise BatchUnavailable(f"no answer from Batch: {words(error)}") from error
    except HttpResponseError as error:
        if not no_credential(error):
            raise
        raise BatchRefused(status=_UNAUTHORIZED, code="NoCredential", detail=str(error)) from error


async def ask_storage[T](call: Awaitable[T]) -> T:
    """
    Await one call to blob storage and put its failure into our words.

    Raises:
        LedgerUnavailable: No answer, or a refusal of the whole account or container.
        BlobRefused: A refusal that is about this blob.
        LedgerConflict: A condition of the request does not hold.
        BlobAnswer: The blob is missing, or unchanged.
    """
    try:
        return await in_time(call)
    except NO_ANSWER as error:
        raise LedgerUnavailable(f"no answer from blob storage: {words(error)}") from error
    except HttpResponseError as error:
        response: Any = error.response
        if response is None:
            raise LedgerUnavailable(f"no access to blob storage: {error.message}") from error
        code = _code(error)
        if error.status_code == _NOT_MODIFIED:
            raise BlobUnchanged(_date(response.headers)) from error
        if error.status_code == _NOT_FOUND and code != "ContainerNotFound":
            raise BlobMissing(_date(response.headers)) from error
        if _is_conflict(code):
            raise LedgerConflict(code) from error
        refusal = f"blob storage refused: {code} ({error.status_code})"
        if _is_about_one_blob(error, code):
            raise BlobRefused(refusal) from error
        raise LedgerUnavailable(refusal) from error


def _code(error: HttpResponseError) -> str:
    """Return the service's code: the client gives it as a text with some errors, else as an enum."""
    return str(enum_word(getattr(error, "error_code", None)))


def _is_conflict(code: str) -> bool:
    """Tell an answer that a condition of ours did not hold from every other 409 and 412."""
    return code in {"BlobAlreadyExists", "ConditionNotMet"} or code.startswith("Lease")


def _is_about_one_blob(error: HttpResponseError, code: str) -> bool:
    """Tell a refusal that depends on the blob; one without a code comes from something between."""
    if says_nothing(error) or error.status_code in _ACCESS:
        return False
    return code != str(None) and not code.startswith(_WHOLE_PLACE)


def reply_date(reply: PipelineResponse[Any, Any]) -> datetime:
    """Return the Date of a reply, to the second."""
    return _date(reply.http_response.headers)


def _date(headers: Mapping[str, str]) -> datetime:
    try:
        return parsedate_to_datetime(headers["Date"]).astimezone(UTC)
    except (KeyError, ValueError) as error:
        raise LedgerUnavailable("blob storage sent a reply without a Date header") from error
