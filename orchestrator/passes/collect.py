"""One collect tick: what Batch says of each open run, its outputs, its final record."""

from collections import deque
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from itertools import batched
from typing import Final

from orchestrator import ids
from orchestrator.adapters.container import Lease
from orchestrator.adapters.time_limits import WORK_SECONDS
from orchestrator.decisions.housekeeping import is_due
from orchestrator.decisions.turns import AT_A_TIME, tasks_to_look_at
from orchestrator.enums import AttemptState
from orchestrator.errors import LeaseTaken, LedgerTrouble
from orchestrator.ledger.results import dump_collect
from orchestrator.ledger.state import OpenRun
from orchestrator.passes.batch_view import BatchView
from orchestrator.passes.collect_state import LOST, CollectStore
from orchestrator.passes.finishing import Finisher
from orchestrator.passes.gathering import Gatherer
from orchestrator.passes.housekeeping import Housekeeper
from orchestrator.passes.isolation import Isolation
from orchestrator.passes.looking import Looker, OpenRecord
from orchestrator.passes.ownership import check_stored_owner, report
from orchestrator.passes.rebuilding import Rebuilder, waiting
from orchestrator.passes.services import Pace, Services
from orchestrator.passes.summarising import Summaries
from orchestrator.passes.turns import Positions, Turn, Turns

_EMPTY: Final = dump_collect(LOST)
_LOOKING_SECONDS: Final = 35
_READING_SECONDS: Final = 35  # of outputs; what was read is then written down
_REBUILDING_SECONDS: Final = 10
_FINISHING_SECONDS: Final = WORK_SECONDS / 2


async def collect_finished(services: Services) -> dict[str, int | str]:
    """
    End every open run whose job has ended, and give it its final record.

    Dying anywhere repeats it to the same bytes.

    Returns:
        What was done, for the heartbeat: counts by name.

    Raises:
        LedgerUnavailable: Storage did not answer; nothing is lost, the next tick goes on.
    """
    work = await services.ledger.open_list()
    counts: dict[str, int | str] = {"open": len(work.runs)}
    concerned = any(_concerns(run) for run in work.runs) or is_due(work.mark, work.now)
    if not concerned and not await waiting(services, work.now):
        return counts
    pace = services.pace()
    try:
        await check_stored_owner(services)  # before the lease, which creates a missing blob
        async with (
            services.ledger.lease(ids.COLLECT_STATE, empty=_EMPTY) as lease,
            pace.limit(),
        ):
            await check_stored_owner(services)  # again: it may have been adopted meanwhile
            work = await services.ledger.open_list()
            done = await _CollectTick(services, lease, pace, work.now).run(work.runs)
            housekeeper = Housekeeper(services, pace)
            await housekeeper.tidy(work)
            return counts | done | {"deleted": housekeeper.deleted}
    except LedgerTrouble as error:
        return {**counts, "problem": report(error)}
    except LeaseTaken:
        return {**counts, "lease_taken": 1}


def _concerns(run: OpenRun) -> bool:
    """Whether a run is the collector's: everything but claims that are still to be dispatched."""
    return run.stop or run.state is not AttemptState.CLAIMED


