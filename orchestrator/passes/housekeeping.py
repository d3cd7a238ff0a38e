"""The end of a collect tick: Batch jobs that ended long ago are deleted, once an hour."""

from collections.abc import Sequence
from contextlib import aclosing
from datetime import datetime
from itertools import dropwhile
from typing import Final

from orchestrator import ids
from orchestrator.adapters.blobs import WorkList
from orchestrator.adapters.telemetry import trouble
from orchestrator.batch_state import EndedJob
from orchestrator.decisions.housekeeping import is_due, may_go
from orchestrator.errors import (
    BatchRefused,
    BatchUnavailable,
    LedgerConflict,
    LedgerUnavailable,
    RecordUnreadable,
)
from orchestrator.ids import RunId
from orchestrator.passes.services import Pace, Services

MOST: Final = 500
"""So many jobs a tick looks at; the next one goes on behind them."""

_MOST_PAGES: Final = 20
_LISTING_SECONDS: Final = 15
"""A tick lists so many thousand jobs of the account, for so long; the next hour goes on there."""

_LEFT: Final = (
    BatchRefused,
    BatchUnavailable,
    LedgerConflict,
    LedgerUnavailable,
    RecordUnreadable,
)


class Housekeeper:
    """
    Deletes the jobs of runs whose records are final, a week after they ended.

    Attributes:
        deleted: How many jobs were deleted.
    """

    def __init__(self, services: Services, pace: Pace) -> None:
        self.deleted = 0
        self._services = services
        self._pace = pace

    async def tidy(self, work: WorkList) -> None:
        """
        Look for old jobs, if it is time, and delete those that may go.

        Trouble with one of them, or with Batch, is told and left for the next hour.
        """
        if self._pace.over or not (work.mark is None or is_due(work.mark, work.now)):
            return
        after: str | None = None
        try:
            after = await self._delete(work, work.mark.after if work.mark else None)
        except _LEFT as error:
            trouble("the removal of old jobs waits for the next hour", error)
        try:
            await self._services.ledger.write_mark(after, work.mark)
        except LedgerConflict as error:
            trouble("another tick is removing old jobs", error)

    async def _delete(self, work: WorkList, after: str | None) -> str | None:
        """Delete what may go behind the job ``after``; return where the next tick goes on."""
        before = work.now - self._services.jobs_kept
        jobs, link = await self._list(before)
        left = [*dropwhile(lambda one: after is not None and one.id <= after, jobs)]
        part = left[:MOST]
        seen: list[EndedJob] = []

        async def look(ended: EndedJob) -> None:
            seen.append(ended)
            try:
                await self._look(ended)
            except _LEFT as error:
                trouble(f"the removal of job {ended.id} waits for the next hour", error)

        complete = await self._pace.each(part, look)
        if len(left) > len(part) or not complete:
            return _last(seen, after)
        self._services.cache.old_jobs = link
        return None

    async def _list(self, before: datetime) -> tuple[list[EndedJob], str | None]:
        """
        List old jobs of runs, by their ids.

        Where an account has more jobs than a tick lists, the next one starts behind them. Only the
        process knows where: a new one starts at the beginning.
        """
        cache = self._services.cache
        begin, cache.old_jobs = cache.old_jobs, None  # a link that is refused is not used again
        link: str | None = None
        jobs: list[EndedJob] = []
        number = 0
        pace = self._pace.part(_LISTING_SECONDS)
        async with aclosing(self._services.batch.ended_jobs(before, begin)) as pages:
            async for found, following in pages:
                number += 1
                jobs += found
                link = following
                if number == _MOST_PAGES or pace.over:
                    break
        cache.old_jobs = begin
        return sorted(jobs, key=lambda one: one.id), link

    async def _look(self, ended: EndedJob) -> None:
        run_id = ended.job.run_id
        if run_id is None or ids.parse_run_id(run_id) is None:
            return
        final = await self._services.ledger.read_final(ids.blob_of(RunId(run_id)))
        if may_go(ended, final[0] if final else None):
            self.deleted += await self._services.batch.delete_job(ended)


def _last(seen: Sequence[EndedJob], after: str | None) -> str | None:
    return max((one.id for one in seen), default=after)
