"""The times of a day in words: ``at 02:00``, ``every 15 min from 09:00 to 17:45``."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from orchestrator.timing.wall_times import bits
from recur.description.joined_text import joined, ranges, step_of

_HOUR: Final = 60
_DAY: Final = 24 * _HOUR
WHOLE_DAY: Final = (1 << _DAY) - 1
"""All minutes of a day, as bits."""

_FEW: Final = 4
"""So many times are always named one by one."""

_SOME: Final = 8
"""So many are named one by one where they are not equally far apart."""

_UNITS: Final = (("d", "day", _DAY * 60), ("h", "hour", _HOUR * 60), ("min", "minute", 60))


def every_text(length: timedelta) -> str:
    """Return an interval, exact to the second: ``every hour``, ``every 1 d 1 h 30 min``."""
    left = int(length.total_seconds())
    parts: list[tuple[int, str, str]] = []
    for short, name, seconds in _UNITS:
        count, left = divmod(left, seconds)
        parts.append((count, short, name))
    parts.append((left, "s", "second"))
    given = [one for one in parts if one[0]]
    if [count for count, _, _ in given] == [1]:
        return f"every {given[0][2]}"
    return "every " + " ".join(f"{count} {short}" for count, short, _ in given)


def times_text(times: int) -> str | None:
    """
    Return the times of a day in words.

    Args:
        times: Its minutes, as bits; at least one.

    Returns:
        None where they are too irregular for one phrase. Those of one expression never are: each
        of its hours has the same minutes.
    """
    minutes = list(bits(times))
    if len(minutes) <= _FEW:
        return f"at {joined([_clock(one) for one in minutes])}"
    step = step_of(minutes)
    if step is not None:
        return _stepped(minutes, step)
    if len(minutes) <= _SOME:
        return f"at {joined([_clock(one) for one in minutes])}"
    return _by_hours(minutes)


def _stepped(minutes: Sequence[int], step: int) -> str:
    """Return times that are equally far apart."""
    first, last = minutes[0], minutes[-1]
    every = every_text(timedelta(minutes=step))
    if last + step - _DAY != first:
        return f"{every} from {_clock(first)} to {_clock(last)}"
    if first == 0:
        return every
    if step == _HOUR:
        return f"{every} at :{first:02}"
    return f"{every} from {_clock(first)} to {_clock(last)}"


def _by_hours(minutes: Sequence[int]) -> str | None:
    """Return times as the minutes of some hours; None where the hours differ."""
    of_hour = sorted({one % _HOUR for one in minutes})
    hours = sorted({one // _HOUR for one in minutes})
    if len(of_hour) * len(hours) != len(minutes):
        return None
    return f"{_minutes(of_hour)} of {_hours(hours)}"


def _minutes(of_hour: Sequence[int]) -> str:
    step = step_of(of_hour)
    if step is not None and len(of_hour) > _FEW:
        every = every_text(timedelta(minutes=step))
        if of_hour[0] == 0 and of_hour[-1] + step == _HOUR:
            return every
        return f"{every} from :{of_hour[0]:02} to :{of_hour[-1]:02}"
    return f"at {joined(ranges(of_hour, lambda one: f':{one:02}'))}"


def _hours(hours: Sequence[int]) -> str:
    if len(hours) * _HOUR == _DAY:
        return "every hour"
    return f"the hour{'s' * (len(hours) > 1)} {joined(ranges(hours))}"


def _clock(minute: int) -> str:
    return f"{minute // _HOUR:02}:{minute % _HOUR:02}"
