"""Triggers of Azure Data Factory, as its API prints them in JSON."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo
from functools import partial
from typing import Any, cast

from orchestrator.document.dialects.fields import DAYS
from orchestrator.document.dialects.reading import Dialect, Reading
from orchestrator.document.windows_zones import WINDOWS_ZONES
from orchestrator.enums import IntervalUnit
from orchestrator.model import Interval
from orchestrator.timing.zones import parse_zone, zone_names
from recur.importing.tables import (
    NO_COMMAND,
    Imported,
    Table,
    clock_changes,
    described,
    guarded,
    timing,
    toml_text,
)

_SCHEDULE, _TUMBLING = "ScheduleTrigger", "TumblingWindowTrigger"
_ELAPSED = {"Minute": timedelta(minutes=1), "Hour": timedelta(hours=1)}
_UNITS = {
    "Day": IntervalUnit.DAYS,
    "Week": IntervalUnit.WEEKS,
    "Month": IntervalUnit.MONTHS,
}
_TIMES = frozenset({"minutes", "hours"})
_DETAILS = {
    "Hour": _TIMES,
    "Day": _TIMES,
    "Week": _TIMES | {"weekDays"},
    "Month": _TIMES | {"weekDays", "monthDays", "monthlyOccurrences"},
}
_DAY_HOURS, _YEAR_MONTHS = 24, 12
_MOST_PARALLEL = 100
_COMMAND = (
    "A trigger starts pipelines: write a command into each table. It is paused until it has one."
)
_AT_THE_END = "No occurrence is due exactly at the end."
_WEEKS = "Weeks begin on Monday; the week of the anchor counts."
_CHANGES = "Data Factory does not document what it does at clock changes: check dst."
_ELAPSED_HOURS = (
    "It counted elapsed hours; here they are hours of the clock, also at clock changes."
)
_PARTIAL = "endTime is within a window; that window is left out, and the last one ends before it."
_OVERLAP = (
    "A trigger does not wait for earlier runs, so overlap is allow unless a table says otherwise."
)

type _Json = Mapping[str, Any]


class _NoEquivalentError(ValueError):
    """A recurrence that cannot be said; the message says why."""


def factory_triggers(document: object) -> list[_Json]:
    """Return the triggers in a document of Data Factory's API."""
    entries = cast("list[object]", document) if isinstance(document, list) else [document]
    found: list[_Json] = []
    for entry in entries:
        if not isinstance(entry, Mapping):
            continue
        one = cast("_Json", entry)
        properties = one.get("properties")
        if isinstance(properties, Mapping) and str(properties.get("type", "")).endswith("Trigger"):
            found.append(one)
        for key in ("value", "resources"):
            if isinstance(one.get(key), list):
                found += factory_triggers(one[key])
    return found


def read_triggers(triggers: Sequence[_Json], *, now: datetime) -> Imported:
    """
    Return the schedules of triggers.

    Args:
        triggers: What the API printed.
        now: A start before it is left out: it would only make up for what has run already.
    """
    tables = tuple(
        guarded(_name(trigger), _name(trigger), partial(_table, trigger, now))
        for trigger in triggers
    )
    return Imported(system="triggers of Data Factory", tables=tables, comments=(_COMMAND, _OVERLAP))


def _table(trigger: _Json, now: datetime) -> Table:
    name = _name(trigger)
    properties = cast("_Json", trigger["properties"])
    kind = str(properties["type"])
    try:
        reading = _reading(kind, _below(properties, "typeProperties"), now)
        keys, refused = timing(reading)
        changes = reading.changes
    except _NoEquivalentError as error:
        keys, refused, changes = (), str(error), ()
    description, told = described(properties.get("description"))
    return Table(
        name=name,
        source=f"{kind} {name}",
        keys=(
            *keys,
            *description,
            ("command", toml_text(NO_COMMAND)),
            *_overlap(_below(properties, "typeProperties")),
            ("paused", "true"),
        ),
        comments=(*told, *_comments(properties), *changes),
        refused=refused,
    )


def _overlap(given: _Json) -> Iterator[tuple[str, str]]:
    """Yield what happens to a run that is due while others run; ``maxConcurrency`` is of windows."""
    most = given.get("maxConcurrency")
    if most == 1:
        yield "overlap", '"queue"'
        return
    yield "overlap", '"allow"'
    if isinstance(most, int) and 1 < most <= _MOST_PARALLEL:
        yield "max_parallel", str(most)


def _name(trigger: _Json) -> str:
    """Return the name of a trigger, also where a template puts it together."""
    return str(trigger.get("name", "trigger")).rstrip("')]").rpartition("/")[2]


def _comments(properties: _Json) -> Iterator[str]:
    if properties.get("runtimeState") == "Stopped":
        yield "It was stopped."
    pipelines = properties.get("pipelines") or properties.get("pipeline") or []
    for one in pipelines if isinstance(pipelines, list) else [pipelines]:
        pipeline = cast("_Json", one) if isinstance(one, Mapping) else {}
        name = _below(pipeline, "pipelineReference").get("referenceName", "not named")
        parameters = pipeline.get("parameters")
        told = f" with the parameters {json.dumps(parameters)}" if parameters else ""
        yield f"It started the pipeline {name}{told}."


