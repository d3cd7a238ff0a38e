"""Schedules and rules of Amazon EventBridge, as its APIs print them in JSON."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, tzinfo
from functools import partial
from typing import Any, cast

from orchestrator.document.dialects.reading import Dialect, Reading, in_zone, quoted
from orchestrator.document.dialects.recognition import readings
from orchestrator.timing.zones import parse_zone
from recur.importing.tables import (
    DST,
    NO_COMMAND,
    Imported,
    Table,
    described,
    guarded,
    timing,
    toml_text,
)

_EXPRESSION = "ScheduleExpression"
_LISTS = ("Schedules", "Rules")
_LONGEST_JITTER = 1440
_TARGET = """\
A target has no equivalent: write a command into each table. It is paused until it has one."""
_OVERLAP = "EventBridge does not wait for earlier runs, so overlap is allow."

type _Json = Mapping[str, Any]


def eventbridge_entries(document: object) -> list[_Json]:
    """Return the schedules and rules in a document of EventBridge's APIs."""
    entries = cast("list[object]", document) if isinstance(document, list) else [document]
    found: list[_Json] = []
    for entry in entries:
        if not isinstance(entry, Mapping):
            continue
        one = cast("_Json", entry)
        if _EXPRESSION in one:
            found.append(one)
        for key in _LISTS:
            if isinstance(one.get(key), list):
                found += eventbridge_entries(one[key])
    return found


def read_eventbridge(entries: Sequence[_Json], *, now: datetime, time_zone: str | None) -> Imported:
    """
    Return the schedules of EventBridge's entries.

    Args:
        entries: The schedules and rules.
        now: A start before it is left out: it would only make up for what has run already.
        time_zone: Of those that name none.
    """
    tables = tuple(
        guarded(_name(entry), _name(entry), partial(_table, entry, now, time_zone))
        for entry in entries
    )
    return Imported(system="schedules of EventBridge", tables=tables, comments=(_TARGET, _OVERLAP))


def _table(entry: _Json, now: datetime, time_zone: str | None) -> Table:
    name, line = _name(entry), str(entry[_EXPRESSION])
    description, told = described(entry.get("Description"))
    zone = entry.get("ScheduleExpressionTimezone") or time_zone
    found = [one for one in readings(line) if one.dialect is Dialect.EVENTBRIDGE]
    comments = [*told, *_comments(entry)]
    refused: str | None = f"{line!r} is not a cron, a rate or a time of EventBridge"
    keys: tuple[tuple[str, str], ...] = ()
    if found:
        (reading,) = in_zone(found[:1], str(zone)) if zone else found[:1]
        if not line.strip().lower().startswith("at"):  # its dates are ignored there, too
            reading = _bounded(reading, entry)
        keys, refused = timing(reading, now, DST[Dialect.EVENTBRIDGE])
        comments += reading.changes
    return Table(
        name=name,
        source=f"{name}: {line}",
        keys=(
            *keys,
            *description,
            ("command", toml_text(NO_COMMAND)),
            ("overlap", '"allow"'),
            *_jitter(entry),
            ("paused", "true"),
        ),
        comments=tuple(comments),
        refused=refused,
    )


def _name(entry: _Json) -> str:
    return str(entry.get("Name", "schedule"))


def _bounded(reading: Reading, entry: _Json) -> Reading:
    """Return a reading within the dates of its schedule and the years of its line."""
    start, end = _instant(entry.get("StartDate")), _instant(entry.get("EndDate"))
    if reading.every and start:
        reading = replace(reading, anchor=start, changes=())
    zone = parse_zone(reading.time_zone or "UTC")
    starts = [_on_clock(one, zone) for one in (start, reading.start) if one]
    ends = [_on_clock(one, zone) for one in (end, reading.end) if one]
    return replace(reading, start=max(starts, default=None), end=min(ends, default=None))


def _on_clock(time: datetime, zone: tzinfo) -> datetime:
    """Return an instant: a time without an offset is one of the zone."""
    return (time if time.tzinfo else time.replace(tzinfo=zone)).astimezone(UTC)


def _instant(value: object) -> datetime | None:
    """Return a time as the API (seconds) or its command line (ISO 8601) prints it."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return datetime.fromtimestamp(int(value), UTC)
    if isinstance(value, str):
        try:
            read = datetime.fromisoformat(value)
        except ValueError:
            return None
        return (
            (read if read.tzinfo else read.replace(tzinfo=UTC))
            .astimezone(UTC)
            .replace(microsecond=0)
        )
    return None


def _jitter(entry: _Json) -> Iterator[tuple[str, str]]:
    window = entry.get("FlexibleTimeWindow")
    minutes = (
        cast("_Json", window).get("MaximumWindowInMinutes") if isinstance(window, Mapping) else None
    )
    if isinstance(minutes, int) and 0 < minutes <= _LONGEST_JITTER:
        yield "jitter", quoted(f"{minutes}m")


def _comments(entry: _Json) -> Iterator[str]:
    if entry.get("State") == "DISABLED":
        yield "It was disabled."
    target = entry.get("Target")
    if isinstance(target, Mapping):
        one = cast("_Json", target)
        yield f"Its target was {one.get('Arn', 'not named')}."
        if one.get("Input"):
            yield f"Its input was {one['Input']}"
        policy = one.get("RetryPolicy")
        if isinstance(policy, Mapping):
            told = json.dumps(policy)
            yield f"RetryPolicy {told} is left out: set catch_up.window and retries instead."
