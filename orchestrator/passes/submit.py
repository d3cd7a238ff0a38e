"""One submit tick: look, lease, finish the plan, answer requests, decide, dispatch."""

import secrets
from collections.abc import Container, Mapping
from dataclasses import replace

from orchestrator import ids
from orchestrator.adapters.container import Lease
from orchestrator.adapters.telemetry import Event, emit, trouble
from orchestrator.batch_state import JobPlace
from orchestrator.decisions.decide import decide
from orchestrator.decisions.decision import Submit
from orchestrator.decisions.due import Due
from orchestrator.decisions.pauses import after_failures
from orchestrator.decisions.plan import Decisions, plans
from orchestrator.errors import (
    BatchRefused,
    BatchUnavailable,
    LeaseTaken,
    LedgerTrouble,
)
from orchestrator.ids import RunId, ScheduleId
from orchestrator.ledger.results import CollectState, ScheduleResults
from orchestrator.ledger.state import SubmitState, dump_submit
from orchestrator.passes.dispatch import Dispatcher
from orchestrator.passes.gates import Gates
from orchestrator.passes.inputs import TickInputs, Undecided, read_inputs, read_results
from orchestrator.passes.ownership import check_begun, check_owner, report
from orchestrator.passes.plan_writer import PlanWriter
from orchestrator.passes.reporting import report_schedules
from orchestrator.passes.requests import Requests
from orchestrator.passes.runs_in_the_way import RunsInTheWay
from orchestrator.passes.services import Pace, Services
from orchestrator.passes.taking_over import TakeOver

_LEDGER_ID_BYTES = 8
_ASKING_SECONDS = 15
"""For asking Batch what is in the way; what is known by then is decided."""


async def submit_due(services: Services) -> dict[str, int | str]:
    """
    Decide every occurrence that is due, and create the jobs of the runs that are claimed.

    Doing it twice, or two at once, submits nothing twice.

    Returns:
        What was done, for the heartbeat: counts by name, and ``problem`` where the document has
        one.

    Raises:
        LedgerUnavailable: Storage did not answer; nothing is lost, the next tick goes on.
    """
    try:
        return await _submit_due(services)
    except LedgerTrouble as error:
        return {"problem": report(error)}


async def _submit_due(services: Services) -> dict[str, int | str]:
    inputs = await _sound_inputs(services)
    counts: dict[str, int | str] = {"open": len(inputs.open_runs)}
    if inputs.problems:
        first, *others = inputs.problems
        more = f" (and {len(others)} more)" if others else ""
        counts["problem"] = f"{ids.DOCUMENT}: {first}{more}"
    await report_schedules(services, inputs)
    if inputs.idle:
        return counts
    pace = services.pace()
    new = None
    if inputs.etag is None:
        await check_begun(services.ledger, inputs.open_runs)
        new = dump_submit(_owned(SubmitState(), services.place))
    try:
        async with services.ledger.lease(ids.SUBMIT_STATE, empty=new) as lease, pace.limit():
            tick = _SubmitTick(services, lease, pace, await _sound_inputs(services))
            return counts | await tick.run()
    except LeaseTaken:
        return {**counts, "lease_taken": 1}


async def _sound_inputs(services: Services) -> TickInputs:
    """Read the inputs of a tick; raises LedgerTrouble where this app is not to work on them."""
    inputs = await read_inputs(services.ledger)
    check_owner(services, inputs.state)
    return inputs


def _owned(state: SubmitState, place: JobPlace) -> SubmitState:
    """Return the state of a ledger with an id and an owner; each is given once."""
    ledger = state.ledger or secrets.token_hex(_LEDGER_ID_BYTES)
    return replace(state, ledger=ledger, owner=state.owner or place.account)


