"""
When a schedule is due: cron on wall time, mapped to instants.

cronsim iterates **naive** wall time and this module maps it to UTC, because cronsim's own zone
iteration loses occurrences where clocks change by half an hour. Changes of the clock follow
Debian's cron(8): an expression whose minute and hour fields both name times is *fixed* (in a gap
it runs at the first instant after it, in a repeated hour once); one that begins with ``*`` in
either field is *wild* (the gap has none of its times, a repeated hour has them twice).
"""

import re
import zoneinfo
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import pairwise

from cronsim import CronSim, CronSimError

from orchestrator.errors import ScheduleSyntaxError
from orchestrator.model import Occurrence, Timing

# Zone rules come from the pinned tzdata package alone, so that a record's tzdata version is true.
zoneinfo.reset_tzpath(to=())

_FIELDS = 5
_SAME_ENDS = re.compile(r"(?<![0-9A-Za-z])([0-9A-Za-z]+)-\1/[0-9]+", re.IGNORECASE)
_PIECE = timedelta(days=7)
_PROBE = timedelta(hours=6)  # no zone changes its clock twice within this
_LONGEST_DST_GAP = timedelta(hours=3)  # Debian's cron calls a larger jump a correction, not DST
_HORIZON = timedelta(days=366 * 9)  # 29 February can be eight years away


def parse_zone(name: str) -> tzinfo:
    """
    Return the zone of an IANA name: ``Area/Place``, or ``UTC``.

    Raises:
        ScheduleSyntaxError: There is no such zone.
    """
    if "/" not in name and name != "UTC":  # EST, Factory and the like mean what nobody expects
        raise ScheduleSyntaxError(f"there is no time zone {name!r}")
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ScheduleSyntaxError(f"there is no time zone {name!r}") from error


def check_cron(expression: str) -> None:
    """
    Refuse an expression that is not five fields of cron, or that can never come due.

    Raises:
        ScheduleSyntaxError: Says which field, or what is wrong with the number of fields.
    """
    fields = len(expression.split())
    if fields == _FIELDS + 1:
        raise ScheduleSyntaxError(
            "six fields; cron here has five, from the minute on: leave out the field of seconds"
        )
    if fields != _FIELDS:
        raise ScheduleSyntaxError(
            f"{fields} field(s) instead of five: minute, hour, day of month, month, day of week"
        )
    if same := _SAME_ENDS.search(expression):
        # cronsim reads 4-4/3 as 4/3, which goes on to the end of the field; Debian's cron does not
        raise ScheduleSyntaxError(f"{same[0]!r} is one value with a step: write {same[1]}")
    try:
        next(CronSim(expression, datetime(2026, 1, 1)))  # noqa: DTZ001 - wall time has no zone
    except CronSimError as error:
        raise ScheduleSyntaxError(str(error).lower()) from error
    except StopIteration as error:
        raise ScheduleSyntaxError("no date ever matches it") from error


def occurrences(timing: Timing, *, after: datetime, until: datetime) -> Iterator[Occurrence]:
    """
    Yield the occurrences of one timing in ``(after, until]``, oldest first.

    Raises:
        ScheduleSyntaxError: The expression or the zone cannot be understood.
    """
    if timing.calendar is None:
        return
    zone = parse_zone(timing.calendar.time_zone)
    start = after.astimezone(UTC)
    while start < until:
        end = min(start + _PIECE, until)
        yield from _piece(timing, timing.calendar.cron[0], zone, start, end)
        start = end


def occurrences_of(
    timings: tuple[Timing, ...], *, after: datetime, until: datetime
) -> Iterator[Occurrence]:
    """
    Yield the occurrences in ``(after, until]``, each by the timing in force at its nominal time.

    Args:
        timings: In the order of ``since``; nothing is due up to the first one's.
        after: Exclusive.
        until: Inclusive.

    Raises:
        ScheduleSyntaxError: An expression or a zone cannot be understood.
    """
    ends = [timing.since for timing in timings[1:]]
    removals = [timing.since for timing in timings if timing.removed]
    for timing, end in zip(timings, [*ends, until], strict=True):
        removed = any(timing.since < removal for removal in removals)
        for one in occurrences(timing, after=max(after, timing.since), until=min(end, until)):
            yield replace(one, removed=True) if removed else one


def in_force(timings: tuple[Timing, ...], nominal: datetime) -> Timing:
    """Return the timing by which an occurrence at ``nominal`` falls."""
    return next((one for one in reversed(timings) if one.since < nominal), timings[0])