def _reading(kind: str, given: _Json, now: datetime) -> Reading:
    """
    Return when a trigger is due.

    Raises:
        _NoEquivalentError: A document cannot say it.
    """
    if kind == _TUMBLING:
        return _tumbling(given, now)
    if kind != _SCHEDULE:
        raise _NoEquivalentError(f"a {kind} is not triggered by time")
    recurrence = _below(given, "recurrence")
    name = _zone_name(recurrence)
    start = _instant(recurrence.get("startTime"), parse_zone(name))
    reading = _recurring(recurrence, start.astimezone(parse_zone(name)), name)
    if reading.cron and clock_changes(name):
        hours = recurrence.get("frequency") == "Hour" and _count(recurrence) > 1
        reading = replace(
            reading, changes=(*reading.changes, _ELAPSED_HOURS if hours else _CHANGES)
        )
    return _bounded(
        replace(reading, time_zone=None if reading.every else name),
        start,
        _end(recurrence, parse_zone(name)),
        now,
    )


def _tumbling(given: _Json, now: datetime) -> Reading:
    """Return the windows of a tumbling window trigger: in UTC, each due when it ends."""
    frequency, every = str(given.get("frequency")), _count(given)
    if frequency not in _ELAPSED:
        raise _NoEquivalentError(f"windows of {every} {frequency} have no fixed length")
    length = every * _ELAPSED[frequency]
    start, end = _instant(given.get("startTime"), UTC), _end(given, UTC)
    changes = [
        "A window is due at its end. The task reads it from RECUR_WINDOW_START and RECUR_WINDOW_END."
    ]
    if given.get("delay"):
        changes.append(f"The delay of {given['delay']} is left out: move anchor by this time.")
    if given.get("dependsOn"):
        changes.append("Its dependencies are left out.")
    if end and (end - start) % length:
        changes.append(_PARTIAL)
    changes += _windows_lost(given)
    reading = Reading(
        dialect=Dialect.CRONTAB,
        every=length,
        anchor=start,
        changes=tuple(changes),
    )
    first = start + length
    return replace(
        reading,
        start=first if first > now else None,
        end=end + timedelta(seconds=1) if end else None,  # the last window is due at the end itself
    )


def _windows_lost(given: _Json) -> Iterator[str]:
    """Say what of a tumbling window trigger has no key here, or is another by default."""
    yield 'It ran every missed window; catch_up = { mode = "all" } does the same.'
    most = given.get("maxConcurrency")
    if most == 1:
        yield "maxConcurrency 1 becomes overlap queue: a window waits for the one before."
    elif most:
        yield f"maxConcurrency {most}: more windows waited; here max_parallel skips them."
    policy = _below(given, "retryPolicy")
    count = policy.get("count")
    if count:
        pause = policy.get("intervalInSeconds")
        told = f", {pause} seconds apart," if pause else ""
        yield f"retryPolicy count {count}{told} is left out: set retries instead."


def _bounded(reading: Reading, start: datetime, end: datetime | None, now: datetime) -> Reading:
    changes = (*reading.changes, *([_AT_THE_END] if end else []))
    return replace(reading, start=start if start > now else None, end=end, changes=changes)


def _recurring(recurrence: _Json, start: datetime, zone: str) -> Reading:
    """Return a recurrence that began at a local time of a zone."""
    frequency, every = str(recurrence.get("frequency")), _count(recurrence)
    detail = {key: value for key, value in _below(recurrence, "schedule").items() if value}
    _check_detail(frequency, detail)
    if frequency in _ELAPSED and not detail:
        return Reading(
            dialect=Dialect.CRONTAB,
            every=every * _ELAPSED[frequency],
            anchor=start.astimezone(UTC),
        )
    whole_day = _DAY_HOURS % every == 0 and not clock_changes(zone)
    if frequency == "Hour" and len(detail) == len(detail.get("minutes", ())) == 1 and not whole_day:
        return Reading(
            dialect=Dialect.CRONTAB,
            every=every * _ELAPSED[frequency],
            anchor=start.replace(minute=int(detail["minutes"][0]), second=0).astimezone(UTC),
        )
    minutes = _listed(detail.get("minutes") or [start.minute])
    hours = _listed(detail.get("hours") or [start.hour])
    interval = None
    match frequency:
        case "Hour" if not detail.get("hours"):
            crons = [f"{minutes} {_every_hours(every, start.hour)} * * *"]
        case "Day":
            crons, interval = [f"{minutes} {hours} * * *"], every
        case "Week":
            days = _weekdays(detail.get("weekDays")) or DAYS[start.isoweekday() % len(DAYS)]
            crons, interval = [f"{minutes} {hours} * * {days}"], every
        case "Month":
            months = _every_months(every, start.month)
            crons = [f"{minutes} {hours} {one}" for one in _days_of(detail, start.day, months)]
            interval = every if months == "*" else 1
        case "Year" if every == 1 and not detail:
            crons = [f"{minutes} {hours} {start.day} {start.month} *"]
        case _:
            raise _NoEquivalentError(f"{every} {frequency} with {detail} has no equivalent")
    counted = None
    if interval and interval > 1:
        counted = Interval(every=interval, unit=_UNITS[frequency], anchor=start.date())
    return Reading(
        dialect=Dialect.CRONTAB,
        cron=tuple(crons),
        interval=counted,
        changes=(_WEEKS,) if counted and counted.unit is IntervalUnit.WEEKS else (),
    )


