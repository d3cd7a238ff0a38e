"""The table of a schedule, in words and as it stands in the document: pure functions."""

from collections.abc import Mapping
from typing import Any, cast

from orchestrator.document.parse import merged, parse, read
from orchestrator.errors import DocumentError, ScheduleSyntaxError
from orchestrator.ids import ScheduleId
from orchestrator.model import Recurrence, Schedule
from recur.description.policy_text import policies_of
from recur.description.timing_text import timing_text
from recur.description.value import AppliedVersion, Definition
from recur.schedules.table_merge import table_text


def definition_of(
    schedule: ScheduleId,
    table: Schedule | None,
    recurrence: Recurrence | None,
    data: bytes | None,
    version: AppliedVersion | None,
) -> Definition:
    """
    Return the definition of a schedule.

    Args:
        schedule: Its id.
        table: As it was read; None: the document in force has none, or it is invalid.
        recurrence: When it was last due, by its timings; what the table says goes first.
        data: The document that holds the table; None: none does.
        version: Of the document.
    """
    text = data.decode("utf-8-sig", errors="replace") if data is not None else None
    table = table or (_read_back(text, schedule) if text is not None else None)
    recurrence = table.recurrence if table else recurrence
    return Definition(
        timing=_timing(recurrence, table),
        time_zone=recurrence.time_zone if recurrence else None,
        toml=table_text(text, schedule) if text is not None else None,
        inherited=_inherited(text, schedule) if text is not None else (),
        policies=policies_of(table) if table else (),
        about=table.about if table else None,
        version=version,
    )


def _read_back(text: str, schedule: ScheduleId) -> Schedule | None:
    """Return a schedule of a document that is no longer in force."""
    try:
        return parse(text).schedules.get(schedule)
    except DocumentError:
        return None


def _timing(recurrence: Recurrence | None, table: Schedule | None) -> str | None:
    try:
        return timing_text(recurrence, table.start if table else None) if recurrence else None
    except ScheduleSyntaxError:  # another version knew it
        return None


def _inherited(text: str, schedule: ScheduleId) -> tuple[str, ...]:
    """Return the keys that a table takes from ``[defaults]``, those of inner tables with a dot."""
    try:
        content = read(text)
    except DocumentError:
        return ()
    defaults, own = _table(content, "defaults"), _table(_table(content, "schedules"), schedule)
    if not defaults or not own:
        return ()
    found: list[str] = []
    for key, value in merged(own, defaults).items():
        if key not in own:
            found.append(key)
        elif isinstance(value, Mapping) and isinstance(own[key], Mapping):
            inner, mine = (
                cast("Mapping[str, object]", value),
                cast("Mapping[str, object]", own[key]),
            )
            found += [f"{key}.{name}" for name in inner if name not in mine]
    return tuple(sorted(found))


def _table(content: Mapping[str, Any], name: str) -> dict[str, Any]:
    found = content.get(name)
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}
