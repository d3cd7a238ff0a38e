"""
Lengths of time as the document writes them, and what others write for them.

The document takes ISO 8601 (``PT1H30M``, ``P1W``) and short forms (``90s``, ``1h30m``).
"""

import re
from datetime import timedelta
from fractions import Fraction

_SHORT = re.compile(
    r"(?=\d)(?:(?P<weeks>[0-9]{1,6})w)?(?:(?P<days>[0-9]{1,9})d)?(?:(?P<hours>[0-9]{1,9})h)?"
    r"(?:(?P<minutes>[0-9]{1,9})m)?(?:(?P<seconds>[0-9]{1,9})s)?"
)
_ISO = re.compile(
    r"P(?=.)(?:(?P<weeks>[0-9]{1,6})W)?(?:(?P<days>[0-9]{1,6})D)?"
    r"(?:T(?=.)(?:(?P<hours>[0-9]{1,6})H)?(?:(?P<minutes>[0-9]{1,8})M)?(?:(?P<seconds>[0-9]{1,9})S)?)?"
)
SCHEMA_PATTERN = (
    r"^((?=[0-9])([0-9]+w)?([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?"
    r"|P(?=.)([0-9]+W)?([0-9]+D)?(T(?=.)([0-9]+H)?([0-9]+M)?([0-9]+S)?)?)$"
)
_LONGEST = 60
_FOREIGN = r"(\d{1,9}(?:\.\d{1,9})?)\s*([a-zµ]{1,12})"
_ISO_FOREIGN = re.compile(
    r"P(?:(?P<w>[\d.]+)W)?(?:(?P<d>[\d.]+)D)?(?:T(?:(?P<h>[\d.]+)H)?(?:(?P<m>[\d.]+)M)?(?:(?P<s>[\d.]+)S)?)?",
    re.IGNORECASE,
)
_CLOCK = re.compile(
    r"(?:(?P<days>\d{1,6})\.)?(?P<hours>\d{1,2}):(?P<minutes>\d{2}):(?P<seconds>\d{2})"
)
_CALENDAR = re.compile(r"P\d+[YM].*|\d+\s*(mo|mon|months?|y|yr|years?)", re.IGNORECASE)
_UNITS: dict[str, int | Fraction] = {
    "w": 604_800,
    "week": 604_800,
    "d": 86_400,
    "day": 86_400,
    "h": 3600,
    "hr": 3600,
    "hour": 3600,
    "m": 60,
    "min": 60,
    "minute": 60,
    "s": 1,
    "sec": 1,
    "second": 1,
    "ms": Fraction(1, 1000),
    "us": Fraction(1, 10**6),
    "µs": Fraction(1, 10**6),
    "ns": Fraction(1, 10**9),
}


def parse_duration(text: str) -> timedelta | None:
    """Return the length that a text of the document stands for; None if it stands for none."""
    match = _SHORT.fullmatch(text) or _ISO.fullmatch(text)
    parts = {unit: int(n) for unit, n in match.groupdict().items() if n} if match else {}
    try:
        return timedelta(**parts) if parts else None
    except OverflowError:  # each part is within what timedelta takes, and the sum is not
        return timedelta.max


def duration_hint(text: str) -> str | None:
    """Say what to write for a length of time of another form; None if it is not known."""
    if meant := foreign_duration(text):
        return f'write "{spelt(meant)}"'
    if len(text) <= _LONGEST and _CALENDAR.fullmatch(text.strip()):
        return "months and years have no fixed length: use weeks or days, or cron"
    return None


def foreign_duration(text: str) -> timedelta | None:
    """
    Return the length that another program, or a person, would take a text for.

    ``1.5h`` as in Go, ``PT1.5H``, ``01:30:00`` as in .NET, ``2 hours``. None where it is unclear,
    or no whole number of seconds.
    """
    if len(text) > _LONGEST:
        return None
    plain = text.strip()
    if own := parse_duration(plain):
        return own
    if clock := _CLOCK.fullmatch(plain):
        return timedelta(**{unit: int(n) for unit, n in clock.groupdict().items() if n})
    seconds = foreign_seconds(plain)
    return timedelta(seconds=int(seconds)) if seconds and seconds.denominator == 1 else None


def foreign_seconds(text: str) -> Fraction | None:
    """Return the seconds of a length with units, such as ``1500ms``, also where they are no whole number."""
    if len(text) > _LONGEST:
        return None
    plain = text.strip()
    if iso := _ISO_FOREIGN.fullmatch(plain):
        parts = [(n, unit) for unit, n in iso.groupdict().items() if n]
    elif re.fullmatch(rf"({_FOREIGN}[\s,]*)+", plain.lower()):
        parts = re.findall(_FOREIGN, plain.lower())
    else:
        return None
    return _total(parts)


def _total(parts: list[tuple[str, str]]) -> Fraction | None:
    """Return the sum of numbers with their units, in seconds, if it is above zero."""
    total = Fraction()
    for number, unit in parts:
        seconds = _UNITS.get(unit) or _UNITS.get(unit.removesuffix("s"))
        if seconds is None or number.count(".") > 1 or not number.strip("."):
            return None
        total += Fraction(number) * seconds
    return total if 0 < total < timedelta.max.total_seconds() else None


def spelt(length: timedelta) -> str:
    """Return the short form of whole seconds: ``1h30m``."""
    rest, text = int(length.total_seconds()), ""
    for unit in "dhms":
        number, rest = divmod(rest, int(_UNITS[unit]))
        text += f"{number}{unit}" if number else ""
    return text or "0s"
