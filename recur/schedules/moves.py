"""Occurrences that a change of holidays moves over the present: they would be lost, or run twice."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Final

from orchestrator.document.parse import Document
from orchestrator.ids import ScheduleId
from orchestrator.model import Recurrence
from orchestrator.timing.holidays import FARTHEST
from orchestrator.timing.wall_times import WallTimes, bits, wall_times
from orchestrator.timing.zones import parse_zone
from recur.errors import CliError, Exit
from recur.output import Printer

_A_DAY: Final = timedelta(days=1)
_MINUTES: Final = 60
_MOST_NAMED: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """
    An occurrence that a new document moves over the present.

    Attributes:
        origin: The wall time that ``cron`` or ``at`` gives it.
        to: The wall time at which it is under the new document.
        again: Whether it has been decided already and comes once more; else it is lost.
    """

    schedule: ScheduleId
    origin: datetime
    to: datetime
    again: bool

    def __str__(self) -> str:
        """Return what becomes of it, in one line."""
        what = f"{self.schedule} of {self.origin:%Y-%m-%d %H:%M} moves to {self.to:%Y-%m-%d %H:%M}"
        if self.again:
            return f"{what}: it was decided under the old document, and will run again"
        return f"{what}, which is in the past: it will not run"


def moves_over_now(before: Document | None, after: Document, now: datetime) -> tuple[Move, ...]:
    """
    Return what a change of holidays moves into the past, and what it brings once more.

    Args:
        before: The document in force.
        after: The new one.
        now: From when on it counts.
    """
    old = before.schedules if before else {}
    found: list[Move] = []
    for id_, schedule in after.schedules.items():
        there = old[id_].recurrence if id_ in old else None
        if schedule.recurrence != there:
            found += _moves(id_, there, schedule.recurrence, now)
    return tuple(found)


def confirm_moves(output: Printer, moves: Sequence[Move], *, accepted: bool) -> None:
    """
    Name such moves, and ask whether they are meant.

    Raises:
        CliError: The answer is no, or there is nobody to ask.
    """
    for line in _lines(moves):
        output.say(line)
    if not moves or accepted:
        return
    if output.as_json or not sys.stdin.isatty():
        raise CliError(
            Exit.USAGE,
            f"a change of holidays moves {len(moves)} occurrence(s) from the past to the future or back: "
            f"{'; '.join(_lines(moves))}; nothing was applied",
            "add --moved to accept this, or apply the document before or after these times",
        )
    if not output.confirm(
        f"{len(moves)} occurrence(s) move from the past to the future or back: apply the document?"
    ):
        raise CliError(Exit.FOUND, "nothing was applied")


def _lines(moves: Sequence[Move]) -> list[str]:
    more = [f"and {len(moves) - _MOST_NAMED} more"] if len(moves) > _MOST_NAMED else []
    return [*map(str, moves[:_MOST_NAMED]), *more]


def _moves(
    id_: ScheduleId, before: Recurrence | None, after: Recurrence, now: datetime
) -> Iterator[Move]:
    """Yield such moves of one schedule: no day moves farther than 31 days."""
    old, new = _read(before), _read(after)
    if new is None or not (new.working or (old and old.working)):
        return
    zone = parse_zone(after.time_zone)

    def is_over(wall: datetime) -> bool:
        return wall.replace(tzinfo=zone).astimezone(UTC) <= now

    today = now.astimezone(zone).date()
    for n in range(-FARTHEST - 1, FARTHEST + 2):
        day = today + n * _A_DAY
        was, will = (_target(old, day) if old else None), _target(new, day)
        if will is None or was == will:
            continue
        given = _times(old, day) if old else 0
        for minute in bits(_times(new, day) & ~new.left_out.on(will)):
            there = bool(given >> minute & 1) and was is not None
            origin, to = _wall(day, minute), _wall(will, minute)
            decided = there and is_over(_wall(was or day, minute))
            move = Move(schedule=id_, origin=origin, to=to, again=decided)
            awaited = not decided and not is_over(_wall(was or day, minute))
            if (awaited and will != day and is_over(to)) or (
                decided and not is_over(to) and not _due_anyway(new, day, will, minute)
            ):
                yield move


def _read(recurrence: Recurrence | None) -> WallTimes | None:
    if recurrence is None or recurrence.every:
        return None
    return wall_times(replace(recurrence, end=None))


def _times(read: WallTimes, day: date) -> int:
    """Return the times that a day has before anything moves, without what ``except`` leaves out."""
    fixed, wild = read.given(day)
    return (fixed | wild) & ~read.left_out.on(day)


def _target(read: WallTimes, day: date) -> date | None:
    """Return the day at which a day's occurrences are; None if they are skipped."""
    if read.working is None or not read.working.holiday(day):
        return day
    return read.working.target(day)


def _due_anyway(read: WallTimes, day: date, will: date, minute: int) -> bool:
    """Whether another occurrence falls where one moves to: then it brings no run of its own."""
    return will != day and bool(_times(read, will) >> minute & 1)


def _wall(day: date, minute: int) -> datetime:
    return datetime(day.year, day.month, day.day, *divmod(minute, _MINUTES))  # noqa: DTZ001 - wall time has no zone
