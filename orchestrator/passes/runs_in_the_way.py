"""Which runs of a schedule are in the way of another one, by the ledger and by Batch's word."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from orchestrator import ids
from orchestrator.decisions.identity import is_job_of
from orchestrator.decisions.outcome import is_stuck
from orchestrator.decisions.places import is_elsewhere
from orchestrator.enums import After, AttemptState
from orchestrator.ids import RunId, ScheduleId
from orchestrator.ledger.record import Kind
from orchestrator.ledger.state import OpenRun
from orchestrator.passes.services import Services


class RunsInTheWay:
    """The open runs of one tick, and whether their jobs have ended: each is asked about once."""

    def __init__(self, services: Services, runs: Sequence[OpenRun], now: datetime) -> None:
        self._services = services
        self._now = now
        self._runs: dict[ScheduleId, list[OpenRun]] = {}
        self._ended: dict[tuple[RunId, int, AttemptState], bool] = {}
        self.replace(runs)

    def replace(self, runs: Sequence[OpenRun]) -> None:
        """Take a newer work list; what Batch has said of a job's end stays true."""
        self._runs = {}
        for run in runs:
            self._runs.setdefault(run.schedule, []).append(run)

    def of(self, schedule: ScheduleId) -> list[OpenRun]:
        """Return the open runs of a schedule that count for its overlap policy, oldest first."""
        return [run for run in self._runs.get(schedule, ()) if _counts(run)]

    async def in_the_way(self, schedule: ScheduleId) -> list[RunId]:
        """
        Return the runs that a new occurrence of a schedule meets, oldest first.

        Raises:
            BatchUnavailable: Batch does not say.
            BatchRefused: The same.
        """
        return [run.run_id for run in await self._not_ended(self.of(schedule))]

    async def ahead_of(self, waiting: OpenRun) -> list[OpenRun]:
        """
        Return the runs for which a gated attempt still waits.

        It waits for what has been started, whenever that was due, and for what is earlier. No two
        attempts wait for each other: what has been started waits for none.

        Raises:
            BatchUnavailable: Batch does not say.
            BatchRefused: The same.
        """
        others = [run for run in self._runs.get(waiting.schedule, ()) if run != waiting]
        match waiting.after:
            case None:
                return []
            case After.BACKFILL:
                others = [run for run in others if run.kind is Kind.BACKFILLED]
            case After.QUEUE | After.REPLACE | After.RETRY:
                others = [run for run in others if _counts(run)]
        before = [run for run in others if _started(run) or run.order < waiting.order]
        if waiting.after is After.REPLACE:
            return await self._not_ended(before)
        for run in before:  # one is enough
            if not await self._has_ended(run):
                return [run]
        return []

    async def _not_ended(self, runs: Iterable[OpenRun]) -> list[OpenRun]:
        return [run for run in runs if not await self._has_ended(run)]

    async def _has_ended(self, run: OpenRun) -> bool:
        """
        Tell whether the job of a run has ended: by the ledger, else by Batch's word.

        One that Batch has been ending for too long is in nobody's way; one in an account that this
        app does not ask is, until it is given up.
        """
        if run.damaged:
            return False
        if run.state is AttemptState.ENDED:
            return True
        if waits(run) or is_elsewhere(run.account, self._services.place):
            return False
        if run.state is AttemptState.CLAIMED and run.untried:
            return True  # given up before its gate was ever open
        key = (run.run_id, run.attempt, run.state)
        if key not in self._ended:
            job = await self._services.batch.job(ids.job_id(run.run_id, run.attempt))
            if job is not None and not is_job_of(run.run_id, run.claim, job):
                job = None
            # A claim that was given up may still have a job: its creation's answer was lost.
            self._ended[key] = (
                run.state is AttemptState.SUBMITTED
                if job is None
                else job.state == "completed" or is_stuck(job, self._now)
            )
        return self._ended[key]


def waits(run: OpenRun) -> bool:
    """Whether a run is to be dispatched, now or later."""
    return run.state is AttemptState.CLAIMED and not run.stop and not run.damaged


def _counts(run: OpenRun) -> bool:
    """Whether a run counts for the overlap policy: a backfill and a forced trigger do not."""
    return run.kind is not Kind.BACKFILLED and not run.forced


def _started(run: OpenRun) -> bool:
    """Whether a run has a job, or waits for nothing but its dispatch."""
    return not waits(run) or run.after is None
