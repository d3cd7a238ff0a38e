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
from orchestrator.timing.cron import (
    Exceptions,
    Expression,
    exceptions,
    parse_cron,
    with_joined_days,
)
from orchestrator.timing.holidays import FARTHEST, WorkingDays, working_days

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
        excluded: Whether ``except`` leaves it out.
        holiday: Whether it is skipped since it falls on a holiday.
        count: How many it stands for: itself, and what moved here.
        moved_from: The dates of holidays from which an occurrence moved here, the earliest first.
    """

    time: datetime
    fixed: bool
    wild: bool
    excluded: bool
    holiday: bool = False
    count: int = 1
    moved_from: tuple[date, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DayTimes:
    """
    The times of one day, as bits.

    Attributes:
        fixed: As in a wall time.
        wild: Likewise.
        own: Those that did not move here.
        excluded: Those that ``except`` leaves out.
        holiday: Those that are skipped since this is a holiday.
        moved: Those that moved here, by the holiday that they come from.
    """

    fixed: int
    wild: int
    own: int
    excluded: int = 0
    holiday: int = 0
    moved: tuple[tuple[date, int], ...] = ()

    @property
    def all(self) -> int:
        """Every time."""
        return self.fixed | self.wild

    @property
    def running(self) -> int:
        """Those that nothing leaves out."""
        return self.all & ~(self.excluded | self.holiday)


@dataclass(frozen=True, slots=True, kw_only=True)
class WallTimes:
    """
    The wall times of one recurrence, read.

    Attributes:
        crons: Its expressions.
        months: Those in which any of them comes due.
        interval: Which of their days count; None: all.
        single: Its single times: the minutes of each day that has some, as bits.
        left_out: What ``except`` says.
        working: What holidays and weekend say; None where no holidays are named.
        due_months: Months in which an expression may have occurrences, moved ones among them.
        due_days: Days on which a single time may have some.
        sorted_days: The same, in their order.
    """

    crons: tuple[Expression, ...]
    months: frozenset[int]
    interval: Interval | None
    single: Mapping[date, int]
    left_out: Exceptions
    working: WorkingDays | None
    due_months: frozenset[int]
    due_days: frozenset[date]
    sorted_days: tuple[date, ...]

    def day(self, day: date) -> DayTimes:
        """Return the times of a day, after occurrences have moved from and to it."""
        fixed, wild = self.given(day)
        own = fixed | wild
        moved = tuple(self._moved_to(day)) if self.working else ()
        if not own and not moved:
            return DayTimes(fixed=0, wild=0, own=0)
        excluded, holiday = self.left_out.on(day), 0
        for _, *times in moved:
            fixed, wild = fixed | times[0], wild | times[1]
        if own and self.working and self.working.holiday(day):
            if self.working.target(day):  # what `except` leaves out does not move
                fixed, wild, own = fixed & excluded, wild & excluded, own & excluded
            else:
                holiday = own & ~excluded
        return DayTimes(
            fixed=fixed,
            wild=wild,
            own=own,
            excluded=excluded,
            holiday=holiday,
            moved=tuple((source, first | second) for source, first, second in moved),
        )

    def _moved_to(self, day: date) -> Iterator[tuple[date, int, int]]:
        """Yield the holidays whose times move to a day, with the fixed and the wild ones."""
        if self.working is None or self.working.step is None or not self.working.working(day):
            return
        for source in self.working.sources(day):
            fixed, wild = self.given(source)
            if fixed or wild:
                stay = self.left_out.on(source)
                yield source, fixed & ~stay, wild & ~stay

    def given(self, day: date) -> tuple[int, int]:
        """Return the fixed and the wild times that expressions and single times give a day."""
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
        while (day := self._counted_from(day)) <= last:
            if day.month not in self.due_months and day not in self.due_days:
                day = self._next_candidate(day, last)
            elif self._has_any(day, excluded=excluded):
                return day
            else:
                day += _A_DAY
        return None

    def _has_any(self, day: date, *, excluded: bool) -> bool:
        if self.working:
            found = self.day(day)
            return bool(found.all if excluded else found.running)
        fixed, wild = self.given(day)
        times = fixed | wild
        return bool(times if excluded or not times else times & ~self.left_out.on(day))

    def _counted_from(self, day: date) -> date:
        """Return ``day``, or the next that the interval, or a single time, can have."""
        if self.interval is None or day in self.due_days:
            return day
        near = FARTHEST * _A_DAY if self.working and self.working.step else timedelta()
        counted = next_counted(self.interval, day - near)
        if counted <= day + near:
            return day
        later = bisect_right(self.sorted_days, day)
        return min([counted - near, *self.sorted_days[later : later + 1]])

    def _next_candidate(self, day: date, last: date) -> date:
        """Return the next day that lies in another month, or has a single time."""
        month = (day.replace(day=1) + 31 * _A_DAY).replace(day=1)
        if not self.months:
            month = last + _A_DAY
        later = bisect_right(self.sorted_days, day)
        return min([month, *self.sorted_days[later : later + 1]])


def counts(interval: Interval, day: date) -> bool:
    """Whether a wall date lies in a unit that counts."""
    return _units(interval, day) % interval.every == 0


def next_counted(interval: Interval, day: date) -> date:
    """Return the first date from ``day`` on that lies in a unit that counts."""
    left = -_units(interval, day) % interval.every
    if not left:
        return day
    match interval.unit:
        case IntervalUnit.DAYS:
            return day + left * _A_DAY
        case IntervalUnit.WEEKS:
            return day + (left * _DAYS_OF_WEEK - day.weekday()) * _A_DAY
        case IntervalUnit.MONTHS:
            years, month = divmod(day.month - 1 + left, _MONTHS_OF_YEAR)
            return date(day.year + years, month + 1, 1)


def _units(interval: Interval, day: date) -> int:
    """Return how many units after that of the anchor a date lies."""
    anchor = interval.anchor
    match interval.unit:
        case IntervalUnit.DAYS:
            return (day - anchor).days
        case IntervalUnit.WEEKS:
            return (day - (anchor - anchor.weekday() * _A_DAY)).days // _DAYS_OF_WEEK
        case IntervalUnit.MONTHS:
            return (day.year - anchor.year) * _MONTHS_OF_YEAR + day.month - anchor.month


@lru_cache(maxsize=2048)
def wall_times(recurrence: Recurrence) -> WallTimes:
    """
    Return the wall times of a recurrence.

    Raises:
        ScheduleSyntaxError: An expression cannot be understood.
    """
    crons = with_joined_days(parse_cron(cron) for cron in recurrence.cron)
    single: defaultdict[date, int] = defaultdict(int)
    for one in sorted(recurrence.at):
        single[one.date()] |= 1 << one.hour * _MINUTES + one.minute
    months = frozenset(month for one in crons for month in one.months)
    working = working_days(recurrence.holidays) if recurrence.holidays else None
    due_months, due_days = months, set(single)
    if working and working.step:
        direction = 1 if working.step > timedelta() else -1
        due_months |= {  # from 31 January it may be 3 March
            (month - 1 + direction * n) % _MONTHS_OF_YEAR + 1 for month in months for n in (1, 2)
        }
        due_days |= {day for one in single if working.holiday(one) and (day := working.target(one))}
    return WallTimes(
        crons=crons,
        months=months,
        interval=recurrence.interval,
        single=dict(single),
        left_out=exceptions(recurrence.except_),
        working=working,
        due_months=due_months,
        due_days=frozenset(due_days),
        sorted_days=tuple(sorted(due_days)),
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
        times = read.day(day)
        fixed, wild, out, holiday = times.fixed, times.wild, times.excluded, times.holiday
        for minute in bits(_between(times.all if excluded else times.running, day, first, last)):
            moved_from, count = _sources(times, minute) if times.moved else ((), 1)
            yield Wall(
                time=datetime(day.year, day.month, day.day, *divmod(minute, _MINUTES)),  # noqa: DTZ001 - wall time has no zone
                fixed=bool(fixed >> minute & 1),
                wild=bool(wild >> minute & 1),
                excluded=bool(out >> minute & 1),
                holiday=bool(holiday >> minute & 1),
                count=count,
                moved_from=moved_from,
            )
        day += _A_DAY


def _sources(times: DayTimes, minute: int) -> tuple[tuple[date, ...], int]:
    """Return the holidays from which a time moved here, and how many times it stands for."""
    found = tuple(sorted(day for day, moved in times.moved if moved >> minute & 1))
    return found, (times.own >> minute & 1) + len(found)


def _between(times: int, day: date, first: datetime, last: datetime) -> int:
    """Return the minutes of ``day`` that lie from ``first`` to ``last``."""
    if day == first.date():
        begin = first.hour * _MINUTES + first.minute + bool(first.second or first.microsecond)
        times = times >> begin << begin
    if day == last.date():
        times &= (1 << last.hour * _MINUTES + last.minute + 1) - 1
    return times


def bits(number: int) -> Iterator[int]:
    """Yield the positions of the bits that are set, lowest first."""
    while number:
        lowest = number & -number
        yield lowest.bit_length() - 1
        number ^= lowest
