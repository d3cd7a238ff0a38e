"""
The occurrences of a recurrence: wall times, mapped to instants.

Expressions are walked on **naive** wall time and mapped to UTC here, because cronsim's own zone
iteration loses occurrences where clocks change by half an hour. Where the schedule leaves it to
``auto``, changes of the clock follow Debian's cron(8): an expression whose minute and hour fields
both name times is *fixed* (in a gap it runs at the first instant after it, in a repeated hour
once); one that begins with ``*`` in either field is *wild* (the gap has none of its times, a
repeated hour has them twice).
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from functools import lru_cache
from itertools import pairwise
from operator import itemgetter

from orchestrator.enums import Fold, Gap
from orchestrator.model import Recurrence
from orchestrator.timing.cron import Exceptions, exceptions
from orchestrator.timing.wall_times import Wall, wall_times, walls
from orchestrator.timing.zones import parse_zone

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
"""Where ``every`` counts from without an anchor."""

_FIRST_PIECE, _PIECE = timedelta(hours=2), timedelta(days=28)
_AROUND_A_DAY = timedelta(days=3)
_DAY, _MINUTE = timedelta(days=1), timedelta(minutes=1)
PROBE = timedelta(hours=6)
"""No zone changes its clock twice within this."""
_LONGEST_DST_GAP = timedelta(hours=3)  # Debian's cron calls a larger jump a correction, not DST
_SECOND, _MOMENT = timedelta(seconds=1), timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """
    One occurrence, and the wall times that it comes from.

    Attributes:
        nominal: The instant.
        walls: The naive wall times that fall on it, in their order; more than one, or another than
            the zone's own at this instant, only where clocks change.
        exists: False for wall times that a zone left out for good.
        excluded: Whether ``except`` leaves it out: all of its wall times.
        holiday: Whether it is skipped since it falls on a holiday.
        merged: How many occurrences it stands for.
        moved_from: The naive wall times, on holidays, from which occurrences moved here.
    """

    nominal: datetime
    walls: tuple[datetime, ...]
    exists: bool = True
    excluded: bool = False
    holiday: bool = False
    merged: int = 1
    moved_from: tuple[datetime, ...] = ()


def placements(
    recurrence: Recurrence, *, after: datetime, until: datetime, excluded: bool = True
) -> Iterator[Placement]:
    """
    Yield what a recurrence has in ``(after, until]``, oldest first.

    Args:
        recurrence: The recurrence.
        after: Exclusive.
        until: Inclusive.
        excluded: Whether to yield also what ``except`` leaves out or a holiday lets skip.

    Raises:
        ScheduleSyntaxError: An expression or the zone cannot be understood.
    """
    zone = parse_zone(recurrence.time_zone)
    start, until, length = after.astimezone(UTC), until.astimezone(UTC), _FIRST_PIECE
    if recurrence.end:
        until = min(until, recurrence.end - _MOMENT)
    if recurrence.every:
        yield from _intervals(recurrence, zone, start, until, excluded=excluded)
        return
    while start < until:
        begin = _before_what_is_due(recurrence, start, until, excluded=excluded)
        if begin > start:
            start, length = begin, _AROUND_A_DAY
        end = min(start + length, until)
        yield from _piece(recurrence, zone, start, end, excluded=excluded)
        start, length = end, min(length * 4, _PIECE)


def _before_what_is_due(
    recurrence: Recurrence, after: datetime, until: datetime, *, excluded: bool
) -> datetime:
    """Return an instant up to which nothing is due after ``after``: years are not walked through."""
    # No offset is a day or more.
    first, last = after.date() - _DAY, until.date() + _DAY
    day = wall_times(recurrence).first_day(first, last, excluded=excluded)
    return until if day is None else max(after, datetime.combine(day - _DAY, time(), UTC))


def _intervals(
    recurrence: Recurrence, zone: tzinfo, after: datetime, until: datetime, *, excluded: bool
) -> Iterator[Placement]:
    """Yield ``anchor + n * every`` in ``(after, until]``: elapsed time, whatever the clock does."""
    assert recurrence.every is not None, "a recurrence of expressions has no interval"  # noqa: S101
    anchor, left_out = recurrence.anchor or EPOCH, exceptions(recurrence.except_)
    instant = next_interval(anchor, recurrence.every, after)
    while instant <= until:
        local = instant.astimezone(zone)
        out = left_out.have(local)
        if excluded or not out:
            wall = local.replace(tzinfo=None, fold=0)
            yield Placement(nominal=instant, walls=(wall,), excluded=out)
            instant += recurrence.every
        else:  # years of what is left out are not looked at one by one
            end = _left_out_until(local, recurrence.every, left_out)
            instant = next_interval(anchor, recurrence.every, max(instant, end))


def _left_out_until(local: datetime, every: timedelta, left_out: Exceptions) -> datetime:
    """Return until when, on the day of a time that is left out, all others are as well."""
    end, day = _before_midnight(local), local.date()
    if left_out.whole(day):
        return end
    instant = steady = local.astimezone(UTC)
    while steady < end and utc_offset(steady + PROBE, local.tzinfo) == local.utcoffset():
        steady += PROBE
    since = timedelta(hours=local.hour, minutes=local.minute, seconds=local.second)
    rest = (minutes_of(every, since % every) & ~left_out.on(day)) >> since // _MINUTE
    if rest:
        later = (rest & -rest).bit_length() - 1
        end = instant - since % _MINUTE + later * _MINUTE - _SECOND
    return min(end, steady)


@lru_cache(maxsize=4096)
def minutes_of(every: timedelta, since: timedelta) -> int:
    """Return the minutes of a day on which an interval falls, as bits; its first time is ``since``."""
    times = 0
    while since < _DAY:
        times |= 1 << since // _MINUTE
        since += every
    return times


def _before_midnight(local: datetime) -> datetime:
    """Return an instant shortly before the next date of a zone begins, whatever its clock does."""
    midnight = datetime.combine(local.date() + timedelta(days=1), time(), local.tzinfo)
    return min(midnight.replace(fold=fold).astimezone(UTC) for fold in (0, 1)) - _SECOND


def next_interval(anchor: datetime, every: timedelta, after: datetime) -> datetime:
    """Return the first of ``anchor + n * every`` after an instant."""
    return anchor + ((after - anchor) // every + 1) * every


def _piece(
    recurrence: Recurrence, zone: tzinfo, after: datetime, until: datetime, *, excluded: bool
) -> Iterator[Placement]:
    """Yield the occurrences of a stretch of which every offset is looked up."""
    # From before it to after it: only what is beyond tells that an hour is a repeated one.
    span = int((until - after) / PROBE) + 2
    offsets = [utc_offset(after + PROBE * n, zone) for n in range(-1, span + 1)]
    first, last = _naive(after) + min(offsets), _naive(until) + max(offsets)
    found = walls(recurrence, first, last, excluded=excluded)
    if all(a == b for a, b in pairwise(offsets)):
        for wall in found:
            instant = (wall.time - offsets[0]).replace(tzinfo=UTC)
            if after < instant <= until:
                yield _placement_of(instant, wall, exists=True)
        return
    together: defaultdict[tuple[datetime, bool], list[Wall]] = defaultdict(list)
    for wall in found:
        for instant, exists in _instants(wall, zone, recurrence):
            if after < instant <= until:
                together[instant, exists].append(wall)
    for (instant, exists), those in sorted(together.items(), key=itemgetter(0)):
        if exists or (instant, True) not in together:
            yield _placement(instant, those, exists=exists)


def _placement(instant: datetime, those: list[Wall], *, exists: bool) -> Placement:
    """Make one occurrence of the wall times that fall on one instant."""
    if len(those) == 1:
        return _placement_of(instant, those[0], exists=exists)
    running = [wall for wall in those if not (wall.excluded or wall.holiday)]
    shown = running or those
    moved = {source for wall in shown for source in _sources(wall)}
    excluded = not running and all(wall.excluded for wall in those)
    return Placement(
        nominal=instant,
        walls=tuple(wall.time for wall in shown),
        exists=exists,
        excluded=excluded,
        holiday=not running and not excluded,
        merged=sum(wall.count for wall in shown),
        moved_from=tuple(sorted(moved)),
    )


def _placement_of(instant: datetime, wall: Wall, *, exists: bool) -> Placement:
    return Placement(
        nominal=instant,
        walls=(wall.time,),
        exists=exists,
        excluded=wall.excluded,
        holiday=wall.holiday,
        merged=wall.count,
        moved_from=_sources(wall) if wall.moved_from else (),
    )


def _sources(wall: Wall) -> tuple[datetime, ...]:
    """Return the wall times from which occurrences moved to one."""
    return tuple(datetime.combine(day, wall.time.time()) for day in wall.moved_from)


def _instants(wall: Wall, zone: tzinfo, recurrence: Recurrence) -> list[tuple[datetime, bool]]:
    """Map one wall time to the instants at which it runs; False marks one that does not exist."""
    first = wall.time.replace(tzinfo=zone).astimezone(UTC)
    second = wall.time.replace(tzinfo=zone, fold=1).astimezone(UTC)
    if first.astimezone(zone).replace(tzinfo=None, fold=0) != wall.time:
        # In a gap the two folds are the offsets of both sides: second < the change <= first.
        change = _change_between(second, first, zone)
        if first - second > _LONGEST_DST_GAP:
            return [(change, False)]
        shifted = wall.fixed if recurrence.gap is Gap.AUTO else recurrence.gap is Gap.SHIFT
        return [(change, True)] if shifted else []
    if first == second:
        return [(first, True)]
    both = wall.wild if recurrence.fold is Fold.AUTO else recurrence.fold is Fold.BOTH
    if both:
        return [(first, True), (second, True)]
    return [(second if recurrence.fold is Fold.SECOND else first, True)]


def _change_between(low: datetime, high: datetime, zone: tzinfo) -> datetime:
    """Return the first instant with the offset of ``high``, to the second."""
    after = utc_offset(high, zone)
    while high - low > _SECOND:
        middle = low + (high - low) / 2
        if utc_offset(middle, zone) == after:
            high = middle
        else:
            low = middle
    return high.replace(microsecond=0)


def utc_offset(instant: datetime, zone: tzinfo | None) -> timedelta:
    """Return how far the clock of a zone is ahead of UTC."""
    return instant.astimezone(zone).utcoffset() or timedelta()


def _naive(instant: datetime) -> datetime:
    return instant.astimezone(UTC).replace(tzinfo=None)
