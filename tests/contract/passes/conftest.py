"""A product on a bad day: its account has faults on demand, and its alerts are heard."""

import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
from azure.batch.models import BatchNode, BatchPool
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob.aio import BlobServiceClient

from batch_emulator.package import Package
from orchestrator.adapters.telemetry import Event, emit
from orchestrator.ledger.record import Record
from tests.conftest import Containers
from tests.contract.conftest import ACCOUNT, KEY, Batch, Start
from tests.support.alarms import Alerts, raised
from tests.support.emulated_pools import zip_file
from tests.support.faults import Faults
from tests.support.waiting import until
from tests.support.world import POOL, World, settings


@dataclass
class BadDay:
    """
    A product whose account and nodes fail on demand.

    Attributes:
        world: The product, its storage and its account.
        batch: The account, for what is asked of it by hand.
        caplog: What its ticks logged, events among it.
    """

    world: World
    batch: Batch
    caplog: pytest.LogCaptureFixture

    @property
    def faults(self) -> Faults:
        return self.batch.faults

    async def submit(self) -> dict[str, int | str]:
        """Tick, and give the heartbeat that the function app gives."""
        counts = await self.world.submit()
        emit(Event.TICK_FINISHED, function="submit", past_due=False, **counts)
        return counts

    async def collect(self) -> dict[str, int | str]:
        """Tick, and give the heartbeat that the function app gives."""
        counts = await self.world.collect()
        emit(Event.TICK_FINISHED, function="collect", past_due=False, **counts)
        return counts

    async def both(self) -> None:
        """Let a minute's ticks come."""
        await self.submit()
        await self.collect()

    async def final(self, *, within: float = 60) -> Record:
        """Tick until the one run has its final record, and return it."""

        async def ended() -> list[Record]:
            await self.both()
            return [record for record in await self.world.final() if record.outcome]

        (record,) = await until(ended, bool, within=within)
        return record

    async def open(self) -> Record:
        """Return the record of the one open run."""
        (record,) = await self.world.open()
        return record

    async def nodes(self) -> list[BatchNode]:
        """Return the nodes of the pool."""
        try:
            return [node async for node in self.world.batch.list_nodes(POOL)]
        except ResourceNotFoundError:
            return []

    async def pool(self) -> BatchPool | None:
        """Return the pool."""
        try:
            return await self.world.batch.get_pool(POOL)
        except ResourceNotFoundError:
            return None

    async def node_is(self, *states: str) -> BatchNode:
        """Wait until the one node is in one of these states."""
        found = await until(self.nodes, lambda nodes: len(nodes) == 1 and nodes[0].state in states)
        return found[0]

    async def resize(self, nodes: int, *, spot: int = 0, option: str = "requeue") -> None:
        """Ask for another size of the pool, and wait until it has it."""
        await self.steady()
        body = {
            "targetDedicatedNodes": nodes,
            "targetLowPriorityNodes": spot,
            "nodeDeallocationOption": option,
        }
        await self.batch.send("POST", f"/pools/{POOL}/resize", json=body)
        await self.steady()

    async def steady(self) -> None:
        """Wait until the size of the pool does not change any more."""
        await until(self.pool, lambda pool: pool is not None and pool.allocation_state == "steady")

    async def unread_for(self, *, minutes: float) -> None:
        """Tick until outputs cannot be read, and make it look as if that had lasted so long."""

        async def unread() -> Record:
            await self.both()
            return await self.open()

        record = await until(unread, lambda one: one.outputs_unread_since is not None)
        assert record.outputs_unread_since is not None
        since = record.outputs_unread_since - timedelta(minutes=minutes)
        await self.world.put_open(replace(record, outputs_unread_since=since))

    async def exists(self, file: Path) -> bool:
        """Tell whether a task has made this file."""
        return file.exists()  # noqa: ASYNC240 - of this machine, at once

    async def alerts(self) -> Alerts:
        """Return the alerts that fire, if the next half hour goes on like this."""
        return raised(self.caplog.records, pool=await self.pool(), nodes=await self.nodes())


@pytest.fixture
def account_options(request: pytest.FixtureRequest) -> dict[str, object]:
    """Return with what the account is started; a test gives its own by indirect parameters."""
    return getattr(request, "param", {})


@pytest.fixture
async def day(
    start_batch: Start,
    containers: Containers,
    account_options: dict[str, object],
    caplog: pytest.LogCaptureFixture,
    tmp_path: Path,
) -> AsyncIterator[BadDay]:
    """Start a product on a bad day; its account has a package ``bad`` that cannot be unpacked."""
    caplog.set_level(logging.INFO, logger="recur")
    bad = Package("bad", "1", zip_file(tmp_path / "bad.zip", ("../out", 0o644)))
    batch = await start_batch(faults=True, applications=(bad,), **account_options)
    connection = containers.connection_string
    async with BlobServiceClient.from_connection_string(
        connection, use_env_settings=False
    ) as storage:
        yield BadDay(
            World(
                settings=settings(containers, batch.url, ACCOUNT, KEY),
                storage=storage,
                batch=batch.client,
            ),
            batch,
            caplog,
        )
