"""The occurrences to come, with what changes of the clock, exceptions and pauses make of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import islice

from orchestrator.enums import Fold, Gap
from orchestrator.model import Pause, Recurrence, Schedule
from orchestrator.timing.occurrences import HORIZON, search_begin
from orchestrator.timing.placement import Placement, placements
from orchestrator.timing.zones import parse_zone

_MOMENT = timedelta(seconds=1)
_MOST_DAYS = 3  # that a note names one by one


@dataclass(frozen=True, slots=True, kw_only=True)
class Upcoming:
    """
    One line of what is to come.

    Attributes:
        wall: What the zone's clock shows, or would show if the time existed.
        offset: From UTC at that moment; None for a wall time that does not exist.
        at: The instant; that of the change where the wall time does not exist.
        nominal: The same; None where there is no occurrence at all.
        runs: Whether nothing keeps it from running.
        notes: What is to be said of it.
    """

    wall: datetime
    offset: timedelta | None
    at: datetime
    nominal: datetime | None
    runs: bool
    notes: tuple[str, ...] = ()


def upcoming(
    schedule: Schedule,
    after: datetime,
    *,
    pauses: Sequence[Pause] = (),
    until: datetime | None = None,
) -> Iterator[Upcoming]:
    """
    Yield the occurrences of a schedule after an instant, oldest first.

    Wall times that a change of the clock leaves out, and that the schedule does not make up for,
    have a line of their own, which is no occurrence.

    Args:
        schedule: Its table.
        after: Exclusive.
        pauses: Those in force.
        until: Inclusive; None: nine years on, or from single times that lie beyond.
    """
    begin = _begin(schedule, after)
    if until is None:
        begin = search_begin(schedule.recurrence, begin)
    end = until or begin + HORIZON
    zone = parse_zone(schedule.recurrence.time_zone)
    everything = replace(schedule.recurrence, gap=Gap.SHIFT, fold=Fold.BOTH)
    found = placements(schedule.recurrence, after=begin, until=end)
    one = next(found, None)
    for whole in placements(everything, after=begin, until=end):
        mine = one if one and one.nominal == whole.nominal else None
        local = whole.nominal.astimezone(zone)
        left_out = [wall for wall in whole.walls if wall != _without_zone(local)]
        left_out = [wall for wall in left_out if not mine or wall not in mine.walls]
        if left_out and whole.exists and not whole.excluded:
            yield _nothing(left_out, whole.nominal)
        if mine:
            yield _upcoming_line(mine, local, schedule, pauses)
            one = next(found, None)


def next_due(schedule: Schedule, after: datetime, count: int) -> list[datetime]:
    """Return the next instants at which a schedule is due and ``except`` does not leave it out."""
    begin = search_begin(schedule.recurrence, _begin(schedule, after))
    found = placements(schedule.recurrence, after=begin, until=begin + HORIZON, excluded=False)
    return list(islice((one.nominal for one in found if one.exists), count))


def next_run(schedule: Schedule, after: datetime, pauses: Sequence[Pause]) -> datetime | None:
    """Return the next instant at which a schedule is due and not paused; None if it is not known."""
    if schedule.paused:
        return None
    while at := next(iter(next_due(schedule, after, 1)), None):
        held = [one for one in pauses if one.holds(at)]
        if not held:
            return at
        if any(one.until is None for one in held):
            return None
        after = max(one.until for one in held if one.until) - _MOMENT
    return None


def _begin(schedule: Schedule, after: datetime) -> datetime:
    """Return the instant after which a schedule is due: its start may be an occurrence itself."""
    return max(after, schedule.start - _MOMENT) if schedule.start else after


def first_occurrences(lines: Iterator[Upcoming], count: int) -> Iterator[Upcoming]:
    """Yield lines up to the given number of occurrences."""
    seen = 0
    while seen < count and (line := next(lines, None)):
        seen += line.nominal is not None
        yield line


def _upcoming_line(
    one: Placement, local: datetime, schedule: Schedule, pauses: Sequence[Pause]
) -> Upcoming:
    """Say of one occurrence where it comes from and what keeps it from running."""
    if not one.exists:
        note = f"{_walls(one.walls)} not exist: skipped(nonexistent)"
        return Upcoming(
            wall=one.walls[0],
            offset=None,
            at=one.nominal,
            nominal=one.nominal,
            runs=False,
            notes=(note,),
        )
    notes = [*_of_clock(one, local, schedule.recurrence)]
    if one.excluded:
        notes.append("excluded")
    if one.holiday:
        notes.append("holiday")
    notes += _of_moves(one)
    paused = pause_notes(schedule, [pause for pause in pauses if pause.holds(one.nominal)])
    return Upcoming(
        wall=_without_zone(local),
        offset=local.utcoffset(),
        at=one.nominal,
        nominal=one.nominal,
        runs=not (one.excluded or one.holiday or paused),
        notes=(*notes, *paused),
    )


def placement_notes(recurrence: Recurrence, nominal: datetime) -> tuple[str, ...]:
    """Say of an occurrence what changes of the clock and holidays made of it."""
    placed = next(placements(recurrence, after=nominal - _MOMENT, until=nominal), None)
    if placed is None or not placed.exists:
        return ()
    local = nominal.astimezone(parse_zone(recurrence.time_zone))
    return (*_of_clock(placed, local, recurrence), *_of_moves(placed))


def _of_clock(one: Placement, local: datetime, recurrence: Recurrence) -> Iterator[str]:
    """Yield what a change of the clock made of an occurrence."""
    here = _without_zone(local)
    shifted = [wall for wall in one.walls if wall != here]
    if shifted:
        text = ", ".join(f"{wall:%H:%M}" for wall in shifted)
        yield f"{'with' if here in one.walls else 'shifted from'} {text}"
    other = here.replace(tzinfo=local.tzinfo, fold=1 - local.fold).astimezone(UTC)
    if recurrence.every or other == one.nominal or here not in one.walls:
        return
    both = any(placements(recurrence, after=other - _MOMENT, until=other))
    this, that = ("second", "first") if local.fold else ("first", "second")
    yield f"{this} {here:%H:%M}" if both else f"{that} {here:%H:%M} suppressed"


def _of_moves(one: Placement) -> Iterator[str]:
    """Yield from which holidays an occurrence moved here."""
    days = sorted({wall.date() for wall in one.moved_from})
    if not days:
        return
    others = one.merged > len(one.moved_from)
    shown = ", ".join(map(str, days))
    if len(days) > _MOST_DAYS:
        shown = f"{len(days)} days from {days[0]} to {days[-1]}"
    yield f"{'with that of' if others else 'moved from'} {shown}"


def pause_notes(schedule: Schedule, held: Sequence[Pause]) -> list[str]:
    """Say of pauses that hold by whom they are and until when; that of the document comes last."""
    paused = [_of_pause(pause) for pause in held]
    return [*paused, *(["paused by the document"] if schedule.paused else [])]


def _of_pause(pause: Pause) -> str:
    until = f" until {pause.until:%Y-%m-%d %H:%MZ}" if pause.until else ""
    return f"paused{until} by {pause.by}" + (f": {pause.note}" if pause.note else "")


def _nothing(left_out: Sequence[datetime], change: datetime) -> Upcoming:
    """Return the line of wall times at which nothing happens."""
    note = f"{_walls(left_out)} not exist"
    return Upcoming(
        wall=left_out[0], offset=None, at=change, nominal=None, runs=False, notes=(note,)
    )


def _walls(walls: Sequence[datetime]) -> str:
    """Return the subject of a sentence about wall times, with its verb."""
    if len(walls) == 1:
        return f"{walls[0]:%H:%M} does"
    return f"{len(walls)} wall times from {walls[0]:%H:%M} to {walls[-1]:%H:%M} do"


def _without_zone(local: datetime) -> datetime:
    return local.replace(tzinfo=None, fold=0)
