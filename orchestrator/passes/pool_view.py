"""What Batch says of pools and their nodes, asked once in a tick at most."""

import asyncio

from orchestrator.adapters.telemetry import trouble
from orchestrator.batch_state import Node, Pool
from orchestrator.errors import BatchRefused, BatchUnavailable
from orchestrator.passes.services import Services


class PoolView:
    """Pools and their nodes, as they were when they were first asked for."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._found: dict[str | None, tuple[Pool | None, tuple[Node, ...]]] = {}
        self._failed = False
        self._asking = asyncio.Lock()

    async def read(self, pool_id: str | None) -> tuple[Pool | None, tuple[Node, ...]]:
        """
        Return a pool, by default that of the settings, and its nodes; None if there is no such pool.

        Raises:
            BatchUnavailable: There is no answer.
            BatchRefused: The answer is no.
        """
        async with self._asking:
            if pool_id not in self._found:
                batch = self._services.batch
                self._found[pool_id] = await batch.pool(pool_id), await batch.nodes(pool_id)
            return self._found[pool_id]

    async def read_if_told(self, pool_id: str | None) -> tuple[Pool | None, tuple[Node, ...]]:
        """
        Return a pool and its nodes, where Batch tells.

        For numbers that are nice to have: a run does not wait for them.
        """
        if self._failed:
            return None, ()
        try:
            return await self.read(pool_id)
        except (BatchUnavailable, BatchRefused) as error:
            self._failed = True
            trouble("records of this tick lack what the pool tells", error)
            return None, ()
