"""Cron lines with a field of seconds, a year or a ``?``: Quartz, EventBridge, NCRONTAB and others."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from enum import Enum, auto
from itertools import islice

from orchestrator.document.dialects.days import both
from orchestrator.document.dialects.fields import (
    DAY,
    HOUR,
    MINUTE,
    MONTH,
    SECOND,
    WEEKDAY,
    NoSuchValueError,
    OtherDialectError,
    has_numbers,
    is_field,
    number_of,
    translated,
    translated_weekdays,
    values,
    with_its_stars,
)
from orchestrator.document.dialects.ranges import stepped_name, turned
from orchestrator.document.dialects.reading import Dialect, Reading
from orchestrator.document.dialects.years import seconds_lost, within_years

FIVE, SIX, SEVEN = 5, 6, 7
_KINDS = {
    "second": SECOND,
    "minute": MINUTE,
    "hour": HOUR,
    "day": DAY,
    "month": MONTH,
    "weekday": WEEKDAY,
}
_ANY = frozenset({"*", "?"})
_STARS = frozenset({"*", "?", "*/1"})
_ZERO = frozenset({"0", "00"})
_FROM_SUNDAY = "1 is Sunday"
_FROM_MONDAY = "1 is Monday"


class _Both(Enum):
    """What a dialect makes of a day of the month beside a day of the week."""

    AS_OURS = auto()
    """Either will do, but for a field that begins with ``*``, steps or not: then both must match."""
    EITHER = auto()
    """Either will do; only ``*`` itself restricts nothing."""
    AND = auto()
    REFUSED = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rules:
    """How one dialect reads the fields that it shares with ours."""

    dialect: Dialect
    sunday: int
    both: _Both
    turns_ranges: bool = False


_QUARTZ = _Rules(dialect=Dialect.QUARTZ, sunday=1, both=_Both.REFUSED)
_EVENTBRIDGE = _Rules(dialect=Dialect.EVENTBRIDGE, sunday=1, both=_Both.REFUSED)
_NCRONTAB = _Rules(dialect=Dialect.NCRONTAB, sunday=0, both=_Both.AND, turns_ranges=True)
_NOMAD = _Rules(dialect=Dialect.NOMAD, sunday=0, both=_Both.EITHER)
_KUBERNETES = _Rules(dialect=Dialect.KUBERNETES, sunday=0, both=_Both.EITHER)
_GO = _Rules(dialect=Dialect.GO, sunday=0, both=_Both.EITHER)
_CRONTAB = _Rules(dialect=Dialect.CRONTAB, sunday=0, both=_Both.AS_OURS)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    """The fields of a line, under their names."""

    minute: str
    hour: str
    day: str
    month: str
    weekday: str
    second: str = "0"
    year: str = "*"


type _Candidate = tuple[_Rules, str, _Line]


def cron_call(text: str) -> list[Reading]:
    """Return the readings of what stands in EventBridge's ``cron(...)``; none if it has none."""
    words = text.split()
    if len(words) == SIX:
        return _best([(_EVENTBRIDGE, "", _year_last(words))])
    if len(words) == FIVE:
        return _five(words)
    return []


def kubernetes_cron(text: str) -> list[Reading]:
    """Return the reading of a line of five fields in Kubernetes, also one that ours has; or none."""
    words = text.split()
    return _best([(_KUBERNETES, "", _line(words))]) if len(words) == FIVE else []


def other_cron(text: str) -> list[Reading]:
    """
    Return the readings of a line of fields that is not one of ours; none if it has none.

    Where weekdays are numbers and the line does not show which day is 1, there are two.
    """
    words = text.split()
    if len(words) == FIVE and "?" in words:
        return _five(words)
    if len(words) == SIX:
        return _six(words)
    if len(words) == SEVEN:
        return _seven(words)
    return []


def _five(words: list[str]) -> list[Reading]:
    line = _line(words)
    rules = _KUBERNETES if "?" in words else _CRONTAB
    if not has_numbers(line.weekday):
        return _best([(rules, "five fields", line)])
    quartz = (_QUARTZ, f"without its seconds, {_FROM_SUNDAY}", line)
    return _best([quartz, (rules, _FROM_MONDAY, line)])


def _six(words: list[str]) -> list[Reading]:
    """Read six fields: seconds in front, or a year at the end. A ``?`` shows which."""
    first, last = _seconds_first(words), _year_last(words)
    seconds = "seconds first"
    if "?" in {last.day, last.weekday}:
        return _best([(_EVENTBRIDGE, "the year last, 1 is Sunday", last)])
    if "?" in {first.day, first.weekday}:
        quartz = (_QUARTZ, f"{seconds}, {_FROM_SUNDAY}", first)
        return _best([quartz], [(_GO, f"{seconds}, {_FROM_MONDAY}", first)])
    candidates = [(_NCRONTAB, seconds, first)]
    if not (first.second in _ZERO and last.year in _ANY):  # a document takes these for NCRONTAB
        candidates.append((_NOMAD, "the year last", last))
    return _best(candidates)


def _seven(words: list[str]) -> list[Reading]:
    line = replace(_seconds_first(words[:SIX]), year=words[SIX])
    how = "seconds first, the year last"
    quartz = (_QUARTZ, f"{how}, {_FROM_SUNDAY}", line)
    if "?" in {line.day, line.weekday} or not has_numbers(line.weekday):
        return _best([quartz], [(_NOMAD, how, line)])
    return _best([quartz, (_NOMAD, f"{how}, {_FROM_MONDAY}", line)])


