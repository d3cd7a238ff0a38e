"""The files of a job's task on its node, for as long as the node is there."""

import json
from collections.abc import AsyncGenerator, Awaitable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from azure.batch.aio import BatchClient
from azure.core.exceptions import AzureError, HttpResponseError
from azure.core.rest import AsyncHttpResponse, HttpRequest

from orchestrator.adapters.calls import NO_ANSWER, in_time, reply_of_batch, says_nothing
from orchestrator.batch_state import TASK_ID
from orchestrator.errors import BatchRefused, BatchUnavailable

_API_VERSION: Final = "2025-06-01"
_PARTIAL: Final = 206
_NOT_FOUND: Final = 404
_CONFLICT: Final = 409
_CODE_OF_HEAD: Final = {_NOT_FOUND: "FileNotFound", _CONFLICT: "TaskFilesUnavailable"}
"""The reply to a HEAD has no body, and so no code; whoever asks has listed the file before."""


@dataclass(frozen=True, slots=True)
class NodeFile:
    """
    A file in the folder of a task.

    Attributes:
        path: Below that folder.
        bytes: Its size.
    """

    path: str
    bytes: int


class NodeFiles:
    """
    The files of tasks.

    Every method raises ``BatchUnavailable`` when there is no answer that says anything, and
    ``BatchRefused`` when there is one that says no.
    """

    def __init__(self, client: BatchClient) -> None:
        self._client = client

    async def pages(self, job_id: str, *, recursive: bool) -> AsyncGenerator[list[NodeFile]]:
        """Yield the files of a job's task, up to 1,000 at a time."""
        pages: Any = self._client.list_task_files(job_id, TASK_ID, recursive=recursive).by_page()
        while True:
            try:
                page = await _ask(_next_page(pages))
            except StopAsyncIteration:
                return
            yield page

    async def size(self, job_id: str, path: str) -> int:
        """Return the size of a file in bytes."""
        reply = await _ask(self._client.send_request(_request("HEAD", job_id, path)))
        await reply.close()
        try:
            return int(reply.headers["Content-Length"])
        except (KeyError, ValueError) as error:
            raise BatchUnavailable(f"the node did not report the size of {path}") from error

    async def read(
        self, job_id: str, path: str, begin: int, end: int, part_bytes: int
    ) -> AsyncGenerator[bytes]:
        """
        Yield the bytes of a file from ``begin`` up to ``end`` in parts, the last one shorter.

        Sent by hand: the client's own method refuses 206, the status for a part. Where Batch sends
        the whole file all the same, what lies before ``begin`` is left out.

        Raises:
            BatchUnavailable: As everywhere; also where fewer bytes came.
        """
        skip = begin if begin and await self._ignores_ranges(job_id, path, begin) else 0
        async with (
            self._open(_request("GET", job_id, path, begin, end)) as reply,
            aclosing(_pieces(reply)) as pieces,
        ):
            if reply.status_code == _PARTIAL:
                skip = 0
            left = end - begin
            part = bytearray()
            while left:
                if not (piece := await _ask(anext(pieces, b""))):
                    raise BatchUnavailable(f"{path}: {left} bytes are missing from the answer")
                if skip >= len(piece):
                    skip -= len(piece)
                    continue
                view = piece[skip : skip + left]
                skip = 0
                left -= len(view)
                part += view
                while len(part) >= part_bytes:
                    yield bytes(part[:part_bytes])
                    del part[:part_bytes]
            if part:
                yield bytes(part)

    async def _ignores_ranges(self, job_id: str, path: str, begin: int) -> bool:
        """Ask for one byte: an answer of 200 may hold that, or the whole file."""
        async with (
            self._open(_request("GET", job_id, path, begin, begin + 1)) as reply,
            aclosing(_pieces(reply)) as pieces,
        ):
            if reply.status_code == _PARTIAL:
                return False
            got = 0
            while piece := await _ask(anext(pieces, b"")):
                got += len(piece)
                if got > 1:
                    return True
            return False

    @asynccontextmanager
    async def _open(self, request: HttpRequest) -> AsyncGenerator[AsyncHttpResponse]:
        reply = await _ask(self._client.send_request(request, stream=True))
        try:
            yield reply
        finally:
            await reply.close()


def _request(
    method: str, job_id: str, path: str, begin: int = 0, end: int | None = None
) -> HttpRequest:
    headers = {} if end is None else {"ocp-range": f"bytes={begin}-{end - 1}"}
    return HttpRequest(
        method,
        f"/jobs/{job_id}/tasks/{TASK_ID}/files/{quote(path, safe='')}",
        params={"api-version": _API_VERSION},
        headers=headers,
    )


async def _pieces(reply: AsyncHttpResponse) -> AsyncGenerator[bytes]:
    async for piece in reply.iter_bytes():
        if piece:
            yield piece


async def _next_page(pages: Any) -> list[NodeFile]:  # noqa: ANN401 - the client's, untyped
    page = await anext(pages)
    return [
        NodeFile(str(one.name), int(one.properties.content_length))
        async for one in page
        if not one.is_directory and one.properties is not None
    ]


async def _ask[T](call: Awaitable[T]) -> T:
    """Await one call and put its failure into our words; the code decides, never the class."""
    try:
        return await reply_of_batch(call)
    except HttpResponseError as error:
        if says_nothing(error):
            raise BatchUnavailable(f"{error.reason} ({error.status_code})") from error
        code, detail = await _said(error)
        raise BatchRefused(status=error.status_code or 0, code=code, detail=detail) from error


async def _said(error: HttpResponseError) -> tuple[str, str]:
    """
    Return code and message of a refusal.

    Of a reply that streams, the client has not read the body when it raises.
    """
    known = getattr(error.error, "code", None)
    if known:
        message = getattr(error.error, "message", None) or error.message
        return str(known), str(message).partition("\n")[0].strip()
    reply: Any = error.response
    try:
        told = json.loads(await in_time(reply.read()))
        return str(told["code"]), str(told["message"]["value"]).partition("\n")[0].strip()
    except (*NO_ANSWER, AzureError, ValueError, TypeError, KeyError):
        code = _CODE_OF_HEAD.get(error.status_code or 0) or str(error.reason)
        return code, str(error.reason)
