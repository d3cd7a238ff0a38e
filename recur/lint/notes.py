"""What a note of lint is, and how often a schedule is due."""

import operator
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from itertools import chain, islice, pairwise

from orchestrator.ids import ScheduleId
from orchestrator.model import Recurrence
from orchestrator.timing.cron import exceptions, parse_cron
from orchestrator.timing.placement import EPOCH, minutes_of, placements
from orchestrator.timing.wall_times import counts, wall_times

_BEGIN = datetime(2027, 1, 1, tzinfo=UTC)  # a note must not depend on today's date
_LOOKED_AT = timedelta(days=732)  # a common year and a leap year, and from one to the next
_MOMENT = timedelta(seconds=1)
_LOOKED_AT_MOST = 200
_MINUTES_OF_DAY = 24 * 60
_YEAR = 365 * _MINUTES_OF_DAY
_LONGEST_QUOTE = 26

type KeyNote = tuple[Code, str, str]
"""Code, key and message of a note."""


class Code(StrEnum):
    """The notes that there are, explained in ``docs/schedules.md``."""

    SECONDS_FIELD = "seconds-field"
    DAY_OR_WEEKDAY = "day-or-weekday"
    DAY_AND_WEEKDAY = "day-and-weekday"
    SHORT_MONTHS = "short-months"
    RARE_DATE = "rare-date"
    UNEVEN_STEP = "uneven-step"
    STEP_OVER_FIELD = "step-over-field"
    NEVER_DUE = "never-due"
    ENDED = "ended"
    PAST_TIMES = "past-times"
    HOLIDAYS_OVER = "holidays-over"
    INTERVAL_DRIFTS = "interval-drifts"
    ANCHOR_AHEAD = "anchor-ahead"
    DST_UNUSED = "dst-unused"
    SHORT_PERIOD = "short-period"
    REPLACED_TOO_SOON = "replaced-too-soon"
    SHORT_START_TIMEOUT = "short-start-timeout"
    JITTER_CUT = "jitter-cut"
    CATCH_UP_STORM = "catch-up-storm"
    CATCH_UP_FIRST_ONLY = "catch-up-first-only"
    CATCH_UP_LAST_ONLY = "catch-up-last-only"
    WINDOW_UNDER_PERIOD = "window-under-period"
    TIMEOUT_OVER_PERIOD = "timeout-over-period"
    RETRY_TOO_LATE = "retry-too-late"
    EXIT_CODES_UNUSED = "exit-codes-unused"
    RELATIVE_SCRIPT = "relative-script"
    SHEBANG = "shebang"
    PERCENT_VARIABLE = "percent-variable"
    UNKNOWN_PACKAGE = "unknown-package"
    PACKAGE_VERSION = "package-version"
    LITERAL_VARIABLE = "literal-variable"
    SPOT_DEARER = "spot-dearer"
    SECRET = "secret"  # noqa: S105 - a code, and none itself


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """
    One thing that may not be meant.

    Attributes:
        code: Its kind.
        schedule: The table; None for ``[prices]``.
        key: The key in it.
        message: What it is, and what to do about it.
    """

    code: Code
    schedule: ScheduleId | None
    key: str
    message: str

    def __str__(self) -> str:
        """Return the place, the message and the code as one line."""
        table = f"schedules.{self.schedule}" if self.schedule else "prices"
        return f"[{table}]: {self.key}: {self.message} ({self.code})"


def key_note(code: Code, key: str, message: str) -> KeyNote:
    """Return a note on a key of whichever schedule; its message has at most 120 characters."""
    return code, key, message


def timing_key(recurrence: Recurrence) -> str:
    """Return the key of a schedule that says when it is due."""
    if recurrence.every:
        return "every"
    return "cron" if recurrence.cron else "at"


def quoted(text: str) -> str:
    """Quote a piece of the document, cut short so that a note stays one line."""
    return repr(text if len(text) <= _LONGEST_QUOTE else f"{text[:_LONGEST_QUOTE]}...")


