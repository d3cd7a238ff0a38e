"""Schedules as the document spells them, and what differs between two of them."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from pydantic import TypeAdapter

from orchestrator.document.parse import Document
from orchestrator.ids import RunId, ScheduleId
from orchestrator.model import About, Holidays, Interval, Prices, Schedule
from recur.lint.command_secrets import secret_in_command
from recur.lint.secret_patterns import looks_secret

ABSENT = "(none)"
_HIDDEN, _ANOTHER = '"(hidden)"', '"(hidden, another value)"'
_DURATION = TypeAdapter(timedelta)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """
    What becomes of one schedule.

    Attributes:
        schedule: Its id.
        kind: added, changed, removed or unchanged.
        keys: For a changed one: key, old and new value, each as the document spells it.
        open_runs: Of a removed one: its runs that have not ended. They go on.
        paused_by: Of a removed one that another looks like: who paused it, and not by the document.
        renamed_from: Of an added one: the removed one that it looks like.
        same: In what it does: command, timing, or both.
    """

    schedule: ScheduleId
    kind: str
    keys: tuple[tuple[str, str, str], ...] = ()
    open_runs: tuple[RunId, ...] = ()
    paused_by: str | None = None
    renamed_from: ScheduleId | None = None
    same: tuple[str, ...] = ()


def changes(before: Document | None, after: Document) -> Iterator[Change]:
    """Yield what becomes of each schedule of two documents, sorted by id."""
    old = before.schedules if before else {}
    for id_ in sorted({*old, *after.schedules, *(before.invalid if before else ())}):
        if id_ not in after.schedules:
            yield Change(schedule=id_, kind="removed")
        elif id_ not in old:
            yield Change(schedule=id_, kind="added")
        else:
            keys = tuple(_differences(old[id_], after.schedules[id_]))
            yield Change(schedule=id_, kind="changed" if keys else "unchanged", keys=keys)


def price_changes(before: Document | None, after: Document) -> dict[str, tuple[str, str]]:
    """Return the keys of ``[prices]`` that differ: old and new value, as the document spells them."""
    old, new = _prices(before.prices if before else None), _prices(after.prices)
    return {
        key: (old.get(key, ABSENT), new.get(key, ABSENT))
        for key in dict.fromkeys((*new, *old))
        if old.get(key) != new.get(key)
    }


def _prices(prices: Prices | None) -> dict[str, str]:
    """Return the keys of ``[prices]`` with their values in TOML, those of pools with dots."""
    if prices is None:
        return {}
    tables = {"": prices.every, **{f"pools.{pool}.": one for pool, one in prices.pools.items()}}
    values = {
        f"{place}{name}": value
        for place, one in tables.items()
        for name, value in (("dedicated", one.dedicated), ("spot", one.spot))
        if value is not None
    }
    return {key: toml(value) for key, value in {"currency": prices.currency, **values}.items()}


def _differences(before: Schedule, after: Schedule) -> Iterator[tuple[str, str, str]]:
    """Yield the keys that differ; a value that looks like a secret is compared, and not shown."""
    before_all, after_all = toml_values(before), toml_values(after)
    before_hidden, after_hidden = set(_secret_keys(before)), set(_secret_keys(after))
    for key in dict.fromkeys((*after_all, *before_all)):
        old, new = before_all.get(key, ABSENT), after_all.get(key, ABSENT)
        if old != new:
            old = _HIDDEN if key in before_hidden else old
            new = _HIDDEN if key in after_hidden else new
            yield key, old, _ANOTHER if old == new else new


def _secret_keys(schedule: Schedule) -> Iterator[str]:
    if secret_in_command(schedule.command):
        yield "command"
    for name, value in schedule.environment.items():
        if looks_secret(name, value):
            yield f"environment.{name}"


def toml_values(schedule: Schedule) -> dict[str, str]:
    """
    Return the keys of a schedule with their values in TOML, those of inner tables with a dot.

    Keys without a value are left out. What looks like a secret is here as it is.
    """
    recurrence, catch_up, retries = schedule.recurrence, schedule.catch_up, schedule.retries
    one_cron = len(recurrence.cron) == 1
    about = schedule.about or About()
    values: dict[str, object] = {
        "cron": recurrence.cron[0] if one_cron else recurrence.cron or None,
        **_interval(recurrence.interval),
        "at": recurrence.at or None,
        "every": recurrence.every,
        "anchor": recurrence.anchor,
        "except": recurrence.except_,
        **_holidays(recurrence.holidays),
        "time_zone": recurrence.time_zone,
        "dst.gap": recurrence.gap,
        "dst.overlap": recurrence.fold,
        "command": schedule.command,
        **{f"environment.{name}": value for name, value in sorted(schedule.environment.items())},
        "overlap": schedule.overlap,
        "max_queued": schedule.max_queued,
        "max_parallel": schedule.max_parallel,
        "catch_up.mode": catch_up.mode,
        "catch_up.window": catch_up.window,
        "catch_up.max": catch_up.max,
        "jitter": schedule.jitter,
        "start_timeout": schedule.start_timeout,
        "run_timeout": schedule.run_timeout,
        "retries.max": retries.max,
        "retries.on": retries.on,
        "retries.exit_codes": retries.exit_codes,
        "retries.backoff": retries.backoff,
        "outputs": schedule.outputs,
        "last_words": schedule.last_words,
        "pause_after_failures": schedule.pause_after_failures,
        "start": schedule.start,
        "end": recurrence.end,
        "paused": schedule.paused,
        "description": about.description,
        "owner": about.owner,
        "runbook": about.runbook,
        "tags": about.tags or None,
    }
    return {key: toml(value) for key, value in values.items() if value is not None}


def _holidays(holidays: Holidays | None) -> dict[str, object]:
    """Return the keys of holidays; their days are compared, though no key of a schedule has them."""
    if holidays is None:
        return {}
    return {
        "holidays": holidays.calendars,
        "on_holiday": holidays.policy,
        "weekend": holidays.weekend,
        "(days of its calendars)": (*holidays.days, *holidays.weekdays),
    }


def _interval(interval: Interval | None) -> dict[str, object]:
    if interval is None:
        return {}
    keys = {"every": interval.every, "unit": interval.unit, "anchor": interval.anchor}
    return {f"interval.{key}": value for key, value in keys.items()}


def toml(value: object) -> str:
    """Return a value as TOML has it: times unquoted, durations as ISO 8601."""
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return json.dumps(_DURATION.dump_python(value, mode="json"))
    if isinstance(value, Sequence) and not isinstance(value, str):
        return f"[{', '.join(map(toml, value))}]"
    return json.dumps(value, ensure_ascii=False)
