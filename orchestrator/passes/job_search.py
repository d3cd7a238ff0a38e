"""Whose the job is that stands in the way of an attempt: at most five such looks a tick."""

import asyncio
from typing import Final

from orchestrator.batch_state import Job
from orchestrator.decisions.identity import Whose, whose
from orchestrator.ledger.record import Record
from orchestrator.passes.services import Services

MOST_LOOKS: Final = 5


class JobSearch:
    """
    Looks at jobs by the ids of attempts, one at a time.

    A job that is ours, because the answer to its creation was lost, does not count as a look.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self._one_at_a_time = asyncio.Lock()
        self._left = MOST_LOOKS

    @property
    def over(self) -> bool:
        """Whether no more looks are to be taken in this tick."""
        return self._left <= 0

    async def look(self, record: Record) -> tuple[Whose, Job | None] | None:
        """
        Return whose the job is, and the job; None if enough has been looked at.

        Raises:
            BatchUnavailable: Batch does not say.
            BatchRefused: The same.
        """
        async with self._one_at_a_time:
            if self.over:
                return None
            self._left -= 1
            job = await self._services.batch.job(record.attempt.job_id)
            found = whose(record, job)
            self._left += found is Whose.OURS
            return found, job
