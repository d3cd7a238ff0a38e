"""
Holidays and working days: which wall dates are one or the other, and where occurrences move.

A recurrence keeps the holidays of its calendars in a short form, one text for each year, since
each schedule of a document may have them: ``2026 0101 1224-1226 1231-20270102``.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from orchestrator.enums import OnHoliday, Weekday
from orchestrator.model import Holidays

FARTHEST = 31
"""Days that an occurrence moves at most; where no working day is that near, it is skipped."""

_A_DAY = timedelta(days=1)

type Range = tuple[date, date]
"""First and last day, both included."""


def packed(ranges: Iterable[Range]) -> tuple[str, ...]:
    """Return the short form of ranges of days: sorted, and joined where they touch."""
    years: defaultdict[int, list[str]] = defaultdict(list)
    for first, last in _joined(ranges):
        text = f"{first:%m%d}"
        if last != first:
            text += f"-{last:%m%d}" if last.year == first.year else f"-{last:%Y%m%d}"
        years[first.year].append(text)
    return tuple(f"{year:04} {' '.join(texts)}" for year, texts in years.items())


def unpacked(texts: Iterable[str]) -> Iterator[Range]:
    """Yield the ranges of a short form, in their order."""
    for text in texts:
        year, *days = text.split()
        for one in days:
            first, _, last = one.partition("-")
            begin = date.fromisoformat(year + first)
            yield (
                begin,
                date.fromisoformat(last if len(last) > len(first) else year + (last or first)),
            )


def _joined(ranges: Iterable[Range]) -> Iterator[Range]:
    """Yield ranges in their order, those that touch or overlap as one."""
    before: Range | None = None
    for first, last in sorted(ranges):
        if before and first <= before[1] + _A_DAY:
            before = before[0], max(last, before[1])
            continue
        if before:
            yield before
        before = first, last
    if before:
        yield before


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkingDays:
    """
    What ``holidays``, ``on_holiday`` and ``weekend`` say of wall dates.

    Attributes:
        step: To the next day to look at for a working day; None where holidays are skipped.
        begins: The first days of ranges of holidays, sorted.
        ends: Their last days.
        weekdays: Days of the week that are holidays, Monday being 0.
        weekend: Days of the week that are no working days.
    """

    step: timedelta | None
    begins: tuple[date, ...]
    ends: tuple[date, ...]
    weekdays: frozenset[int]
    weekend: frozenset[int]

    def holiday(self, day: date) -> bool:
        """Whether a calendar names this day."""
        before = bisect_right(self.begins, day) - 1
        return (before >= 0 and day <= self.ends[before]) or day.weekday() in self.weekdays

    def working(self, day: date) -> bool:
        """Whether it is neither a holiday nor of the weekend."""
        return day.weekday() not in self.weekend and not self.holiday(day)

    def target(self, holiday: date) -> date | None:
        """Return the working day to which a holiday's occurrences move; None: they are skipped."""
        if self.step is None:
            return None
        days = (holiday + n * self.step for n in range(1, FARTHEST + 1))
        return next((day for day in days if self.working(day)), None)

    def sources(self, working: date) -> Iterator[date]:
        """Yield the holidays whose occurrences move to a working day, the nearest first."""
        if self.step is None:
            return
        for n in range(1, FARTHEST + 1):
            day = working - n * self.step
            if self.holiday(day):
                yield day
            elif day.weekday() not in self.weekend:
                return


@lru_cache(maxsize=2048)
def working_days(holidays: Holidays) -> WorkingDays:
    """Return what the holidays of a recurrence mean."""
    ranges = tuple(unpacked(holidays.days))
    steps = {OnHoliday.NEXT_WORKING_DAY: _A_DAY, OnHoliday.PREVIOUS_WORKING_DAY: -_A_DAY}
    return WorkingDays(
        step=steps.get(holidays.policy),
        begins=tuple(first for first, _ in ranges),
        ends=tuple(last for _, last in ranges),
        weekdays=frozenset(map(_number, holidays.weekdays)),
        weekend=frozenset(map(_number, holidays.weekend)),
    )


def _number(weekday: Weekday) -> int:
    return tuple(Weekday).index(weekday)
