"""
When a schedule is due, in words: ``at 02:00, Monday to Friday, America/Montreal``.

The words are exact, except for long lists: these give their length and both ends. The effect of
clock changes is described as a policy, not here.
"""

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from typing import Final

from orchestrator.enums import IntervalUnit, OnHoliday, Weekday
from orchestrator.model import WEEKEND, Holidays, Interval, Recurrence
from orchestrator.timing.cron import Expression, parse_cron
from orchestrator.timing.placement import EPOCH
from orchestrator.timing.zones import parse_zone
from recur.description.day_text import EVERY_DAY, days_text
from recur.description.joined_text import joined, ordinal, shortened
from recur.description.time_text import WHOLE_DAY, every_text, times_text
from recur.formats import local, utc

_MOST_PHRASES: Final = 6
"""So many phrases of cron expressions; more are counted."""

_MOVES: Final = {
    OnHoliday.NEXT_WORKING_DAY: "moves to the next working day",
    OnHoliday.PREVIOUS_WORKING_DAY: "moves to the working day before",
}


def timing_text(recurrence: Recurrence, start: datetime | None = None) -> str:
    """
    Return when a recurrence is due, in words.

    Args:
        recurrence: A valid one.
        start: Nothing is due before it; None: that is not said.

    Raises:
        ScheduleSyntaxError: An expression or the zone cannot be understood.
    """
    zone = parse_zone(recurrence.time_zone)
    limits = [*_limits(recurrence)]
    if start:
        limits.append(f"from {local(start, zone)} on")
    if recurrence.end:
        limits.append(f"before {local(recurrence.end, zone)}")
    return "; ".join([f"{_due(recurrence)}, {recurrence.time_zone}", *limits])


def _due(recurrence: Recurrence) -> str:
    """Return what is due before anything is left out."""
    if recurrence.every:
        return f"{every_text(recurrence.every)} counted from {utc(recurrence.anchor or EPOCH)}"
    phrases = _phrases(recurrence.cron)
    if recurrence.interval and recurrence.interval.every > 1:
        phrases.append(_counted(recurrence.interval))
    single = [f"{one:%Y-%m-%d %H:%M}" for one in sorted(set(recurrence.at))]
    if single:
        phrases.append(f"{'also ' * bool(phrases)}at {shortened(single, 'times')}")
    return "; ".join(phrases)


def _phrases(crons: Iterable[str]) -> list[str]:
    """Return a phrase for each days that expressions have; irregular times have one each."""
    by_days: dict[str, list[Expression]] = {}
    for cron in crons:
        one = parse_cron(cron)
        by_days.setdefault(one.days, []).append(one)
    found: list[str] = []
    for days, expressions in by_days.items():
        for times in _times(expressions):
            found.append(f"{'also ' * bool(found)}{_joined_phrase(times, days_text(days))}")
    left = len(found) - _MOST_PHRASES
    return [*found[:_MOST_PHRASES], *([f"also {left} more"] if left > 0 else [])]


def _times(expressions: list[Expression]) -> Iterator[str]:
    """Yield the times of expressions of the same days: in one phrase, if there is one for all."""
    together = 0
    for one in expressions:
        together |= one.times
    if text := times_text(together):
        yield text
        return
    yield from dict.fromkeys(text for one in expressions if (text := times_text(one.times)))


def _joined_phrase(times: str, days: str) -> str:
    return times if days == EVERY_DAY and _is_steady(times) else f"{times}, {days}"


def _is_steady(times: str) -> bool:
    """Whether times are the same in all hours, so that the days need not be named."""
    return times.startswith("every ") and " from " not in times and " of " not in times


def _counted(interval: Interval) -> str:
    """Say which days, weeks or months count."""
    match interval.unit:
        case IntervalUnit.DAYS:
            unit, anchor = "day", f"{interval.anchor}"
        case IntervalUnit.WEEKS:
            unit, anchor = "week", f"that of {interval.anchor}"
        case IntervalUnit.MONTHS:
            unit, anchor = "month", f"{interval.anchor:%Y-%m}"
    return f"only every {ordinal(interval.every)} {unit} counted from {anchor}"


def _limits(recurrence: Recurrence) -> Iterator[str]:
    """Yield what is left out."""
    dates: list[str] = []
    crons: list[str] = []
    for entry in recurrence.except_:
        (dates if _is_date(entry) else crons).append(entry)
    if dates:
        yield f"not on {shortened(sorted(set(dates)), 'dates')}"
    left_out = list(dict.fromkeys(_left_out(parse_cron(cron)) for cron in crons))
    yield from left_out[:_MOST_PHRASES]
    if more := left_out[_MOST_PHRASES:]:
        yield f"not at {len(more)} more"
    if recurrence.holidays:
        yield _of_holidays(recurrence.holidays)


def _left_out(one: Expression) -> str:
    days = days_text(one.days)
    if one.times != WHOLE_DAY:
        return f"not {times_text(one.times)}, {days}"
    return "at no time" if days == EVERY_DAY else f"not {days.removeprefix(f'{EVERY_DAY}, ')}"


def _is_date(entry: str) -> bool:
    try:
        date.fromisoformat(entry)
    except ValueError:
        return False
    return True


def _of_holidays(holidays: Holidays) -> str:
    names = joined(holidays.calendars)
    if holidays.policy is OnHoliday.SKIP:
        return f"not on holidays of {names}"
    text = f"on holidays of {names} it {_MOVES[holidays.policy]}"
    if holidays.weekend != WEEKEND:
        text += f" (weekend: {_weekend(holidays.weekend)})"
    return text


def _weekend(days: tuple[Weekday, ...]) -> str:
    return joined([one.value for one in days]) if days else "none"
