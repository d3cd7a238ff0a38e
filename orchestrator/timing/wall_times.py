"""
The wall times of a recurrence: what its expressions and its single times give, day by day.

The times of one day are the bits of a number, bit 0 for 00:00.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache

from orchestrator.enums import IntervalUnit
from orchestrator.model import Interval, Recurrence
from orchestrator.timing.cron import Exceptions, Expression, exceptions, parse_cron

_MINUTES, _DAYS_OF_WEEK, _MONTHS_OF_YEAR = 60, 7, 12
_A_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wall:
    """
    A wall time at which a recurrence has an occurrence.

    Attributes:
        time: Naive.
        fixed: Whether an expression of fixed times, or ``at``, has it.
        wild: Whether an expression that begins with ``*`` in its minute or hour has it.
        excluded: Whether the recurrence leaves it out.
    """

    time: datetime
    fixed: bool
    wild: bool
    excluded: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class WallTimes:
    """
    The wall times of one recurrence, read.

    Attributes:
        crons: Its expressions.
        months: Those in which any of them comes due.
        interval: Which of their days count; None: all.
        single: Its single times: the minutes of each day that has some, as bits; in the order of
            the days.
        single_days: These days.
        left_out: What ``except`` says.
    """

    crons: tuple[Expression, ...]
    months: frozenset[int]
    interval: Interval | None
    single: Mapping[date, int]
    single_days: tuple[date, ...]
    left_out: Exceptions

    def on(self, day: date) -> tuple[int, int]:
        """Return the minutes of a day that are fixed, and those that are wild, as bits."""
        fixed, wild = self.single.get(day, 0), 0
        if day.month in self.months and (self.interval is None or counts(self.interval, day)):
            for one in self.crons:
                if one.on(day):
                    fixed, wild = (
                        (fixed, wild | one.times) if one.wild else (fixed | one.times, wild)
                    )
        return fixed, wild

    def first_day(self, day: date, last: date, *, excluded: bool) -> date | None:
        """
        Return the first day from ``day`` to ``last`` that has a wall time.

        Args:
            day: Where to begin.
            last: Where to end; included.
            excluded: Whether what ``except`` leaves out counts.

        Returns:
            None if there is none.
        """
        while day <= last:
            if day.month not in self.months and day not in self.single:
                day = self._next_candidate(day, last)
                continue
            fixed, wild = self.on(day)
            times = fixed | wild
            if times if excluded else times & ~self.left_out.on(day):
                return day
            day += _A_DAY
        return None

    def _next_candidate(self, day: date, last: date) -> date:
        """Return the next day that lies in another month, or has a single time."""
        month = (day.replace(day=1) + 31 * _A_DAY).replace(day=1) if self.months else last + _A_DAY
        later = bisect_right(self.single_days, day)
        return min([month, *self.single_days[later : later + 1]])


def counts(interval: Interval, day: date) -> bool:
    """Whether a wall date lies in a unit that counts."""
    anchor = interval.anchor
    match interval.unit:
        case IntervalUnit.DAYS:
            units = (day - anchor).days
        case IntervalUnit.WEEKS:
            units = (day - (anchor - anchor.weekday() * _A_DAY)).days // _DAYS_OF_WEEK
        case IntervalUnit.MONTHS:
            units = (day.year - anchor.year) * _MONTHS_OF_YEAR + day.month - anchor.month
    return units % interval.every == 0


@lru_cache(maxsize=2048)
def wall_times(recurrence: Recurrence) -> WallTimes:
    """
    Return the wall times of a recurrence.

    Raises:
        ScheduleSyntaxError: An expression cannot be understood.
    """
    crons = tuple(parse_cron(cron) for cron in recurrence.cron)
    single: defaultdict[date, int] = defaultdict(int)
    for one in sorted(recurrence.at):
        single[one.date()] |= 1 << one.hour * _MINUTES + one.minute
    return WallTimes(
        crons=crons,
        months=frozenset(month for one in crons for month in one.months),
        interval=recurrence.interval,
        single=dict(single),
        single_days=tuple(single),
        left_out=exceptions(recurrence.except_),
    )


def walls(
    recurrence: Recurrence, first: datetime, last: datetime, *, excluded: bool
) -> Iterator[Wall]:
    """
    Yield the wall times of a recurrence from ``first`` to ``last``, both included.

    Args:
        recurrence: The recurrence; without ``every``.
        first: Naive.
        last: Naive.
        excluded: Whether to yield also those that are left out.
    """
    read = wall_times(recurrence)
    day = first.date()
    while day <= last.date():
        fixed, wild = read.on(day)
        times = _between(fixed | wild, day, first, last)
        out = read.left_out.on(day) if times else 0
        for minute in _bits(times if excluded else times & ~out):
            yield Wall(
                time=datetime(day.year, day.month, day.day, *divmod(minute, _MINUTES)),  # noqa: DTZ001 - wall time has no zone
                fixed=bool(fixed >> minute & 1),
                wild=bool(wild >> minute & 1),
                excluded=bool(out >> minute & 1),
            )
        day += _A_DAY


def _between(times: int, day: date, first: datetime, last: datetime) -> int:
    """Return the minutes of ``day`` that lie from ``first`` to ``last``."""
    if day == first.date():
        begin = first.hour * _MINUTES + first.minute + bool(first.second or first.microsecond)
        times = times >> begin << begin
    if day == last.date():
        times &= (1 << last.hour * _MINUTES + last.minute + 1) - 1
    return times


def _bits(number: int) -> Iterator[int]:
    """Yield the positions of the bits that are set, lowest first."""
    while number:
        lowest = number & -number
        yield lowest.bit_length() - 1
        number ^= lowest
