"""Notes on when a schedule is due."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from orchestrator.document.cron_hints import has_seconds, normalised
from orchestrator.duration_text import duration_text
from orchestrator.model import Recurrence, Schedule, Timing
from orchestrator.timing.cron import parse_cron
from orchestrator.timing.holidays import unpacked
from orchestrator.timing.month_days import parse_month_day
from orchestrator.timing.occurrences import ended, following
from orchestrator.timing.wall_times import walls
from orchestrator.timing.zones import parse_zone
from recur.ended import why_ended
from recur.lint.notes import Code, KeyNote, key_note, quoted, timing_key
from recur.lint.step_notes import step_notes

_DAY, _MOMENT = timedelta(days=1), timedelta(seconds=1)
_YEARS = timedelta(days=366 * 9)
_LONGEST_MONTHS = {2: 29, 4: 30, 6: 30, 9: 30, 11: 30}


def recurrence_notes(
    schedule: Schedule, table: Mapping[str, object], now: datetime
) -> Iterator[KeyNote]:
    """
    Yield the notes on a schedule's recurrence.

    Args:
        schedule: As it was read.
        table: As it stands in the document, with what it inherits.
        now: From when on it is to come due.
    """
    recurrence = schedule.recurrence
    begin = max(now, schedule.start - _MOMENT) if schedule.start else now
    for key in ("cron", "except"):
        for written in _texts(table.get(key)):
            if has_seconds(written):
                yield key_note(
                    Code.SECONDS_FIELD,
                    key,
                    f"{quoted(written)} is read as {quoted(normalised(written))}: cron has no seconds field; write "
                    "five fields",
                )
    for cron in recurrence.cron:
        yield from _day_notes(cron)
        yield from step_notes(cron)
        yield from _dates(cron, begin.astimezone(parse_zone(recurrence.time_zone)))
    yield from _past(recurrence, begin)
    yield from _holidays_over(recurrence, begin)
    yield from _never(recurrence, begin)
    if recurrence.every:
        yield from _interval(recurrence, recurrence.every, now)
        yield from _anchor(recurrence.every, table.get("anchor"), begin)


def _texts(value: object) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [one for one in values if isinstance(one, str)]


def _day_notes(cron: str) -> Iterator[KeyNote]:
    """Note which rule joins a day of the month and a day of the week."""
    _, _, day, _, weekday = cron.split()
    if "*" in {day, weekday}:
        return
    if day.startswith("*") or weekday.startswith("*"):
        yield key_note(
            Code.DAY_AND_WEEKDAY,
            "cron",
            f"{quoted(cron)} is due only if both fields match, as one begins with '*'; use values if "
            "either may match",
        )
    else:
        yield key_note(
            Code.DAY_OR_WEEKDAY,
            "cron",
            f"{quoted(cron)} is due on each such date and also on each such weekday; see MON#1 and 5L",
        )


def _dates(cron: str, local: datetime) -> Iterator[KeyNote]:
    """Note days that many months, or most years, have not; ``local`` is the time it begins at."""
    _, _, day, _, weekday = cron.split()
    number = _number_of_day(day)
    if weekday != "*" or number is None:
        return
    months = parse_cron(cron).months
    without = [month for month in sorted(months) if _LONGEST_MONTHS.get(month, 31) < number]
    if without:
        yield key_note(
            Code.SHORT_MONTHS,
            "cron",
            f"{quoted(cron)} skips {len(without)} month(s) that have no day {number}; L is the last day of each "
            "month",
        )
    elif months == {2} and number == _LONGEST_MONTHS[2]:
        begin = local.replace(tzinfo=None)
        found = walls(Recurrence(cron=(cron,)), begin, begin + _YEARS, excluded=False)
        when = next(found, None)
        yield key_note(
            Code.RARE_DATE,
            "cron",
            f"{quoted(cron)} is due in leap years only"
            + (f", next on {when.time:%Y-%m-%d}" if when else "")
            + "; 'L 2' is the last day of each February",
        )


def _past(recurrence: Recurrence, begin: datetime) -> Iterator[KeyNote]:
    """Note single times that lie before the schedule begins."""
    zone = parse_zone(recurrence.time_zone)
    past = [one for one in recurrence.at if one.replace(tzinfo=zone, fold=1) <= begin]
    if past:
        yield key_note(
            Code.PAST_TIMES,
            "at",
            f"{len(past)} of {len(recurrence.at)} time(s) are over, the last {past[-1]:%Y-%m-%d %H:%M}: "
            "leave them out",
        )


def _number_of_day(term: str) -> int | None:
    """Return how many days a month needs for a single day such as 31, 31W or L-30."""
    if term.isdigit():
        return int(term)
    special = parse_month_day(term)
    if special is None:
        return None
    return special.before + 1 if special.day is None else special.day


def _holidays_over(recurrence: Recurrence, begin: datetime) -> Iterator[KeyNote]:
    """Note calendars without a day to come: nobody may have noticed that they ran out."""
    holidays = recurrence.holidays
    if holidays is None or holidays.weekdays:
        return
    last = max(end for _, end in unpacked(holidays.days))
    if last < begin.astimezone(parse_zone(recurrence.time_zone)).date():
        yield key_note(
            Code.HOLIDAYS_OVER,
            "holidays",
            f"the last day of its calendars was {last}: no later day is a holiday; `recur calendar` prints "
            "later ones",
        )


def _never(recurrence: Recurrence, begin: datetime) -> Iterator[KeyNote]:
    timings = (Timing(since=begin, recurrence=recurrence),)
    if ended(timings, begin):
        yield key_note(
            Code.ENDED,
            "end" if recurrence.end else "at",
            f"{why_ended(recurrence, begin)}: nothing is due any more; remove it, or give it a later time",
        )
    elif following(timings, begin) is None:
        left_out = " because of 'except'" if recurrence.except_ else ""
        yield key_note(
            Code.NEVER_DUE,
            timing_key(recurrence),
            f"nothing is due within nine years{left_out}; correct it or remove the schedule",
        )


def _anchor(every: timedelta, anchor: object, begin: datetime) -> Iterator[KeyNote]:
    """Note that intervals before an anchor count as well."""
    if isinstance(anchor, datetime) and anchor - every > begin:
        yield key_note(
            Code.ANCHOR_AHEAD,
            "anchor",
            "is in the future but delays nothing: the schedule is due before it, too; set start to begin then",
        )


def _interval(recurrence: Recurrence, every: timedelta, now: datetime) -> Iterator[KeyNote]:
    """Note that an interval and a wall clock go apart."""
    zone = parse_zone(recurrence.time_zone)
    offsets = {(now + 30 * _DAY * n).astimezone(zone).utcoffset() for n in range(13)}
    if every < _DAY and _DAY % every:
        yield key_note(
            Code.INTERVAL_DRIFTS,
            "every",
            f"{duration_text(every)} do not divide a day: it is due at different times each day; use cron if that "
            "matters",
        )
    elif every >= _DAY and len(offsets) > 1:
        yield key_note(
            Code.INTERVAL_DRIFTS,
            "every",
            f"{duration_text(every)} apart: the time of day changes when the clock of "
            f"{recurrence.time_zone} changes; use cron",
        )
    if recurrence.gap != "auto" or recurrence.fold != "auto":
        yield key_note(
            Code.DST_UNUSED,
            "dst",
            "has no effect with 'every': an interval is elapsed time; leave it out",
        )