def _check_detail(frequency: str, detail: _Json) -> None:
    """
    Check that each property of a recurrence's schedule has an effect here.

    Raises:
        _NoEquivalentError: One would be lost.
    """
    known = _DETAILS.get(frequency)
    if known is None:
        return
    for name in detail:
        if name not in known:
            raise _NoEquivalentError(
                f"schedule.{name} with the frequency {frequency} has no equivalent"
            )
    if "weekDays" in detail and "monthlyOccurrences" in detail:
        raise _NoEquivalentError(
            "schedule.weekDays together with monthlyOccurrences has no equivalent"
        )


def _every_hours(every: int, first: int) -> str:
    if _DAY_HOURS % every:
        raise _NoEquivalentError(f"every {every} hours at given minutes has no equivalent")
    begin = first % every
    return "*" if every == 1 else f"{begin}-23/{every}"


def _every_months(every: int, first: int) -> str:
    """Return the months of every n-th, where these are the same in each year; else ``*``."""
    if every == 1 or _YEAR_MONTHS % every:
        return "*"
    return ",".join(
        str(one)
        for one in sorted((first - 1 + n) % _YEAR_MONTHS + 1 for n in range(0, _YEAR_MONTHS, every))
    )


def _days_of(detail: _Json, start: int, months: str) -> Iterator[str]:
    """Yield the day, month and weekday fields of a monthly recurrence: their union counts."""
    days = [int(one) for one in detail.get("monthDays") or []]
    if days:
        fields = [str(one) if one > 0 else "L" if one == -1 else f"L{one + 1}" for one in days]
        yield f"{','.join(fields)} {months} *"
    occurrences = [_occurrence(one) for one in detail.get("monthlyOccurrences") or []]
    if occurrences:
        yield f"* {months} {','.join(occurrences)}"
    weekdays = _weekdays(detail.get("weekDays"))
    if weekdays and not occurrences:
        yield f"* {months} {weekdays}"
    elif not days and not occurrences:
        yield f"{start} {months} *"


def _occurrence(one: _Json) -> str:
    """Return the n-th such weekday of a month, or the last."""
    day, nth = _weekdays([one.get("day")]), one.get("occurrence", 1)
    if nth == -1:
        return f"{DAYS.index(day)}L"
    if isinstance(nth, int) and 1 <= nth <= 5:  # noqa: PLR2004 - a month has at most five
        return f"{day}#{nth}"
    raise _NoEquivalentError(f"occurrence {nth} of {one.get('day')} has no equivalent")


def _weekdays(names: object) -> str:
    """Return a list of weekdays by their short names."""
    given = cast("list[object]", names) if isinstance(names, list) else [names] if names else []
    short = [str(one)[:3].upper() for one in given]
    if unknown := [one for one in short if one not in DAYS]:
        raise _NoEquivalentError(f"there is no weekday {unknown[0]!r}")
    return ",".join(short)


def _listed(values: object) -> str:
    given = cast("list[object]", values) if isinstance(values, list) else [values]
    return ",".join(str(one) for one in sorted({int(str(one)) for one in given}))


def _count(given: _Json) -> int:
    every = given.get("interval", 1)
    if not isinstance(every, int) or every < 1:
        raise _NoEquivalentError(f"the interval {every!r} is not a whole number above zero")
    return every


def _zone_name(recurrence: _Json) -> str:
    name = str(recurrence.get("timeZone") or "UTC")
    found = name if name in zone_names() else WINDOWS_ZONES.get(name)
    if not found:
        raise _NoEquivalentError(f"there is no time zone {name!r}")
    return found


def _end(given: _Json, zone: tzinfo) -> datetime | None:
    return _instant(given["endTime"], zone) if given.get("endTime") else None


def _instant(value: object, zone: tzinfo) -> datetime:
    """Return a time of a trigger: with Z it is UTC, else on the clock of its zone."""
    try:
        read = datetime.fromisoformat(str(value))
    except ValueError as error:
        raise _NoEquivalentError(f"{value!r} is not a time such as 2026-12-01T09:00:00") from error
    return (
        (read if read.tzinfo else read.replace(tzinfo=zone)).astimezone(UTC).replace(microsecond=0)
    )


def _below(value: _Json, key: str) -> _Json:
    below = value.get(key)
    return cast("_Json", below) if isinstance(below, Mapping) else {}
