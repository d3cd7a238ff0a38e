"""What a schedule has at an instant and around it, and what the clock's changes made of it."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from itertools import islice
from typing import Final

from orchestrator.enums import Fold, Gap
from orchestrator.model import Occurrence, Recurrence, Timing
from orchestrator.timing.holidays import working_days
from orchestrator.timing.occurrences import HORIZON, following, in_force, occurrences_of
from orchestrator.timing.placement import Placement, placements
from orchestrator.timing.wall_times import wall_times
from orchestrator.timing.zones import parse_zone
from recur.times import after_gap

_SECOND: Final = timedelta(seconds=1)
_FIRST_SPAN: Final = timedelta(hours=1)


def occurrence_at(timings: tuple[Timing, ...], instant: datetime) -> Occurrence | None:
    """Return the occurrence of this very second; None if there is none."""
    found = list(occurrences_of(timings, after=instant - _SECOND, until=instant))
    return found[-1] if found else None


def lies_within(
    timings: tuple[Timing, ...], instant: datetime, *, first: datetime, count: int
) -> bool:
    """Tell whether an instant is among so many occurrences, of which the first is known."""
    if instant < first:
        return False
    found = islice(occurrences_of(timings, after=first - _SECOND, until=instant), count + 1)
    return sum(1 for _ in found) <= count


def occurrence_before(timings: tuple[Timing, ...], instant: datetime) -> datetime | None:
    """Return the nominal time of the newest occurrence before an instant."""
    end, span = instant - _SECOND, _FIRST_SPAN
    while end > timings[0].since:
        begin = max(end - span, timings[0].since)
        newest = None
        for one in occurrences_of(timings, after=begin, until=end):
            newest = one.nominal
        if newest:
            return newest
        end, span = begin, span * 4
    return None


def occurrence_after(timings: tuple[Timing, ...], instant: datetime) -> datetime | None:
    """
    Return the nominal time of the next occurrence after an instant.

    None if there is none within nine years, single times that run aside.
    """
    begin, span = instant, _FIRST_SPAN
    while begin < instant + HORIZON:
        end = begin + span
        found = next(occurrences_of(timings, after=begin, until=end), None)
        if found:
            return found.nominal
        begin, span = end, span * 4
    return following(timings, instant)


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """
    What a change of the clock made of a wall time.

    Attributes:
        instant: The instant to look at.
        note: What the clock did, in one sentence; None where it did nothing.
    """

    instant: datetime
    note: str | None = None


def on_the_wall(timings: tuple[Timing, ...], wall: datetime) -> list[Clock]:
    """
    Return the instants that a naive wall time of a schedule's zone names, one or two.

    A wall time that a change of the clock leaves out names the first instant after the change,
    where what was shifted runs.
    """
    recurrence = recurrence_at(timings, wall)
    if recurrence is None:
        return [Clock(instant=wall.replace(tzinfo=UTC))]
    zone = parse_zone(recurrence.time_zone)
    first = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    second = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    if _wall_time(first, zone) != wall:
        change = after_gap(second, first, zone)
        return [Clock(instant=change, note=_left_out(recurrence, wall, change, zone))]
    if first == second:
        return [Clock(instant=first)]
    note = f"The clock goes back on that day: {wall:%H:%M} happens twice in {zone}."
    return [Clock(instant=first, note=note), Clock(instant=second, note=note)]


def suppressed(timings: tuple[Timing, ...], instant: datetime) -> str | None:
    """Say that an instant without an occurrence is the half of a repeated hour that is left out."""
    recurrence = in_force(timings, instant).recurrence
    if recurrence is None or _placed(recurrence, instant):
        return None
    if _placed(replace(recurrence, fold=Fold.BOTH), instant) is None:
        return None
    zone = parse_zone(recurrence.time_zone)
    wall = _wall_time(instant, zone)
    both = [wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)]
    which, other = ("second", both[0]) if instant == both[1] else ("first", both[1])
    return (
        f"The clock goes back on that day, and {wall:%H:%M} happens twice. The schedule does not "
        f"run at the {which} one, but at the other, {other.astimezone(zone).isoformat()} "
        f"(dst.overlap = {recurrence.fold})."
    )


def came_from(timings: tuple[Timing, ...], instant: datetime) -> str | None:
    """Say from which wall times an occurrence comes, where that is not simply its own."""
    recurrence = in_force(timings, instant).recurrence
    if recurrence is None or recurrence.every:
        return None
    placed, zone = _placed(recurrence, instant), parse_zone(recurrence.time_zone)
    if placed is None or placed.walls in {(), (_wall_time(instant, zone),)}:
        return None
    walls = ", ".join(f"{wall:%H:%M}" for wall in placed.walls)
    if not placed.exists:
        return f"{walls} of {placed.walls[0]:%Y-%m-%d} did not happen in {zone}."
    return f"The clock goes forward: occurrences at {walls} run at this instant."


def moved_here(timings: tuple[Timing, ...], instant: datetime) -> str | None:
    """Say from which holidays an occurrence moved to an instant; None if none did."""
    recurrence = in_force(timings, instant).recurrence
    placed = _placed(recurrence, instant) if recurrence else None
    if placed is None or not placed.moved_from:
        return None
    shown = ", ".join(f"{wall:%Y-%m-%d %H:%M}" for wall in placed.moved_from)
    return f"The occurrence on a holiday, {shown}, moves to this instant."


def on_holiday(recurrence: Recurrence | None, day: date) -> str | None:
    """Say of a wall date that it is a holiday, and what happens to its occurrences."""
    if recurrence is None or recurrence.holidays is None:
        return None
    rule = working_days(recurrence.holidays)
    if not rule.holiday(day) or not any(wall_times(recurrence).given(day)):
        return None
    target, names = rule.target(day), ", ".join(recurrence.holidays.calendars)
    becomes = f"move to {target:%A}, {target}" if target else "are skipped"
    return f"{day} is a holiday ({names}): its occurrences {becomes}."


def _left_out(recurrence: Recurrence, wall: datetime, change: datetime, zone: tzinfo) -> str:
    """Say what became of a wall time that does not exist."""
    there = f"{wall:%Y-%m-%d %H:%M} does not exist in {zone}: the clock goes forward to"
    sentence = f"{there} {change.astimezone(zone).isoformat()}"
    placed = _placed(recurrence, change)
    if placed and wall in placed.walls:
        became = "moved to that time" if placed.exists else "skipped (nonexistent)"
        return f"{sentence}, and its occurrence is {became}."
    shifted = _placed(replace(recurrence, gap=Gap.SHIFT), change)
    if shifted and wall in shifted.walls:
        return f"{sentence}, and its occurrence is skipped (dst.gap = {recurrence.gap})."
    return f"{sentence}."


def _placed(recurrence: Recurrence, instant: datetime) -> Placement | None:
    return next(placements(recurrence, after=instant - _SECOND, until=instant), None)


def recurrence_at(timings: tuple[Timing, ...], wall: datetime) -> Recurrence | None:
    """Return the recurrence in force at a wall time of its own zone, or failing that the nearest."""
    found = None
    for timing in timings:
        if timing.recurrence is None:
            continue
        zone = parse_zone(timing.recurrence.time_zone)
        if found is None or timing.since < wall.replace(tzinfo=zone):
            found = timing.recurrence
    return found


def _wall_time(instant: datetime, zone: tzinfo) -> datetime:
    return instant.astimezone(zone).replace(tzinfo=None, fold=0)
