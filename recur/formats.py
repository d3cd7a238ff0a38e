"""How times and lengths of time are written, in tables, in sentences and in JSON."""

from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

NOTHING: Final = "-"
"""What a cell of a table holds where there is nothing to show."""

_MINUTE: Final = 60
_HOUR: Final = 60 * _MINUTE
_DAY: Final = 24 * _HOUR


def short_duration(length: timedelta | float | None) -> str:
    """Return a length of time for a table, to two units: ``2 h 5 min``; ``-`` for None."""
    if length is None:
        return NOTHING
    seconds = round(length.total_seconds() if isinstance(length, timedelta) else length)
    sign, seconds = ("-" if seconds < 0 else ""), abs(seconds)
    units = ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "min"), (1, "s"))
    for n, (size, name) in enumerate(units):
        if seconds >= size:
            text = f"{seconds // size} {name}"
            if n + 1 < len(units) and (rest := seconds % size // units[n + 1][0]):
                text += f" {rest} {units[n + 1][1]}"
            return sign + text
    return "0 s"


def duration_in_words(duration: timedelta) -> str:
    """Return a duration for a sentence, to two units: ``2 hours 5 minutes``."""
    rest = round(duration.total_seconds())
    words: list[str] = []
    for size, name in ((_DAY, "day"), (_HOUR, "hour"), (_MINUTE, "minute"), (1, "second")):
        number, rest = divmod(rest, size)
        if number:
            words.append(f"{number} {name}{'s' * (number > 1)}")
    return " ".join(words[:2]) or "no time"


def local(instant: datetime, zone: tzinfo) -> str:
    """Return an instant as the wall clock of a zone shows it, with its offset."""
    shown = instant.astimezone(zone)
    text = shown.strftime("%Y-%m-%d %H:%M") + (shown.strftime(":%S") if shown.second else "")
    return text + _offset_text(shown)


def _offset_text(shown: datetime) -> str:
    """Return the offset of a local time: ``-05:00``, and ``Z`` for UTC."""
    return "Z" if shown.tzinfo is UTC or str(shown.tzinfo) == "UTC" else shown.isoformat()[-6:]


def utc(instant: datetime) -> str:
    """Return an instant in UTC, to the second."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def iso_offset(offset: timedelta | None) -> str | None:
    """Return an offset from UTC as ISO 8601 has it; None for None."""
    if offset is None:
        return None
    minutes = round(offset.total_seconds() / _MINUTE)
    hours, rest = divmod(abs(minutes), _MINUTE)
    return f"{'-' if minutes < 0 else '+'}{hours:02}:{rest:02}"
