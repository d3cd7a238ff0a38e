"""What Batch says of the pool and its nodes, asked once in a tick at most."""

import asyncio

from orchestrator.adapters.telemetry import trouble
from orchestrator.batch_state import Node, Pool
from orchestrator.errors import BatchRefused, BatchUnavailable
from orchestrator.passes.services import Services


class PoolView:
    """The pool and its nodes, as they were when they were first asked for."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._found: tuple[Pool | None, tuple[Node, ...]] | None = None
        self._failed = False
        self._asking = asyncio.Lock()

    async def read(self) -> tuple[Pool | None, tuple[Node, ...]]:
        """
        Return the pool, None if there is none, and its nodes.

        Raises:
            BatchUnavailable: There is no answer.
            BatchRefused: The answer is no.
        """
        async with self._asking:
            if self._found is None:
                batch = self._services.batch
                self._found = await batch.pool(), await batch.nodes()
            return self._found

    async def read_if_told(self, pool_id: str | None) -> tuple[Pool | None, tuple[Node, ...]]:
        """
        Return the pool and its nodes where they are the ones of this id, and Batch tells.

        For numbers that are nice to have: a run does not wait for them.
        """
        if self._failed or pool_id not in {None, self._services.place.pool_id}:
            return None, ()
        try:
            return await self.read()
        except (BatchUnavailable, BatchRefused) as error:
            self._failed = True
            trouble("records of this tick lack what the pool tells", error)
            return None, ()
