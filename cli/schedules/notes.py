"""What a note of lint is, and how often a schedule is due."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import islice, pairwise

from orchestrator.instants import placements
from orchestrator.model import Calendar
from orchestrator.words import ScheduleId

_SAMPLE = 100
_YEAR = timedelta(days=366)
_BEGIN = datetime(2027, 1, 1, tzinfo=UTC)  # any day does: a note must not depend on today's


type Found = tuple[Code, str, str]
"""Code, key and message of a note."""


class Code(StrEnum):
    """The notes that there are, explained in ``docs/schedules.md``."""

    SECONDS_FIELD = "seconds-field"
    DAY_OR_WEEKDAY = "day-or-weekday"
    DAY_AND_WEEKDAY = "day-and-weekday"
    SHORT_MONTHS = "short-months"
    RARE_DATE = "rare-date"
    NEVER_DUE = "never-due"
    INTERVAL_DRIFTS = "interval-drifts"
    DST_UNUSED = "dst-unused"
    SHORT_PERIOD = "short-period"
    JITTER_CUT = "jitter-cut"
    CATCH_UP_STORM = "catch-up-storm"
    CATCH_UP_FIRST_ONLY = "catch-up-first-only"
    CATCH_UP_LAST_ONLY = "catch-up-last-only"
    WINDOW_UNDER_PERIOD = "window-under-period"
    TIMEOUT_OVER_PERIOD = "timeout-over-period"
    RETRY_TOO_LATE = "retry-too-late"
    EXIT_CODES_UNUSED = "exit-codes-unused"
    SECRET = "secret"  # noqa: S105 - a code, and none itself


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """
    One thing that may not be meant.

    Attributes:
        code: Its kind.
        schedule: The table.
        key: The key in it.
        message: What it is, and what to do about it.
    """

    code: Code
    schedule: ScheduleId
    key: str
    message: str

    def __str__(self) -> str:
        """Return the place, the message and the code as one line."""
        return f"[schedules.{self.schedule}]: {self.key}: {self.message} ({self.code})"


def note(code: Code, key: str, message: str) -> Found:
    """Return a note on a key of whichever schedule."""
    return code, key, message


def shortest_period(calendar: Calendar) -> timedelta | None:
    """
    Return the shortest time between two occurrences, changes of the clock left aside.

    Returns:
        None where no two fall within a year.
    """
    if calendar.every and not calendar.except_:
        return calendar.every
    plain = replace(calendar, time_zone="UTC")
    found = placements(plain, after=_BEGIN, until=_BEGIN + _YEAR, excluded=False)
    instants = [one.nominal for one in islice(found, _SAMPLE)]
    return min((later - earlier for earlier, later in pairwise(instants)), default=None)


def span(duration: timedelta) -> str:
    """Return a duration as people say it, to two units."""
    rest = round(duration.total_seconds())
    words: list[str] = []
    for size, name in ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second")):
        number, rest = divmod(rest, size)
        if number:
            words.append(f"{number} {name}{'s' * (number > 1)}")
    return " ".join(words[:2]) or "no time"