class _CollectTick:
    """
    The part of a tick that holds the lease.

    What is known of a run is written before what takes longer: of each part all runs are looked
    at, and only then are those that have ended finished. Until all have been looked at, half of
    the time is for that.
    """

    def __init__(self, services: Services, lease: Lease, pace: Pace, now: datetime) -> None:
        self._services = services
        self._pace = pace
        self._looking = pace.part(_LOOKING_SECONDS)
        self._finishing_seconds = _FINISHING_SECONDS
        self._unfinished: list[OpenRecord] = []
        self._looked_at = set[ids.RunId]()
        self._isolation = Isolation()
        self._now = now
        self._view = BatchView(services.batch)
        self._reading = pace.part(_READING_SECONDS)
        self._gatherer = Gatherer(services, self._reading, now)
        self._store = CollectStore(services.ledger, lease)
        self._summaries = Summaries(services.ledger)
        self._finisher = Finisher(services, self._store, self._summaries, self._isolation, pace)
        self._positions = Positions(self._store, services.cache)

    async def run(self, runs: Sequence[OpenRun]) -> dict[str, int]:
        """Look at the runs, a part at a time, and finish those that have ended."""
        still_open = frozenset(ids.job_id(run.run_id, run.attempt) for run in runs)
        self._finisher.still_open = still_open
        looker = Looker(self._services, self._view, self._summaries, self._now)
        concerned = [run for run in runs if _concerns(run)]
        # What has ended needs no word of Batch: it is finished whatever Batch does.
        ended = [run for run in concerned if run.state is AttemptState.ENDED]
        others = [run for run in concerned if run.state is not AttemptState.ENDED]
        finishing = Turns(Turn.FINISHING, ended, self._positions)
        kinds = await self._to_look_at(others)
        async for part in self._parts(kinds):
            found = await self._look_at(part, looker, self._looking)
            begin = self._services.clock()
            half = self._reading.part(self._finishing_seconds)
            if not half.over:
                await self._finish_part(finishing, looker, half)
            await self._finish(found, half)
            self._finishing_seconds -= self._services.clock() - begin
        while not self._reading.over and await self._finish_part(finishing, looker, self._reading):
            pass
        unfinished, self._unfinished = self._unfinished, []
        for some in batched(unfinished, AT_A_TIME, strict=False):
            await self._finish(some, self._reading)
        await self._pace.each(looker.retried, self._save)
        rebuilder = self._rebuilder(still_open)  # after the runs: it keeps none from its end
        await self._isolation.aside("results are not rebuilt in this tick", rebuilder.step())
        await self._isolation.aside("results are not rebuilt in this tick", rebuilder.begin())
        ungathered = {one.record.run_id for one in self._unfinished}
        await finishing.leave(self._looked_at - ungathered)
        for kind in kinds:
            await kind.leave(self._looked_at)
        if len(concerned) > 1:
            await self._positions.leave()
        return {
            "finished": self._finisher.finished,
            "retried": len(looker.retried),
            "left": self._isolation.left,
        }

    def _rebuilder(self, still_open: frozenset[str]) -> Rebuilder:
        """Return what makes lost results and summaries anew, in a part of this tick."""
        return Rebuilder(
            self._services,
            self._store,
            self._summaries,
            self._pace.part(_REBUILDING_SECONDS),
            now=self._now,
            still_open=still_open,
        )

    async def _to_look_at(self, runs: Sequence[OpenRun]) -> list[Turns]:
        """Return the runs of which Batch is asked, where there are many those whose turn it is."""
        await self._view.read(runs)
        going_on = [run for run in runs if self._view.goes_on(run)]
        position = await self._positions.of(Turn.TASKS) if going_on else None
        urgent, tasks = tasks_to_look_at(going_on, position, self._now)
        others = [run for run in runs if not self._view.goes_on(run)]
        return [
            Turns(Turn.LOOKING, [*others, *urgent], self._positions),
            Turns(Turn.TASKS, tasks, self._positions),
        ]

    async def _parts(self, kinds: Sequence[Turns]) -> AsyncIterator[list[OpenRun]]:
        """Yield a part of each kind by turns, as long as there is time to look."""
        waiting = deque(kinds)
        while waiting and not self._looking.over:
            kind = waiting.popleft()
            if part := await kind.next():
                waiting.append(kind)
                yield part

    async def _look_at(
        self, runs: Sequence[OpenRun], looker: Looker, pace: Pace
    ) -> list[OpenRecord]:
        """Look at some runs; return those that have ended for good."""
        found: list[OpenRecord] = []

        async def look(run: OpenRun) -> None:
            self._looked_at.add(run.run_id)
            ended = await self._isolation.keep(run.run_id, looker.look(run))
            found.extend([ended] if ended else [])
            if self._isolation.batch_is_silent:
                self._looking.halt()

        await pace.each(runs, look)
        return found

    async def _finish_part(self, finishing: Turns, looker: Looker, pace: Pace) -> bool:
        """Finish the next part of what had ended before; False if there is none."""
        part = await finishing.next()
        await self._finish(await self._look_at(part, looker, pace), pace)
        return bool(part)

    async def _save(self, ended: OpenRecord) -> None:
        """Store what an attempt that is followed by another has left on its node."""
        run = ended.record.run_id
        await self._isolation.keep(run, self._gatherer.save(ended), ledger=False)

    async def _finish(self, ended: Sequence[OpenRecord], pace: Pace) -> None:
        """Gather the outputs of runs that have ended, and finish those whose outputs are known."""
        gathered: list[OpenRecord] = []
        waiting = {one.record.run_id: one for one in ended}

        async def gather(one: OpenRecord) -> None:
            run = one.record.run_id
            del waiting[run]
            work = self._gatherer.gather(one, pace)
            complete = await self._isolation.keep(run, work, ledger=False)
            gathered.extend([complete] if complete else [])

        await pace.each(ended, gather)
        self._unfinished += waiting.values()
        await self._finisher.finish(gathered)
