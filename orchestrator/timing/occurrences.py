"""When a schedule is due: the recurrences that were in force, one after the other."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from orchestrator.model import Occurrence, Recurrence, Timing
from orchestrator.timing.placement import placements
from orchestrator.timing.zones import parse_zone

HORIZON = timedelta(days=366 * 9)
"""How far ahead and back is looked: 29 February can be eight years away."""

_LONGEST_LOOK = timedelta(days=4)  # its occurrences are all made, to find the newest
_SECOND, _A_DAY = timedelta(seconds=1), timedelta(days=1)


def occurrences(timing: Timing, *, after: datetime, until: datetime) -> Iterator[Occurrence]:
    """
    Yield the occurrences of one timing in ``(after, until]``, oldest first.

    Raises:
        ScheduleSyntaxError: The expression or the zone cannot be understood.
    """
    if timing.recurrence is None or after >= until:
        return
    zone = parse_zone(timing.recurrence.time_zone)
    for one in placements(timing.recurrence, after=after, until=until):
        yield Occurrence(
            nominal=one.nominal,
            merged=one.merged,
            exists=one.exists,
            excluded=one.excluded,
            holiday=one.holiday,
            moved_from=tuple(wall.replace(tzinfo=zone).astimezone(UTC) for wall in one.moved_from),
            paused=timing.paused,
        )


def occurrences_of(
    timings: tuple[Timing, ...], *, after: datetime, until: datetime
) -> Iterator[Occurrence]:
    """
    Yield the occurrences in ``(after, until]``, each by the timing in force at its nominal time.

    Those before a removal count as removed only if the schedule has not returned since.

    Args:
        timings: In the order of ``since``; nothing is due up to the first one's.
        after: Exclusive.
        until: Inclusive.

    Raises:
        ScheduleSyntaxError: An expression or a zone cannot be understood.
    """
    ends = [timing.since for timing in timings[1:]]
    removed = timings[-1].removed
    for timing, end in zip(timings, [*ends, until], strict=True):
        for one in occurrences(timing, after=max(after, timing.since), until=min(end, until)):
            yield replace(one, removed=True) if removed else one


def in_force(timings: tuple[Timing, ...], nominal: datetime) -> Timing:
    """Return the timing by which an occurrence at ``nominal`` falls."""
    return next((one for one in reversed(timings) if one.since < nominal), timings[0])


def following(timings: tuple[Timing, ...], after: datetime) -> datetime | None:
    """
    Return the nominal time of the next occurrence that can happen after an instant.

    Neither excluded nor paused by the document, and of no schedule that is removed.

    Returns:
        None if there is none within nine years, single times aside: these may lie farther ahead.
    """
    newest = timings[-1]
    if newest.removed:
        return None
    horizon = after + HORIZON
    begin = max(after, newest.since)
    if newest.recurrence and (later := search_begin(newest.recurrence, begin)) > begin:
        horizon = later + HORIZON
    ends = [*(timing.since for timing in timings[1:]), horizon]
    for timing, end in zip(timings, ends, strict=True):
        begin = max(after, timing.since)
        if timing.paused:
            continue
        if timing.recurrence is None or begin >= min(end, horizon):
            continue
        first = _first(timing.recurrence, after=begin, until=min(end, horizon))
        if first is not None:
            return first
    return None


def previous(timings: tuple[Timing, ...], before: datetime) -> datetime | None:
    """
    Return the nominal time of the occurrence before ``before``, or None within nine years.

    It is what the timing in force just before would have given, also for times before that timing
    came into force: a task's data window begins there. What is excluded does not count.
    """
    newest = next((timing for timing in reversed(timings) if timing.since < before), None)
    if newest is None or newest.recurrence is None:
        return None
    just_before = before - _SECOND
    return _newest(newest.recurrence, since=just_before - HORIZON, until=just_before)


def ended(timings: tuple[Timing, ...], now: datetime) -> bool:
    """
    Tell whether the last occurrence of a schedule is over, by its ``end`` or its single times.

    A schedule that merely has nothing due within nine years is not ended.
    """
    timing = timings[-1]
    recurrence = timing.recurrence
    if recurrence is None or not recurrence.finite:
        return False
    begin = search_begin(recurrence, max(now, timing.since))
    return _first(recurrence, after=begin, until=begin + HORIZON) is None


def search_begin(recurrence: Recurrence, after: datetime) -> datetime:
    """
    Return an instant from which nine years reach what comes due next.

    That is ``after``, but where only single times lie beyond: the second before the first of them.
    """
    horizon = after + HORIZON
    last = max((one.replace(tzinfo=UTC) for one in recurrence.at), default=after)
    if last < horizon - _A_DAY or _first(recurrence, after=after, until=horizon):
        return after
    single = replace(recurrence, cron=())
    first = _first(single, after=horizon, until=last + 2 * _A_DAY)
    return first - _SECOND if first else after


def _first(recurrence: Recurrence, *, after: datetime, until: datetime) -> datetime | None:
    """Return the nominal time of the first occurrence that exists and is not left out."""
    found = placements(recurrence, after=after, until=until, excluded=False)
    return next((one.nominal for one in found if one.exists), None)


def latest(timings: tuple[Timing, ...], until: datetime) -> datetime | None:
    """Return the nominal time of the newest occurrence up to ``until`` that could have run."""
    ends = [*(timing.since for timing in timings[1:]), until]
    for timing, end in reversed(list(zip(timings, ends, strict=True))):
        if timing.recurrence is None or timing.paused:
            continue
        found = _newest(timing.recurrence, since=timing.since, until=min(end, until))
        if found is not None:
            return found
    return None


def _newest(recurrence: Recurrence, *, since: datetime, until: datetime) -> datetime | None:
    """Look back from ``until`` to ``since``, by ever longer steps, for an occurrence that exists."""
    span = timedelta(minutes=15)
    end = min(until, recurrence.end) if recurrence.end else until
    while end > since:
        begin = max(since, end - span)
        newest = None
        for one in placements(recurrence, after=begin, until=end, excluded=False):
            newest = one.nominal if one.exists else newest
        if newest is not None:
            return newest
        end, span = begin, min(span * 4, _LONGEST_LOOK)
    return None
