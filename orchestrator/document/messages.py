"""What is wrong with a table of the schedule document, in the operator's words."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any, cast

from pydantic import BaseModel, ValidationError

from orchestrator.document.keys import (
    CatchUpTable,
    DstTable,
    NodePriceTable,
    PricesTable,
    RetriesTable,
    ScheduleTable,
)
from orchestrator.enums import Overlap

type Table = Mapping[str, object]
type Path = tuple[str | int, ...]

EITHER = "cron and every exclude each other: leave one of them out"
_MODELS: dict[str, type[BaseModel]] = {
    "dst": DstTable,
    "catch_up": CatchUpTable,
    "retries": RetriesTable,
}
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
_NO_PRICE = "there is no price: give dedicated or spot, the price of one node for one hour"
_OF_A_KEY = "[key]"
"""Where pydantic complains of the key of a mapping, and not of its value, the path ends with it."""
_MOST_SHOWN = 60


def wrong(table: Table) -> Iterator[tuple[Path, str]]:
    """Yield the place and the complaint for each key that is unknown or holds what it may not."""
    try:
        ScheduleTable.model_validate(table)
    except ValidationError as error:
        for details in error.errors():
            path = _path(details["loc"])
            if isinstance(table.get(str(path[0])), str):  # one expression, taken for a list of one
                path = path[:1]
            yield path, _error_complaint(path, details)


def wrong_prices(table: Table) -> Iterator[tuple[Path, str]]:
    """Yield the place and the complaint for each thing that is wrong with ``[prices]``."""
    try:
        PricesTable.model_validate(table)
    except ValidationError as error:
        for details in error.errors():
            path = _path(details["loc"])
            if details["type"] == "missing":
                yield path, 'is missing: say in which one the prices are, as in "USD"'
            elif details["type"] == "extra_forbidden":
                yield path, _unknown_key(path, NodePriceTable if len(path) > 1 else PricesTable)
            else:
                yield path, _error_complaint(path, details)
    given = table.get("pools")
    pools: Table = cast("Table", given) if isinstance(given, Mapping) else {}
    if not {"dedicated", "spot", "pools"} & table.keys():
        yield ("dedicated",), _NO_PRICE
    for pool, node_prices in pools.items():
        if node_prices == {}:
            yield ("pools", pool), _NO_PRICE


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
    if "cron" in own and "every" in own:
        yield ("every",), EITHER
    if not {"cron", "every"} & whole.keys():
        yield ("cron",), 'is missing: say when it is due, as in "0 2 * * MON-FRI", or use every'
    if "command" not in whole:
        yield ("command",), 'is missing: say what to run, as in "python3 report.py"'
    if "anchor" in own and "every" not in whole:
        yield ("anchor",), "belongs to every: cron needs none"
    policies: list[object] = [*Overlap]
    policy = whole.get("overlap", Overlap.SKIP)
    for key, needed in (("max_queued", Overlap.QUEUE), ("max_parallel", Overlap.ALLOW)):
        if key in own and policy != needed and policy in policies:
            yield (key,), f'belongs to overlap = "{needed}", which this schedule has not'


def _error_complaint(path: Path, details: Mapping[str, Any]) -> str:
    """Put one of pydantic's errors into the operator's words."""
    kind, context = details["type"], details.get("ctx", {})
    given = _shown(details["input"], path)
    if kind == "extra_forbidden":
        return _unknown_key(path)
    if kind in {"enum", "literal_error"}:
        return f"must be {context['expected']}{given}"
    if kind == "value_error":
        return str(context["error"])
    if kind in _TYPES:
        return f"{_TYPES[kind]}{given}"
    if kind in _BOUNDS:
        bound, text = _BOUNDS[kind]
        return text.format(context[bound]) + ("" if kind.startswith(("too", "string")) else given)
    message = str(details["msg"])
    return f"{message[0].lower()}{message[1:]}{given}"


def _shown(given: object, path: Path) -> str:
    """Return what was given instead, cut short; not what may be a secret."""
    if path[0] == "environment":
        return ""
    try:
        text = repr(given)
    except ValueError:  # Python spells no number of more than 4,300 digits
        return ", not a number of thousands of digits"
    return f", not {text if len(text) <= _MOST_SHOWN else f'{text[:_MOST_SHOWN]}...'}"


def _unknown_key(path: Path, model: type[BaseModel] | None = None) -> str:
    """Say which key may have been meant."""
    table, *below = (str(part) for part in path)
    model = model or (_MODELS.get(table, ScheduleTable) if below else ScheduleTable)
    known = [field.alias or name for name, field in model.model_fields.items()]
    close = get_close_matches(str(path[-1]), known, n=1)
    return f"unknown key; did you mean {close[0]!r}?" if close else "unknown key"
