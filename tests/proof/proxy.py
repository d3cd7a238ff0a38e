"""
A reverse proxy in front of blob storage or Batch: what passes it can be seen, delayed and lost.

The product is pointed at it by its settings alone. Requests go through byte by byte, so that their
signatures hold; of the replies it changes nothing but the times, which follow a clock of ours.
"""

import asyncio
import re
from bisect import bisect_right
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from io import BytesIO
from types import TracebackType
from typing import Final, Self
from urllib.parse import unquote, urlsplit

from aiohttp import ClientSession, DummyCookieJar, TCPConnector, web
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

_HOST: Final = "127.0.0.1"
_NOT_FORWARDED: Final = {"connection", "host", "keep-alive", "transfer-encoding", "content-length"}
_NOT_ANSWERED: Final = {"connection", "keep-alive", "transfer-encoding"}
_ISO: Final = re.compile(rb'"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?)Z"')
_BLOB: Final = re.compile(rb"<Blob>.*?</Blob>", re.DOTALL)
_TAG: Final = re.compile(rb"<Etag>(.*?)</Etag>")
_TIMES: Final = re.compile(rb"<(Last-Modified|Creation-Time)>[^<]*<")


@dataclass(slots=True)
class Clock:
    """
    The time that the services tell: it stands still until somebody moves it.

    Attributes:
        now: What it shows, to the second.
    """

    now: datetime
    _moves: list[tuple[datetime, datetime]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._note()

    def move(self, by: timedelta) -> None:
        """Put it forward, or back."""
        self.now += by
        self._note()

    def at(self, real: datetime) -> datetime:
        """Return what it showed at a time of the real clock; before it was there, its first."""
        place = bisect_right(self._moves, real, key=lambda move: move[0])
        return self._moves[max(0, place - 1)][1]

    def _note(self) -> None:
        self._moves.append((datetime.now(UTC), self.now))


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """
    One request that came to the proxy.

    Attributes:
        door: Through which address it came, and so from whom.
        method: Of http.
        path: Decoded, without the query.
        query: Its parameters.
        headers: Its headers.
        body: Its content.
        raw: Path and query as they were sent.
    """

    door: str
    method: str
    path: str
    query: Mapping[str, str]
    headers: CIMultiDictProxy[str]
    body: bytes
    raw: str

    @property
    def changes(self) -> bool:
        """Whether it may change something: it does not only read."""
        return self.method not in {"GET", "HEAD"}


@dataclass(frozen=True, slots=True)
class Reply:
    """What the service answered."""

    status: int
    headers: CIMultiDict[str]
    body: bytes


class Reset(Exception):  # noqa: N818 - a wish, not an error
    """Raised by a rule: the connection is to break without an answer."""


type Forward = Callable[[], Awaitable[Reply]]
type Rule = Callable[[Call, Forward], Awaitable[Reply]]
type Seen = Callable[[Call, Reply], Awaitable[None]]


async def let_pass(call: Call, forward: Forward) -> Reply:  # noqa: ARG001 - a rule
    """Forward the request and return its answer."""
    return await forward()


class Proxy:
    """
    A reverse proxy with as many addresses as there are users to tell apart.

    Attributes:
        rule: What becomes of each request; it may forward it, or not, or break the connection.
        seen: Told of each request that the service has answered, before its user hears of it.
        translate: Of what is sent on to the service: the same number of other bytes, since a
            length is signed and a body is not.
        calls: How many requests came.
        busy: How many of them have not been answered yet.
    """

    def __init__(self, service: str, clock: Clock) -> None:
        """
        Prepare it.

        Args:
            service: The service's address, with the path that all its users give.
            clock: The time that its replies tell.
        """
        parts = urlsplit(service)
        self._target = f"{parts.scheme}://{parts.netloc}"
        self._path = parts.path
        self._clock = clock
        self._doors: dict[int, str] = {}
        self._dates: dict[str, datetime] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        self.rule: Rule = let_pass
        self.seen: Seen | None = None
        self.translate: Callable[[bytes], bytes] = bytes
        self.calls = 0
        self.busy = 0

    async def __aenter__(self) -> Self:
        """Get ready to listen."""
        server = web.Server(self._handle)
        self._runner = web.ServerRunner(server, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        self._session = ClientSession(
            auto_decompress=False, cookie_jar=DummyCookieJar(), connector=TCPConnector(limit=0)
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Free the ports."""
        await self._runner.cleanup()
        await self._session.close()

    async def door(self, name: str) -> str:
        """Open an address more, and return it as the service's; calls through it bear ``name``."""
        site = web.TCPSite(self._runner, _HOST, 0)
        await site.start()
        port = self._runner.addresses[-1][1]
        self._doors[port] = name
        return f"http://{_HOST}:{port}{self._path}"

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        self.calls += 1
        transport = request.transport
        if transport is None:  # gone before it was read
            raise ConnectionResetError
        call = Call(
            door=self._doors[transport.get_extra_info("sockname")[1]],
            method=request.method,
            path=unquote(request.rel_url.raw_path),
            query=dict(request.query),
            headers=request.headers,
            body=await request.content.read(),  # of any length
            raw=request.raw_path,
        )
        self.busy += 1
        try:
            reply = await self.rule(call, lambda: self._forward(call))
        except Reset:
            transport.abort()
            return web.Response(status=500)
        finally:
            self.busy -= 1
        return web.Response(status=reply.status, headers=reply.headers, body=reply.body)

    async def _forward(self, call: Call) -> Reply:
        """Ask the service, one change of a resource after the other, and tell of its answer."""
        if not call.changes:
            return await self._ask(call)
        async with self._locks.setdefault(call.path, asyncio.Lock()):
            reply = await self._ask(call)
            if self.seen:
                await self.seen(call, reply)
            return reply

    async def _ask(self, call: Call) -> Reply:
        headers = [(k, v) for k, v in call.headers.items() if k.lower() not in _NOT_FORWARDED]
        async with self._session.request(
            call.method,
            URL(f"{self._target}{call.raw}", encoded=True),
            headers=headers,
            data=BytesIO(self._translated(call.body)) if call.body else None,
            skip_auto_headers=("User-Agent", "Content-Type", "Accept", "Accept-Encoding"),
            allow_redirects=False,
        ) as answer:
            body = await answer.read()
        kept = CIMultiDict(
            (k, v) for k, v in answer.headers.items() if k.lower() not in _NOT_ANSWERED
        )
        return self._at_our_time(call, Reply(answer.status, kept, body))

    def _translated(self, body: bytes) -> bytes:
        translated = self.translate(body)
        assert len(translated) == len(body)
        return translated

    def _at_our_time(self, call: Call, reply: Reply) -> Reply:
        """Put the times of a reply as our clock shows, or showed when a thing was written."""
        headers, body = reply.headers, reply.body
        tag = headers.get("ETag")
        if tag and call.changes:
            self._dates.setdefault(_bare(tag), self._clock.now)
        if "Date" in headers:
            headers["Date"] = _http(self._clock.now)
        for name in ("Last-Modified", "x-ms-creation-time"):
            if name in headers:
                headers[name] = _http(self._written(tag, parsedate_to_datetime(headers[name])))
        if "json" in headers.get("Content-Type", "") and self._path == "":
            body = _ISO.sub(self._json_time, body)
        elif call.query.get("comp") == "list":
            body = _BLOB.sub(self._listed, body)
        if call.method != "HEAD" and "Content-Length" in headers:
            headers["Content-Length"] = str(len(body))
        return Reply(reply.status, headers, body)

    def _written(self, tag: str | None, real: datetime) -> datetime:
        return self._dates.get(_bare(tag or "")) or self._clock.at(real)

    def _json_time(self, found: re.Match[bytes]) -> bytes:
        """Put a time that Batch tells to when it was by our clock."""
        text = found[1].decode()[:26]  # the service prints seven decimals
        told = self._clock.at(datetime.fromisoformat(text).replace(tzinfo=UTC))
        return f'"{told:%Y-%m-%dT%H:%M:%S.%f}0Z"'.encode()

    def _listed(self, found: re.Match[bytes]) -> bytes:
        tag = _TAG.search(found[0])
        when = self._written(tag[1].decode() if tag else None, datetime.now(UTC))
        return _TIMES.sub(lambda m: b"<%s>%s<" % (m[1], _http(when).encode()), found[0])


def _bare(tag: str) -> str:
    return tag.strip('"')


def _http(moment: datetime) -> str:
    return format_datetime(moment, usegmt=True)
