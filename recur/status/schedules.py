"""How each schedule stands: pure functions of the document, the state and the summaries."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from orchestrator.decisions.due import due
from orchestrator.decisions.pauses import RECUR
from orchestrator.decisions.schedule_report import report
from orchestrator.ids import ScheduleId
from orchestrator.ledger.results import ScheduleResults
from orchestrator.ledger.state import ScheduleState
from orchestrator.model import Pause, Schedule, Timing
from orchestrator.timing.occurrences import ended
from recur.causes.not_run import CORRECT, undecided_cause, undecided_step
from recur.causes.open_run import lost_node
from recur.causes.surroundings import OpenLine, Unreadable
from recur.causes.trouble import Health, Kind, Trouble
from recur.formats import short_duration
from recur.schedules.upcoming import next_due
from recur.status.open_runs import run_state
from recur.status.outcomes import (
    last_not_run,
    last_run,
    outcome_trouble,
    recent_of,
    results_of,
)
from recur.status.readings import Blob, Readings
from recur.status.timers import SILENT
from recur.status.value import PauseStatus, ScheduleStatus, State

_AT_WORK: Final = (
    State.BLOCKED,
    State.STOPPING,
    State.RUNNING,
    State.WAITING,
    State.FINISHING,
)
"""Which of several open runs tells what a schedule does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """
    One schedule, and what somebody should know of it.

    Attributes:
        status: With the health of these troubles alone.
        troubles: Without those of its open runs.
        undecided: The oldest occurrence that has waited for its decision for too long.
    """

    status: ScheduleStatus
    troubles: tuple[Trouble, ...]
    undecided: datetime | None = None


def standings(readings: Readings) -> Iterator[Standing]:
    """Yield how each schedule stands, in the order of their ids."""
    by_schedule = readings.work.by_schedule() if not isinstance(readings.work, Unreadable) else {}
    for id_ in _schedule_ids(readings, by_schedule):
        yield standing_of(id_, readings, by_schedule.get(id_, ()))


def _schedule_ids(
    readings: Readings, by_schedule: Mapping[ScheduleId, Sequence[OpenLine]]
) -> list[ScheduleId]:
    """Return the schedules of the document, those that ticks know of, and those of open runs."""
    document, state = readings.parsed, readings.state
    found = {*document.schedules, *document.invalid} if document else set[ScheduleId]()
    if document is None and state:
        found |= {id_ for id_, one in state.schedules.items() if not one.removed}
    return sorted(found | by_schedule.keys())


def standing_of(id_: ScheduleId, readings: Readings, lines: Sequence[OpenLine]) -> Standing:
    """
    Return how a schedule stands.

    Args:
        id_: Of a schedule that was not removed.
        readings: What was read.
        lines: Its open runs, the oldest first.
    """
    document, now = readings.parsed, readings.now
    table = document.schedules.get(id_) if document else None
    state = readings.state.schedules.get(id_) if readings.state else None
    state = None if state and state.removed else state
    recent, results = recent_of(readings, id_), results_of(readings, id_)
    last = last_run(id_, recent, results)
    not_run = last_not_run(recent, last)
    pauses = [one for one in state.pauses if one.holds(now)] if state else []
    undecided = _undecided(state, readings)
    found = [
        _document_trouble(id_, readings),
        _undecided_trouble(id_, undecided, readings),
        _pause_trouble(id_, pauses),
        outcome_trouble(id_, last, recent, state, on_laptop=readings.on_laptop),
    ]
    troubles = tuple(one for one in found if one)
    if not troubles and not lines and state and results:
        troubles = tuple(_overdue(id_, state, table, results, now))
    at_work = _at_work(lines, readings)
    status = ScheduleStatus(
        schedule=id_,
        health=min((one.health for one in troubles), key=lambda one: one.rank, default=Health.GOOD),
        state=run_state(at_work, readings) if at_work else _idle_state(id_, readings, state, table),
        run_id=at_work.run.run_id if at_work else None,
        since=_since(at_work, readings) if at_work else None,
        open_runs=len(lines),
        last=last,
        last_known=last is not None or results is not None,
        not_run=not_run,
        next_due=_next_due(table, pauses, now),
        pause=_pause_status(table, pauses),
        owner=table.about.owner if table and table.about else None,
        runbook=table.about.runbook if table and table.about else None,
    )
    return Standing(status=_doubted(status, readings), troubles=troubles, undecided=undecided)


def _doubted(status: ScheduleStatus, readings: Readings) -> ScheduleStatus:
    """Return a status that calls nothing good that could not be read."""
    blind = isinstance(readings.work, Unreadable) or isinstance(readings.submit, Unreadable)
    state = State.UNKNOWN if blind and status.state is State.IDLE else status.state
    unknown = blind or isinstance(readings.document, Unreadable) or not status.last_known
    worst = Health.UNKNOWN if unknown else Health.GOOD
    health = min(status.health, worst, key=lambda one: one.rank)
    return replace(status, health=health, state=state)


