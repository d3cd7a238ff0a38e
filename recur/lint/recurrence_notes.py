"""Notes on when a schedule is due."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from orchestrator.document.cron_hints import has_seconds, normalised
from orchestrator.model import Recurrence, Schedule, Timing
from orchestrator.timing.cron import parse_cron
from orchestrator.timing.month_days import parse_month_day
from orchestrator.timing.occurrences import ended, following
from orchestrator.timing.wall_times import walls
from orchestrator.timing.zones import parse_zone
from recur.formats import duration_in_words
from recur.lint.notes import Code, KeyNote, key_note, timing_key

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
                    f"{written!r} is read as {normalised(written)!r}: cron here has no field of "
                    "seconds; write five fields",
                )
    for cron in recurrence.cron:
        yield from _day_notes(cron)
        yield from _dates(cron, begin.astimezone(parse_zone(recurrence.time_zone)))
    yield from _past(recurrence, begin)
    yield from _never(recurrence, begin)
    if recurrence.every:
        yield from _interval(recurrence, recurrence.every, now)


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
            f"{cron!r} is due on days that are both {day!r} of the month and {weekday!r} of the "
            "week, since one of them begins with '*'; write the values out if either will do",
        )
    else:
        yield key_note(
            Code.DAY_OR_WEEKDAY,
            "cron",
            f"{cron!r} is due on each day that is {day!r} of the month, and on each that is "
            f"{weekday!r} of the week: either will do; leave one of them '*', or use MON#1 or 5L",
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
            f"{cron!r} leaves out {len(without)} month(s) that have no day {number}; "
            "write L for the last day of each month",
        )
    elif months == {2} and number == _LONGEST_MONTHS[2]:
        begin = local.replace(tzinfo=None)
        found = walls(Recurrence(cron=(cron,)), begin, begin + _YEARS, excluded=False)
        when = next(found, None)
        yield key_note(
            Code.RARE_DATE,
            "cron",
            f"{cron!r} is due in leap years only"
            + (f", next on {when.time:%Y-%m-%d}" if when else "")
            + "; write 'L 2' for the last day of each February",
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
            "they get no record; leave them out",
        )


def _number_of_day(term: str) -> int | None:
    """Return how many days a month needs for a single day such as 31, 31W or L-30."""
    if term.isdigit():
        return int(term)
    special = parse_month_day(term)
    if special is None:
        return None
    return special.before + 1 if special.day is None else special.day


def _never(recurrence: Recurrence, begin: datetime) -> Iterator[KeyNote]:
    timings = (Timing(since=begin, recurrence=recurrence),)
    if ended(timings, begin):
        yield key_note(
            Code.ENDED,
            "end" if recurrence.end else "at",
            "the last occurrence is over: nothing comes due any more; remove the schedule, or "
            "give it a later time",
        )
    elif following(timings, begin) is None:
        left_out = " once 'except' has left out what it leaves out" if recurrence.except_ else ""
        yield key_note(
            Code.NEVER_DUE,
            timing_key(recurrence),
            f"nothing comes due within nine years{left_out}; correct it or remove the schedule",
        )


def _interval(recurrence: Recurrence, every: timedelta, now: datetime) -> Iterator[KeyNote]:
    """Note that an interval and a wall clock go apart."""
    zone = parse_zone(recurrence.time_zone)
    offsets = {(now + 30 * _DAY * n).astimezone(zone).utcoffset() for n in range(13)}
    if every < _DAY and _DAY % every:
        yield key_note(
            Code.INTERVAL_DRIFTS,
            "every",
            f"{duration_in_words(every)} do not divide a day: it is due at other times each day; "
            "use cron if the time of day matters",
        )
    elif every >= _DAY and len(offsets) > 1:
        yield key_note(
            Code.INTERVAL_DRIFTS,
            "every",
            f"{duration_in_words(every)} of elapsed time: where the clock of {recurrence.time_zone} changes, it "
            "is due at another time of day from then on; use cron if that matters",
        )
    if recurrence.gap != "auto" or recurrence.fold != "auto":
        yield key_note(
            Code.DST_UNUSED,
            "dst",
            "an interval knows no clock: 'dst' has no effect with 'every'; leave it out",
        )
