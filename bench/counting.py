"""What the servers say they were asked: Azurite in its log, the emulator at its control path."""

import asyncio
import contextlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, cast
from urllib.parse import parse_qs, unquote
from uuid import uuid4

import aiohttp
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob.aio import ContainerClient

_LINE: Final = re.compile(
    r'"(?P<method>[A-Z]+) /[^/ ]+/(?P<container>[^/? ]+)/?(?P<name>[^? ]*)\??(?P<query>[^ ]*)'
    r' HTTP/1\.1" (?P<status>\d{3})'
)
_LOOK_SECONDS: Final = 0.01
_LIMIT_SECONDS: Final = 10.0
_CREATED: Final = 201


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """
    One request that a server has answered.

    Attributes:
        method: Of http.
        name: The blob's, below its container; or the path at Batch.
        query: ``comp`` and ``prefix`` of blob storage's query.
        status: Of the answer.
    """

    method: str
    name: str
    query: dict[str, str] = field(default_factory=dict)
    status: int = 0

    @property
    def kind(self) -> str:
        """What sort of call it is, in words that leave out which run it is about."""
        if self.query.get("comp") == "list":
            return f"list {self.query.get('prefix', '')}"
        folder, slash, _ = self.name.partition("/")
        verb = "lease" if self.query.get("comp") == "lease" else self.method
        return f"{verb} {folder}{slash and '/...'}"

    @property
    def changes(self) -> bool:
        """Whether it does more than read."""
        return self.method not in {"GET", "HEAD"}


class StorageCalls:
    """The requests about one container, from Azurite's log."""

    def __init__(self, log: Path, container: ContainerClient) -> None:
        self._log = log
        self._container = container
        self._read_bytes = 0

    async def begin(self) -> None:
        """Count from here on."""
        await self._read()

    async def told(self) -> list[Call]:
        """Return the requests since ``begin``, or since this was last asked, in order."""
        calls = []
        for found in _LINE.finditer(await self._read()):
            if found["container"] != self._container.container_name:
                continue
            query = {name: values[0] for name, values in parse_qs(found["query"]).items()}
            calls.append(
                Call(
                    method=found["method"],
                    name=unquote(found["name"]),
                    query={k: v for k, v in query.items() if k in {"comp", "prefix"}},
                    status=int(found["status"]),
                )
            )
        return calls

    async def _read(self) -> str:
        """
        Return what the log has more than the last time.

        A blob is asked for that is not there: what was asked before is above its line.

        Raises:
            TimeoutError: Azurite writes no log of its requests.
        """
        mark = f"mark-{uuid4().hex}"
        with contextlib.suppress(ResourceNotFoundError):
            await self._container.download_blob(mark)
        async with asyncio.timeout(_LIMIT_SECONDS):
            while True:
                text, marked, _ = (await asyncio.to_thread(self._more)).partition(mark)
                if marked:
                    self._read_bytes += len(text.encode()) + len(mark)
                    # The line of the mark itself goes with what is above it.
                    return text.rpartition("\n")[0]
                await asyncio.sleep(_LOOK_SECONDS)

    def _more(self) -> str:
        with self._log.open("rb") as log:
            log.seek(self._read_bytes)
            return log.read().decode()


class BatchCalls:
    """The requests to an emulator that was started with its faults."""

    def __init__(self, url: str, token: str) -> None:
        self._url = f"{url}/emulator/faults"
        self._headers = {"Authorization": f"Bearer {token}"}

    async def begin(self) -> None:
        """Count from here on, without faults."""
        async with self._session() as session, session.delete(self._url) as reply:
            reply.raise_for_status()

    async def slow_down(self, operation: str, milliseconds: int) -> None:
        """Let every request of one operation wait."""
        rule = {
            "kind": "latency",
            "match": {"operation": operation},
            "milliseconds": milliseconds,
        }
        async with (
            self._session() as session,
            session.post(self._url, json=rule) as reply,
        ):
            reply.raise_for_status()

    async def told(self) -> list[Call]:
        """Return the requests since ``begin``, in order."""
        return [
            Call(method=one["method"], name=str(one["operation"]), status=one["status"] or 0)
            for one in await self._seen()
        ]

    async def created(self) -> list[str]:
        """Return the ids of the jobs that were created since ``begin``, as often as they were."""
        return [
            one["job"]
            for one in await self._seen()
            if one["operation"] == "create_job" and one["status"] == _CREATED
        ]

    async def _seen(self) -> list[dict[str, Any]]:
        async with self._session() as session, session.get(self._url) as reply:
            return cast("list[dict[str, Any]]", (await reply.json())["seen"])

    def _session(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(headers=self._headers)


def by_kind(calls: Iterable[Call]) -> dict[str, int]:
    """Count calls by their kind, the kinds in the order in which they first came."""
    counts: dict[str, int] = {}
    for call in calls:
        counts[call.kind] = counts.get(call.kind, 0) + 1
    return counts