def _at_work(lines: Sequence[OpenLine], readings: Readings) -> OpenLine | None:
    """Return the open run that tells what its schedule does: the oldest of the worst."""
    return min(lines, key=lambda one: _AT_WORK.index(run_state(one, readings)), default=None)


def _since(line: OpenLine, readings: Readings) -> datetime | None:
    """Return since when an open run does what it does; when a node was lost is not known."""
    run = line.run
    return None if lost_node(line, readings.surroundings) else run.since or run.nominal


def _idle_state(
    id_: ScheduleId, readings: Readings, state: ScheduleState | None, table: Schedule | None
) -> State:
    document, now = readings.parsed, readings.now
    if document and id_ in document.invalid:
        return State.INVALID
    if state is None and readings.submit is not None and not isinstance(readings.submit, Blob):
        return State.UNKNOWN
    if state is None:
        return State.NEW
    if (table and table.paused) or any(one.holds(now) for one in state.pauses):
        return State.PAUSED
    timings = (Timing(since=now, recurrence=table.recurrence),) if table else state.timings
    return State.ENDED if ended(timings, now) else State.IDLE


def _undecided(state: ScheduleState | None, readings: Readings) -> datetime | None:
    """Return the oldest occurrence that a tick should have decided by now."""
    if state is None:
        return None
    waiting = due(state, readings.now - SILENT, most=1).occurrences
    return waiting[0].nominal if waiting else None


def _document_trouble(id_: ScheduleId, readings: Readings) -> Trouble | None:
    """Return what the document does to a schedule: all of them stand still, or this one does."""
    document, since = readings.document, None
    if isinstance(document, Blob):
        since = document.modified
        said = document.content.document
        if isinstance(said, Unreadable):
            return _standing_still(Kind.DOCUMENT, id_, since, said.why)
        if id_ in said.invalid:
            wrong = [
                str(one)
                for one in said.problems
                if one.schedule == id_ or (one.schedule is None and not one.in_prices)
            ]
            cause = "; ".join(wrong) or "its table is invalid"
            return _standing_still(Kind.INVALID, id_, since, cause)
    elif document is None:
        return _standing_still(Kind.DOCUMENT, id_, since, "no document is in force")
    return None


def _standing_still(kind: Kind, id_: ScheduleId, since: datetime | None, cause: str) -> Trouble:
    return Trouble(
        kind=kind, schedule=id_, since=since, cause=f"it stands still: {cause}", next_step=CORRECT
    )


def _undecided_trouble(
    id_: ScheduleId, undecided: datetime | None, readings: Readings
) -> Trouble | None:
    if undecided is None:
        return None
    return Trouble(
        kind=Kind.UNDECIDED,
        schedule=id_,
        since=undecided,
        cause=undecided_cause(readings.now - undecided),
        next_step=undecided_step(on_laptop=readings.on_laptop),
    )


def _pause_trouble(id_: ScheduleId, pauses: Sequence[Pause]) -> Trouble | None:
    """Return a pause that nobody asked for."""
    for one in pauses:
        if one.by == RECUR and one.request is None:
            return Trouble(
                kind=Kind.PAUSED,
                schedule=id_,
                since=one.since,
                cause=f"it is paused: {one.note or 'too many runs failed'}",
                next_step=f"fix the cause, then recur resume {id_}",
            )
    return None


def _overdue(
    id_: ScheduleId,
    state: ScheduleState,
    table: Schedule | None,
    results: ScheduleResults,
    now: datetime,
) -> Iterator[Trouble]:
    """Yield that no run has ended well although one should have: what the alert tells as well."""
    said = report(state, table, results, now)
    if said.max_gap_seconds is None or said.seconds_since_success <= said.max_gap_seconds:
        return
    success = f"the last success was {short_duration(said.seconds_since_success)} ago"
    yield Trouble(
        kind=Kind.OVERDUE,
        schedule=id_,
        since=said.expected,
        cause=success if said.last_success else "no run has succeeded since it began",
        next_step=f"recur runs {id_}",
    )


def _next_due(table: Schedule | None, pauses: Sequence[Pause], now: datetime) -> datetime | None:
    """Return when a schedule is due next and will run: after its pauses."""
    if table is None or table.paused or any(one.until is None for one in pauses):
        return None
    after = max([now, *(one.until for one in pauses if one.until)])
    return next(iter(next_due(table, after, 1)), None)


def _pause_status(table: Schedule | None, pauses: Sequence[Pause]) -> PauseStatus | None:
    """Return the pause that ends last."""
    if table and table.paused:
        return PauseStatus()
    endless = [one for one in pauses if one.until is None]
    for one in endless or sorted(pauses, key=lambda one: one.until or one.since)[-1:]:
        return PauseStatus(by=one.by, until=one.until, note=one.note)
    return None
