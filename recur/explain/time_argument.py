"""Which instants an operator means by a TIME: one, two where a clock is put back, or a day."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from typing import Final

from orchestrator.model import Timing
from orchestrator.timing.occurrences import in_force, occurrences_of
from orchestrator.timing.zones import parse_zone
from recur.errors import CliError, Exit
from recur.times import after_gap, check_year, how, relative_time
from recur.timing_lookup import (
    came_from,
    moved_here,
    on_holiday,
    on_the_wall,
    recurrence_at,
    suppressed,
)

_SECOND: Final = timedelta(seconds=1)
_ANY_ZONE: Final = timedelta(hours=26)
"""So far apart are the clocks of any two zones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """
    One instant to explain.

    Attributes:
        notes: What changes of the clock have to do with it.
        day: Where nothing falls on the day that was asked for: that day.
        until: The end of that day, or the instant.
    """

    instant: datetime
    notes: tuple[str, ...] = ()
    day: date | None = None
    until: datetime


def parse_time_argument(text: str, zone: tzinfo, now: datetime) -> date | datetime:
    """
    Return the date, the aware time or the naive wall time that ``text`` is.

    Args:
        text: As ``recur.times`` has it.
        zone: Of what is counted from now by a wall clock.
        now: From when on.

    Raises:
        CliError: It is none of them, or too far away.
    """
    try:
        given = relative_time(text, zone, now=now) or _given(text)
    except ValueError as error:
        raise CliError(
            Exit.USAGE, f"TIME {text!r} is no time", how(day="the whole of that day")
        ) from error
    check_year(given, text, name="TIME")
    return given.replace(microsecond=0) if isinstance(given, datetime) else given


def _given(text: str) -> date | datetime:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return datetime.fromisoformat(text)


def questions(given: date | datetime, timings: tuple[Timing, ...], zone: tzinfo) -> list[Question]:
    """
    Return the instants that are meant, oldest first.

    Args:
        given: As ``parse`` returns it.
        timings: Of the schedule; empty if they are not known any more.
        zone: Of wall times where no timing says otherwise.
    """
    if not isinstance(given, datetime):
        return _questions_of_day(given, timings, zone)
    if given.tzinfo is not None:
        return [_question_of_instant(given.astimezone(UTC), timings)]
    if not timings:
        return [_question_of_instant(given.replace(tzinfo=zone).astimezone(UTC), timings)]
    return [
        _question_of_instant(clock.instant, timings, clock.note)
        for clock in on_the_wall(timings, given)
    ]


def _question_of_instant(
    instant: datetime, timings: tuple[Timing, ...], note: str | None = None
) -> Question:
    notes = [note] if note else []
    if timings:
        other = suppressed(timings, instant)
        notes += [other] if other else []
        origin = came_from(timings, instant)
        notes += [origin] if origin and not note else []
        day = _local_day(timings, instant)
        holiday = on_holiday(in_force(timings, instant).recurrence, day) if day else None
        notes += [one for one in (moved_here(timings, instant), holiday) if one]
    return Question(instant=instant, notes=tuple(notes), until=instant)


def _questions_of_day(day: date, timings: tuple[Timing, ...], zone: tzinfo) -> list[Question]:
    """
    Return every occurrence of a day, or where it has none the day itself.

    The day is that of the zone in force at each occurrence, as for wall times.
    """
    midnight = datetime.combine(day, time())
    recurrence = recurrence_at(timings, midnight)
    zone = parse_zone(recurrence.time_zone) if recurrence else zone
    begin, end = _midnight(day, zone), _midnight(day + timedelta(days=1), zone)
    change = _change_of_day(day, begin, end, zone)
    notes = (change,) if change else ()
    tonight = recurrence_at(timings, midnight + timedelta(days=1))
    holiday = on_holiday(recurrence, day) or on_holiday(tonight, day)
    all_notes = (*notes, holiday) if holiday else notes
    itself = Question(instant=begin, notes=all_notes, day=day, until=end)
    if not timings:
        return [itself]
    instants = [
        _question_of_instant(one.nominal, timings)
        for one in occurrences_of(timings, after=begin - _ANY_ZONE, until=end + _ANY_ZONE)
        if _local_day(timings, one.nominal) == day
    ]
    return [replace(one, notes=(*notes, *one.notes)) for one in instants] or [itself]


def _local_day(timings: tuple[Timing, ...], nominal: datetime) -> date | None:
    recurrence = in_force(timings, nominal).recurrence
    return nominal.astimezone(parse_zone(recurrence.time_zone)).date() if recurrence else None


def _midnight(day: date, zone: tzinfo) -> datetime:
    """Return the first instant of a day in a zone."""
    wall = datetime.combine(day, time())
    first = wall.replace(tzinfo=zone).astimezone(UTC)
    second = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    exists = first.astimezone(zone).replace(tzinfo=None) == wall
    return first if exists else after_gap(second, first, zone)


def _change_of_day(day: date, begin: datetime, end: datetime, zone: tzinfo) -> str | None:
    """Say what a zone's clock does on a day that is not 24 hours long; None on any other day."""
    if begin == end:
        return f"{day} does not exist in {zone}: its clock leaves out the whole day."
    low, high = begin - _SECOND, end - _SECOND
    old = low.astimezone(zone).utcoffset() or timedelta()
    new = high.astimezone(zone).utcoffset() or timedelta()
    if old == new:
        return None
    change = after_gap(low, high, zone)
    before = change.astimezone(timezone(old))
    after = change.astimezone(timezone(new))
    back = new < old
    first, last = (after, before) if back else (before, after)
    return (
        f"The clock of {zone} is put {'back' if back else 'forward'} on {day}, from "
        f"{before:%H:%M}{before.isoformat()[-6:]} to {after:%H:%M}{after.isoformat()[-6:]}: the times from "
        f"{first:%H:%M} to {last:%H:%M} {'come twice' if back else 'do not exist'}."
    )
