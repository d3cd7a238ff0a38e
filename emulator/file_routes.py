"""Handlers of the files of tasks and nodes."""

import mimetypes
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from urllib.parse import quote

from aiohttp import web

from emulator.calls import Call
from emulator.errors import ServiceError, invalid_query, not_supported
from emulator.job_routes import the_task
from emulator.resource_routes import the_node
from emulator.shapes import Json
from emulator.state import Node
from emulator.states import NodeState, TaskState
from emulator.views import node_url, task_url
from emulator.wire import print_http_date, print_time

_CHUNK_BYTES: Final = 256 * 1024
_RANGE: Final = re.compile(r"bytes=(\d+)-(\d*)")


def _task_root(call: Call) -> Path:
    task = the_task(call)
    if task.state is TaskState.ACTIVE:
        reason = (
            "The files of the specified task cannot be accessed as the task state is still active"
        )
        raise ServiceError("OperationInvalidForCurrentState", values=(("Reason", reason),))
    if task.node is None:
        raise ServiceError("TaskFilesUnavailable")
    return _root(task.node) / task.root


def _root(node: Node) -> Path:
    if node.id not in node.pool.nodes:
        raise ServiceError("NodeNotFound")
    if node.booted is None or node.state is NodeState.LEAVING_POOL:
        raise ServiceError("NodeNotReady")
    return node.root


def _node_root(call: Call) -> Path:
    return _root(the_node(call))


def _modified(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)


def _content_type(path: Path) -> str:
    return mimetypes.guess_type(path.name)[0] or "application/octet-stream"


def _entry(path: Path, name: str, base: str) -> Json:
    entry: Json = {"name": name, "url": f"{base}/files/{name}", "isDirectory": path.is_dir()}
    if not path.is_dir():
        entry["properties"] = {
            "lastModified": print_time(_modified(path)),
            "contentLength": str(path.stat().st_size),
            "contentType": _content_type(path),
            "fileMode": oct(path.stat().st_mode),
        }
    return entry


def _entries(root: Path, base: str, *, recursive: bool) -> Iterator[Json]:
    for path in sorted(root.rglob("*") if recursive else root.glob("*")):
        # A link may lead nowhere, and a running task may remove a file while it is listed.
        if path.exists():
            yield _entry(path, str(path.relative_to(root)), base)


def _list(call: Call, root: Path, base: str) -> web.StreamResponse:
    recursive = call.query.get("recursive", "false").lower()
    if recursive not in {"true", "false"}:
        raise invalid_query("recursive", recursive, "The value is neither true nor false")
    entries = _entries(root, base, recursive=recursive == "true")
    return call.many("files", entries, key="name")


async def list_task_files(call: Call) -> web.StreamResponse:
    """Answer GET of a task's files."""
    root = _task_root(call)
    return _list(call, root, task_url(call.base, the_task(call)))


async def list_node_files(call: Call) -> web.StreamResponse:
    """Answer GET of a node's files."""
    root = _node_root(call)
    return _list(call, root, node_url(call.base, the_node(call)))


async def task_file(call: Call) -> web.StreamResponse:
    """Answer GET and HEAD of a task's file."""
    return await _answer(call, _task_root(call))


async def node_file(call: Call) -> web.StreamResponse:
    """Answer GET and HEAD of a node's file."""
    return await _answer(call, _node_root(call))


def _find(root: Path, name: str) -> Path:
    path = (root / name).resolve()
    if "\0" in name or not path.is_relative_to(root.resolve()) or not path.exists():
        raise ServiceError("FileNotFound")
    return path


async def _answer(call: Call, root: Path) -> web.StreamResponse:
    path = _find(root, call.part("filePath"))
    if path.is_dir() and call.request.method == "GET":
        raise not_supported("the content of a directory")
    call.check_conditions(_modified(path), etag=False)
    headers = {
        "Content-Type": _content_type(path),
        "Last-Modified": print_http_date(_modified(path)),
        "ocp-batch-file-isdirectory": str(path.is_dir()),
        "ocp-batch-file-mode": oct(path.stat().st_mode),
        "ocp-batch-file-url": quote(
            f"{call.base}{call.request.raw_path.partition('?')[0]}", safe=""
        ),
    }
    size = path.stat().st_size
    if call.request.method == "HEAD":
        return web.Response(headers={**headers, "Content-Length": str(size)})
    return await _send(call, path, headers, *_range(call, size))


def _range(call: Call, size: int) -> tuple[int, int]:
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


async def _send(
    call: Call, path: Path, headers: dict[str, str], start: int, end: int
) -> web.StreamResponse:
    # 200 for a part as well: the official client takes nothing else. The length is fixed before
    # the first byte, so that a file that grows is sent as it was.
    response = web.StreamResponse(headers=headers)
    response.enable_chunked_encoding()
    with path.open("rb") as content:
        content.seek(start)
        await response.prepare(call.request)
        while start < end and (chunk := content.read(min(_CHUNK_BYTES, end - start))):
            start += len(chunk)
            await response.write(chunk)
    await response.write_eof()
    return response
