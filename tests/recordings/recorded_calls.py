"""
Calls of the real service that Microsoft's tests recorded, carried to the API of today.

The recordings lie in the folder that ``RECUR_ORACLES`` names, and stay there. They are of API
versions from 2017 to 2024. Carrying a call means: names that have changed are the new ones, and
keys that azure-batch 15.1 no longer knows are left out, in requests and in replies alike.
"""

import gzip
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from batch_emulator.dataplane.operations import OPERATIONS

FILE: Final = "traces.jsonl.gz"

RENAMED: Final = {
    "currentDedicated": "currentDedicatedNodes",
    "targetDedicated": "targetDedicatedNodes",
    "maxTasksPerNode": "taskSlotsPerNode",
    "blobSource": "httpUrl",
}
"""Names of older versions, and what they are called now."""

REMOVED: Final = frozenset(
    {
        "certificateReferences",
        "currentNodeCommunicationMode",
        "resourceTags",
        "targetNodeCommunicationMode",
    }
)
"""Keys that the API has no longer; an account without certificates loses nothing by it."""

ADDED: Final[dict[str, str]] = {
    "allowLowPriorityNode": "2017-05-01",
    "allowTaskPreemption": "2021-06-01",
    "currentLowPriorityNodes": "2017-05-01",
    "ipv6Address": "2025-06-01",
    "deallocated": "2024-07-01",
    "deallocating": "2024-07-01",
    "endpointConfiguration": "2017-09-01",
    "isDedicated": "2017-05-01",
    "maxParallelTasks": "2021-06-01",
    "nodeAgentInfo": "2018-08-01",
    "osDisk": "2022-10-01",
    "requeueCount": "2017-01-01",
    "requiredSlots": "2020-03-01",
    "result": "2017-05-01",
    "runningTaskSlotsCount": "2020-03-01",
    "targetLowPriorityNodes": "2017-05-01",
    "taskSlotCounts": "2020-03-01",
    "upgradePolicy": "2024-02-01",
    "upgradingOS": "2024-02-01",
    "virtualMachineInfo": "2021-06-01",
}
"""Keys of replies, and the API version that brought them: an older reply cannot have them."""

_OF_CONNECTION: Final = frozenset({"connection", "keep-alive"})

type Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """
    What is compared of a reply.

    Attributes:
        status: Of HTTP.
        headers: Names in lower case, without those of the connection.
        keys: Paths of the keys of its JSON; each item of a list has the path of the list.
    """

    status: int
    headers: frozenset[str]
    keys: frozenset[str]

    @classmethod
    def of(cls, status: int, headers: Iterator[str], body: object) -> "Reply":
        """Return what is compared of a reply; a body of text has no keys."""
        names = frozenset(name.lower() for name in headers) - _OF_CONNECTION
        keys = frozenset(_keys(body, "$")) if isinstance(body, dict) else frozenset()
        return cls(status=status, headers=names, keys=keys)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedCall:
    """
    One recorded call.

    Attributes:
        number: Its place among all of them.
        trace: The test run that it is of.
        operation: The name of azure-batch, or method and path of what the API has no longer.
        method: Of the request.
        path: Of the request, encoded.
        query: Of the request.
        request: Its body, carried to the API of today.
        uses_removed: Whether the request asks for what the API has no longer.
        reply: What the service answered, carried to the API of today.
        body: The JSON that the service answered, if any.
        version: The date of the API version.
        shortened: Whether only some of the things of a long list were kept in the recording.
    """

    number: int
    trace: str
    operation: str
    method: str
    path: str
    query: dict[str, str]
    request: Json | None
    uses_removed: bool
    reply: Reply
    body: Json | None
    version: str
    shortened: bool

    @property
    def parts(self) -> list[str]:
        """The parts of the path."""
        return self.path.strip("/").split("/")


def read_calls(oracles: Path) -> list[RecordedCall]:
    """Return the recorded calls in the order of the recordings."""
    with gzip.open(oracles / FILE, "rt") as lines:
        return [_call(number, json.loads(line)) for number, line in enumerate(lines)]


def without_newer(reply: Reply, version: str) -> Reply:
    """Return a reply of the emulator without the keys that came after an API version."""
    newer = {name for name, since in ADDED.items() if since > version}
    return Reply(
        status=reply.status,
        headers=reply.headers,
        keys=frozenset(key for key in reply.keys if not newer & {*_names(key)}),
    )


def _call(number: int, row: Json) -> RecordedCall:
    request, body = row["request_body"] or None, row["response_body"] or None
    body = body if isinstance(body, dict) else None
    return RecordedCall(
        number=number,
        trace=row["trace"],
        operation=_operation(row["method"], row["path"]),
        method=row["method"],
        path=quote(row["path"], safe="/(),=:%$~@"),
        query={name: _renamed(value) for name, value in row["query"].items()},
        request=_carried(request),
        uses_removed="cloudServiceConfiguration" in json.dumps(request),
        reply=Reply.of(row["status"], iter(row["response_headers"]), _carried(body)),
        body=body,
        version=row["query"]["api-version"][:10],
        shortened="truncated" in row.get("note", ""),
    )


def _operation(method: str, path: str) -> str:
    for pattern, name in _patterns():
        if pattern.fullmatch(f"{method} {path}"):
            return name
    first, *rest = path.partition("(")[0].strip("/").split("/")
    return f"{method} /{first}/.../{rest[-1]}" if rest else f"{method} /{first}"


@cache
def _patterns() -> list[tuple[re.Pattern[str], str]]:
    found = []
    for operation in OPERATIONS:
        path = re.sub(r"\\\{(\w+)(:[^}]*)?\\\}", "[^/]+", re.escape(operation.path))
        found.append((re.compile(f"{operation.method} {path}"), operation.name))
    return found


def _renamed(text: str) -> str:
    """Return a query with the names of today, such as those of ``$select``."""
    return re.sub(r"\w+", lambda word: RENAMED.get(word[0], word[0]), text)


def _carried(value: Any) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, dict):
        return {
            RENAMED.get(name, name): _carried(item)
            for name, item in value.items()
            if name not in REMOVED
        }
    if isinstance(value, list):
        return [_carried(item) for item in value]
    return value


def _keys(value: object, path: str) -> Iterator[str]:
    if isinstance(value, dict):
        for name, item in value.items():
            yield f"{path}.{name}"
            yield from _keys(item, f"{path}.{name}")
    elif isinstance(value, list):
        for item in value:
            yield from _keys(item, f"{path}[]")


def _names(path: str) -> Iterator[str]:
    for name in path.split("."):
        yield name.replace("[]", "")
