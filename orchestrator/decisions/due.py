"""
What is due of a schedule: a pure function of values.

Of many thousands that catch-up does not reach any more, nobody looks at each: they are counted.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import chain, islice, pairwise

from orchestrator.decisions.decision import Missed, Skip, Span
from orchestrator.enums import CatchUpMode, MissReason, SkipReason
from orchestrator.ledger.state import ScheduleState
from orchestrator.model import CatchUp, Occurrence, Timing
from orchestrator.timing.counting import Tally, tally
from orchestrator.timing.occurrences import in_force, occurrences_of
from orchestrator.timing.placement import placements

LATE = timedelta(seconds=90)
MOST_AT_ONCE = 20_000
"""Occurrences of one schedule that are decided in one go; the tick goes on from there."""

_COUNTED = 100  # the most that `catch_up.max` can be
_MANY = 2000  # so many that it is worth while to count them
_MOMENT = timedelta(microseconds=1)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """
    The undecided occurrences of one schedule.

    Attributes:
        occurrences: Oldest first.
        until: Up to here these are all.
        later: How many more that can run are due after these, left for the next go; counted up to
            a hundred, among the next 20,000.
        written_off: What is decided of very many before these, none of which can run any more.
        looks: A measure of the work that it took.
    """

    occurrences: tuple[Occurrence, ...]
    until: datetime
    later: int = 0
    written_off: tuple[Skip | Missed, ...] = ()
    looks: int = 0

    @property
    def any(self) -> bool:
        """Whether anything is due."""
        return bool(self.occurrences or self.written_off)


def due(
    state: ScheduleState,
    until: datetime,
    most: int = MOST_AT_ONCE,
    *,
    returns: bool = False,
    lost: "LostTime | None" = None,
) -> Due:
    """
    Return the occurrences in ``(decided_until, until]``, the oldest ``most`` of them.

    Args:
        state: Of their schedule.
        until: Up to here.
        most: So many at most.
        returns: Whether the newest document holds the schedule: then none of them is removed.
        lost: What catch-up does not reach: of thousands these are counted rather than looked at.
    """
    every = occurrences_of(state.timings, after=state.decided_until, until=until)
    if returns:
        every = (replace(one, removed=False) if one.removed else one for one in every)
    found = tuple(_judged(one, state) for one in islice(every, most))
    following = next(every, None) if len(found) == most else None
    if following is None:
        return Due(occurrences=found, until=max(until, state.decided_until))
    if lost and len(found) >= _MANY:
        removed = state.removed and not returns
        written = _write_off(state, replace(lost, until=min(lost.until, until)), removed=removed)
        if written:
            rest = due(replace(state, decided_until=written.until), until, most, returns=returns)
            return replace(rest, written_off=written.written_off, looks=written.looks)
    left = chain((following,), islice(every, MOST_AT_ONCE - 1))
    later = sum(1 for _ in islice((1 for one in left if _judged(one, state).can_run), _COUNTED))
    return Due(occurrences=found, until=found[-1].nominal, later=later)


def is_due(state: ScheduleState, now: datetime) -> bool:
    """Tell whether any occurrence is undecided."""
    every = occurrences_of(state.timings, after=state.decided_until, until=now)
    return next(every, None) is not None


def _judged(occurrence: Occurrence, state: ScheduleState) -> Occurrence:
    """Say of an occurrence whether a pause holds at its time."""
    if state.pauses and any(pause.holds(occurrence.nominal) for pause in state.pauses):
        return replace(occurrence, paused=True)
    return occurrence


@dataclass(frozen=True, slots=True, kw_only=True)
class LostTime:
    """
    Up to when catch-up does not reach any more.

    Attributes:
        until: Occurrences up to here are not made up for.
        reason: Why.
    """

    until: datetime
    reason: MissReason

    @classmethod
    def of(cls, catch_up: CatchUp | None, now: datetime) -> "LostTime":
        """Return what a policy says; None: of a schedule that the document no longer holds."""
        if catch_up is None or catch_up.mode is CatchUpMode.NONE:
            return cls(until=now - LATE - _MOMENT, reason=MissReason.OFF)
        return cls(until=now - max(catch_up.window, LATE) - _MOMENT, reason=MissReason.WINDOW)


@dataclass(frozen=True, slots=True)
class _Stretch:
    """
    A time in ``(after, until]`` with one timing, and one cause for what it does not leave out.

    Attributes:
        after: Exclusive.
        until: Inclusive.
        timing: In force.
        cause: Why what falls into it does not run.
    """

    after: datetime
    until: datetime
    timing: Timing
    cause: SkipReason | MissReason


def _write_off(state: ScheduleState, lost: LostTime, *, removed: bool) -> Due | None:
    """
    Decide what is lost in any case, as few decisions; None if it is not worth while.

    The newest of it are left to be looked at: those that may have records of their own.
    """
    until, looks = _until(state, lost.until)
    decisions: list[Skip | Missed] = []
    for stretch in _stretches(state, until, lost.reason, removed=removed):
        found = _decided(stretch, removed=removed)
        if found is None:
            until = stretch.after
            break
        looks += sum(one.looks for _, one in found)
        decisions += [decision for decision, _ in found]
    if sum(one.span.count for one in decisions if one.span) < _MANY:
        return None
    return Due(occurrences=(), until=until, written_off=tuple(decisions), looks=looks)


def _until(state: ScheduleState, until: datetime) -> tuple[datetime, int]:
    """Return up to when to count, and the work: behind it lie as many as are to be looked at."""
    end, step, looks = until, _DAY, 0
    behind = 0
    while behind < 2 * _COUNTED and end > state.decided_until:
        begin = max(end - step, state.decided_until)
        every = occurrences_of(state.timings, after=begin, until=end)
        some = sum(1 for _ in islice(every, 2 * _COUNTED))
        behind, looks = behind + some, looks + some
        end, step = begin, 2 * step
    return end, looks


def _stretches(
    state: ScheduleState, until: datetime, reason: MissReason, *, removed: bool
) -> Iterator[_Stretch]:
    """Yield the time from the watermark on, cut where a timing or a pause begins or ends."""
    begin = state.decided_until
    cuts = {begin, until}
    cuts |= {timing.since for timing in state.timings}
    for pause in state.pauses:
        cuts |= {pause.since, *([pause.until - _MOMENT, pause.until] if pause.until else [])}
    for after, end in pairwise(sorted(cut for cut in cuts if begin <= cut <= until)):
        timing = in_force(state.timings, end)
        if timing.recurrence is None or timing.since >= end:
            continue
        paused = timing.paused or any(pause.holds(end) for pause in state.pauses)
        cause = SkipReason.REMOVED if removed else SkipReason.PAUSED if paused else reason
        yield _Stretch(after, end, timing, cause)


def _decided(stretch: _Stretch, *, removed: bool) -> list[tuple[Skip | Missed, Tally]] | None:
    """Return the decisions of a stretch with what was counted; None if these were not few."""
    recurrence = stretch.timing.recurrence
    assert recurrence is not None, "else nothing is due in it"  # noqa: S101
    whole = tally(recurrence, after=stretch.after, until=stretch.until)
    if whole is None:
        return []
    if removed:
        return [(_decision(whole, SkipReason.REMOVED, {}), whole)]
    runs = placements(recurrence, after=stretch.after, until=stretch.until, excluded=False)
    first = next((one.nominal for one in runs if one.exists), None)
    before = first - _MOMENT if first else stretch.until
    left_out = tally(recurrence, after=stretch.after, until=before)
    found: list[tuple[Skip | Missed, Tally]] = []
    if left_out:
        own = [reason for reason, count in _left_out(left_out).items() if count]
        if len(own) > 1:
            return None
        found.append((_decision(left_out, own[0], {}), left_out))
    if first and (rest := tally(recurrence, after=before, until=stretch.until)):
        found.append((_decision(rest, stretch.cause, _left_out(rest)), rest))
    return found


def _left_out(tallied: Tally) -> dict[SkipReason, int]:
    """Return how many of some occurrences would not run in any case, as their timing tells."""
    return {
        SkipReason.EXCLUDED: tallied.excluded,
        SkipReason.HOLIDAY: tallied.holiday,
        SkipReason.NONEXISTENT: tallied.nonexistent,
    }


def _decision(
    tallied: Tally, cause: SkipReason | MissReason, also: Mapping[SkipReason, int]
) -> Skip | Missed:
    occurrence = Occurrence(nominal=tallied.first)
    span = None
    if tallied.count > 1:
        own = {reason: count for reason, count in also.items() if count}
        span = Span(last=tallied.last, count=tallied.count, also=own)
    if isinstance(cause, SkipReason):
        return Skip(occurrence=occurrence, reason=cause, span=span)
    return Missed(occurrence=occurrence, reason=cause, span=span)
