"""What is wrong with a table of the schedule document, in the operator's words."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, cast

from pydantic import BaseModel, ValidationError

from orchestrator.document.dialects.refusal import Refusals
from orchestrator.document.key_hints import close_key, key_hint
from orchestrator.document.keys import (
    CalendarTable,
    CatchUpTable,
    DstTable,
    IntervalTable,
    NodePriceTable,
    PricesTable,
    RangeTable,
    RetriesTable,
    ScheduleTable,
)
from orchestrator.document.types import REFUSALS, TIME_ZONE
from orchestrator.document.values import cut_short, short_name, shown
from orchestrator.enums import Overlap

type Table = Mapping[str, object]
type Path = tuple[str | int, ...]

WHEN = frozenset({"cron", "at", "every"})
"""The keys that say when a schedule is due."""

EITHER = "cron or at and every exclude each other: use every alone"
_MODELS: dict[str, type[BaseModel]] = {
    "dst": DstTable,
    "catch_up": CatchUpTable,
    "interval": IntervalTable,
    "retries": RetriesTable,
}
_EXAMPLES = {
    "cron": 'must be an expression such as "0 2 * * MON-FRI", or a list of expressions',
    "except": 'must be a list such as ["2026-12-25", "* * * 8 *"]',
    "holidays": 'must be a list of names of calendars, such as ["bank"]',
    "weekend": 'must be a list such as ["SAT", "SUN"]',
    "weekdays": 'must be a list such as ["SAT", "SUN"]',
    "dates": "must be a list such as [2026-12-25]",
    "ranges": "must be a list such as [{ first = 2026-12-24, last = 2027-01-01 }]",
    "outputs": 'must be a list such as ["report/*.csv"]',
    "retries.on": 'must be a list such as ["lost", "failed"]',
    "retries.exit_codes": 'must be a list such as [75, "SIGKILL"]',
    "at": "must be a list such as [2026-12-24T18:00:00]",
    "interval": 'must be a table such as { every = 2, unit = "weeks", anchor = 2026-12-07 }, or '
    "for elapsed time, use the key every of the schedule",
    "dst": 'must be a table such as { gap = "skip" }',
    "catch_up": 'must be a table such as { mode = "all", window = "6h" }',
    "retries": "must be a table such as { max = 1 }",
    "environment": 'must be a table such as { REPORT = "daily" }',
}
"""What would be right where a list or a table is wanted."""
_TYPES = {
    "string_type": "must be a string",
    "int_type": "must be a whole number",
    "bool_type": "must be true or false",
    "list_type": "must be a list",
    "dict_type": "must be a table",
    "model_type": "must be a table",
}
_BOUNDS = {
    "greater_than_equal": ("ge", "must be at least {}"),
    "less_than_equal": ("le", "must be at most {}"),
    "less_than": ("lt", "must be less than {}"),
    "too_short": ("min_length", "must have at least {} of them"),
    "too_long": ("max_length", "must have at most {} of them"),
    "string_too_short": ("min_length", "must not be empty"),
}
_MISSING = {
    "every": "is missing: give the number of units from one to the next, as in every = 2",
    "unit": 'is missing: give the unit, as in unit = "weeks"',
    "first": "is missing: give the first day, as in first = 2026-12-24",
    "last": "is missing: give the last day, as in last = 2027-01-01",
    "anchor": "is missing: give a date in one of the units that count, as in anchor = 2026-12-07",
}
_NO_PRICE = "is missing: give dedicated or spot, the price of one node for one hour"
_OF_A_KEY = "[key]"
"""Where pydantic complains of the key of a mapping, and not of its value, the path ends with it."""


def wrong(table: Table, lines: Refusals) -> Iterator[tuple[Path, str]]:
    """
    Yield the place and the complaint for each key that is unknown or holds what it may not.

    Args:
        table: With what it inherits.
        lines: What is said of lines of other schedulers.
    """
    try:
        context = {REFUSALS: lines, TIME_ZONE: table.get("time_zone")}
        ScheduleTable.model_validate(cut_short(table), context=context)
    except ValidationError as error:
        for details in error.errors():
            path = _path(details["loc"])
            if isinstance(table.get(str(path[0])), str):  # one expression, taken for a list of one
                path = path[:1]
            missing = details["type"] == "missing"
            yield path, _MISSING[str(path[-1])] if missing else _error_complaint(path, details)


def wrong_prices(table: Table) -> Iterator[tuple[Path, str]]:
    """Yield the place and the complaint for each thing that is wrong with ``[prices]``."""
    try:
        PricesTable.model_validate(cut_short(table))
    except ValidationError as error:
        for details in error.errors():
            path = _path(details["loc"])
            if details["type"] == "missing":
                yield path, 'is missing: give the currency of the prices, as in "USD"'
            elif details["type"] == "extra_forbidden":
                yield path, _unknown(path, NodePriceTable if len(path) > 1 else PricesTable)
            else:
                yield path, _error_complaint(path, details)
    given = table.get("pools")
    pools = cut_short(cast("Table", given)) if isinstance(given, Mapping) else {}
    if not {"dedicated", "spot", "pools"} & table.keys():
        yield ("dedicated",), _NO_PRICE
    for pool, node_prices in pools.items():
        if node_prices == {}:
            yield ("pools", pool), _NO_PRICE


def wrong_calendar(table: Table) -> Iterator[tuple[Path, str]]:
    """Yield the place and the complaint for each thing that is wrong with a calendar."""
    try:
        read = CalendarTable.model_validate(cut_short(table))
    except ValidationError as error:
        for details in error.errors():
            path = details["loc"]
            if details["type"] == "missing":
                yield path, _MISSING[str(path[-1])]
            elif details["type"] == "extra_forbidden":
                model = RangeTable if len(path) > 1 else CalendarTable
                yield path, _unknown(path, model)
            else:
                yield path, _error_complaint(path, details)
        return
    for n, one in enumerate(read.ranges):
        if one.last < one.first:
            yield ("ranges", n, "last"), f"must not be before first, {one.first}"
    if not (read.dates or read.ranges or read.weekdays):
        yield ("dates",), "is missing: give the days, as in dates = [2026-12-25]"


def dotted(path: Path) -> str:
    """Spell a place: dots below tables, numbers from 1 in lists."""
    first, *below = path
    return short_name(str(first)) + "".join(
        f"[{part + 1}]" if isinstance(part, int) else f".{short_name(part)}" for part in below
    )


def _path(loc: Path) -> Path:
    """Return the place of one of pydantic's errors in the table."""
    table, *below = loc
    if table in {"environment", "pools"} and below[1:] == [_OF_A_KEY]:
        return loc[:-1]
    return loc