def _line(words: list[str]) -> _Line:
    return _Line(**dict(zip(("minute", "hour", "day", "month", "weekday"), words, strict=True)))


def _seconds_first(words: list[str]) -> _Line:
    names = ("second", "minute", "hour", "day", "month", "weekday")
    return _Line(**dict(zip(names, words, strict=True)))


def _year_last(words: list[str]) -> _Line:
    names = ("minute", "hour", "day", "month", "weekday", "year")
    return _Line(**dict(zip(names, words, strict=True)))


def _best(*groups: list[_Candidate]) -> list[Reading]:
    """
    Return the readings of the first group in which some dialect can read its line.

    Where none can, and the line has the form of one but for a value that does not exist, the
    reading says so.
    """
    for group in groups:
        if found := list(_possible(group)):
            return found
    return [*islice((one for group in groups for one in _out_of_range(group)), 1)]


def _out_of_range(candidates: list[_Candidate]) -> Iterator[Reading]:
    """Yield a reading without an equivalent for each dialect that has no such value."""
    for rules, how, line in candidates:
        if not all(is_field(getattr(line, field.name)) for field in fields(line)):
            continue
        try:
            _read(rules, how, line)
        except NoSuchValueError as error:
            yield Reading(dialect=rules.dialect, how=how, lacks=str(error))
        except OtherDialectError:
            continue


def _possible(candidates: list[_Candidate]) -> Iterator[Reading]:
    """Yield the readings of those dialects that can read a line."""
    for rules, how, line in candidates:
        try:
            yield _read(rules, how, line)
        except OtherDialectError:
            continue


def _read(rules: _Rules, how: str, line: _Line) -> Reading:
    """
    Return what a line means in a dialect.

    Raises:
        OtherDialectError: It has not that dialect.
    """
    if rules is _QUARTZ and (term := stepped_name((line.month, line.weekday))):
        lacks = f"Quartz ignores the step of {term}, Quartz.NET may count weeks: write numbers"
        return Reading(dialect=rules.dialect, how=how, lacks=lacks)
    changes: list[str] = []
    if rules.turns_ranges:
        read = {name: turned(kind, getattr(line, name)) for name, kind in _KINDS.items()}
        changes = [
            f"{rules.dialect} reads {getattr(line, name)} as {text}"
            for name, text in read.items()
            if text != getattr(line, name).upper()
        ]
        line = replace(line, **read)
    days, left_out = _days(rules, line)
    minute, hour = translated(MINUTE, line.minute), translated(HOUR, line.hour)
    month = translated(MONTH, line.month)
    reading = Reading(
        dialect=rules.dialect,
        how=how,
        cron=tuple(f"{minute} {hour} {day} {month} {weekday}" for day, weekday in days),
        except_=left_out,
        changes=(*changes, *seconds_lost(values(SECOND, line.second))),
    )
    if line.year in _ANY:
        return reading
    parts = (line.month, line.day, line.hour, line.minute) if line.weekday in _ANY else ()
    return within_years(reading, line.year, parts)


def _days(rules: _Rules, line: _Line) -> tuple[list[tuple[str, str]], tuple[str, ...]]:
    """Return the fields of day of month and day of week, whose union counts, and exceptions."""
    if line.day not in _ANY and line.weekday not in _ANY:
        if rules.both is _Both.REFUSED:
            raise OtherDialectError(f"{line.day} {line.weekday}")
        if rules.both is _Both.AND:
            day, weekday, left_out = both(line.day, line.weekday, rules.sunday)
            return [(day, weekday)], left_out
    day, weekday = translated(DAY, line.day), translated_weekdays(line.weekday, rules.sunday)
    if line.day in _ANY or line.weekday in _ANY:
        return [(day, weekday)], ()
    if any(_restricts_nothing(rules.both, text) for text in (line.day, line.weekday)):
        return [(with_its_stars(line.day, day), with_its_stars(line.weekday, weekday))], ()
    if "*" in {day, weekday}:  # such as 1-31, which is every day and no star
        return [("*", "*")], ()
    if day.startswith("*"):  # with a step: ours would ask for both
        return [(day, "*"), ("*", weekday)], ()
    return [(day, weekday)], ()


def _restricts_nothing(rule: _Both, text: str) -> bool:
    """Whether a field makes both days match, as ``*`` does: crontab looks at its first character."""
    if rule is _Both.AS_OURS:
        return text.startswith("*")
    return bool(_STARS & set(text.split(",")))


def kubernetes_differs(text: str) -> bool:
    """Whether Kubernetes reads the days of a line of ours in another way than we do."""
    line = _line(text.split())
    if any(_goes_on_to_seven(term) for term in line.weekday.split(",")):
        return True
    if {line.day, line.weekday} & _ANY or re.search("[LW]", line.day.upper()):
        return False
    if re.search("#|L$", line.weekday.upper()):
        return False
    ours, theirs = (
        any(_restricts_nothing(rule, one) for one in (line.day, line.weekday))
        for rule in (_Both.AS_OURS, _Both.EITHER)
    )
    return ours != theirs


def _goes_on_to_seven(weekday: str) -> bool:
    """Whether a step from one day, as in ``1/2``, reaches our 7, a Sunday; Kubernetes ends at 6."""
    first, slash, step = weekday.upper().partition("/")
    if not slash or "*" in first or "-" in first:
        return False
    begin = number_of(WEEKDAY, first)
    return 0 < begin < WEEKDAY.high and (WEEKDAY.high - begin) % int(step) == 0
