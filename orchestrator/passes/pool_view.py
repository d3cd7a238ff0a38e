"""What Batch says of pools and their nodes, asked once in a tick at most."""

import asyncio
from collections import defaultdict

from orchestrator.adapters.batch import Batch
from orchestrator.adapters.telemetry import trouble
from orchestrator.batch_state import Node, Pool
from orchestrator.errors import BatchRefused, BatchUnavailable

type _Answer = tuple[Pool | None, tuple[Node, ...]]


class PoolView:
    """Pools and their nodes, as they were when they were first asked for."""

    def __init__(self, batch: Batch) -> None:
        self._batch = batch
        self._found: dict[str | None, _Answer | BatchUnavailable | BatchRefused] = {}
        self._asking = defaultdict[str | None, asyncio.Lock](asyncio.Lock)
        self._told = set[str | None]()

    async def read(self, pool_id: str | None) -> _Answer:
        """
        Return a pool, by default that of the settings, and its nodes; None if there is no such pool.

        A failure is final for the tick: who waits for the same pool gets the same error object.

        Raises:
            BatchUnavailable: There is no answer.
            BatchRefused: The answer is no.
        """
        async with self._asking[pool_id]:
            if pool_id not in self._found:
                self._found[pool_id] = await self._ask(pool_id)
        found = self._found[pool_id]
        if isinstance(found, BatchUnavailable | BatchRefused):
            raise found
        return found

    async def read_if_told(self, pool_id: str | None) -> _Answer:
        """
        Return a pool and its nodes, where Batch tells.

        For numbers that are nice to have: a run does not wait for them.
        """
        try:
            return await self.read(pool_id)
        except (BatchUnavailable, BatchRefused) as error:
            if pool_id not in self._told:
                self._told.add(pool_id)
                trouble("records of this tick lack the pool's data", error)
            return None, ()

    async def _ask(self, pool_id: str | None) -> _Answer | BatchUnavailable | BatchRefused:
        try:
            return await self._batch.pool(pool_id), await self._batch.nodes(pool_id)
        except (BatchUnavailable, BatchRefused) as error:
            return error