def previous(timings: tuple[Timing, ...], before: datetime) -> datetime | None:
    """
    Return the nominal time of the occurrence before ``before``, or None within nine years.

    It is what the timing in force just before would have given, also for times before that timing
    came into force: a task's data window begins there.
    """
    newest = next((timing for timing in reversed(timings) if timing.since < before), None)
    if newest is None:
        return None
    just_before = before - timedelta(seconds=1)
    return _newest(newest, since=just_before - _HORIZON, until=just_before)


def latest(timings: tuple[Timing, ...], until: datetime) -> datetime | None:
    """Return the nominal time of the newest occurrence up to ``until`` that was not paused."""
    ends = [*(timing.since for timing in timings[1:]), until]
    for timing, end in reversed(list(zip(timings, ends, strict=True))):
        if timing.calendar is None or timing.paused:
            continue
        found = _newest(timing, since=timing.since, until=min(end, until))
        if found is not None:
            return found
    return None


def _newest(timing: Timing, *, since: datetime, until: datetime) -> datetime | None:
    """Look back from ``until`` to ``since`` by ever longer steps for an occurrence that exists."""
    span = timedelta(minutes=15)
    end = until
    while end > since:
        begin = max(since, end - span)
        for occurrence in reversed(list(occurrences(timing, after=begin, until=end))):
            if occurrence.exists:
                return occurrence.nominal
        end, span = begin, span * 4
    return None


def _piece(
    timing: Timing, cron: str, zone: tzinfo, after: datetime, until: datetime
) -> Iterator[Occurrence]:
    """Yield the occurrences of a stretch short enough to know every offset in it."""
    # From before the stretch: within a repeated hour, only what was before it tells that it is one.
    probes = (
        [after - _PROBE]
        + [after + _PROBE * n for n in range(int((until - after) / _PROBE) + 1)]
        + [until]
    )
    offsets = [_offset(probe, zone) for probe in probes]
    wall, last = _naive(after) + min(offsets), _naive(until) + max(offsets)
    steps = _iterate(cron, wall)
    merged: Counter[tuple[datetime, bool]] = Counter()
    wild = any(field.startswith("*") for field in cron.split()[:2])
    changes = any(a != b for a, b in pairwise(offsets))
    for wall in steps:
        if wall > last:
            break
        for instant, exists in (
            _instants(wall, zone, wild=wild)
            if changes
            else [((wall - offsets[0]).replace(tzinfo=UTC), True)]
        ):
            if after < instant <= until:
                merged[instant, exists] += 1
    real = {instant for instant, exists in merged if exists}
    for (instant, exists), count in sorted(merged.items()):
        if exists or instant not in real:
            yield Occurrence(nominal=instant, merged=count, exists=exists, paused=timing.paused)


def _iterate(cron: str, start: datetime) -> Iterator[datetime]:
    """Iterate the wall times of ``cron`` from ``start`` on, ``start`` included."""
    try:
        return CronSim(cron, start - timedelta(seconds=1))
    except CronSimError as error:
        raise ScheduleSyntaxError(str(error).lower()) from error


def _instants(wall: datetime, zone: tzinfo, *, wild: bool) -> list[tuple[datetime, bool]]:
    """Map one wall time to the instants at which it runs; False marks one that does not exist."""
    first = wall.replace(tzinfo=zone).astimezone(UTC)
    second = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    if _wall(first, zone) == wall:
        return (
            [(first, True)] if wild is False or first == second else [(first, True), (second, True)]
        )
    # In a gap the two folds are the offsets of both sides: second < the change <= first.
    change = _change_between(second, first, zone)
    if first - second > _LONGEST_DST_GAP:
        return [(change, False)]
    return [] if wild else [(change, True)]


def _change_between(low: datetime, high: datetime, zone: tzinfo) -> datetime:
    """Return the first instant with the offset of ``high``, to the second."""
    after = _offset(high, zone)
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) / 2
        if _offset(middle, zone) == after:
            high = middle
        else:
            low = middle
    return high.replace(microsecond=0)


def _offset(instant: datetime, zone: tzinfo) -> timedelta:
    return instant.astimezone(zone).utcoffset() or timedelta()


def _naive(instant: datetime) -> datetime:
    return instant.astimezone(UTC).replace(tzinfo=None)


def _wall(instant: datetime, zone: tzinfo) -> datetime:
    return instant.astimezone(zone).replace(tzinfo=None, fold=0)
