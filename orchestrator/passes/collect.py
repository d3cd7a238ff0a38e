"""One collect tick: what Batch says of each open run, its outputs, its final record."""

from collections.abc import Sequence
from itertools import batched

from orchestrator import ids
from orchestrator.adapters.container import Lease
from orchestrator.adapters.telemetry import trouble
from orchestrator.enums import AttemptState
from orchestrator.errors import BatchUnavailable, LeaseTaken, LedgerTrouble
from orchestrator.ledger.results import CollectState, dump_collect
from orchestrator.ledger.state import OpenRun
from orchestrator.passes.collect_state import CollectStore
from orchestrator.passes.finishing import Finisher
from orchestrator.passes.gathering import Gatherer
from orchestrator.passes.looking import LEFT, Looker, OpenRecord
from orchestrator.passes.ownership import check_stored_owner, report
from orchestrator.passes.services import Pace, Services

_EMPTY = dump_collect(CollectState())
_AT_A_TIME = 32
_LOOKING_SECONDS = 35
_READING_SECONDS = 35  # of outputs; what was read is then written down
_SILENT_ANSWERS = 3
"""So many times without an answer, and Batch is asked no more in this tick."""


async def collect_finished(services: Services) -> dict[str, int | str]:
    """
    End every open run whose job has ended, and give it its final record.

    Dying anywhere repeats it to the same bytes.

    Returns:
        What was done, for the heartbeat: counts by name.

    Raises:
        LedgerUnavailable: Storage did not answer; nothing is lost, the next tick goes on.
    """
    runs = (await services.ledger.open_list()).runs
    counts: dict[str, int | str] = {"open": len(runs)}
    if not any(_concerns(run) for run in runs):
        return counts
    pace = services.pace()
    try:
        async with (
            services.ledger.lease(ids.COLLECT_STATE, empty=_EMPTY) as lease,
            pace.limit(),
        ):
            await check_stored_owner(services)
            return counts | await _CollectTick(services, lease, pace).run()
    except LedgerTrouble as error:
        return {**counts, "problem": report(error)}
    except LeaseTaken:
        return {**counts, "lease_taken": 1}


def _concerns(run: OpenRun) -> bool:
    """Whether a run is the collector's: everything but claims that are still to be dispatched."""
    return run.stop or run.state is not AttemptState.CLAIMED


class _CollectTick:
    """The part of a tick that holds the lease."""

    def __init__(self, services: Services, lease: Lease, pace: Pace) -> None:
        self._services = services
        self._lease = lease
        self._pace = pace
        self._silent = 0

    async def run(self) -> dict[str, int]:
        """Look at the runs, a part at a time, and finish those that have ended."""
        work = await self._services.ledger.open_list()
        now = work.now
        concerned = [run for run in work.runs if _concerns(run)]
        # What has ended needs no word of Batch: it is finished whatever Batch does.
        ended = [run for run in concerned if run.state is AttemptState.ENDED]
        others = [run for run in concerned if run.state is not AttemptState.ENDED]
        # Where they are too many for one tick, each tick begins with others.
        first = int(now.timestamp()) % len(others) if others else 0
        looking = self._pace.part(_LOOKING_SECONDS)
        looker = Looker(self._services, now)
        gatherer = Gatherer(self._services, self._pace.part(_READING_SECONDS), now)
        store = CollectStore(self._services.ledger, self._lease)
        finisher = Finisher(self._services, store, self._pace)
        in_order = [*ended, *others[first:], *others[:first]]
        for part in batched(in_order, _AT_A_TIME, strict=False):
            done = await self._look_at(part, looker, looking)
            await finisher.finish(await self._gather(done, gatherer))
        await self._pace.each(looker.retried, gatherer.save)
        return {"finished": finisher.finished, "retried": len(looker.retried)}

    async def _look_at(
        self, runs: Sequence[OpenRun], looker: Looker, looking: Pace
    ) -> list[OpenRecord]:
        """Look at some runs; return those that have ended for good."""
        found: list[OpenRecord] = []

        async def look(run: OpenRun) -> None:
            try:
                ended = await looker.look(run)
            except LEFT as error:
                trouble(f"run {run.run_id} is left for the next tick", error)
                self._silent += isinstance(error, BatchUnavailable)
                if self._silent >= _SILENT_ANSWERS:
                    looking.halt()
            else:
                found.extend([ended] if ended else [])

        await looking.each(runs, look)
        return found

    async def _gather(self, ended: Sequence[OpenRecord], gatherer: Gatherer) -> list[OpenRecord]:
        """Return the records with their outputs; those whose outputs take longer are left."""
        gathered: list[OpenRecord] = []

        async def gather(one: OpenRecord) -> None:
            try:
                complete = await gatherer.gather(one)
            except LEFT as error:
                trouble(f"run {one.record.run_id} is left for the next tick", error)
            else:
                gathered.extend([complete] if complete else [])

        await self._pace.each(ended, gather)
        return gathered
