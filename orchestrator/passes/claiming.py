"""The requests that claim runs: a trigger claims one, a backfill those of past occurrences."""

from collections.abc import Container, Sequence
from dataclasses import dataclass, replace
from itertools import batched

from orchestrator import ids
from orchestrator.adapters.telemetry import trouble
from orchestrator.decisions import claims
from orchestrator.decisions.backfill import (
    Reopened,
    Rerun,
    claim,
    eligible,
    occurrences_between,
)
from orchestrator.decisions.decide import overlapping
from orchestrator.decisions.decision import Skip
from orchestrator.decisions.identity import identified, numbered
from orchestrator.decisions.places import placed_if_at_once
from orchestrator.decisions.plan import CHUNK, refusal
from orchestrator.document.types import wrong_environment
from orchestrator.errors import NotNow, RecordUnreadable, RequestRefused
from orchestrator.ids import RunId, ScheduleId
from orchestrator.ledger.record import Kind, Record
from orchestrator.ledger.request import Request
from orchestrator.ledger.state import ScheduleState
from orchestrator.model import Occurrence, Schedule
from orchestrator.passes.free_numbers import FreeNumbers
from orchestrator.passes.inputs import TickInputs, read_results
from orchestrator.passes.plan_writer import PlanWriter
from orchestrator.passes.runs_in_the_way import RunsInTheWay
from orchestrator.passes.services import Pace, Services


@dataclass(frozen=True, slots=True)
class Done:
    """What a request came to: a sentence for the operator, and the runs that there are."""

    sentence: str
    runs: tuple[RunId, ...] = ()


class Claims:
    """
    Claims what requests ask for, each chunk written down as the plan first.

    Attributes:
        batch_is_silent: Batch gave no answer in this tick, and is asked no more.
    """

    def __init__(
        self,
        services: Services,
        plan: PlanWriter,
        pace: Pace,
        inputs: TickInputs,
        in_the_way: RunsInTheWay,
    ) -> None:
        self._services = services
        self._plan = plan
        self._pace = pace
        self._inputs = inputs
        self._in_the_way = in_the_way
        self.batch_is_silent = False
        self._numbers = FreeNumbers(services)

    async def trigger(self, request: Request, state: ScheduleState) -> Done | None:
        """
        Claim the run of a trigger, unless it is there; None if time ran out.

        Raises:
            RequestRefused: The schedule cannot be run, or its overlap policy does not let it.
            BatchUnavailable: Batch does not say what is in the way.
            BatchRefused: The same.
            NotNow: Batch has been silent before in this tick.
        """
        schedule = self._schedule(request)
        if not request.key:
            raise RequestRefused("a trigger needs a key: the same key makes the same run")
        run_id = ids.trigger_id(schedule.id, request.key)
        if await self._exists(run_id):
            return Done(f"Run {run_id} already exists: this key was used before.", (run_id,))
        if request.nominal and request.nominal > self._inputs.now:
            raise RequestRefused(f"its nominal time {request.nominal.isoformat()} is in the future")
        given = {**schedule.environment, **(request.environment or {})}
        if wrong := wrong_environment(given):
            raise RequestRefused(f"environment {wrong}")
        occurrence = Occurrence(nominal=request.nominal or self._inputs.now)
        if self.batch_is_silent and not request.force and self._in_the_way.of(schedule.id):
            raise NotNow(f"Batch does not say which runs of {schedule.id} are active")
        in_the_way = [] if request.force else await self._in_the_way.in_the_way(schedule.id)
        decision = overlapping(schedule, occurrence, in_the_way)
        if isinstance(decision, Skip):
            raise RequestRefused(
                f"{refusal(decision)}; with --force, `recur trigger` starts the new run anyway"
            )
        record = claims.claim_requested(
            schedule,
            occurrence,
            state,
            await read_results(self._services.ledger),
            request,
            kind=Kind.TRIGGERED,
            now=self._inputs.now,
        )
        record = record.with_attempt(replace(record.attempt, after=decision.after))
        record = await self._own_life(record)
        place = None if decision.after else await self._plan.pools.place()
        if not await self._enact([placed_if_at_once(record, place)]):
            return None
        waits = f" and waits for {in_the_way[-1]} to end" if decision.after else ""
        return Done(f"Run {run_id} is claimed{waits}.", (run_id,))

    async def backfill(self, request: Request, state: ScheduleState) -> Done | None:
        """
        Claim the runs of a backfill, oldest first; None if time ran out: the next tick goes on.

        Raises:
            RequestRefused: The schedule cannot be run, or too much is asked for.
        """
        schedule = self._schedule(request)
        if request.after is None or request.until is None or request.until <= request.after:
            raise RequestRefused("a backfill needs a start time and a later end time")
        state = await self._services.ledger.with_moved(schedule.id, state, after=request.after)
        occurrences = occurrences_between(state, after=request.after, until=request.until)
        results = await read_results(self._services.ledger)
        runs: list[RunId] = []
        for chunk in batched(occurrences, CHUNK, strict=False):
            search = _Search(self._services, schedule.id, request)
            if not await search.look_for(chunk, self._pace):
                return None
            planned = [
                claim(
                    claims.claim_requested(
                        schedule,
                        occurrence,
                        state,
                        results,
                        request,
                        kind=Kind.BACKFILLED,
                        now=self._inputs.now,
                    ),
                    search.reopened.get(ids.run_id(schedule.id, occurrence.nominal)),
                )
                for occurrence in search.eligible
            ]
            fresh: list[Record] = []

            async def number(record: Record, fresh: list[Record] = fresh) -> None:
                fresh.append(await self._own_life(record))

            if not await self._pace.each(planned, number):
                return None
            fresh.sort(key=lambda record: record.nominal)
            if fresh and not await self._enact(fresh):
                return None
            runs += search.claimed + [record.run_id for record in fresh]
        count, left = len(runs), len(occurrences) - len(runs)
        runs.sort()
        return Done(
            f"{count} of {len(occurrences)} occurrences are claimed and run one at a time, "
            f"oldest first; {left} stay unchanged.",
            tuple(runs),
        )

    def _schedule(self, request: Request) -> Schedule:
        """Return the table by which the run is to be made; refused if there is none."""
        parsed, id_ = self._inputs.parsed, request.schedule
        if parsed is None:
            raise RequestRefused(
                f"{ids.DOCUMENT} is not valid: correct it, then `recur apply FILE`"
            )
        if id_ in parsed.invalid:
            raise RequestRefused(
                f"the table of {id_} is not valid: correct it, then `recur apply FILE`"
            )
        if id_ not in parsed.schedules:
            raise RequestRefused(f"there is no schedule {id_!r} in the document")
        return parsed.schedules[id_]

    async def _exists(self, run_id: RunId) -> bool:
        ledger = self._services.ledger
        if await ledger.read_open(run_id) is not None:
            return True
        return await ledger.read_final(ids.blob_of(run_id)) is not None

    async def _own_life(self, record: Record) -> Record:
        """Give a claim its id, and the first attempt number that no earlier life has used."""
        number = await self._numbers.first(record)
        return identified(numbered(record, number), self._plan.state.ledger)

    async def _enact(self, records: Sequence[Record]) -> bool:
        """Claim runs by a plan, and see them in the work list; False if time ran out."""
        done = await self._plan.enact(records)
        self._in_the_way.replace((await self._services.ledger.open_list()).runs)
        return done


