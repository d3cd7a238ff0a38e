"""
How many occurrences a recurrence has in a long time, without looking at each.

A day on which the clock of the zone does not change has as many as its wall times say. Days around
a change, and the ends of the time, are looked at occurrence by occurrence.
"""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from itertools import pairwise

from orchestrator.model import Recurrence
from orchestrator.timing.cron import exceptions
from orchestrator.timing.placement import (
    EPOCH,
    PROBE,
    Placement,
    minutes_of,
    next_interval,
    placements,
    utc_offset,
)
from orchestrator.timing.wall_times import wall_times
from orchestrator.timing.zones import parse_zone

_DAY, _HOUR, _MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
_MOMENT = timedelta(microseconds=1)
_AROUND = timedelta(days=2)  # no offset is a day or more


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """
    The occurrences of some time.

    Attributes:
        first: Nominal time of the first of them.
        last: Of the last one.
        count: How many they are.
        excluded: How many of them ``except`` leaves out.
        holiday: How many of them are skipped since they fall on a holiday.
        nonexistent: How many of them lie on wall times that do not exist.
        looks: How many days and occurrences were looked at: a measure of the work.
    """

    first: datetime
    last: datetime
    count: int
    excluded: int = 0
    holiday: int = 0
    nonexistent: int = 0
    looks: int = 1

    def joined(self, later: "Tally") -> "Tally":
        """Return this and what follows as one."""
        return Tally(
            first=self.first,
            last=later.last,
            count=self.count + later.count,
            excluded=self.excluded + later.excluded,
            holiday=self.holiday + later.holiday,
            nonexistent=self.nonexistent + later.nonexistent,
            looks=self.looks + later.looks,
        )


def tally(recurrence: Recurrence, *, after: datetime, until: datetime) -> Tally | None:
    """
    Count the occurrences in ``(after, until]``; None if there are none.

    Raises:
        ScheduleSyntaxError: An expression or the zone cannot be understood.
    """
    after, until = after.astimezone(UTC), until.astimezone(UTC)
    if recurrence.end:
        until = min(until, recurrence.end - _MOMENT)
    if after >= until:
        return None
    whole: Tally | None = None
    for part in _parts(recurrence, after, until):
        whole = whole.joined(part) if whole else part
    return whole


def _parts(recurrence: Recurrence, after: datetime, until: datetime) -> Iterator[Tally]:
    """Yield the tallies of a time, piece by piece; of steady days one for each."""
    zone = parse_zone(recurrence.time_zone)
    unsteady = _unsteady(after - _AROUND, until + _AROUND, zone)
    ends = [end for _, end in unsteady]
    day, last = after.date() + _AROUND, until.date() - _AROUND
    seen = after
    while day <= last:
        noon = datetime.combine(day, time(12), UTC)
        midnight = datetime.combine(day, time(), UTC) - utc_offset(noon, zone)
        near = bisect_left(ends, midnight)
        if near == len(ends) or unsteady[near][0] > midnight + _DAY:
            if seen < midnight - _MOMENT:
                yield from _each(recurrence, seen, midnight - _MOMENT)
            if part := _steady_day(recurrence, day, midnight):
                yield part
            seen = midnight + _DAY - _MOMENT
        day += _DAY
    yield from _each(recurrence, seen, until)


def _unsteady(after: datetime, until: datetime, zone: tzinfo) -> list[tuple[datetime, datetime]]:
    """Return the times around changes of a clock in which its wall times are to be looked at."""
    probes = [after + PROBE * n for n in range(int((until - after) / PROBE) + 2)]
    offsets = [utc_offset(probe, zone) for probe in probes]
    return [
        (before - abs(new - old) - _HOUR, before + PROBE + abs(new - old) + _HOUR)
        for before, (old, new) in zip(probes[:-1], pairwise(offsets), strict=True)
        if old != new
    ]


def _steady_day(recurrence: Recurrence, day: date, midnight: datetime) -> Tally | None:
    """Return the tally of a day whose wall times exist once each."""
    seconds, holiday = timedelta(), 0
    if recurrence.every:
        anchor = recurrence.anchor or EPOCH
        first = next_interval(anchor, recurrence.every, midnight - _MOMENT) - midnight
        times = minutes_of(recurrence.every, first)
        seconds = first % _MINUTE
        excluded = exceptions(recurrence.except_).on(day)
    else:
        found = wall_times(recurrence).day(day)
        times, excluded, holiday = found.all, found.excluded, found.holiday
    if not times:
        return None
    lowest = (times & -times).bit_length() - 1
    return Tally(
        first=midnight + lowest * _MINUTE + seconds,
        last=midnight + (times.bit_length() - 1) * _MINUTE + seconds,
        count=times.bit_count(),
        excluded=(times & excluded).bit_count(),
        holiday=holiday.bit_count(),
    )


def _each(recurrence: Recurrence, after: datetime, until: datetime) -> Iterator[Tally]:
    """Yield a tally of each occurrence."""
    for one in placements(recurrence, after=after, until=until):
        yield _one(one)


def _one(one: Placement) -> Tally:
    return Tally(
        first=one.nominal,
        last=one.nominal,
        count=1,
        excluded=one.exists and one.excluded,
        holiday=one.exists and one.holiday,
        nonexistent=not one.exists,
    )
