"""Handlers of the files of tasks and nodes."""

import asyncio
import contextlib
import mimetypes
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Final, NoReturn
from urllib.parse import quote

from aiohttp import web

from batch_emulator.dataplane.batch_call import BatchCall
from batch_emulator.dataplane.filter_fields import file_fields
from batch_emulator.dataplane.node_routes import the_node
from batch_emulator.dataplane.query import Key
from batch_emulator.dataplane.task_routes import the_task
from batch_emulator.dataplane.views import node_url, task_url
from batch_emulator.errors import ServiceError, invalid_query, not_supported
from batch_emulator.runtime.enums import TaskState
from batch_emulator.runtime.nodes import wipe
from batch_emulator.runtime.state.node import Node
from batch_emulator.wire import Json, print_http_date, print_time

CUT_AFTER_BYTES: Final = web.RequestKey("cut_after_bytes", int)
"""The number of bytes of the file after which a request's connection breaks."""

_PIECE_BYTES: Final = 8 * 1024 * 1024
_RANGE: Final = re.compile(r"bytes=([0-9]{1,19})-([0-9]{0,19})")


def _task_root(call: BatchCall) -> Path:
    task = the_task(call)
    if task.state is TaskState.ACTIVE:
        reason = (
            "The files of the specified task cannot be accessed as the task state is still active"
        )
        raise ServiceError("OperationInvalidForCurrentState", values=(("Reason", reason),))
    if task.node is None:
        raise ServiceError("TaskFilesUnavailable")
    root = _in_place(_root(task.node) / task.root)
    begun, booted = task.execution.started, task.node.booted
    if begun is not None and booted is not None and begun < booted and not root.exists():
        raise ServiceError("TaskFilesCleanedup")  # the machine is another, or its disk is new
    return root


def _root(node: Node) -> Path:
    if node.id not in node.pool.nodes:
        raise ServiceError("NodeNotFound")
    if not node.reachable:
        raise ServiceError("NodeNotReady")
    return node.root


def _node_root(call: BatchCall) -> Path:
    return _in_place(_root(the_node(call)))


def _in_place(root: Path) -> Path:
    """
    Return the folder of a task or node.

    Raises:
        ServiceError: FileNotFound: a task has put a link in its place, or above it.
    """
    if root.resolve() != root:
        raise ServiceError("FileNotFound")
    return root


@dataclass(frozen=True, slots=True)
class _FileEntry:
    """A file or directory as it was at one moment; a task may change it at any time."""

    path: Path
    status: os.stat_result

    @property
    def is_directory(self) -> bool:
        return stat.S_ISDIR(self.status.st_mode)

    @property
    def modified(self) -> datetime:
        return datetime.fromtimestamp(self.status.st_mtime, UTC)

    @property
    def mode(self) -> str:
        return oct(self.status.st_mode)

    @property
    def content_type(self) -> str:
        return mimetypes.guess_type(self.path.name)[0] or "application/octet-stream"


def _show_file(entry: _FileEntry, name: str, base: str) -> Json:
    url = f"{base}/files/{quote(name)}"  # with plain slashes, as recorded
    shown: Json = {"name": name, "url": url, "isDirectory": entry.is_directory}
    if not entry.is_directory:
        shown["properties"] = {
            "lastModified": print_time(entry.modified),
            "contentLength": str(entry.status.st_size),
            "contentType": entry.content_type,
            "fileMode": entry.mode,
        }
    return shown


def _entry(inside: Path, path: Path) -> _FileEntry:
    """
    Look at a file or directory of a node, through links.

    Raises:
        ServiceError: FileNotFound; also for links that lead out of ``inside`` or in a circle, for
            pipes and other special files, which could block a reader forever, and for names that no
            reply can hold.
    """
    try:
        str(path).encode()
        path.resolve().relative_to(inside)
        status = path.stat()
    except (OSError, ValueError):
        raise ServiceError("FileNotFound") from None
    if not stat.S_ISREG(status.st_mode) and not stat.S_ISDIR(status.st_mode):
        raise ServiceError("FileNotFound")
    return _FileEntry(path, status)


def _entries(root: Path, *, recursive: bool) -> Iterator[_FileEntry]:
    inside = root.resolve()
    for path in root.rglob("*") if recursive else root.glob("*"):
        # A running task may remove a file while it is listed.
        with contextlib.suppress(ServiceError):
            yield _entry(inside, path)


def _recursive(call: BatchCall) -> bool:
    text = call.query.get("recursive", "false").lower()
    if text not in {"true", "false"}:
        raise invalid_query("recursive", text, "The value is neither true nor false")
    return text == "true"


def _list(call: BatchCall, root: Path, base: str) -> web.StreamResponse:

    def name(entry: _FileEntry) -> str:
        return str(entry.path.relative_to(root))

    key = Key[_FileEntry](name, file_fields(name))
    entries = _entries(root, recursive=_recursive(call))
    return call.many("files", entries, lambda entry: _show_file(entry, name(entry), base), key)


async def list_task_files(call: BatchCall) -> web.StreamResponse:
    """Answer GET of a task's files."""
    root = _task_root(call)
    return _list(call, root, task_url(call.base, the_task(call)))


