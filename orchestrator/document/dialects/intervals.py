"""Intervals and single times: ``rate(...)``, ``at(...)``, ``@every`` and a TimeSpan of .NET."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta

from orchestrator.document.dialects.reading import Dialect, Reading
from orchestrator.document.dialects.years import seconds_lost
from orchestrator.document.durations import foreign_duration, spelt

_RATE = re.compile(r"rate\(\s*([0-9]{1,6})\s+(minute|hour|day)s?\s*\)", re.IGNORECASE)
_AT = re.compile(r"at\(\s*([0-9TZ:.+-]+)\s*\)", re.IGNORECASE)
_EVERY = re.compile(r"@every\b\s*(.*)", re.IGNORECASE)
_RATES = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}
_TIME_SPAN = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9]):([0-5][0-9])")
_LONGEST = 60
_COUNTED = "counted from 2000-01-01T00:00:00Z unless anchor says otherwise"


def interval_readings(text: str) -> Iterator[Reading]:
    """Yield what an interval or a single time of another dialect means; nothing if it is neither."""
    if rate := _RATE.fullmatch(text):
        yield _interval(Dialect.EVENTBRIDGE, int(rate[1]) * _RATES[rate[2].lower()])
    elif at := _AT.fullmatch(text):
        yield _once(at[1])
    elif (every := _EVERY.fullmatch(text)) and (length := foreign_duration(every[1])):
        yield _interval(Dialect.GO, length)
    elif span := _TIME_SPAN.fullmatch(text):
        hours, minutes, seconds = map(int, span.groups())
        length = timedelta(hours=hours, minutes=minutes, seconds=seconds)
        if length:
            yield _interval(Dialect.NCRONTAB, length, "a TimeSpan, an interval")


def interval_hint(text: str) -> str | None:
    """Return whose ``rate(...)`` or ``@every`` stands for a length of time, and what to write."""
    for one in interval_readings(text.strip()[:_LONGEST]):
        if one.every:
            return f'it is a line of {one}: write "{spelt(one.every)}"'
    return None


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
        changes.append(f"a time in at has no offset: {moment.isoformat()} on the clock of the zone")
    minute = moment.replace(second=0, microsecond=0)
    return Reading(dialect=dialect, how=how, at=(minute,), changes=tuple(changes))
