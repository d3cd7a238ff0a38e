"""A description as text on a terminal, and as JSON for programs."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime, tzinfo
from typing import Any, Final

from rich.text import Text

from orchestrator.decisions.last_words import escape_controls
from orchestrator.enums import Outcome
from orchestrator.timing.zones import parse_zone
from recur.about import about_json, about_lines
from recur.description.history import DAYS
from recur.description.value import (
    AppliedVersion,
    Description,
    Figures,
    Lengths,
    OpenRunStatus,
    PastOccurrence,
    Presence,
)
from recur.folding import folded
from recur.formats import NOTHING, age, ago, iso_offset, local, short_duration
from recur.output import Printer
from recur.schedules.upcoming import Upcoming
from recur.state_cells import in_colour
from recur.status.value import PauseStatus, ScheduleStatus, State
from recur.tables import Column, show_table

_NAME_WIDTH: Final = 22
_NARROW: Final = 60
"""On a terminal of fewer cells, what is said of a name stands below it."""

_COMING: Final = (
    Column(name="NOMINAL", rank=0),
    Column(name="IN", rank=2),
    Column(name="NOTE", rank=1, prose=True),
)
_PAST: Final = (
    Column(name="NOMINAL", rank=0),
    Column(name="STATE", rank=1, prose=True),
    Column(name="REASON", rank=2, prose=True),
    Column(name="LATE", rank=5),
    Column(name="TOOK", rank=4),
    Column(name="NOTE", rank=3, prose=True),
    Column(name="RUN", rank=6),
)
_OPEN: Final = (
    Column(name="RUN", rank=0),
    Column(name="STATE", rank=1, prose=True),
    Column(name="SINCE", rank=2),
    Column(name="KIND", rank=3),
)


def description_json(description: Description) -> dict[str, Any]:
    """Return the description for programs."""
    told = asdict(description)
    told["definition"]["about"] = about_json(description.definition.about)
    told["coming"] = [
        {
            "wall": one.wall.isoformat(),
            "offset": iso_offset(one.offset),
            "utc": one.nominal,
            "runs": one.runs,
            "notes": list(one.notes),
        }
        for one in description.coming
    ]
    return told


def show_description(output: Printer, description: Description, zone: tzinfo | None) -> None:
    """
    Print the description for people.

    Args:
        output: Where to.
        description: Of the schedule.
        zone: Of all times; None: the schedule's own, whose clock is what counts.
    """
    zone = zone or parse_zone(description.definition.time_zone or "UTC")
    _show_folded(output, f"{description.schedule}: {_heading(description, zone)}")
    for trouble in description.troubles:
        _show_fact(output, trouble.kind, trouble.cause)
        _show_fact(output, "", f"next: {trouble.next_step}")
    for name, text in _facts(description, zone):
        _show_fact(output, name, text)
    if description.open_runs:
        _show_section(output, "open runs")
        rows = [_open_row(one, description.at) for one in description.open_runs]
        show_table(output, _OPEN, rows)
    _show_section(output, "last occurrences")
    if description.past:
        show_table(output, _PAST, [_past_row(one, zone) for one in description.past])
    else:
        runs = f"`recur runs {description.schedule}`"
        _show_folded(output, f"none is recorded; {runs} lists triggered runs too")
    if description.presence is not Presence.REMOVED:
        _show_section(output, "next occurrences")
        _show_coming(output, description, zone)
    _show_toml(output, description)


def _heading(description: Description, zone: tzinfo) -> str:
    """Return how the schedule stands, in one line."""
    status, version = description.status, description.definition.version
    if status is None:
        by = f" by version {version.number} of the document" if version and version.number else ""
        return f"removed{by}"
    parts = [_state(status, description.at)]
    if status.pause:
        parts = [*(parts if status.state is not State.PAUSED else []), _pause(status.pause, zone)]
    if status.next_due:
        when = local(status.next_due, zone)
        parts.append(f"the next that runs: {when} ({ago(status.next_due, description.at)})")
    return "; ".join(parts)


def _state(status: ScheduleStatus, now: datetime) -> str:
    if status.state is State.NEW:
        return "new: no tick has taken it over yet"
    if status.run_id and status.since:
        return f"{status.state} for {age(now - status.since)}"
    return status.state


def _pause(pause: PauseStatus, zone: tzinfo) -> str:
    until = f" until {local(pause.until, zone)}" if pause.until else ""
    note = f" ({pause.note})" if pause.note else ""
    return f"paused{until} by {pause.by or 'the document'}{note}"


def _facts(description: Description, zone: tzinfo) -> Iterator[tuple[str, str]]:
    """Yield what is said of the schedule, each with its name."""
    definition = description.definition
    for doubt in description.doubts:
        yield "not known", doubt
    yield "due", definition.timing or "nothing tells when"
    yield from about_lines(definition.about)
    yield from ((one.name, one.text) for one in definition.policies)
    if definition.version:
        yield "document", _version(definition.version, description.presence, zone)
    if description.figures:
        yield from _figures(description.figures)


def _version(version: AppliedVersion, presence: Presence, zone: tzinfo) -> str:
    number = f"version {version.number}" if version.number else "no version yet"
    removed = ", which removed it" if presence is Presence.REMOVED else ""
    how = f"applied by {version.by}" if version.by else "uploaded without recur"
    at = f" {local(version.at, zone)}" if version.at else ""
    note = f": {version.note}" if version.note else ""
    return f"{number}{removed}, {how}{at}{note}" if version.at else f"{number}{removed}"


def _figures(figures: Figures) -> Iterator[tuple[str, str]]:
    name = f"last {DAYS} days"
    if figures.success_rate is None:
        yield name, "no run ended"
        return
    succeeded = figures.outcomes.get(Outcome.SUCCEEDED, 0)
    others = {one: count for one, count in figures.outcomes.items() if one != Outcome.SUCCEEDED}
    rest = f"; {', '.join(f'{count} {one}' for one, count in others.items())}" if others else ""
    runs = f"{figures.runs} run{'s' * (figures.runs > 1)}"
    yield name, f"{succeeded} of {runs} succeeded ({figures.success_rate:.1%}){rest}"
    yield "duration", _lengths(figures.duration)
    yield "lateness", _lengths(figures.lateness)


def _lengths(lengths: Lengths) -> str:
    if not lengths.count:
        return NOTHING
    median, p95 = map(short_duration, (lengths.median_seconds, lengths.p95_seconds))
    return f"median {median}, p95 {p95}"


def _open_row(one: OpenRunStatus, now: datetime) -> tuple[str | Text, ...]:
    why = f"{one.state} ({one.reason})" if one.reason else one.state
    since = age(now - one.since) if one.since else NOTHING
    return one.run_id, in_colour(why, one.state), since, one.kind


def _past_row(one: PastOccurrence, zone: tzinfo) -> tuple[str | Text, ...]:
    text = one.outcome
    if one.exit_code is not None:
        text = f"{one.outcome} ({one.exit_code})"
    if one.occurrences > 1:
        text = f"{text} ×{one.occurrences}"
    return (
        local(one.last, zone),
        in_colour(text, one.outcome),
        one.reason or NOTHING,
        short_duration(one.lateness),
        short_duration(one.seconds),
        "; ".join(one.notes),
        one.run_id or NOTHING,
    )


def _show_coming(output: Printer, description: Description, zone: tzinfo) -> None:
    rows = [_coming_row(one, description.at, zone) for one in description.coming]
    if rows:
        show_table(output, _COMING, rows)
    elif description.presence is Presence.IN_FORCE:
        _show_folded(output, "none within nine years")
    else:
        _show_folded(output, "not known: the document tells none")


def _coming_row(one: Upcoming, now: datetime, zone: tzinfo) -> tuple[str, ...]:
    """Return a row; what does not exist, or is left out, has no time to wait for."""
    waits = ago(one.at, now).removeprefix("in ") if one.nominal and one.runs else NOTHING
    when = local(one.at, zone) if one.offset is not None else f"{one.wall:%Y-%m-%d %H:%M}"
    return when, waits, "; ".join(one.notes)


def _show_toml(output: Printer, description: Description) -> None:
    definition = description.definition
    if definition.toml is None:
        return
    _show_section(output, "definition")
    for line in definition.toml.rstrip("\n").split("\n"):
        output.say(line.rstrip("\r").expandtabs(4))
    if definition.inherited:
        _show_folded(output, f"# and by [defaults]: {', '.join(definition.inherited)}")


def _show_section(output: Printer, name: str) -> None:
    output.say("")
    output.people.print(Text(name, style="bold"))


def _show_fact(output: Printer, name: str, text: str) -> None:
    width, text = output.table_width, escape_controls(text)
    if width is None:
        output.say(f"  {name:<{_NAME_WIDTH}}{text}")
        return
    if width < _NARROW:
        if name:
            output.say(f"  {name}")
        for line in folded(text, width - 4):
            output.say(f"    {line}")
        return
    for n, line in enumerate(folded(text, width - _NAME_WIDTH - 2)):
        output.say(f"  {'' if n else name:<{_NAME_WIDTH}}{line}")


def _show_folded(output: Printer, text: str) -> None:
    text = escape_controls(text)
    for line in folded(text, output.table_width) if output.table_width else [text]:
        output.say(line)