async def list_node_files(call: BatchCall) -> web.StreamResponse:
    """Answer GET of a node's files."""
    root = _node_root(call)
    return _list(call, root, node_url(call.base, the_node(call)))


async def task_file(call: BatchCall) -> web.StreamResponse:
    """Answer GET and HEAD of a task's file."""
    return await _answer_with_file(call, _task_root(call))


async def node_file(call: BatchCall) -> web.StreamResponse:
    """Answer GET and HEAD of a node's file."""
    return await _answer_with_file(call, _node_root(call))


async def delete_task_file(call: BatchCall) -> web.StreamResponse:
    """Answer DELETE of a task's file."""
    return await _delete(call, _task_root(call))


async def delete_node_file(call: BatchCall) -> web.StreamResponse:
    """Answer DELETE of a node's file."""
    return await _delete(call, _node_root(call))


async def _delete(call: BatchCall, root: Path) -> web.StreamResponse:
    path = root / call.part("filePath")
    await asyncio.to_thread(_remove, root, path, recursive=_recursive(call))
    return call.deleted()


def _remove(root: Path, path: Path, *, recursive: bool) -> None:
    inside = root.resolve()
    entry = _entry(inside, path)
    if path.resolve() == inside:
        raise ServiceError("FileNotFound")
    try:
        if path.is_symlink() or not entry.is_directory:
            path.unlink()
        elif recursive:
            wipe(path)
        else:
            path.rmdir()
    except OSError as error:  # a directory that is not empty, or that the task has locked
        values = (("Reason", error.strerror or str(error)),)
        raise ServiceError("OperationInvalidForCurrentState", values=values) from error


def _find(root: Path, name: str) -> _FileEntry:
    return _entry(root.resolve(), root / name)


async def _answer_with_file(call: BatchCall, root: Path) -> web.StreamResponse:
    entry = _find(root, call.part("filePath"))
    if entry.is_directory and call.request.method == "GET":
        raise not_supported("the content of a directory")
    call.check_conditions(entry.modified, etag=False)
    url = f"{call.base}{call.request.raw_path.partition('?')[0]}"
    headers = {
        "Content-Type": entry.content_type,
        "Last-Modified": print_http_date(entry.modified),
        "ocp-batch-file-isdirectory": str(entry.is_directory),
        "ocp-batch-file-mode": entry.mode,
        "ocp-batch-file-url": quote(url, safe=""),
    }
    size = entry.status.st_size
    if call.request.method == "HEAD":
        return web.Response(headers={**headers, "Content-Length": str(size)})
    return await _send_range(call, entry.path, headers, *_range(call, size))


def _range(call: BatchCall, size: int) -> tuple[int, int]:
    if not (text := call.request.headers.get("ocp-range")):
        return 0, size
    match = _RANGE.fullmatch(text.strip())
    if match is None:
        values = (("HeaderName", "ocp-range"), ("HeaderValue", text))
        raise ServiceError("InvalidHeaderValue", values=values)
    start, end = int(match[1]), int(match[2] or size - 1) + 1
    if start >= size or end <= start:
        raise ServiceError("InvalidRange")
    return start, min(end, size)


def _open(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except FileNotFoundError:
        raise ServiceError("FileNotFound") from None
    except OSError as error:  # the task has locked it
        values = (("Reason", error.strerror or str(error)),)
        raise ServiceError("OperationInvalidForCurrentState", values=values) from error


async def _send_range(
    call: BatchCall, path: Path, headers: dict[str, str], start: int, end: int
) -> web.StreamResponse:
    # 200 for a part as well: the official client takes nothing else. The length is fixed before
    # the first byte, so that a file that grows is sent as it was.
    response = web.StreamResponse(headers=headers)
    response.enable_chunked_encoding()
    cut = start + call.request.get(CUT_AFTER_BYTES, end)
    is_cut, end = cut < end, min(cut, end)
    with _open(path) as content:
        await response.prepare(call.request)
        while start < end and (there := os.fstat(content.fileno()).st_size) > start:
            count = min(_PIECE_BYTES, end - start, there - start)
            await _send_piece(call.request, content, start, count)
            start += count
    if is_cut:
        _break(call.request)
    await response.write_eof()
    return response


def _break(request: web.Request) -> NoReturn:
    """
    Break the connection before the end of the reply.

    Raises:
        ConnectionAbortedError: Always.
    """
    if (transport := request.transport) is not None:
        transport.abort()
    raise ConnectionAbortedError("the reply is to be cut")


async def _send_piece(request: web.Request, content: BinaryIO, start: int, count: int) -> None:
    """
    Send one chunk of a reply straight from the file, without its bytes passing through Python.

    Raises:
        ConnectionError: The client has gone, or the file has become shorter meanwhile.
    """
    if (transport := request.transport) is None:
        raise ConnectionResetError("the client has gone")
    transport.write(f"{count:x}\r\n".encode())
    sent = await asyncio.get_running_loop().sendfile(transport, content, start, count)
    if sent < count:
        transport.abort()  # a chunk that is not whole is no chunk
        raise ConnectionAbortedError("the file has become shorter")
    transport.write(b"\r\n")
