"""How a length of time is written for people: in sentences of records, in tables, in messages."""

from datetime import timedelta
from typing import Final

_MINUTE: Final = 60
_HOUR: Final = 60 * _MINUTE
_DAY: Final = 24 * _HOUR
_UNITS: Final = ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "min"), (1, "s"))


def duration_text(length: timedelta | float) -> str:
    """
    Return a length of time, to the second and to two neighbouring units: ``2 h 5 min``.

    Args:
        length: A bare number has seconds.
    """
    seconds = round(length.total_seconds() if isinstance(length, timedelta) else length)
    sign, seconds = ("-" if seconds < 0 else ""), abs(seconds)
    for n, (size, name) in enumerate(_UNITS):
        if seconds >= size:
            text = f"{seconds // size} {name}"
            if n + 1 < len(_UNITS) and (rest := seconds % size // _UNITS[n + 1][0]):
                text += f" {rest} {_UNITS[n + 1][1]}"
            return sign + text
    return "0 s"
