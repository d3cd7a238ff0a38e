"""How a changed document changes the timings in force: never what lies in the past."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from orchestrator.ids import ScheduleId
from orchestrator.ledger.state import ScheduleState, SubmitState
from orchestrator.model import Pause, Schedule, Timing

TIMINGS_KEPT = timedelta(days=400)
_JUST_BEFORE = timedelta(seconds=1)


def take_over(  # noqa: PLR0913 - what a version says, and when it came into force
    state: SubmitState,
    schedules: dict[ScheduleId, Schedule],
    invalid: frozenset[ScheduleId],
    *,
    document: str,
    modified: datetime,
    version: int | None = None,
) -> SubmitState:
    """
    Return ``state`` with the timings of a document that came into force at ``modified``.

    No change reaches back: occurrences up to ``modified`` keep the timing they had. A schedule
    that the document no longer holds ends there; one whose table is invalid stays as it was.

    Args:
        state: What is in force so far.
        schedules: The valid tables of the document.
        invalid: The ids of its other tables.
        document: The ETag that it had while it was in force.
        modified: Its Last-Modified then.
        version: Its number; None if it has none.
    """
    known = {
        id_: one
        for id_, one in state.schedules.items()
        if not (one.removed and one.timings[-1].since < modified - TIMINGS_KEPT)
    }
    for id_, schedule in schedules.items():
        old = known.get(id_)
        known[id_] = (
            _changed(old, schedule, modified, version) if old else _new(schedule, modified, version)
        )
    for id_, old in state.schedules.items():
        if id_ not in schedules and id_ not in invalid and not old.removed:
            since = max(modified, old.decided_until)
            gone = Timing(since=since, recurrence=None, removed=True, version=version)
            known[id_] = _with_timing(old, gone)
    return replace(state, document=document, version=version, schedules=known)


def begun_anew(  # noqa: PLR0913 - as above
    state: SubmitState,
    schedules: dict[ScheduleId, Schedule],
    invalid: frozenset[ScheduleId],
    *,
    document: str,
    now: datetime,
    version: int | None = None,
) -> SubmitState:
    """
    Return a lost ``state`` as if its schedules began now: what was due before is not decided again.

    Args:
        state: Without schedules.
        schedules: The valid tables of the document.
        invalid: The ids of its other tables.
        document: Its ETag.
        now: By the storage's clock.
        version: Its number; None if it has none.
    """
    begun = take_over(state, schedules, invalid, document=document, modified=now, version=version)
    since = {
        id_: replace(one, decided_until=max(one.decided_until, now))
        for id_, one in begun.schedules.items()
    }
    return replace(begun, schedules=since)


def _new(schedule: Schedule, modified: datetime, version: int | None) -> ScheduleState:
    """Begin a schedule: at its ``start``, else with the document that first holds it."""
    begin = schedule.start - _JUST_BEFORE if schedule.start else modified
    timings = (*_without_past_times(schedule, begin, modified, version),)
    timing = _timing(schedule, max(begin, modified) if timings else begin, version)
    return ScheduleState(timings=(*timings, timing), decided_until=min(begin, modified))


def _without_past_times(
    schedule: Schedule, begin: datetime, modified: datetime, version: int | None
) -> Iterator[Timing]:
    """Yield the timing from a ``start`` in the past on: single times of before get no record."""
    recurrence = schedule.recurrence
    if recurrence.at and begin < modified:
        rest = replace(recurrence, at=()) if recurrence.cron else None
        yield replace(_timing(schedule, begin, version), recurrence=rest)


def _timing(schedule: Schedule, since: datetime, version: int | None) -> Timing:
    return Timing(
        since=since, recurrence=schedule.recurrence, paused=schedule.paused, version=version
    )


def _changed(
    old: ScheduleState, schedule: Schedule, modified: datetime, version: int | None
) -> ScheduleState:
    """
    Change the timing of a known schedule, or begin again one that had been removed.

    Never before the watermark: what lies up to there has been decided, whatever a start or a clock
    of the storage says.
    """
    earliest = max(modified, old.decided_until)
    if old.removed:  # it is new: what paused it is over
        old = replace(old, pauses=_over(old.pauses, old.timings[-1].since))
    if old.removed and schedule.start:  # it is new, and may begin where nothing was decided yet
        earliest = max(old.timings[-1].since, old.decided_until)
    begin = max(earliest, schedule.start - _JUST_BEFORE) if schedule.start else earliest
    current = old.timings[-1]
    timing = _timing(schedule, begin, version)
    same = replace(timing, since=current.since, version=current.version) == current
    if same and begin == max(current.since, earliest):
        return old
    returns = old.removed
    for before in _without_past_times(schedule, begin, modified, version):
        old, timing = _with_timing(old, before), replace(timing, since=modified)
    if begin > earliest and not returns:  # nothing between the change and the new start
        old = _with_timing(old, Timing(since=earliest, recurrence=None, version=version))
    return _with_timing(old, timing)


def _over(pauses: tuple[Pause, ...], at: datetime) -> tuple[Pause, ...]:
    """Return pauses, none of which holds beyond an instant."""
    begun = (pause for pause in pauses if pause.since < at)
    return tuple(
        replace(pause, until=at) if pause.until is None or pause.until > at else pause
        for pause in begun
    )


def _with_timing(state: ScheduleState, timing: Timing) -> ScheduleState:
    """Put ``timing`` in force from its ``since`` on, and forget timings of long ago."""
    kept = [t for t in state.timings if t.since < timing.since]
    current = [
        t
        for n, t in enumerate(kept)
        if n + 1 == len(kept) or kept[n + 1].since > timing.since - TIMINGS_KEPT
    ]
    return replace(state, timings=(*current, timing))