class _SubmitTick:
    """The part of a tick that holds the lease."""

    def __init__(self, services: Services, lease: Lease, pace: Pace, inputs: TickInputs) -> None:
        self._services = services
        self._pace = pace
        self._inputs = inputs
        self._plan = PlanWriter(services, lease, pace, inputs.state, inputs.etag or "")
        self._in_the_way = RunsInTheWay(services, inputs.open_runs, inputs.now)

    async def run(self) -> dict[str, int]:
        """Finish the plan that is there, answer requests, decide, dispatch."""
        if not self._plan.state.ledger or not self._plan.state.owner:  # of an earlier version
            await self._plan.write(_owned(self._plan.state, self._services.place))
            self._inputs = replace(self._inputs, state=self._plan.state)
        if self._plan.state.plan:
            if not await self._plan.carry_out():
                return self._plan.counts
            await self._refresh()
        await self._take_over()
        await self._answer_requests()
        if self._plan.state.plan:  # time ran out over what a request claims
            return self._plan.counts
        await self._decide()
        if self._plan.claimed:
            await self._refresh()
        gates = Gates(self._services, self._in_the_way, self._inputs.now)
        runs = await gates.passed(self._inputs.open_runs, self._pace.part(_ASKING_SECONDS))
        dispatcher = Dispatcher(self._services, self._pace, self._plan.pools, self._inputs.now)
        return self._plan.counts | await dispatcher.dispatch(runs)

    async def _refresh(self) -> None:
        """Read the work list anew: this tick has changed it."""
        self._inputs = replace(
            self._inputs, open_runs=(await self._services.ledger.open_list()).runs
        )
        self._in_the_way.replace(self._inputs.open_runs)
        self._plan.claimed = False

    async def _take_over(self) -> None:
        """Put the timings of a changed document in force, and report what is wrong with it."""
        inputs = self._inputs
        if not inputs.changed:
            return
        taken_over = await TakeOver(self._services, self._pace, inputs).take_over(self._plan.state)
        self._plan.state = taken_over.state
        self._inputs = replace(inputs, until=taken_over.until)
        if taken_over.until is not None:
            return
        for problem in inputs.problems:
            emit(Event.DOCUMENT_REJECTED, schedule=problem.schedule, problem=str(problem))

    async def _answer_requests(self) -> None:
        """Answer what operators ask for, unless versions of the document wait to be taken over."""
        if self._inputs.until is not None:
            return
        asking = self._pace.part(_ASKING_SECONDS)
        requests = Requests(self._services, self._plan, asking, self._inputs, self._in_the_way)
        await requests.answer_all()

    async def _decide(self) -> None:
        """Decide what is due, write it down as plans, and carry each out after its write."""
        before = self._inputs.state
        results: CollectState | None = None
        left: set[ScheduleId] = set()  # of these Batch says nothing in this tick
        while True:
            undecided = self._undecided(left)
            if self._plan.state == before and undecided.whole and not undecided.any:
                return
            results = results or await read_results(self._services.ledger)
            if self._pause_after_failures(undecided.due, results):
                undecided = self._undecided(left)
            decided = await self._decisions(undecided.due)
            left |= undecided.due.keys() - decided.keys()
            await self._plan.make_room()
            place = await self._place(decided)
            now = self._inputs.now
            for state in plans(self._plan.state, decided, results, now=now, place=place):
                if self._pace.over:
                    return
                await self._plan.write(state)
                if not await self._plan.carry_out():
                    return
            if undecided.whole and not any(one.due.any for one in decided.values()):
                return
            before = self._plan.state

    async def _place(self, decided: Mapping[ScheduleId, Decisions]) -> JobPlace | None:
        """Return the place of jobs that follow at once: then their claims hold it already."""
        every = (one for decisions in decided.values() for one in decisions.decisions)
        at_once = any(isinstance(one, Submit) and one.after is None for one in every)
        return await self._plan.pools.place() if at_once else None

    def _undecided(self, left: Container[ScheduleId]) -> Undecided:
        return replace(self._inputs, state=self._plan.state).undecided(left)

    def _pause_after_failures(
        self, undecided: Mapping[ScheduleId, Due], results: CollectState
    ) -> bool:
        """Pause the schedules of which so many runs have failed that they ask for it."""
        parsed, before = self._inputs.parsed, self._plan.state
        schedules = dict(before.schedules)
        for id_, one in undecided.items():
            schedule = parsed.schedules.get(id_) if parsed else None
            if schedule and one.any:
                known = results.schedules.get(id_, ScheduleResults())
                schedules[id_] = after_failures(schedules[id_], schedule, known)
        self._plan.state = replace(before, schedules=schedules)
        return self._plan.state != before

    async def _decisions(self, undecided: Mapping[ScheduleId, Due]) -> dict[ScheduleId, Decisions]:
        """Decide for every schedule of which Batch says whether a run is in the way."""
        parsed, now = self._inputs.parsed, self._inputs.now
        schedules = parsed.schedules if parsed else {}
        return {
            id_: Decisions(
                schedule=schedules.get(id_),
                due=undecided[id_],
                decisions=decide(
                    id_, schedules.get(id_), undecided[id_], in_the_way=in_the_way, now=now
                ),
            )
            for id_, in_the_way in (await self._runs_in_the_way(undecided)).items()
        }

    async def _runs_in_the_way(
        self, undecided: Mapping[ScheduleId, Due]
    ) -> dict[ScheduleId, list[RunId]]:
        """
        Ask Batch which runs are in the way of each schedule.

        Schedules of which it does not say in time are left out: they stay undecided, and come
        first in the next tick, since they have waited longest.
        """
        if self._plan.claimed:
            await self._refresh()
        known: dict[ScheduleId, list[RunId]] = {}
        asking: list[ScheduleId] = []
        for id_, one in undecided.items():
            if self._in_the_way.of(id_) and any(each.can_run for each in one.occurrences):
                asking.append(id_)
            else:
                known[id_] = []
        looking = self._pace.part(_ASKING_SECONDS)

        async def ask(id_: ScheduleId) -> None:
            try:
                known[id_] = await self._in_the_way.in_the_way(id_)
            except (BatchUnavailable, BatchRefused) as error:
                trouble(f"schedule {id_} is undecided until Batch answers", error)
                if isinstance(error, BatchUnavailable):
                    looking.halt()

        oldest = sorted(asking, key=lambda id_: undecided[id_].occurrences[0].nominal)
        await looking.each(oldest, ask)
        return known
