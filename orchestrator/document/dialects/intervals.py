"""Intervals and single times: ``rate(...)``, ``at(...)``, ``@every`` and a TimeSpan of .NET."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from orchestrator.document.dialects.reading import SHORTEST, Dialect, Reading
from orchestrator.document.dialects.years import seconds_lost
from orchestrator.document.durations import foreign_duration, foreign_seconds, spelt

_RATE = re.compile(r"rate\(\s*([0-9]{1,6})\s+(minute|hour|day)s?\s*\)", re.IGNORECASE)
_AT = re.compile(r"at\(\s*([0-9TZ:.+-]+)\s*\)", re.IGNORECASE)
_EVERY = re.compile(r"@every\b\s*(.*)", re.IGNORECASE)
_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}([.,][0-9]{1,9})?)?"
    r"(Z|[+-][0-9]{2}:?[0-9]{2})?",
    re.IGNORECASE,
)
_RATES = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}
_TIME_SPAN = re.compile(
    r"(?:(?P<days>[0-9]{1,3})[.:])?(?P<hours>[01][0-9]|2[0-3]):(?P<minutes>[0-5][0-9])"
    r":(?P<seconds>[0-5][0-9])"
)
_LONGEST = 60
_FROM_A_MINUTE = "every is from 1 minute to 366 days"
_COUNTED = "counted from 2000-01-01T00:00:00Z unless you set anchor"


def interval_readings(text: str) -> Iterator[Reading]:
    """Yield what an interval or a single time of another dialect means; nothing if it is neither."""
    if rate := _RATE.fullmatch(text):
        yield _interval(Dialect.EVENTBRIDGE, int(rate[1]) * _RATES[rate[2].lower()])
    elif at := _AT.fullmatch(text):
        yield _once(at[1])
    elif every := _EVERY.fullmatch(text):
        yield from _every(every[1])
    elif _MOMENT.fullmatch(text):
        yield from _moment(text)
    elif span := _TIME_SPAN.fullmatch(text):
        length = timedelta(**{unit: int(n) for unit, n in span.groupdict(default="0").items()})
        if length:
            yield _interval(Dialect.NCRONTAB, length, "a TimeSpan, an interval")


def interval_hint(text: str) -> str | None:
    """Return whose ``rate(...)`` or ``@every`` stands for a length of time, and what to write."""
    for one in interval_readings(text.strip()[:_LONGEST]):
        if one.lacks and one.every:
            return f"it uses the syntax of {one}, without an equivalent: {one.lacks}"
        if one.every:
            return f'it uses the syntax of {one}: write "{spelt(one.every)}"'
    return None


def _every(text: str) -> Iterator[Reading]:
    """Yield what ``@every`` means; Go's cron leaves out fractions of a second."""
    if length := foreign_duration(text):
        yield _interval(Dialect.GO, length)
    elif exact := foreign_seconds(text):
        whole = timedelta(seconds=max(1, int(exact)))
        reading = _interval(Dialect.GO, whole)
        if whole < SHORTEST:
            lacks = f"seconds are too fine for a document: {_FROM_A_MINUTE}"
            yield replace(reading, lacks=lacks)
        else:
            cut = f"the fraction of a second is dropped, as Go's cron does: {spelt(whole)}"
            yield replace(reading, changes=(cut, *reading.changes))


def _moment(text: str) -> Iterator[Reading]:
    """Yield what a date with a time means; nothing if it is on no calendar or clock."""
    try:
        moment = datetime.fromisoformat(text.upper())
    except ValueError:
        return
    yield _single(Dialect.ISO, moment, "a single time")


def _interval(dialect: Dialect, length: timedelta, how: str = "") -> Reading:
    return Reading(dialect=dialect, how=how, every=length, changes=(_COUNTED,))


def _once(text: str) -> Reading:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or "T" not in text.upper():
        lacks = f"{text!r} is not a date with a time such as 2026-12-24T18:00:00"
        return Reading(dialect=Dialect.EVENTBRIDGE, lacks=lacks)
    return _single(Dialect.EVENTBRIDGE, moment)


def _single(dialect: Dialect, moment: datetime, how: str = "") -> Reading:
    changes = [*seconds_lost({moment.second})]
    if moment.tzinfo:
        changes.append(
            f"at has no offset: {moment.isoformat()} is written as local time of time_zone"
        )
    minute = moment.replace(second=0, microsecond=0)
    return Reading(dialect=dialect, how=how, at=(minute,), changes=tuple(changes))
