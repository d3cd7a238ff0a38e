"""Times as an operator types them: with an offset, on a wall clock, a date, or counted from now."""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final

from orchestrator.document.durations import parse_duration
from orchestrator.ids import FIRST_YEAR, LAST_YEAR
from recur.errors import CliError, Exit

_CLOCK: Final = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])(?::([0-5][0-9]))?")
_DAYS: Final = {"yesterday": -1, "today": 0, "tomorrow": 1}


def how(*, day: str = "the start of that day", ahead: bool = False) -> str:
    """
    Return how a time is written.

    Args:
        day: What a date means to the command.
        ahead: Whether times to come are asked for.
    """
    relative = (
        "1h (one hour from now), 22:38 (the next one)"
        if ahead
        else "1h (one hour ago), 22:38 (the most recent one)"
    )
    return (
        "write 2026-11-01T02:30-05:00, 2026-11-01T07:30Z, 2026-11-01T02:30 (in the schedule's time "
        f"zone), 2026-11-01 or yesterday ({day}), now, {relative}"
    )


def parse_time(
    text: str, zone: tzinfo | None, *, name: str, now: datetime, ahead: bool = False
) -> datetime:
    """
    Return the instant that ``text`` names, in UTC.

    Args:
        text: ISO 8601, or as ``relative_time`` has it. A date is the first instant of that day in
            the zone.
        zone: Of wall times; None if it is not known, and then an offset is needed.
        name: Of the argument, for messages.
        now: From when on times are counted.
        ahead: Whether they are counted into the future.

    Raises:
        CliError: It names no instant, or two; the message has what to write instead.
    """
    try:
        found = relative_time(text, zone, now=now, ahead=ahead)
        if found is None:
            found = _parse_day(text) or datetime.fromisoformat(text)
        day = None if isinstance(found, datetime) else found
        given = found if isinstance(found, datetime) else datetime.combine(found, time())
        check_year(given, text, name=name)
        if given.tzinfo is not None:
            return given.astimezone(UTC)
        if zone is None:
            raise _unknown_zone(text, name)
        first = given.replace(tzinfo=zone).astimezone(UTC)
        second = given.replace(tzinfo=zone, fold=1).astimezone(UTC)
    except ValueError as error:
        raise CliError(Exit.USAGE, f"{name} {text!r} is not a time", how(ahead=ahead)) from error
    if first == second:
        return first
    exists = first.astimezone(zone).replace(tzinfo=None) == given
    if day:
        return first if exists else after_gap(second, first, zone)
    if exists:
        raise CliError(
            Exit.USAGE,
            f"{name} {text!r} comes twice in {zone}",
            f"write {_local(first, zone)} or {_local(second, zone)}",
        )
    raise CliError(
        Exit.USAGE,
        f"{name} {text!r} does not exist in {zone}: the clock skips it",
        f"write {_local(after_gap(second, first, zone), zone)}, the first time after the clock change",
    )


def parse_past_time(text: str, zone: tzinfo | None, *, name: str, now: datetime) -> datetime:
    """
    Return the instant that ``text`` names, in UTC, as ``parse_time`` does; never one after now.

    Raises:
        CliError: It names no instant, or two, or one in the future.
    """
    instant = parse_time(text, zone, name=name, now=now)
    if instant > now:
        raise CliError(
            Exit.USAGE,
            f"{name} {text!r} is in the future: it is {now:%Y-%m-%dT%H:%M:%SZ}",
            how(),
        )
    return instant


def relative_time(
    text: str, zone: tzinfo | None, *, now: datetime, ahead: bool = False
) -> date | datetime | None:
    """
    Return what a time counted from now means.

    Args:
        text: ``now``; ``yesterday``, ``today`` or ``tomorrow``; a duration, such as ``1h``; a
            time of day, such as ``22:38``.
        zone: Of days and times of day.
        now: From when on.
        ahead: Whether a duration lasts from now on and a time of day is the next one; else the
            duration ends now and the time of day is the last one.

    Returns:
        A date, an aware time in UTC, or a naive one on the clock of the zone; None for any other
        text.

    Raises:
        CliError: The zone is needed, and not known.
    """
    if text == "now":
        return now
    if length := parse_duration(text):
        return _counted(now, length if ahead else -length, text)
    clock = _CLOCK.fullmatch(text)
    if clock is None and text not in _DAYS:
        return None
    if zone is None:
        raise _unknown_zone(text, "TIME")
    here = now.astimezone(zone).replace(tzinfo=None)
    if clock is None:
        return here.date() + timedelta(days=_DAYS[text])
    hour, minute, second = (int(one or 0) for one in clock.groups())
    days = [here.date() + timedelta(days=days) for days in (0, 1 if ahead else -1)]
    walls = [datetime.combine(day, time(hour, minute, second)) for day in days]
    return _time_of_day(walls, zone, now=now, ahead=ahead)


def _time_of_day(
    walls: Sequence[datetime], zone: tzinfo, *, now: datetime, ahead: bool
) -> datetime:
    """
    Return the nearest wall time before or after now, as an instant if it depends on now.

    Args:
        walls: The time of day today, then on the next day that may be meant.
        zone: Of the wall times.
        now: At which instant.
        ahead: Whether it comes after now.

    Returns:
        An instant in UTC if the clock shows it twice and only once on the right side of now; else
        a naive time.
    """
    here = now.astimezone(zone).replace(tzinfo=None)
    for wall in walls[:-1]:
        first, again = (wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
        if first < again:
            found = [one for one in (first, again) if (one > now) is ahead]
            if found:
                return found[0] if len(found) == 1 else wall
        elif (wall > here) is ahead:
            return wall
    return walls[-1]


def _counted(now: datetime, length: timedelta, text: str) -> datetime:
    try:
        return now + length
    except OverflowError as error:
        raise _too_far(text, "TIME") from error


def _too_far(text: str, name: str) -> CliError:
    return CliError(
        Exit.USAGE,
        f"{name} {text!r} is out of range",
        f"write a time after the year {FIRST_YEAR} and before {LAST_YEAR}",
    )


def _unknown_zone(text: str, name: str) -> CliError:
    return CliError(
        Exit.USAGE,
        f"{name} {text!r}: the schedule's time zone is not known",
        "write the time with its offset, or with Z",
    )


def check_year(given: date, text: str, *, name: str) -> None:
    """
    Refuse a date or a time that is too far away to be meant.

    Raises:
        CliError: It is, with the years that there are.
    """
    if not FIRST_YEAR < given.year < LAST_YEAR:
        raise _too_far(text, name)


def _parse_day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def after_gap(low: datetime, high: datetime, zone: tzinfo) -> datetime:
    """Return the first second with the offset that ``high`` has and ``low`` has not."""
    after = high.astimezone(zone).utcoffset()
    while (high - low).total_seconds() > 1:
        middle = low + (high - low) / 2
        if middle.astimezone(zone).utcoffset() == after:
            high = middle
        else:
            low = middle
    return high.replace(microsecond=0)


def _local(instant: datetime, zone: tzinfo) -> str:
    return instant.astimezone(zone).isoformat(timespec="minutes")
