"""When a schedule runs next, and what pauses it until then, in lines below its name: pure."""

from collections.abc import Iterator, Sequence
from datetime import datetime, tzinfo

from orchestrator.model import Pause, Schedule
from orchestrator.timing.zones import parse_zone
from recur.formats import local
from recur.schedules.upcoming import next_run


def next_lines(
    schedule: Schedule,
    now: datetime,
    count: int,
    *,
    pauses: Sequence[Pause] = (),
    zone: tzinfo | None = None,
) -> Iterator[str]:
    """
    Yield the pauses in force, then the next times at which a schedule runs.

    Args:
        schedule: Its table.
        now: After when.
        count: How many times to give.
        pauses: Of the schedule.
        zone: Of all times; None: the schedule's.
    """
    zone = zone or parse_zone(schedule.recurrence.time_zone)
    if schedule.paused:
        yield "paused by the document: nothing runs before one without paused = true is applied"
        return
    held = [one for one in pauses if one.until is None or now < one.until]
    yield from (_pause_line(one, zone) for one in held)
    times: list[datetime] = []
    after = now
    while len(times) < count and (found := next_run(schedule, after, held)):
        times.append(found)
        after = found
    if times:
        yield f"next: {', '.join(local(one, zone) for one in times)}"
    elif any(one.until is None for one in held):
        yield f"nothing runs before `recur resume {schedule.id}`"


def _pause_line(pause: Pause, zone: tzinfo) -> str:
    until = f" until {local(pause.until, zone)}" if pause.until else ""
    return f"paused{until} by {pause.by}" + (f": {pause.note}" if pause.note else "")
