"""Calendar expressions of systemd, as in ``OnCalendar=Mon..Fri 02:00``."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from orchestrator.document.dialects.days import both, single_days
from orchestrator.document.dialects.fields import (
    DAY,
    DAYS,
    HOUR,
    MINUTE,
    MONTH,
    SECOND,
    NoSuchValueError,
    OtherDialectError,
    translated,
    translated_weekdays,
    values,
)
from orchestrator.document.dialects.reading import Dialect, Reading, in_zone
from orchestrator.document.dialects.years import seconds_lost, within_years
from orchestrator.timing.zones import zone_names

_WORDS = {
    "minutely": "* * * * *",
    "hourly": "0 * * * *",
    "daily": "0 0 * * *",
    "weekly": "0 0 * * MON",
    "monthly": "0 0 1 * *",
    "quarterly": "0 0 1 1,4,7,10 *",
    "semiannually": "0 0 1 1,7 *",
    "semi-annually": "0 0 1 1,7 *",
    "biannually": "0 0 1 1,7 *",
    "bi-annually": "0 0 1 1,7 *",
    "yearly": "0 0 1 1 *",
    "annually": "0 0 1 1 *",
}
_VALUE = r"(?:[0-9]{1,4}(?:\.\.[0-9]{1,4})?(?:/[0-9]{1,4})?|\*)"
_LIST = rf"{_VALUE}(?:,{_VALUE})*"
_NAME = r"[A-Za-z]{3,9}"
_EXPRESSION = re.compile(
    rf"(?:(?P<weekday>{_NAME}(?:(?:\.\.|-){_NAME})?(?:,{_NAME}(?:(?:\.\.|-){_NAME})?)*),?(?:\s+|$))?"
    rf"(?:(?:(?P<year>{_LIST})-)?(?P<month>{_LIST})(?P<from_end>[-~])(?P<day>{_LIST})(?:\s+|$))?"
    rf"(?:(?P<hour>{_LIST}):(?P<minute>{_LIST})(?::(?P<second>{_LIST}))?)?"
)
_WEEK = set(range(1, 8))
_CENTURY, _THIS_CENTURY = 100, 70  # systemd's: 69 is 2069, 70 is 1970


@dataclass(frozen=True, slots=True, kw_only=True)
class _Calendar:
    """The parts of an expression; lists as in cron, with ``-`` for ``..``."""

    weekday: str
    year: str
    month: str
    day: str
    from_end: bool
    hour: str
    minute: str
    second: str


def calendar_readings(text: str) -> Iterator[Reading]:
    """Yield what a calendar expression of systemd means; nothing if it is none."""
    spelt = re.sub(r"^OnCalendar\s*=\s*", "", text)
    words, zone = spelt.split(), None
    if len(words) > 1 and words[-1] in zone_names():
        *words, zone = words
    found = _without_zone(words)
    if zone:
        found = in_zone(found, zone)
    yield from found


def _without_zone(words: Sequence[str]) -> Iterator[Reading]:
    """Yield what an expression means that names no zone."""
    bare = " ".join(words)
    if expression := _WORDS.get(bare.lower()):
        yield Reading(dialect=Dialect.SYSTEMD, cron=(expression,))
        if bare.lower() == "weekly":
            yield Reading(dialect=Dialect.CRONTAB, how="as @weekly", cron=("0 0 * * SUN",))
        return
    read = _EXPRESSION.fullmatch(bare)
    if not bare or not read:
        return
    try:
        yield _meaning(_calendar(read))
    except NoSuchValueError as error:
        yield Reading(dialect=Dialect.SYSTEMD, lacks=str(error))
    except OtherDialectError:
        return


def _calendar(read: re.Match[str]) -> _Calendar:
    """Return the parts of an expression, with what stands for those that it leaves out."""
    timed = read["hour"] is not None
    dated = read["month"] is not None
    parts = {name: (text or "").replace("..", "-") for name, text in read.groupdict().items()}
    for name in ("year", "month", "day", "hour", "minute", "second"):
        _in_order(parts[name])
    year = parts["year"] or "*"
    if year.isdigit() and int(year) < _CENTURY:
        year = str(int(year) + (2000 if int(year) < _THIS_CENTURY else 1900))
    return _Calendar(
        weekday=parts["weekday"] or "*",
        year=year,
        month=parts["month"] or "*",
        day=parts["day"] if dated else "*",
        from_end=read["from_end"] == "~",
        hour=parts["hour"] if timed else "0",
        minute=parts["minute"] if timed else "0",
        second=parts["second"] or "0",
    )


def _in_order(text: str) -> None:
    """Refuse a range that goes round: systemd has none."""
    for term in text.split(","):
        first, dash, last = term.partition("/")[0].partition("-")
        if dash and int(first) > int(last):
            raise NoSuchValueError(f"the range {first}..{last} wraps around: write two ranges")


def _meaning(calendar: _Calendar) -> Reading:
    """
    Return what an expression means.

    Raises:
        OtherDialectError: It has values that do not exist.
    """
    lacks: str | None = None
    left_out: tuple[str, ...] = ()
    if calendar.from_end:
        day, weekday = _from_end(calendar)
        if not day:
            lacks = "a document cannot combine a weekday with days counted from the end of a month"
            day = weekday = "*"
    else:
        day, weekday, left_out = both(calendar.day, calendar.weekday, 0)
    times = (translated(MINUTE, calendar.minute), translated(HOUR, calendar.hour))
    reading = Reading(
        dialect=Dialect.SYSTEMD,
        cron=(" ".join((*times, day, translated(MONTH, calendar.month), weekday)),),
        except_=left_out,
        changes=tuple(seconds_lost(values(SECOND, calendar.second))),
        lacks=lacks,
    )
    if calendar.year == "*":
        return reading
    dates = (calendar.month, calendar.day)
    single = calendar.weekday == "*" and not calendar.from_end
    parts = (*dates, calendar.hour, calendar.minute) if single else ()
    return within_years(reading, calendar.year, parts)


def _from_end(calendar: _Calendar) -> tuple[str, str]:
    """Return the fields of days counted from a month's end; empty where cron cannot say them."""
    counts: set[int] = set()
    for term in calendar.day.split(","):
        found = values(DAY, term)
        first, slash, step = term.partition("/")
        if slash and "-" not in first:  # on to the end of the month
            found = frozenset(range(int(first), 0, -int(step)))
        counts |= found
    if len(counts) == DAY.high:
        return both("*", calendar.weekday, 0)[:2]
    if calendar.weekday == "*":
        return ",".join("L" if one == 1 else f"L-{one - 1}" for one in sorted(counts)), "*"
    if counts == _WEEK:
        weekdays = single_days(translated_weekdays(calendar.weekday, 0))
        return "*", ",".join(f"{DAYS.index(one)}L" for one in weekdays)
    return "", ""
