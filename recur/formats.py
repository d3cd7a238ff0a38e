"""How times and lengths of time are written, in tables, in sentences and in JSON."""

from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

from orchestrator.duration_text import duration_text
from orchestrator.time_text import wall_text

NOTHING: Final = "-"
"""What a cell of a table holds where there is nothing to show."""

_MINUTE: Final = 60
_COARSE: Final = 10
"""An age of at least this many units leaves out the next smaller unit."""


def short_duration(length: timedelta | float | None) -> str:
    """Return a length of time for a cell of a table: ``2 h 5 min``; ``-`` for None."""
    return NOTHING if length is None else duration_text(length)


def age(length: timedelta) -> str:
    """Return how long ago or how far away something is: ``7 min 40 s``, ``24 min``; never below zero."""
    number, unit, *rest = duration_text(max(length, timedelta())).split()
    return " ".join([number, unit] if int(number) >= _COARSE else [number, unit, *rest])


def local(instant: datetime, zone: tzinfo | None) -> str:
    """Return an instant as a zone's wall clock shows it; None stands for the terminal's zone."""
    return wall_text(instant.astimezone(zone))


def utc(instant: datetime) -> str:
    """Return an instant in UTC, to the second."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def ago(instant: datetime, now: datetime) -> str:
    """Return how far away an instant is: ``3 min ago``, ``in 2 h``, ``now``."""
    length = now - instant
    if abs(length) < timedelta(seconds=1):
        return "now"
    text = age(abs(length))
    return f"{text} ago" if length > timedelta() else f"in {text}"


def away(instant: datetime, now: datetime) -> str:
    """Return how far an instant to come is away, for a cell of a table: ``2 h``."""
    return age(instant - now)


def iso_offset(offset: timedelta | None) -> str | None:
    """Return an offset from UTC as ISO 8601 has it; None for None."""
    if offset is None:
        return None
    minutes = round(offset.total_seconds() / _MINUTE)
    hours, rest = divmod(abs(minutes), _MINUTE)
    return f"{'-' if minutes < 0 else '+'}{hours:02}:{rest:02}"
