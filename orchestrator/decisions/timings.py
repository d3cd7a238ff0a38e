"""How a changed document changes the timings in force: never what lies in the past."""

from dataclasses import replace
from datetime import datetime, timedelta

from orchestrator.ids import ScheduleId
from orchestrator.ledger.state import ScheduleState, SubmitState
from orchestrator.model import Pause, Schedule, Timing

TIMINGS_KEPT = timedelta(days=400)
_JUST_BEFORE = timedelta(seconds=1)


def take_over(
    state: SubmitState,
    schedules: dict[ScheduleId, Schedule],
    invalid: frozenset[ScheduleId],
    *,
    document: str,
    modified: datetime,
) -> SubmitState:
    """
    Return ``state`` with the timings of a document that was changed at ``modified``.

    No change reaches back: occurrences up to ``modified`` keep the timing they had. A schedule
    that the document no longer holds ends there; one whose table is invalid stays as it was.

    Args:
        state: What is in force so far.
        schedules: The valid tables of the document.
        invalid: The ids of its other tables.
        document: Its ETag.
        modified: Its Last-Modified.
    """
    known = {
        id_: one
        for id_, one in state.schedules.items()
        if not (one.removed and one.timings[-1].since < modified - TIMINGS_KEPT)
    }
    for id_, schedule in schedules.items():
        old = known.get(id_)
        known[id_] = _changed(old, schedule, modified) if old else _new(schedule, modified)
    for id_, old in state.schedules.items():
        if id_ not in schedules and id_ not in invalid and not old.removed:
            since = max(modified, old.decided_until)
            known[id_] = _with_timing(old, Timing(since=since, recurrence=None, removed=True))
    return replace(state, document=document, schedules=known)


def begun_anew(
    state: SubmitState,
    schedules: dict[ScheduleId, Schedule],
    invalid: frozenset[ScheduleId],
    *,
    document: str,
    now: datetime,
) -> SubmitState:
    """
    Return a lost ``state`` as if its schedules began now: what was due before is not decided again.

    Args:
        state: Without schedules.
        schedules: The valid tables of the document.
        invalid: The ids of its other tables.
        document: Its ETag.
        now: By the storage's clock.
    """
    begun = take_over(state, schedules, invalid, document=document, modified=now)
    since = {
        id_: replace(one, decided_until=max(one.decided_until, now))
        for id_, one in begun.schedules.items()
    }
    return replace(begun, schedules=since)


def _new(schedule: Schedule, modified: datetime) -> ScheduleState:
    """Begin a schedule: at its ``start``, else with the document that first holds it."""
    begin = schedule.start - _JUST_BEFORE if schedule.start else modified
    timing = Timing(since=begin, recurrence=schedule.recurrence, paused=schedule.paused)
    return ScheduleState(timings=(timing,), decided_until=min(begin, modified))


def _changed(old: ScheduleState, schedule: Schedule, modified: datetime) -> ScheduleState:
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
    timing = Timing(since=begin, recurrence=schedule.recurrence, paused=schedule.paused)
    same = replace(timing, since=current.since) == current
    if same and begin == max(current.since, earliest):
        return old
    if begin > earliest and not old.removed:  # nothing between the change and the new start
        old = _with_timing(old, Timing(since=earliest, recurrence=None))
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
