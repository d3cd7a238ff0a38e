"""The gates of claimed attempts: which of them may have a job now."""

from collections.abc import Iterable
from datetime import datetime

from orchestrator.adapters.telemetry import trouble
from orchestrator.enums import After, Reason
from orchestrator.errors import BatchRefused, BatchUnavailable, LedgerConflict, RecordUnreadable
from orchestrator.ids import RunId
from orchestrator.ledger.attempt import Stop
from orchestrator.ledger.state import OpenRun
from orchestrator.passes.inputs import is_ready
from orchestrator.passes.runs_in_the_way import RunsInTheWay
from orchestrator.passes.services import Pace, Services
from orchestrator.passes.stopping import mark_stop


class Gates:
    """Asks for whom each gated attempt waits, and ends what a replacement waits for."""

    def __init__(self, services: Services, in_the_way: RunsInTheWay, now: datetime) -> None:
        self._services = services
        self._in_the_way = in_the_way
        self._now = now
        self._open = set[RunId]()
        self._given_up = set[RunId]()
        self._replaced: dict[OpenRun, OpenRun] = {}

    async def passed(self, runs: Iterable[OpenRun], pace: Pace) -> list[OpenRun]:
        """
        Return the attempts that are to be dispatched now.

        Args:
            runs: The open runs.
            pace: Of this part of the tick: once Batch is silent it is asked no more.
        """
        ready = [run for run in runs if is_ready(run, self._now)]

        async def ask(run: OpenRun) -> None:
            try:
                await self._ask(run)
            except (BatchUnavailable, BatchRefused) as error:
                trouble(f"run {run.run_id} waits until Batch answers", error)
                if isinstance(error, BatchUnavailable):
                    pace.halt()

        await pace.each([run for run in ready if run.after], ask)
        for other, run in self._replaced.items():
            if other.run_id not in self._open:  # else it has its turn, and is replaced then
                await self._replace(other, run)
        return [
            run
            for run in ready
            if (run.after is None or run.run_id in self._open) and run.run_id not in self._given_up
        ]

    async def _ask(self, run: OpenRun) -> None:
        ahead = await self._in_the_way.ahead_of(run)
        if not ahead:
            self._open.add(run.run_id)
        elif run.after is After.REPLACE:
            self._replaced |= dict.fromkeys(ahead, run)

    async def _replace(self, other: OpenRun, run: OpenRun) -> None:
        """Make sure that a run is marked stop, of which another one takes the place."""
        self._given_up.add(other.run_id)
        if other.stop:
            return
        stop = Stop(
            cause=Reason.REPLACED,
            reason=Reason.REPLACED,
            sentence=f"Run {run.run_id} replaced it.",
            at=self._now,
        )
        try:
            await mark_stop(self._services, other.run_id, stop)
        except (LedgerConflict, RecordUnreadable) as error:
            trouble(f"run {other.run_id} is replaced in the next tick", error)
