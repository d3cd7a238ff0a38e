"""Which attempt numbers of a run are free: no job has the id, no output lies in the folder."""

from orchestrator.decisions.identity import numbered
from orchestrator.errors import BatchRefused, BatchUnavailable
from orchestrator.ledger.record import Record
from orchestrator.passes.services import Services


class FreeNumbers:
    """Looks for free numbers; once Batch is silent it is asked no more in this tick."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._silent = False

    async def first(self, record: Record) -> int:
        """
        Return the first attempt number of a run whose job id and folder are free.

        It is the number of the attempt in hand or a later one. A job that Batch does not tell of
        now is found when the attempt is dispatched.

        Raises:
            OutputUnreadable: Storage does not tell what the folders hold.
        """
        number = record.attempt.number - 1
        while True:
            number = await self.first_folder(record, after=number)
            if not await self._has_job(numbered(record, number)):
                return number

    async def first_folder(self, record: Record, *, after: int) -> int:
        """
        Return the first number beyond ``after`` whose folder is free.

        Raises:
            OutputUnreadable: Storage does not tell what the folders hold.
        """
        number = after + 1
        while not await self.has_free_folder(numbered(record, number)):
            number += 1
        return number

    async def has_free_folder(self, record: Record) -> bool:
        """Tell whether the outputs' folder of the attempt in hand is empty."""
        return await self._services.outputs.is_empty(record.output_prefix)

    async def _has_job(self, record: Record) -> bool:
        if self._silent:
            return False
        try:
            return await self._services.batch.job(record.attempt.job_id) is not None
        except (BatchUnavailable, BatchRefused):
            self._silent = True
            return False
