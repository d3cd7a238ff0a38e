"""One submit tick: look, lease, finish the plan, answer requests, decide, dispatch."""

from collections.abc import Container, Mapping
from dataclasses import replace

from orchestrator import ids
from orchestrator.adapters.container import Lease
from orchestrator.adapters.telemetry import Event, emit, trouble
from orchestrator.decisions.decide import Due, decide
from orchestrator.decisions.pauses import after_failures
from orchestrator.decisions.plan import Decisions, plans
from orchestrator.decisions.timings import take_over
from orchestrator.errors import BatchRefused, BatchUnavailable, LeaseTaken
from orchestrator.ids import RunId, ScheduleId
from orchestrator.ledger.state import CollectState, ScheduleResults, SubmitState, dump_submit
from orchestrator.passes.dispatch import Dispatcher
from orchestrator.passes.gates import Gates
from orchestrator.passes.inputs import Look, look_at, read_results
from orchestrator.passes.plan_writer import Book
from orchestrator.passes.reporting import report_schedules
from orchestrator.passes.requests import Requests
from orchestrator.passes.runs_in_the_way import Obstacles
from orchestrator.passes.services import Pace, Services

_EMPTY = dump_submit(SubmitState())
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
    look = await look_at(services.ledger)
    counts: dict[str, int | str] = {"open": len(look.open_runs)}
    if look.problems:
        first, *others = look.problems
        more = f" (and {len(others)} more)" if others else ""
        counts["problem"] = f"{ids.DOCUMENT}: {first}{more}"
    await report_schedules(services, look)
    if look.idle:
        return counts
    pace = Pace()
    try:
        async with (
            services.ledger.lease(ids.SUBMIT_STATE, empty=_EMPTY) as lease,
            pace.limit(),
        ):
            tick = _Tick(services, lease, pace, await look_at(services.ledger))
            return counts | await tick.run()
    except LeaseTaken:
        return {**counts, "lease_taken": 1}


class _Tick:
    """The part of a tick that holds the lease."""

    def __init__(self, services: Services, lease: Lease, pace: Pace, look: Look) -> None:
        self._services = services
        self._pace = pace
        self._look = look
        self._book = Book(services, lease, pace, look.state, look.etag or "")
        self._obstacles = Obstacles(services, look.open_runs)

    async def run(self) -> dict[str, int]:
        """Finish the plan that is there, answer requests, decide, dispatch."""
        if self._book.state.plan:
            if not await self._book.carry_out():
                return self._book.counts
            await self._see()
        self._take_over()
        asking = self._pace.part(_ASKING_SECONDS)
        requests = Requests(self._services, self._book, asking, self._look, self._obstacles)
        await requests.answer_all()
        if self._book.state.plan:  # time ran out over what a request claims
            return self._book.counts
        await self._decide()
        if self._book.claimed:
            await self._see()
        gates = Gates(self._services, self._obstacles, self._look.now)
        runs = await gates.passed(self._look.open_runs, self._pace.part(_ASKING_SECONDS))
        dispatcher = Dispatcher(self._services, self._pace, self._look.now)
        return self._book.counts | await dispatcher.dispatch(runs)

    async def _see(self) -> None:
        """Read the work list anew: this tick has changed it."""
        self._look = replace(self._look, open_runs=(await self._services.ledger.open_list()).runs)
        self._obstacles.see(self._look.open_runs)
        self._book.claimed = False

    def _take_over(self) -> None:
        """Put the timings of a changed document in force, and report what is wrong with it."""
        look = self._look
        if not look.changed:
            return
        for problem in look.problems:
            emit(Event.DOCUMENT_REJECTED, schedule=problem.schedule, problem=str(problem))
        if look.parsed is None or look.text.etag is None or look.text.modified is None:
            self._book.state = replace(self._book.state, document=look.document)
            return
        self._book.state = take_over(
            self._book.state,
            look.parsed.schedules,
            look.parsed.invalid,
            document=look.document,
            modified=look.text.modified,
        )

    async def _decide(self) -> None:
        """Decide what is due, write it down as plans, and carry each out after its write."""
        before = self._look.state
        results: CollectState | None = None
        left: set[ScheduleId] = set()  # of these Batch says nothing in this tick
        while True:
            undecided = self._undecided(left)
            if self._book.state == before and not any(
                one.occurrences for one in undecided.values()
            ):
                return
            results = results or await read_results(self._services.ledger)
            if self._pause_after_failures(undecided, results):
                undecided = self._undecided(left)
            decided = await self._decisions(undecided)
            left |= undecided.keys() - decided.keys()
            for state in plans(self._book.state, decided, results, now=self._look.now):
                if self._pace.over:
                    return
                await self._book.write(state)
                if not await self._book.carry_out():
                    return
            if not any(one.due.occurrences for one in decided.values()):
                return
            before = self._book.state

    def _undecided(self, left: Container[ScheduleId]) -> dict[ScheduleId, Due]:
        due = replace(self._look, state=self._book.state).due()
        return {id_: one for id_, one in due.items() if id_ not in left}

    def _pause_after_failures(
        self, undecided: Mapping[ScheduleId, Due], results: CollectState
    ) -> bool:
        """Pause the schedules of which so many runs have failed that they ask for it."""
        parsed, before = self._look.parsed, self._book.state
        schedules = dict(before.schedules)
        for id_, one in undecided.items():
            schedule = parsed.schedules.get(id_) if parsed else None
            if schedule and one.occurrences:
                known = results.schedules.get(id_, ScheduleResults())
                schedules[id_] = after_failures(schedules[id_], schedule, known)
        self._book.state = replace(before, schedules=schedules)
        return self._book.state != before

    async def _decisions(self, undecided: Mapping[ScheduleId, Due]) -> dict[ScheduleId, Decisions]:
        """Decide for every schedule of which Batch says whether a run is in the way."""
        parsed, now = self._look.parsed, self._look.now
        schedules = parsed.schedules if parsed else {}
        return {
            id_: Decisions(
                schedule=schedules.get(id_),
                due=undecided[id_],
                decisions=decide(
                    id_, schedules.get(id_), undecided[id_], in_the_way=in_the_way, now=now
                ),
            )
            for id_, in_the_way in (await self._in_the_way(undecided)).items()
        }

    async def _in_the_way(
        self, undecided: Mapping[ScheduleId, Due]
    ) -> dict[ScheduleId, list[RunId]]:
        """
        Ask Batch which runs are in the way of each schedule.

        Schedules of which it does not say in time are left out: they stay undecided, and come
        first in the next tick, since they have waited longest.
        """
        if self._book.claimed:
            await self._see()
        known: dict[ScheduleId, list[RunId]] = {}
        asking: list[ScheduleId] = []
        for id_, one in undecided.items():
            if self._obstacles.of(id_) and any(each.can_run for each in one.occurrences):
                asking.append(id_)
            else:
                known[id_] = []
        looking = self._pace.part(_ASKING_SECONDS)

        async def ask(id_: ScheduleId) -> None:
            try:
                known[id_] = await self._obstacles.in_the_way(id_)
            except (BatchUnavailable, BatchRefused) as error:
                trouble(f"schedule {id_} is undecided until Batch answers", error)
                if isinstance(error, BatchUnavailable):
                    looking.halt()

        oldest = sorted(asking, key=lambda id_: undecided[id_].occurrences[0].nominal)
        await looking.each(oldest, ask)
        return known
