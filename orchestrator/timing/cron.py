"""
Cron on wall time: what an expression means, and the wall times that several give together.

cronsim reads the expressions and knows the days. The times of one day are the bits of a number,
bit 0 for 00:00: many expressions, and many that leave times out, cost no more than one.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from cronsim import CronSim, CronSimError

from orchestrator.errors import ScheduleSyntaxError

_ANY_DAY = datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None)  # wall time has no zone
_MINUTES = 60
_WHOLE_DAY = (1 << 24 * _MINUTES) - 1
_A_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expression:
    """
    One expression of five fields, read.

    Attributes:
        wild: Whether minute or hour begins with ``*``: Debian's cron lets such a one follow the
            clock as it is; one of fixed times it runs once, whatever the clock does.
        times: The minutes of a day on which it comes due, as bits.
        months: Their numbers.
    """

    wild: bool
    times: int
    months: frozenset[int]
    _days: CronSim

    def on(self, day: date) -> bool:
        """Whether it comes due on this day."""
        return day.month in self.months and self._days.match_day(day)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wall:
    """
    A wall time at which a recurrence has an occurrence.

    Attributes:
        time: Naive.
        fixed: Whether an expression of fixed times has it.
        wild: Whether an expression that begins with ``*`` in its minute or hour has it.
        excluded: Whether the recurrence leaves it out.
    """

    time: datetime
    fixed: bool
    wild: bool
    excluded: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Exceptions:
    """Wall times that are left out: whole dates, and what expressions match."""

    dates: frozenset[date]
    crons: tuple[Expression, ...]

    def on(self, day: date) -> int:
        """Return the minutes of this day that are left out, as bits."""
        if day in self.dates:
            return _WHOLE_DAY
        times = 0
        for one in self.crons:
            if one.on(day):
                times |= one.times
        return times

    def whole(self, day: date) -> bool:
        """Whether all of this day is left out."""
        return self.on(day) == _WHOLE_DAY

    def have(self, wall: datetime) -> bool:
        """Whether the minute of a wall time is left out."""
        return bool(self.on(wall.date()) >> (wall.hour * _MINUTES + wall.minute) & 1)


@lru_cache(maxsize=4096)
def parse_cron(text: str) -> Expression:
    """
    Return the meaning of an expression of five fields.

    Raises:
        ScheduleSyntaxError: It is none; says which field.
    """
    try:
        read = CronSim(text, _ANY_DAY)
    except CronSimError as error:
        raise ScheduleSyntaxError(str(error).lower()) from error
    return Expression(
        wild=any(field.startswith("*") for field in text.split()[:2]),
        times=sum(1 << hour * _MINUTES + minute for hour in read.hours for minute in read.minutes),
        months=frozenset(read.months),
        _days=read,
    )


@lru_cache(maxsize=2048)
def exceptions(entries: tuple[str, ...]) -> Exceptions:
    """
    Return the meaning of ``except``: dates ``YYYY-MM-DD``, and expressions.

    Raises:
        ScheduleSyntaxError: An entry is neither.
    """
    dates: list[date] = []
    crons: list[Expression] = []
    for entry in entries:
        try:
            dates.append(date.fromisoformat(entry))
        except ValueError:
            crons.append(parse_cron(entry))
    return Exceptions(dates=frozenset(dates), crons=tuple(crons))


def walls(
    crons: tuple[str, ...],
    left_out: Exceptions,
    first: datetime,
    last: datetime,
    *,
    excluded: bool,
) -> Iterator[Wall]:
    """
    Yield the wall times of a union of expressions from ``first`` to ``last``, both included.

    Args:
        crons: The expressions.
        left_out: What ``except`` says.
        first: Naive.
        last: Naive.
        excluded: Whether to yield also those that are left out.
    """
    expressions = [parse_cron(cron) for cron in crons]
    day = first.date()
    while day <= last.date():
        fixed = wild = 0
        for one in expressions:
            if one.on(day):
                fixed, wild = (fixed, wild | one.times) if one.wild else (fixed | one.times, wild)
        times = _between(fixed | wild, day, first, last)
        out = left_out.on(day) if times else 0
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
