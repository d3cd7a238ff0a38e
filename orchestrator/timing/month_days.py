"""
Days of a month beyond Debian's cron: ``15W``, ``L-3`` and ``L-3W``, as Quartz has them.

``L`` and ``LW`` are cronsim's.
"""

import re
from calendar import SATURDAY, SUNDAY, monthrange
from dataclasses import dataclass
from datetime import date

from cronsim import CronSim

_TERM = re.compile(r"(?P<day>\d{1,2})W|L-(?P<before>\d{1,2})(?P<near>W?)", re.ASCII)
LONGEST_MONTH = 31


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthDay:
    """
    A day that each month has at its own place.

    Attributes:
        day: Counted from the first; None: from the last.
        before: How many days before the last, where ``day`` is None.
        near: Whether the nearest day from Monday to Friday of the same month counts.
    """

    day: int | None
    before: int
    near: bool

    def on(self, day: date) -> bool:
        """Whether this is the day of its month; a month that is too short has none."""
        last = monthrange(day.year, day.month)[1]
        number = last - self.before if self.day is None else self.day
        if not 1 <= number <= last:
            return False
        return day.day == (_nearest(day.replace(day=number), last) if self.near else number)


def _nearest(day: date, last: int) -> int:
    """Return the number of the nearest weekday, which never leaves the month."""
    weekday = day.weekday()
    if weekday == SATURDAY:
        return day.day - 1 if day.day > 1 else day.day + 2
    if weekday == SUNDAY:
        return day.day + 1 if day.day < last else day.day - 2
    return day.day


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthDays:
    """
    The days of an expression in which at least one term is such a day.

    Attributes:
        special: These terms.
        plain: The other terms of the day of month, on any day of the week; None if there are none.
        weekdays: The days of the week, on any day of the month.
        both: Whether both fields have to match; else either will do.
    """

    special: tuple[MonthDay, ...]
    plain: CronSim | None
    weekdays: CronSim
    both: bool

    def match_day(self, day: date) -> bool:
        """Whether the expression comes due on this day, in whichever month."""
        of_month = any(one.on(day) for one in self.special)
        of_month = of_month or (self.plain is not None and self.plain.match_day(day))
        of_week = self.weekdays.match_day(day)
        return (of_month and of_week) if self.both else (of_month or of_week)


def parse_month_day(term: str) -> MonthDay | None:
    """Return the day that a term of the day of month means; None for any other term."""
    found = _TERM.fullmatch(term.upper())
    if found is None:
        return None
    if found["day"]:
        number = int(found["day"])
        return MonthDay(day=number, before=0, near=True) if 1 <= number <= LONGEST_MONTH else None
    before = int(found["before"])
    if not 1 <= before < LONGEST_MONTH:
        return None
    return MonthDay(day=None, before=before, near=bool(found["near"]))
