"""One submit tick: look, lease, finish the plan, decide, dispatch."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from orchestrator import naming
from orchestrator.adapters.blobs import Lease
from orchestrator.adapters.telemetry import Event, emit, trouble
from orchestrator.decide import Due, decide
from orchestrator.errors import (
    BatchRefused,
    BatchUnavailable,
    LeaseTaken,
)
from orchestrator.ledger import (
    CollectState,
    OpenRun,
    SubmitState,
    dump_submit,
    take_over,
)
from orchestrator.passes.dispatch import Dispatcher
from orchestrator.passes.look import Look, look_at, read_results, waits
from orchestrator.passes.reporting import report_schedules
from orchestrator.passes.services import Pace, Services
from orchestrator.plan import Decisions, plans
from orchestrator.record import Action, Record
from orchestrator.words import AttemptState, RunId, ScheduleId

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
        counts["problem"] = f"{naming.DOCUMENT}: {first}{more}"
    await report_schedules(services, look)
    if look.idle:
        return counts
    pace = Pace()
    try:
        async with (
            services.ledger.lease(naming.SUBMIT_STATE, empty=_EMPTY) as lease,
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
        self._lease = lease
        self._pace = pace
        self._look = look
        self._state = look.state
        self._etag = look.etag or ""
        self._claimed = False
        self._counts = {"skipped": 0, "missed": 0, "claimed": 0}

    async def run(self) -> dict[str, int]:
        """Finish the plan that is there, decide, dispatch."""
        if self._state.plan:
            if not await self._carry_out():
                return self._counts
            runs, _ = await self._services.ledger.open_runs()
            self._look = replace(self._look, open_runs=runs)
            self._claimed = False
        self._take_over()
        await self._decide()
        runs = self._look.open_runs
        if self._claimed:
            runs, _ = await self._services.ledger.open_runs()
        dispatcher = Dispatcher(self._services, self._pace, self._look.now)
        return self._counts | await dispatcher.dispatch([run for run in runs if waits(run)])

    def _take_over(self) -> None:
        """Put the timings of a changed document in force, and report what is wrong with it."""
        look = self._look
        if not look.changed:
            return
        for problem in look.problems:
            emit(Event.DOCUMENT_REJECTED, schedule=problem.schedule, problem=str(problem))
        if look.parsed is None or look.text.etag is None or look.text.modified is None:
            self._state = replace(self._state, document=look.document)
            return
        self._state = take_over(
            self._state,
            look.parsed.schedules,
            look.parsed.invalid,
            document=look.document,
            modified=look.text.modified,
        )

    async def _decide(self) -> None:
        """Decide what is due, write it down as plans, and carry each out after its write."""
        before = self._look.state
        results: CollectState | None = None
        while True:
            undecided = replace(self._look, state=self._state).due()
            if self._state == before and not any(one.occurrences for one in undecided.values()):
                return
            results = results or await read_results(self._services.ledger)
            decided = await self._decisions(undecided)
            for state in plans(self._state, decided, results, now=self._look.now):
                if self._pace.over:
                    return
                await self._write(state)
                if not await self._carry_out():
                    return
            if not any(one.due.more for one in decided.values()):
                return

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
    ) -> dict[ScheduleId, RunId | None]:
        """
        Ask Batch which schedules have a run in the way.

        Those of which it does not say in time are left out: they stay undecided, and come first
        in the next tick, since they have waited longest.
        """
        runs: dict[ScheduleId, list[OpenRun]] = {}
        for run in self._look.open_runs:
            runs.setdefault(run.schedule, []).append(run)
        known: dict[ScheduleId, RunId | None] = {}
        asking: list[ScheduleId] = []
        for id_, one in undecided.items():
            if id_ in runs and any(occurrence.can_run for occurrence in one.occurrences):
                asking.append(id_)
            else:
                known[id_] = None
        looking = self._pace.part(_ASKING_SECONDS)

        async def ask(id_: ScheduleId) -> None:
            try:
                known[id_] = await self._blocker(runs[id_])
            except (BatchUnavailable, BatchRefused) as error:
                trouble(f"schedule {id_} is undecided until Batch answers", error)
                if isinstance(error, BatchUnavailable):
                    looking.halt()

        oldest = sorted(asking, key=lambda id_: undecided[id_].occurrences[0].nominal)
        await looking.each(oldest, ask)
        return known

    async def _blocker(self, runs: Sequence[OpenRun]) -> RunId | None:
        """Return an open run of one schedule whose job has not ended by Batch's word."""
        for run in reversed(runs):
            if run.state is AttemptState.ENDED:
                continue
            if waits(run):
                return run.run_id
            job = await self._services.batch.job(naming.job_id(run.run_id, run.attempt))
            # A claim that was given up may still have a job: its creation's answer was lost.
            gone = run.state is AttemptState.SUBMITTED if job is None else job.state == "completed"
            if not gone:
                return run.run_id
        return None

    async def _carry_out(self) -> bool:
        """Create what the plan says, leave what exists, and clear the plan."""
        plan = self._state.plan
        if plan:
            if not await self._pace.each(plan, self._create) or self._pace.over:
                return False
            await self._write(replace(self._state, plan=()))
        return True

    async def _create(self, record: Record) -> None:
        if record.decision.action is Action.SUBMIT:
            self._claimed = True
            claimed = await self._services.ledger.claim(record)
            self._counts["claimed"] += claimed  # after the await: eight of these run at once
            return
        if not await self._services.ledger.finalise(record):
            return
        keys = {"schedule": record.schedule, "run_id": record.run_id, "nominal": record.nominal}
        if record.decision.action is Action.SKIPPED:
            self._counts["skipped"] += 1
            because = record.decision.because
            emit(Event.OCCURRENCE_SKIPPED, **keys, reason=record.decision.reason, because=because)
        else:
            count = record.range.count if record.range else 1
            self._counts["missed"] += count
            emit(Event.OCCURRENCE_MISSED, **keys, reason=record.decision.reason, count=count)

    async def _write(self, state: SubmitState) -> None:
        self._etag = await self._services.ledger.write(
            naming.SUBMIT_STATE, dump_submit(state), self._lease, self._etag
        )
        self._state = state
