"""
Cron on wall time: what an expression means.

cronsim reads the expressions and knows the days, but for those of ``month_days``. The times of one day are the bits of a number,
bit 0 for 00:00: many expressions, and many that leave times out, cost no more than one.
"""

from calendar import isleap, monthrange
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import lru_cache

from cronsim import CronSim, CronSimError

from orchestrator.errors import ScheduleSyntaxError
from orchestrator.timing.month_days import MonthDays, parse_month_day

_ANY_DAY = datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None)  # wall time has no zone
_MINUTES, _FIELDS = 60, 5
_KINDS_OF_YEAR = {
    (isleap(year), date(year, 1, 1).weekday()): year for year in range(2000, 2028)
}.values()
_ANY = "* * *"
_WHOLE_DAY = (1 << 24 * _MINUTES) - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Expression:
    """
    One expression of five fields, read.

    Attributes:
        wild: Whether minute or hour begins with ``*``: Debian's cron lets such a one follow the
            clock as it is; one of fixed times it runs once, whatever the clock does.
        times: The minutes of a day on which it comes due, as bits.
        months: Their numbers.
        days: The last three fields, which tell its days.
    """

    days: str
    wild: bool
    times: int
    months: frozenset[int]
    _days: CronSim | MonthDays

    def on(self, day: date) -> bool:
        """Whether it comes due on this day."""
        return self.days == _ANY or (day.month in self.months and self._days.match_day(day))


@dataclass(frozen=True, slots=True, kw_only=True)
class Exceptions:
    """
    Wall times that are left out: whole dates, and what expressions match.

    Attributes:
        dates: The dates.
        crons: The expressions, those with the same days as one; the ones with most times first.
    """

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
                if times == _WHOLE_DAY:
                    break
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
        read, days = _read(text)
    except CronSimError as error:
        raise ScheduleSyntaxError(str(error).lower()) from error
    return Expression(
        days=" ".join(text.upper().split()[2:]),
        wild=any(field.startswith("*") for field in text.split()[:2]),
        times=_times(*text.split()[:2]),
        months=_shared(frozenset(read.months)),
        _days=days,
    )


@lru_cache(maxsize=4096)
def _times(minute: str, hour: str) -> int:
    """Return the minutes of a day that two fields give, as bits."""
    read = CronSim(f"{minute} {hour} * * *", _ANY_DAY)
    return sum(1 << hour * _MINUTES + minute for hour in read.hours for minute in read.minutes)


@lru_cache(maxsize=4096)
def _shared(months: frozenset[int]) -> frozenset[int]:
    """Return the same object for the same months: a document has 40,000 expressions at most."""
    return months


def _read(text: str) -> tuple[CronSim, CronSim | MonthDays]:
    """Return what cronsim makes of an expression, and what tells its days."""
    fields = text.split()
    terms = fields[2].split(",") if len(fields) == _FIELDS else []
    special = {term: found for term in terms if (found := parse_month_day(term))}
    if not special:
        read = CronSim(text, _ANY_DAY)
        return read, CronSim(f"0 0 {' '.join(fields[2:])}", _ANY_DAY)  # smaller: its times are one
    minute, hour, day, month, weekday = fields
    plain = ",".join(term for term in terms if term not in special)
    return CronSim(f"{minute} {hour} * {month} {weekday}", _ANY_DAY), MonthDays(
        special=tuple(special.values()),
        plain=CronSim(f"0 0 {plain} * *", _ANY_DAY) if plain else None,
        weekdays=CronSim(f"0 0 * * {weekday}", _ANY_DAY),
        both=day.startswith("*") or weekday.startswith("*"),
    )


def ever_due(expression: Expression) -> bool:
    """Whether any day matches: there are 14 kinds of year, seven of each length."""
    days = (
        date(year, month, day)
        for year in _KINDS_OF_YEAR
        for month in sorted(expression.months)
        for day in range(1, monthrange(year, month)[1] + 1)
    )
    return any(expression.on(day) for day in days)


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
    joined = sorted(with_joined_days(crons), key=lambda one: -one.times.bit_count())
    return Exceptions(dates=frozenset(dates), crons=tuple(joined))


def with_joined_days(crons: Iterable[Expression]) -> tuple[Expression, ...]:
    """
    Return expressions that mean the same together: those that differ by their times alone are one.

    A search asks each on each day, so that 400 of them would make it 400 times as long.
    """
    found: dict[tuple[str, bool], Expression] = {}
    for one in crons:
        key = one.days, one.wild
        found[key] = (
            replace(found[key], times=found[key].times | one.times) if key in found else one
        )
    return tuple(found.values())
