"""What Batch says in one tick of the jobs of open runs."""

from collections.abc import Sequence
from typing import Final

from orchestrator import ids
from orchestrator.adapters.batch import Batch
from orchestrator.adapters.telemetry import trouble
from orchestrator.batch_state import Job
from orchestrator.enums import AttemptState
from orchestrator.errors import BatchRefused, BatchUnavailable
from orchestrator.ledger.state import OpenRun

FEW: Final = 32
"""So many open runs are asked about one by one."""

_GOES_ON: Final = frozenset({"active", "enabling", "disabling", "disabled"})


class BatchView:
    """
    Batch's word on the jobs of open runs.

    Few are asked about one by one. Where there are many, one list of the jobs that are not
    completed tells which runs go on: of those only some are looked at in each tick.
    """

    def __init__(self, batch: Batch) -> None:
        self._batch = batch
        self._listed: dict[str, Job] | None = None

    async def read(self, runs: Sequence[OpenRun]) -> None:
        """
        Take the list of jobs, if there are many runs.

        Where Batch does not give it, the runs are asked about one by one.
        """
        if len(runs) <= FEW:
            return
        try:
            self._listed = await self._batch.jobs_that_go_on()
        except (BatchUnavailable, BatchRefused) as error:
            trouble("Batch did not return the list of jobs", error)

    def goes_on(self, run: OpenRun) -> bool:
        """Whether the list says that a run's job goes on and nothing else is to be done for it."""
        if self._listed is None or run.damaged or run.stop:
            return False
        job = self._listed.get(ids.job_id(run.run_id, run.attempt).lower())
        return (
            run.state is AttemptState.SUBMITTED
            and job is not None
            and job.state in _GOES_ON
            and (job.run_id, job.claim) == (run.run_id, run.claim)
        )

    async def job(self, job_id: str) -> Job | None:
        """Return a job: as listed, else as Batch has it now; None if it has none by this id."""
        listed = (self._listed or {}).get(job_id.lower())
        return listed or await self._batch.job(job_id)

    async def job_of_ended_task(self, job_id: str, job: Job) -> Job | None:
        """Return a job whose task has ended: the list is older than what Batch says of the task."""
        if job_id.lower() in (self._listed or {}):
            return await self._batch.job(job_id)
        return job
