"""
Ticks as processes of their own: a server that has everything imported forks one for each.

What it is told, a line of JSON each: ``{"id", "pass", "settings", "document"}``. What it says: ``{"id", "pid"}``
when the process is there, and ``{"id", "told"}`` when its tick has ended by itself.
"""

import asyncio
import contextlib
import json
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from itertools import count
from types import TracebackType
from typing import Any, Final, NoReturn, Self

from orchestrator.adapters.blobs import Cache
from orchestrator.adapters.settings import read_settings
from orchestrator.errors import RecurError
from orchestrator.ids import DOCUMENT
from orchestrator.passes import (
    Application,
    Services,
    adopt,
    apply_version,
    collect_finished,
    open_services,
    submit_due,
)
from tests.support.waiting import until

STATE_BYTES: Final = 2000
"""How large ``submit.json`` may grow here: a few changes of a document are too much for it."""


async def adopt_and_give_up(services: Services) -> Mapping[str, Any]:
    """Move the ledger to the account of the settings, and give up the runs of the other one."""
    return asdict(await adopt(services, new=False, give_up=True))


async def begin_anew(services: Services) -> Mapping[str, Any]:
    """Begin a lost ``submit.json`` anew."""
    return asdict(await adopt(services, new=True, give_up=False))


TICKS: Final[Mapping[str, Callable[[Services], Awaitable[Mapping[str, Any]]]]] = {
    "submit": submit_due,
    "collect": collect_finished,
    "adopt": adopt_and_give_up,
    "begin anew": begin_anew,
}
"""The passes, and what an operator does in one go as they do."""

APPLY: Final = "apply"
"""What an operator does with a document."""


async def do(which: str, services: Services, document: str) -> Mapping[str, Any]:
    """Do a pass, or what an operator does, with a document where that needs one."""
    if which != APPLY:
        return await TICKS[which](services)
    compared = await services.ledger.read(DOCUMENT)
    given = Application(data=document.encode(), by="proof")
    return {"version": await apply_version(services.ledger, given, etag=compared.etag)}


@dataclass(eq=False)
class Tick:
    """
    A tick in a process of its own.

    Attributes:
        pid: The process.
        told: What it told at its end, with ``failed`` where it failed; None if it was killed.
    """

    pid: int
    told: asyncio.Future[dict[str, Any] | None] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )

    def kill(self) -> None:
        """End it at once, as a host does that has lost its power; no process is left behind."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        if not self.told.done():
            self.told.set_result(None)

    @property
    def lives(self) -> bool:
        """Whether there is still such a process."""
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        return True

    async def ended(self) -> dict[str, Any] | None:
        """Wait for its end; what it told, or None if it was killed."""
        told = await self.told

        async def gone() -> bool:
            return not self.lives

        await until(gone)
        return told


class Ticker:
    """The server of ticks, from entering to leaving the context."""

    def __init__(self) -> None:
        self._ids = count()
        self._starting: dict[int, asyncio.Future[Tick]] = {}
        self._ticks: dict[int, Tick] = {}

    async def __aenter__(self) -> Self:
        """Start it; the first tick waits until everything is imported."""
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.proof.ticking"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        self._listening = asyncio.create_task(self._listen())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End it and what it has started."""
        for tick in self._ticks.values():
            if not tick.told.done():
                tick.kill()
        assert self._process.stdin is not None
        self._process.stdin.close()
        await self._process.wait()
        await self._listening

    async def start(self, which: str, settings: Mapping[str, str], document: str = "") -> Tick:
        """Start a tick of one of the two passes, or what an operator does."""
        id_ = next(self._ids)
        self._starting[id_] = asyncio.get_running_loop().create_future()
        order = json.dumps(
            {"id": id_, "pass": which, "settings": dict(settings), "document": document}
        )
        assert self._process.stdin is not None
        self._process.stdin.write(f"{order}\n".encode())
        return await self._starting[id_]

    async def _listen(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            told = json.loads(line)
            if "pid" in told:
                tick = self._ticks[told["id"]] = Tick(told["pid"])
                self._starting.pop(told["id"]).set_result(tick)
            elif not (tick := self._ticks[told["id"]]).told.done():
                tick.told.set_result(told["told"])


async def _tick(which: str, settings: Mapping[str, str], document: str) -> dict[str, Any]:
    async with open_services(read_settings(settings), Cache()) as services:
        try:
            return dict(await do(which, replace(services, state_bytes=STATE_BYTES), document))
        except RecurError as error:
            return {"failed": f"{type(error).__name__}: {error}"}


def _tell(id_: int, **values: object) -> None:
    os.write(sys.stdout.fileno(), f"{json.dumps({'id': id_, **values})}\n".encode())


def _be_tick(order: Mapping[str, Any]) -> NoReturn:
    try:
        _tell(order["id"], pid=os.getpid())
        told = asyncio.run(_tick(order["pass"], order["settings"], order["document"]))
        _tell(order["id"], told=told)
    except BaseException as error:  # noqa: BLE001 - a process of its own has nobody to tell but us
        _tell(order["id"], told={"crashed": repr(error)})
    finally:
        os._exit(0)


def _serve() -> None:
    """Fork a process for each line."""
    logging.disable(logging.CRITICAL)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them
    for line in sys.stdin:
        order = json.loads(line)
        if os.fork() == 0:
            _be_tick(order)


if __name__ == "__main__":
    _serve()
