"""What operators ask for: each request is carried out, answered and removed, in their order."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, tzinfo
from itertools import islice
from typing import Final

from orchestrator import ids
from orchestrator.adapters.telemetry import trouble
from orchestrator.decisions.pauses import pause, pausing, resume
from orchestrator.decisions.request_rules import broken_rule
from orchestrator.enums import Reason
from orchestrator.errors import (
    BatchRefused,
    BatchUnavailable,
    LedgerConflict,
    NotNow,
    OutputUnreadable,
    RecordUnreadable,
    RecurError,
    RequestRefused,
    ScheduleSyntaxError,
)
from orchestrator.ids import ScheduleId
from orchestrator.ledger.attempt import Stop
from orchestrator.ledger.request import Answer, Request, RequestKind, Status
from orchestrator.ledger.results import ScheduleResults
from orchestrator.ledger.state import OpenRequest, ScheduleState
from orchestrator.passes.claiming import Claims, Done
from orchestrator.passes.inputs import TickInputs, read_results
from orchestrator.passes.plan_writer import PlanWriter
from orchestrator.passes.runs_in_the_way import RunsInTheWay
from orchestrator.passes.services import Pace, Services
from orchestrator.passes.stopping import mark_stop
from orchestrator.time_text import wall_text
from orchestrator.timing.zones import parse_zone

_LATER: Final = (BatchUnavailable, BatchRefused, NotNow, OutputUnreadable)
"""What leaves a request, and those after it about its schedule, for the next tick."""


class Requests:
    """The requests of one tick."""

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
        self._waiting: set[ScheduleId] = set()
        self._claims = Claims(services, plan, pace, inputs, in_the_way)

    async def answer_all(self) -> None:
        """Answer the requests; where time runs out, those that are left wait."""
        for waiting in self._inputs.requests:
            if self._pace.over or not await self._answer(waiting):
                return

    async def _answer(self, waiting: OpenRequest) -> bool:
        """Carry one request out and answer it; False if time ran out over it."""
        request: Request | None = None
        try:
            found = await self._services.ledger.read_request(waiting.id)
            if found is None:
                return True
            request = found[0]
            if request.schedule in self._waiting:
                return True
            done = await self._carry_out(waiting.id, request, waiting.made)
        except _LATER as error:
            trouble(f"request {waiting.id} waits for the next tick", error)
            self._waiting |= {request.schedule} if request else set()
            self._claims.batch_is_silent |= isinstance(error, BatchUnavailable)
            return True
        except (RequestRefused, RecordUnreadable) as error:
            status, done = Status.REFUSED, Done(str(error))
        except RecurError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it holds, it stops no decision
            trouble(f"request {waiting.id} cannot be carried out", error)
            status, done = Status.REFUSED, Done(f"it cannot be carried out: {error!r:.300}")
        else:
            status = Status.DONE
        if done is None:
            return False
        answer = Answer(
            request=request,
            made=waiting.made,
            at=self._inputs.now,
            status=status,
            sentence=done.sentence,
            runs=done.runs,
        )
        await self._services.ledger.answer(waiting.id, answer)
        self._plan.counts["answered"] = self._plan.counts.get("answered", 0) + 1
        return True

    async def _carry_out(self, id_: str, request: Request, made: datetime) -> Done | None:
        if request.extra:  # a later version asks for something that this one cannot do
            raise RequestRefused(
                f"the deployed app does not know the fields {_names(request.extra)}: use the "
                "`recur` of the deployed version"
            )
        if wrong := broken_rule(request, id_):
            raise RequestRefused(wrong)
        match request.kind:
            case RequestKind.STOP:
                return await self._stop(request)
            case RequestKind.PAUSE:
                return await self._pause(request, made)
            case RequestKind.RESUME:
                return await self._resume(request, made)
            case RequestKind.TRIGGER:
                return await self._claims.trigger(request, self._state(request))
            case RequestKind.BACKFILL:
                return await self._claims.backfill(request, self._state(request))

    async def _stop(self, request: Request) -> Done:
        run_id = request.run_id
        if run_id is None or ids.parse_run_id(run_id) is None:
            raise RequestRefused(f"{run_id!r} is not a run id: `recur runs` lists run ids")
        stop = Stop(
            cause=Reason.STOPPED,
            reason=Reason.STOPPED,
            sentence=f"Stopped by {request.by}" + (f": {request.note}" if request.note else "."),
            at=self._inputs.now,
            request=request.id,
        )
        try:
            record = await mark_stop(self._services, run_id, stop)
        except LedgerConflict as error:
            raise NotNow(f"run {run_id} was changed by another tick at the same time") from error
        if record is not None:
            self._plan.claimed = True  # the work list has changed
            return Done(f"Run {run_id} is being stopped; the next collect ticks end it.", (run_id,))
        final = await self._services.ledger.read_final(ids.blob_of(run_id))
        if final is None:
            raise RequestRefused(f"there is no run {run_id}: `recur runs` lists all runs")
        record = final[0]
        if record.outcome is None:
            decided = f"{record.decision.action} ({record.decision.reason})"
            raise RequestRefused(f"{run_id} did not run: {decided}")
        raise RequestRefused(f"run {run_id} has already ended: {record.outcome}")

    async def _pause(self, request: Request, made: datetime) -> Done:
        state = self._state(request)
        if request.until and request.until <= made:
            raise RequestRefused(
                f"the end of the pause, {request.until.isoformat()}, is in the past"
            )
        await self._change(request.schedule, pause(state, request, made))
        until = (
            f"until {wall_text(request.until.astimezone(_zone(state)))}"
            if request.until
            else "until it is resumed"
        )
        return Done(f"Schedule {request.schedule} is paused {until}.")

    async def _resume(self, request: Request, made: datetime) -> Done:
        state = self._state(request)
        held = any(one.resumed_by == request.id for one in state.pauses)
        held = held or bool(pausing(state, made))
        results = (await read_results(self._services.ledger)).schedules
        known = results.get(request.schedule, ScheduleResults())
        await self._change(request.schedule, resume(state, request, made, known))
        said = "is resumed" if held else "was not paused by a request or by failures"
        if state.timings[-1].paused:
            said += "; the document says paused = true: change that, then `recur apply FILE`"
        return Done(f"Schedule {request.schedule} {said}.")

    def _state(self, request: Request) -> ScheduleState:
        """Return how a schedule stands; refused if there is none."""
        state = self._plan.state.schedules.get(request.schedule)
        if state is None or state.removed:
            raise RequestRefused(f"there is no schedule {request.schedule!r} in force")
        return state

    async def _change(self, schedule: ScheduleId, state: ScheduleState) -> None:
        before = self._plan.state
        if before.schedules[schedule] != state:
            schedules = {**before.schedules, schedule: state}
            await self._plan.write(replace(before, schedules=schedules))


def _zone(state: ScheduleState) -> tzinfo:
    """Return the zone of a schedule; UTC if it has none, or one that is no longer known."""
    recurrence = state.timings[-1].recurrence
    try:
        return parse_zone(recurrence.time_zone) if recurrence else UTC
    except ScheduleSyntaxError:
        return UTC


def _names(extra: Iterable[str]) -> str:
    """Return a few names of fields as a sentence may hold them."""
    shown = [name if name.isidentifier() else ascii(name[:40]) for name in islice(extra, 5)]
    return ", ".join(name[:40] for name in shown)
