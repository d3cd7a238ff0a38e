"""
The days of a cron expression in words: ``Monday to Friday``, ``on the last day of the month``.

cronsim explains expressions as well, but knows no ``15W`` and ``L-3``, and its words leave open
what a step counts from and how a day of the month and a day of the week go together.
"""

from calendar import day_name, month_name
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final, cast

from cronsim import CronSim

from orchestrator.timing.month_days import LONGEST_MONTH, MonthDay, parse_month_day
from recur.description.joined_text import joined, ordinal, ranges, step_of

EVERY_DAY: Final = "every day"
_WEEK: Final = frozenset(range(7))
"""From Monday, 0, to Sunday, 6."""

_YEAR: Final = frozenset(range(1, 13))
_MONTH: Final = frozenset(range(1, LONGEST_MONTH + 1))
_ANY_DAY: Final = datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None)  # wall time has no zone
_MOST_DATES: Final = 4
_FEWEST_STEPS: Final = 4
_THE: Final = {1: "first", 2: "second", 3: "third", 4: "fourth", 5: "fifth"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Days:
    """
    The days of an expression.

    Attributes:
        of_month: Numbers.
        special: The last day, the nearest weekday and the like, in words.
        weekdays: Monday is 0.
        nth: Weekdays with their place in the month, in words.
        months: Numbers.
        both: Whether a day of the month and a day of the week must match; else either will do.
    """

    of_month: frozenset[int]
    special: tuple[str, ...]
    weekdays: frozenset[int]
    nth: tuple[str, ...]
    months: frozenset[int]
    both: bool


@lru_cache(maxsize=4096)
def days_text(fields: str) -> str:
    """
    Return the days of an expression in words.

    Args:
        fields: Its last three fields, in capitals.
    """
    days = _read(fields)
    any_of_month, any_of_week = days.of_month >= _MONTH, days.weekdays >= _WEEK
    if (any_of_month and any_of_week) or (not days.both and (any_of_month or any_of_week)):
        return _in_months(EVERY_DAY, days)
    if any_of_month:
        return _of_week_alone(days)
    if any_of_week:
        return _of_month_alone(days)
    week, month = _of_week(days), f"on {_of_month(days)} of the month"
    if days.both:
        return _in_months(f"{week}, only {month}", days)
    return _in_months(f"{month} and also {week}", days)


def _of_month_alone(days: _Days) -> str:
    few = len(days.of_month) * len(days.months) <= _MOST_DATES
    if few and not days.special and days.months != _YEAR:
        dates = ((month, day) for month in sorted(days.months) for day in sorted(days.of_month))
        return f"on {joined([f'{day} {month_name[month]}' for month, day in dates])}"
    if len(days.months) == 1:
        return f"on {_of_month(days)} of {month_name[min(days.months)]}"
    return _in_months(f"on {_of_month(days)} of the month", days)


def _of_week_alone(days: _Days) -> str:
    return _in_months(_of_week(days), days)


def _of_month(days: _Days) -> str:
    numbers = sorted(days.of_month)
    step = step_of(numbers)
    if step and step > 1 and len(numbers) >= _FEWEST_STEPS and not days.special:
        return f"every {ordinal(step)} day from {numbers[0]} to {numbers[-1]}"
    items = [*ranges(numbers), *days.special]
    many = "days " if len(numbers) > 1 else "day "
    return (many if numbers else "") + joined(items)


def _of_week(days: _Days) -> str:
    items = [*ranges(days.weekdays, lambda one: day_name[one]), *days.nth]
    if len(items) == 1 and " to " in items[0]:
        return items[0]
    return f"on {joined(items)}"


def _in_months(text: str, days: _Days) -> str:
    """Return days with the months in which they count."""
    if days.months == _YEAR:
        return text
    named = ranges(days.months, lambda one: month_name[one])
    if len(named) == 1 and " to " in named[0]:
        return f"{text}, from {named[0]}"
    return f"{text}, in {joined(named)}"


def _read(fields: str) -> _Days:
    """Return the days of the last three fields of an expression."""
    day, month, weekday = fields.split()
    terms = day.split(",")
    own = [found for term in terms if (found := parse_month_day(term))]
    plain = ",".join(term for term in terms if parse_month_day(term) is None)
    # Day and month apart: cronsim refuses a 31 in February, beside which L-3 may stand.
    read = CronSim(f"0 0 {plain or '*'} * {weekday}", _ANY_DAY)
    numbers = read.days if plain else set[int]()
    special = [_special(one) for one in own]
    special += ["the last day"] if CronSim.LAST in numbers else []
    special += ["the last weekday"] if CronSim.LAST_WEEKDAY in numbers else []
    week = cast("set[Any]", read.weekdays)  # numbers from Sunday, and pairs with a place
    return _Days(
        of_month=frozenset(numbers & _MONTH),
        special=tuple(dict.fromkeys(special)),
        weekdays=frozenset((one - 1) % 7 for one in week if isinstance(one, int)),
        nth=tuple(_nth(sorted({one for one in week if isinstance(one, tuple)}))),
        months=frozenset(CronSim(f"0 0 * {month} *", _ANY_DAY).months),
        both=day.startswith("*") or weekday.startswith("*"),
    )


def _special(one: MonthDay) -> str:
    place = f"day {one.day}" if one.day else f"the {ordinal(one.before)} day before the last"
    return f"the weekday nearest to {place}" if one.near else place


def _nth(pairs: list[tuple[int, int]]) -> Iterator[str]:
    for weekday, place in dict.fromkeys((one % 7, place) for one, place in pairs):
        which = "last" if place == CronSim.LAST else _THE[place]
        yield f"the {which} {day_name[(weekday - 1) % 7]} of the month"
