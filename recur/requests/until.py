"""When a pause is to end: at a time, or so long from now on."""

import re
from datetime import datetime, timedelta, tzinfo
from typing import Final

from pydantic import TypeAdapter, ValidationError

from orchestrator.document.types import Every
from recur.errors import CliError, Exit
from recur.times import parse_time

_LENGTH: Final[TypeAdapter[timedelta]] = TypeAdapter(Every)
_MEANT_AS_LENGTH: Final = re.compile(r"P.*|.*[smhd]")
_HOW: Final = "30m, 2h, 1d or PT2H for so long from now on"


def parse_until(text: str, zone: tzinfo | None, now: datetime) -> datetime:
    """
    Return the instant that ``text`` names, in UTC.

    Args:
        text: A time as in ``recur.times``, or a duration as in the schedule document.
        zone: Of wall times; None if it is not known.
        now: From when on a duration counts.

    Raises:
        CliError: It is neither, or has passed.
    """
    end = now.replace(microsecond=0) + length if (length := _length(text)) else _time(text, zone)
    if end <= now:
        raise CliError(
            Exit.USAGE,
            f"--until {text} has passed: it is {now:%Y-%m-%dT%H:%M:%SZ}",
            "name a time in the future, or none for a pause without an end",
        )
    return end


def _length(text: str) -> timedelta | None:
    """Return a duration; None for what is not meant as one."""
    if not _MEANT_AS_LENGTH.fullmatch(text):
        return None
    try:
        return _LENGTH.validate_python(text)
    except ValidationError as error:
        why = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise CliError(Exit.USAGE, f"--until {text!r} {why}", f"write {_HOW}, or a time") from error


def _time(text: str, zone: tzinfo | None) -> datetime:
    try:
        return parse_time(text, zone, name="--until")
    except CliError as error:
        raise CliError(error.code, error.message, f"{error.next_step}; or {_HOW}") from error
