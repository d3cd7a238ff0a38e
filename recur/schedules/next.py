"""`recur next`: when a schedule is due, also where clocks change, also under another policy."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from orchestrator.model import Schedule
from orchestrator.timing.zones import parse_zone
from recur.app import Context
from recur.errors import CliError, Exit
from recur.output import Output
from recur.schedules.coming import Coming, coming, occurrences
from recur.schedules.compare import compared, next_difference, policy
from recur.schedules.source import Source, find_schedule
from recur.tables import show_table
from recur.times import parse_time

NOTHING = "-"
_MINUTES = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is asked for: the arguments of `recur next`."""

    schedule: str
    count: int
    file: Path | None
    begin: str | None
    compare: str | None


def show_next(given: Context, wanted: Wanted) -> Exit:
    """
    Show the next occurrences of a schedule.

    Returns:
        FOUND if there is none within nine years.

    Raises:
        CliError: There is no such schedule, or a time or a policy cannot be read.
    """
    other = policy(wanted.compare) if wanted.compare else None
    source = find_schedule(given, wanted.schedule, wanted.file)
    zone = parse_zone(source.schedule.recurrence.time_zone)
    begin = parse_time(wanted.begin, zone, name="--from") if wanted.begin else source.now
    after = begin - timedelta(seconds=1) if wanted.begin else begin
    lines = list(occurrences(coming(source.schedule, after, pauses=source.pauses), wanted.count))
    for doubt in source.doubts:
        given.output.say(f"not taken into account: {doubt}")
    if not any(one.nominal for one in lines):
        raise CliError(
            Exit.FOUND,
            f"schedule {wanted.schedule!r} is not due within nine years",
            "look at its cron, every, except and start, and at recur validate",
        )
    if other:
        changed = replace(source.schedule, recurrence=other.on(source.schedule.recurrence))
        _compare(given.output, source, changed, begin, after, lines, other.text)
    else:
        _show(given.output, source, begin, lines)
    return Exit.DONE


def _show(output: Output, source: Source, begin: datetime, lines: Sequence[Coming]) -> None:
    rows = [(*_cells(one), "; ".join(one.notes)) for one in lines]
    show_table(output, ("WALL TIME", "OFFSET", "UTC", "NOTE"), rows)
    output.result(
        {**_heading(source.schedule, begin), "occurrences": [_told(one) for one in lines]}
    )


def _compare(  # noqa: PLR0913, PLR0917 - both sides and what they have in common
    output: Output,
    source: Source,
    changed: Schedule,
    begin: datetime,
    after: datetime,
    lines: Sequence[Coming],
    text: str,
) -> None:
    """Show two policies side by side, over the time that the first one's lines take."""
    until = max(one.nominal for one in lines if one.nominal)
    others = list(coming(changed, after, pauses=source.pauses, until=until))
    pairs = list(compared(lines, others))
    rows = [
        ("*" if pair.differs else "", *_cells(pair.either), _side(pair.here), _side(pair.there))
        for pair in pairs
    ]
    show_table(output, ("", "WALL TIME", "OFFSET", "UTC", "AS IT IS", text.upper()), rows)
    later = None
    if not any(pair.differs for pair in pairs):
        later = next_difference(source.schedule, changed, until)
        when = later.astimezone(parse_zone(source.schedule.recurrence.time_zone)) if later else None
        output.say(
            f"no difference here; the next is at {when:%Y-%m-%d %H:%M%:z}"
            if when
            else "no difference here, nor within two years"
        )
    output.result(
        {
            **_heading(source.schedule, begin),
            "compared_with": text,
            "rows": [
                {
                    "differs": pair.differs,
                    "here": _told(pair.here) if pair.here else None,
                    "there": _told(pair.there) if pair.there else None,
                }
                for pair in pairs
            ],
            "next_difference": later,
        }
    )


def _heading(schedule: Schedule, begin: datetime) -> dict[str, Any]:
    return {
        "schedule": schedule.id,
        "time_zone": schedule.recurrence.time_zone,
        "from": begin,
    }


def _told(one: Coming) -> dict[str, Any]:
    return {
        "wall": one.wall.isoformat(),
        "offset": spelt_offset(one.offset),
        "utc": one.nominal,
        "runs": one.runs,
        "notes": list(one.notes),
    }


def _cells(one: Coming) -> tuple[str, str, str]:
    """Return wall time, offset and instant for people; seconds only where there are some."""
    form = "%Y-%m-%d %H:%M:%S" if one.wall.second else "%Y-%m-%d %H:%M"
    utc = f"{one.nominal:{form}}Z" if one.nominal else NOTHING
    return f"{one.wall:{form}}", spelt_offset(one.offset) or NOTHING, utc


def _side(one: Coming | None) -> str:
    if one is None:
        return NOTHING
    return "; ".join(one.notes) or "runs"


def spelt_offset(offset: timedelta | None) -> str | None:
    """Return an offset from UTC as ISO 8601 has it; None for None."""
    if offset is None:
        return None
    minutes = round(offset.total_seconds() / _MINUTES)
    hours, rest = divmod(abs(minutes), _MINUTES)
    return f"{'-' if minutes < 0 else '+'}{hours:02}:{rest:02}"