class _Search:
    """
    What there is of the occurrences of one chunk.

    Attributes:
        claimed: Runs that this request has claimed already.
        eligible: Occurrences to claim, oldest first.
        reopened: By run id: the final record that a claim opens again.
    """

    def __init__(self, services: Services, schedule: ScheduleId, request: Request) -> None:
        self.claimed: list[RunId] = []
        self.eligible: list[Occurrence] = []
        self.reopened: dict[RunId, Reopened] = {}
        self._services = services
        self._schedule = schedule
        self._request = request
        self._rerun = Rerun.of(request)

    async def look_for(self, occurrences: Sequence[Occurrence], pace: Pace) -> bool:
        """Look at each occurrence; False if time ran out."""
        work = await self._services.ledger.open_list()
        opened = {run.run_id for run in work.runs}

        async def look(occurrence: Occurrence) -> None:
            try:
                await self._look(occurrence, opened)
            except RecordUnreadable as error:
                trouble(f"an occurrence of {self._schedule} is left as it is", error)

        complete = await pace.each(occurrences, look)
        self.eligible.sort(key=lambda one: one.nominal)
        return complete

    async def _look(self, occurrence: Occurrence, opened: Container[RunId]) -> None:
        ledger = self._services.ledger
        run_id = ids.run_id(self._schedule, occurrence.nominal)
        if run_id in opened:
            found = await ledger.read_open(run_id)
            if found is not None:
                if found[0].request == self._request.id:
                    self.claimed.append(run_id)
                return
        final = await ledger.read_final(ids.blob_of(run_id))
        if final is None:
            if eligible(occurrence, None, self._rerun):
                self.eligible.append(occurrence)
            return
        record, etag = final
        if record.request == self._request.id:
            self.claimed.append(run_id)
        elif eligible(occurrence, record, self._rerun):
            self.eligible.append(occurrence)
            self.reopened[run_id] = Reopened(record, etag)