def wrong_together(own: Table, whole: Table) -> Iterator[tuple[Path, str]]:
    """
    Yield what is missing, and what does not go together.

    Args:
        own: The table as it stands in the document.
        whole: With what it inherits.
    """
    if "every" in own and len(WHEN & own.keys()) > 1:
        yield ("every",), EITHER
    if not WHEN & whole.keys():
        yield (
            ("cron",),
            'is missing: give a cron expression, as in "0 2 * * MON-FRI", or use at or every',
        )
    if "command" not in whole:
        yield ("command",), 'is missing: give the command to run, as in "python3 report.py"'
    yield from _alone(own, whole)
    start, end = whole.get("start"), whole.get("end")
    if isinstance(start, datetime) and isinstance(end, datetime) and {"start", "end"} & own.keys():
        yield from _no_time(start, end, "end" if "end" in own else "start")
    policies: list[object] = [*Overlap]
    policy = whole.get("overlap", Overlap.SKIP)
    for key, needed in (("max_queued", Overlap.QUEUE), ("max_parallel", Overlap.ALLOW)):
        if key in own and policy != needed and policy in policies:
            yield (key,), f'works only with overlap = "{needed}"'


def _alone(own: Table, whole: Table) -> Iterator[tuple[Path, str]]:
    """Yield the complaints about keys that lack the one that they belong to."""
    if "interval" in own and "cron" not in whole:
        yield ("interval",), "works only with cron: it selects some of its dates"
    if "holidays" in own and not {"cron", "at"} & whole.keys():
        yield ("holidays",), "works only with cron or at: an interval has no dates"
    for key in ("on_holiday", "weekend"):
        if key in own and "holidays" not in whole:
            yield (key,), 'works only with holidays: name the calendars, as in holidays = ["bank"]'
    if "anchor" in own and "every" not in whole:
        yield ("anchor",), "works only with every: leave it out"


def _no_time(start: datetime, end: datetime, key: str) -> Iterator[tuple[Path, str]]:
    """Yield the complaint about an end that leaves no time after the start."""
    if start.tzinfo and end.tzinfo and end <= start:
        relation = "be after start" if key == "end" else "be before end"
        other = start if key == "end" else end
        yield (key,), f"must {relation}, {other.isoformat()}: nothing is due from end on"


def _error_complaint(path: Path, details: Mapping[str, Any]) -> str:
    """Put one of pydantic's errors into the operator's words."""
    kind, context, value = details["type"], details.get("ctx", {}), details["input"]
    given = "" if path[0] == "environment" else f", not {shown(value)}"  # it may be a secret
    if kind == "extra_forbidden":
        return _unknown_key(path, value)
    if kind in {"enum", "literal_error"}:
        return f"must be {context['expected']}{given}"
    if kind == "value_error":
        return str(context["error"])
    if kind in _TYPES:
        return f"{_EXAMPLES.get('.'.join(map(str, path)), _TYPES[kind])}{given}"
    if kind in _BOUNDS:
        bound, text = _BOUNDS[kind]
        return text.format(context[bound]) + ("" if kind.startswith(("too", "string")) else given)
    message = str(details["msg"])
    return f"{message[0].lower()}{message[1:]}{given}"


def _unknown_key(path: Path, value: object) -> str:
    """Say which key may have been meant."""
    *tables, key = (str(part) for part in path)
    hint = key_hint(key, value, tables[0] if tables else None, KEYS)
    return f"unknown key; {hint}" if hint else "unknown key"


def _unknown(path: Path, model: type[BaseModel]) -> str:
    """Say which key of a table beside the schedules may have been meant."""
    close = close_key(str(path[-1]), _names(model))
    return f"unknown key; did you mean {close!r}?" if close else "unknown key"


def _names(model: type[BaseModel]) -> tuple[str, ...]:
    return tuple(field.alias or name for name, field in model.model_fields.items())


KEYS = {key: _names(_MODELS[key]) if key in _MODELS else () for key in _names(ScheduleTable)}
"""The keys of a schedule, each with the keys of the inner table that it is."""
