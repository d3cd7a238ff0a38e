"""JSON, times, durations and tags as they look on the wire."""

import json
import math
import re
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from functools import lru_cache
from typing import Any, Final

type Json = dict[str, Any]

_MOST_DEPTH: Final = 64
_STRICT: Final = json.JSONEncoder(ensure_ascii=False, allow_nan=False)

UNLIMITED: Final = timedelta(days=10_675_199, hours=2, minutes=48, seconds=5, microseconds=477_580)
"""The longest duration of the service, which it shows where none was given."""

_UNLIMITED_TEXT = "P10675199DT2H48M5.4775807S"
_DURATION = re.compile(
    r"P(?:(?P<years>\d{1,5})Y)?(?:(?P<months>\d{1,6})M)?(?:(?P<days>\d{1,8})D)?"
    r"(?:T(?=\d)(?:(?P<hours>\d{1,9})H)?(?:(?P<minutes>\d{1,10})M)?"
    r"(?:(?P<seconds>\d{1,12}(?:\.\d{1,7})?)S)?)?"
)
_EPOCH = datetime(1, 1, 1, tzinfo=UTC)


def read_json(content: bytes) -> object:
    """
    Read JSON that can be printed again: in replies, and in the data folder.

    Raises:
        ValueError: It is not JSON, is nested too deep, or holds NaN, Infinity or half of a
            surrogate pair.
    """
    if _is_plain(content):
        return _DECODER.decode(content.decode())
    try:
        value = json.loads(content)
    except RecursionError:
        raise ValueError(f"nested more than {_MOST_DEPTH} deep") from None
    level = [value]
    for _ in range(_MOST_DEPTH):
        level = [
            item
            for parent in level
            if isinstance(parent, dict | list)
            for item in (parent.values() if isinstance(parent, dict) else parent)
        ]
    if level:
        raise ValueError(f"nested more than {_MOST_DEPTH} deep")
    try:
        _STRICT.encode(value).encode()
    except UnicodeEncodeError:
        raise ValueError("half of a surrogate pair is not a character") from None
    return value


def _is_plain(content: bytes) -> bool:
    """Whether JSON is surely not nested too deep and holds no half of a character; most JSON is so."""
    is_text = content.isascii() and b"\0" not in content and b"\\u" not in content
    return is_text and content.count(b"{") + content.count(b"[") <= _MOST_DEPTH


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is not a number that JSON can hold")
    return number


_DECODER: Final = json.JSONDecoder(parse_float=_finite, parse_constant=_finite)


def now() -> datetime:
    """Return the real time: clocks on the wire are never sped up."""
    return datetime.now(UTC)


def _seventh_digit(moment: datetime) -> int:
    # The service counts in units of 100 ns, Python in microseconds. A digit that is a function of
    # the time keeps the text at the service's length, and equal times equal.
    return moment.microsecond % 9 + 1


def print_time(moment: datetime) -> str:
    """Return ``moment`` as the service prints it, with seven decimals."""
    text = moment.isoformat(timespec="microseconds").removesuffix("+00:00")
    return f"{text}{_seventh_digit(moment)}Z"


def print_given_time(moment: datetime) -> str:
    """Return a time that a client gave as the service echoes it, without zeros at the end."""
    text = moment.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00")
    return f"{text.rstrip('0').rstrip('.')}Z"


def print_http_date(moment: datetime) -> str:
    """Return ``moment`` as a header has it, to the second."""
    return _print_second(moment.replace(microsecond=0))


@lru_cache
def parse_http_date(text: str) -> datetime:
    """
    Read the time in a header, in UTC if it names no zone.

    Raises:
        ValueError, OverflowError: It is not a time.
    """
    moment = parsedate_to_datetime(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


@lru_cache
def _print_second(moment: datetime) -> str:
    return format_datetime(moment, usegmt=True)


def print_etag(modified: datetime) -> str:
    """Return the tag of a resource, which is its time of change in units of 100 ns, in hex."""
    ticks = (modified - _EPOCH) // timedelta(microseconds=1) * 10 + _seventh_digit(modified)
    return f"0x{ticks:X}"


@lru_cache
def parse_duration(text: str) -> timedelta:
    """
    Read an ISO 8601 duration; as recorded, a year has 365 days and a month has 30.

    Raises:
        ValueError: It is something else, or longer than the service's longest duration.
    """
    if text == _UNLIMITED_TEXT:
        return UNLIMITED
    match = _DURATION.fullmatch(text)
    if match is None or text == "P":
        raise ValueError("not an ISO 8601 duration")
    given = {unit: float(number or 0) for unit, number in match.groupdict().items()}
    given["days"] += 365 * given.pop("years") + 30 * given.pop("months")
    duration = timedelta(**given)
    if duration > UNLIMITED:
        raise ValueError("longer than the longest duration")
    return duration


def print_duration(duration: timedelta) -> str:
    """Return ``duration`` in the service's normal form, e.g. ``PT5M`` for ``PT05M00S``."""
    if duration >= UNLIMITED:
        return _UNLIMITED_TEXT
    minutes, seconds = divmod(duration.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    fraction = f".{duration.microseconds:06d}".rstrip("0").rstrip(".")
    days = f"{duration.days}D" if duration.days else ""
    parts = (
        f"{hours}H" if hours else "",
        f"{minutes}M" if minutes else "",
        f"{seconds}{fraction}S" if seconds or fraction else "",
    )
    time = "".join(parts)
    if not days and not time:
        return "PT0S"
    return f"P{days}" + (f"T{time}" if time else "")
