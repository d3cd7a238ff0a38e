"""The pools of one tick, each read once: Batch takes a job for a pool that does not exist."""

import asyncio
from collections import defaultdict

from orchestrator.batch_state import JobPlace, Pool
from orchestrator.decisions.refusals import Blocked, unread_by
from orchestrator.enums import BlockedReason
from orchestrator.errors import BatchRefused, BatchUnavailable
from orchestrator.passes.services import Services


class Pools:
    """Reads pools by their ids."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._found: dict[str, Pool | Blocked] = {}
        self._reading = defaultdict[str, asyncio.Lock](asyncio.Lock)

    async def read(self, pool_id: str) -> Pool | Blocked:
        """Return a pool, or why there can be no job for it now."""
        async with self._reading[pool_id]:
            if pool_id not in self._found:
                self._found[pool_id] = await self._read(pool_id)
        return self._found[pool_id]

    async def place(self) -> JobPlace | None:
        """Return the place for jobs that are created at once; None while its pool is not there."""
        place = self._services.place
        return place if isinstance(await self.read(place.pool_id), Pool) else None

    async def _read(self, pool_id: str) -> Pool | Blocked:
        try:
            pool = await self._services.batch.pool(pool_id)
        except (BatchUnavailable, BatchRefused) as error:
            return unread_by(error)
        if pool is None or pool.state == "deleting":
            return Blocked(BlockedReason.POOL_MISSING, f"there is no pool {pool_id!r}")
        return pool
