"""``submit.json`` while its lease is held: writing it, and carrying out the plan that it holds."""

from collections.abc import Sequence
from dataclasses import replace

from orchestrator import ids
from orchestrator.adapters.container import Lease
from orchestrator.adapters.telemetry import Event, emit, trouble
from orchestrator.decisions.moving import trim
from orchestrator.decisions.plan import cut_into_plans
from orchestrator.errors import BlobRefused, LedgerConflict
from orchestrator.ledger.record import Action, Record
from orchestrator.ledger.result import result_of
from orchestrator.ledger.state import SubmitState, dump_submit
from orchestrator.passes.pools import Pools
from orchestrator.passes.services import Pace, Services
from orchestrator.passes.summarising import Summaries


class PlanWriter:
    """
    The state of the submit pass, and its one pen.

    Attributes:
        state: The content of ``submit.json``, or what is about to be written.
        claimed: Whether runs may have been claimed since the work list was read.
        counts: For the heartbeat.
        pools: Of this tick: what is claimed and dispatched at once has its place in its claim.
    """

    def __init__(
        self, services: Services, lease: Lease, pace: Pace, state: SubmitState, etag: str
    ) -> None:
        self.state = state
        self.claimed = False
        self.counts = {"skipped": 0, "missed": 0, "claimed": 0}
        self.pools = Pools(services)
        self._services = services
        self._lease = lease
        self._pace = pace
        self._etag = etag

    async def write(self, state: SubmitState) -> None:
        """Replace ``submit.json``, if it is still ours."""
        self.state = state
        data = await self.make_room()
        self._etag = await self._services.ledger.write(
            ids.SUBMIT_STATE, data, self._lease, self._etag
        )

    async def make_room(self) -> bytes:
        """Move what no tick needs out of a state that is too large; return the JSON of the rest."""
        data, most = dump_submit(self.state), self._services.state_bytes
        if len(data) <= most:
            return data
        size = len(dump_submit(replace(self.state, plan=())))
        if size <= most:
            return data
        # Well below the limit, so that this is seldom done.
        trimmed = trim(self.state, excess_bytes=size - most * 2 // 3)
        for moved in trimmed.moved:
            await self._services.ledger.keep_moved(moved)
        for id_, state in trimmed.removed.items():
            await self._services.ledger.keep_removed(id_, state)
        self.state = trimmed.state
        return dump_submit(self.state)

    async def enact(self, records: Sequence[Record]) -> bool:
        """Write records down as plans, and carry each out; False if time ran out."""
        for part in cut_into_plans(records):
            await self.write(replace(self.state, plan=tuple(part)))
            if not await self.carry_out():
                return False
        return True

    async def carry_out(self) -> bool:
        """Create what the plan says, leave what exists, and clear it; False if time ran out."""
        plan = self.state.plan
        if plan:
            if not await self._pace.each(plan, self._create) or self._pace.over:
                return False
            await self._sum_up(plan)
            await self.write(replace(self.state, plan=()))
        return True

    async def _sum_up(self, plan: Sequence[Record]) -> None:
        """Add what does not run to the last occurrences of its schedules."""
        not_run = [result_of(one) for one in plan if one.decision.action is not Action.SUBMIT]
        try:
            await Summaries(self._services.ledger).add_not_run(not_run)
        except (LedgerConflict, BlobRefused) as error:  # derived: it holds up no decision
            trouble("occurrences are missing from the summaries", error)

    async def _create(self, record: Record) -> None:
        if record.decision.action is Action.SUBMIT:
            self.claimed = True
            claimed = await self._services.ledger.claim(record)
            self.counts["claimed"] += claimed  # after the await: eight of these run at once
            return
        if not await self._services.ledger.finalise(record):
            return
        keys = {"schedule": record.schedule, "run_id": record.run_id, "nominal": record.nominal}
        about = record.about
        also = record.range.also if record.range else {}
        count = (record.range.count if record.range else 1) - sum(also.values())
        because = record.decision.because
        for own, times in also.items():
            self.counts["skipped"] += times
            emit(Event.OCCURRENCE_SKIPPED, about, **keys, reason=own, count=times)
        reason = record.decision.reason
        if record.decision.action is Action.SKIPPED:
            self.counts["skipped"] += count
            emit(
                Event.OCCURRENCE_SKIPPED, about, **keys, reason=reason, because=because, count=count
            )
        else:
            self.counts["missed"] += count
            emit(Event.OCCURRENCE_MISSED, about, **keys, reason=reason, count=count)
