"""Times as an operator types them: with an offset, on the wall clock of a schedule, or a date."""

from datetime import UTC, date, datetime, time, tzinfo

from orchestrator.ids import FIRST_YEAR, LAST_YEAR
from recur.errors import CliError, Exit


def how(*, day: str = "the beginning of that day") -> str:
    """
    Return how a time is written.

    Args:
        day: What a date means to the command.
    """
    return (
        "write 2026-11-01T02:30-05:00, 2026-11-01T07:30Z, 2026-11-01T02:30 for the wall time of "
        f"the schedule's zone, or 2026-11-01 for {day} there"
    )


def parse_time(text: str, zone: tzinfo | None, *, name: str) -> datetime:
    """
    Return the instant that ``text`` names, in UTC.

    Args:
        text: ISO 8601. A date is the first instant of that day in the zone.
        zone: Of wall times; None if it is not known, and then an offset is needed.
        name: Of the argument, for messages.

    Raises:
        CliError: It names no instant, or two; the message has what to write instead.
    """
    try:
        day = _parse_day(text)
        given = datetime.combine(day, time()) if day else datetime.fromisoformat(text)
        check_year(given, text, name=name)
        if given.tzinfo is not None:
            return given.astimezone(UTC)
        if zone is None:
            message = f"{name} {text!r}: the zone of the schedule is not known"
            raise CliError(Exit.USAGE, message, "write the time with its offset, or with Z")
        first = given.replace(tzinfo=zone).astimezone(UTC)
        second = given.replace(tzinfo=zone, fold=1).astimezone(UTC)
    except ValueError as error:
        raise CliError(Exit.USAGE, f"{name} {text!r} is no time", how()) from error
    if first == second:
        return first
    exists = first.astimezone(zone).replace(tzinfo=None) == given
    if day:
        return first if exists else after_gap(second, first, zone)
    raise CliError(
        Exit.USAGE,
        f"{name} {text!r} " + ("comes twice in" if exists else "does not exist in") + f" {zone}",
        f"write {_local(first, zone)} or {_local(second, zone)}",
    )


def check_year(given: date, text: str, *, name: str) -> None:
    """
    Refuse a date or a time that is too far away to be meant.

    Raises:
        CliError: It is, with the years that there are.
    """
    if not FIRST_YEAR < given.year < LAST_YEAR:
        raise CliError(
            Exit.USAGE,
            f"{name} {text!r} is too far away",
            f"write a time after the year {FIRST_YEAR} and before {LAST_YEAR}",
        )


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