@lru_cache(maxsize=1024)
def shortest_period(recurrence: Recurrence) -> timedelta | None:
    """
    Return the shortest time between two occurrences, changes of the clock left aside.

    Returns:
        To the minute, or a multiple of ``every``; None where no two fall within a year.
    """
    if recurrence.every and not recurrence.except_:
        return recurrence.every
    left_out = exceptions(recurrence.except_)
    before, shortest = None, _YEAR
    for number, minutes in _times_of_days(recurrence):
        times = minutes & ~left_out.on(_BEGIN.date() + timedelta(days=number))
        if not times:
            continue
        begin = number * _MINUTES_OF_DAY
        if before is not None:
            shortest = min(shortest, begin + (times & -times).bit_length() - 1 - before)
        shortest = min(shortest, _closest(times))
        before = begin + times.bit_length() - 1
    if shortest == _YEAR:
        return None
    period, every = timedelta(minutes=shortest), recurrence.every
    return every * max(1, round(period / every)) if every else period


def _times_of_days(recurrence: Recurrence) -> Iterator[tuple[int, int]]:
    """Yield the number of each day that has times, and these as bits."""
    if every := recurrence.every:
        anchor = recurrence.anchor or EPOCH
        for number in range(_LOOKED_AT.days):
            midnight = _BEGIN + timedelta(days=number)
            yield number, minutes_of(every, (anchor - midnight) % every)
        return
    expressions = [
        (_matched_days(one.split(maxsplit=2)[2]), parse_cron(one).times) for one in recurrence.cron
    ]
    read = wall_times(recurrence)
    single = {(day - _BEGIN.date()).days: operator.or_(*read.given(day)) for day in read.single}
    for number in sorted(frozenset(single).union(*(days for days, _ in expressions))):
        times = single.get(number, 0)
        if read.interval and not counts(read.interval, _BEGIN.date() + timedelta(days=number)):
            if times:
                yield number, times
            continue
        for days, minutes in expressions:
            times |= minutes if number in days else 0
        yield number, times


@lru_cache(maxsize=1024)
def _matched_days(fields: str) -> frozenset[int]:
    """Return the days that the last three fields of an expression match, counted from the first."""
    one, first = parse_cron(f"0 0 {fields}"), _BEGIN.date()
    return frozenset(n for n in range(_LOOKED_AT.days) if one.on(first + timedelta(days=n)))


@lru_cache(maxsize=4096)
def _closest(times: int) -> int:
    """Return the shortest distance between two bits; a year if there is but one."""
    return next((one for one in range(1, times.bit_length()) if times & times >> one), _YEAR)


def most_within(recurrence: Recurrence, window: timedelta, limit: int) -> int:
    """Return how many occurrences fall within a window at most, or ``limit`` if they are more."""
    together: deque[datetime] = deque()
    most = 0
    for instant in _plain_instants(recurrence):
        together.append(instant)
        while instant - together[0] >= window:
            together.popleft()
        most = max(most, len(together))
        if most >= limit:
            break
    return most


def _plain_instants(recurrence: Recurrence) -> Iterator[datetime]:
    plain = replace(recurrence, time_zone="UTC", end=None, at=())
    single = replace(plain, cron=(), every=None, at=recurrence.at)
    parts = [(plain, _BEGIN)]
    if recurrence.at:
        parts.append((single, min(recurrence.at).replace(tzinfo=UTC) - _MOMENT))
    found = [
        placements(part, after=begin, until=begin + _LOOKED_AT, excluded=False)
        for part, begin in parts
    ]
    return (one.nominal for one in chain(*found))


@lru_cache(maxsize=2048)
def usual_distance(recurrence: Recurrence) -> timedelta:
    """
    Return a time that at least two of five occurrences are apart from the next.

    Returns:
        Two years where there is one alone within these; nothing where there is none.
    """
    found = [*islice(_plain_instants(recurrence), _LOOKED_AT_MOST)]
    distances = sorted(later - earlier for earlier, later in pairwise(found))
    if not distances:
        return _LOOKED_AT if found else timedelta()
    return distances[len(distances) * 3 // 5]
