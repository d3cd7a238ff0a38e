"""Reads whether the timers fire: from the storage of the Functions host."""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from orchestrator.adapters.calls import reply_date
from recur.causes.refusals import HOST_STORAGE, REFUSED, why_unreadable
from recur.causes.surroundings import Unreadable
from recur.host_timers import host_storage, timer_statuses
from recur.status.readings import TimerNote
from recur.status.timers import silence
from recur.status.value import Finding
from recur.target import Target

_ALLOWED: Final = timedelta(minutes=2, seconds=30)
"""Somebody waits: two ticks in a row that did not come are enough to say so."""


def submit_silence(target: Target) -> Finding | None:
    """Return the finding that no tick will answer a request soon; None if one will, or may."""
    dates: list[datetime] = []
    notes = read_timers(target, ("submit",), lambda reply: dates.append(reply_date(reply)))
    if isinstance(notes, Unreadable):
        return None
    now = max(dates, default=datetime.now(UTC))
    on_laptop = target.values.get("BATCH_ACCOUNT_URL", "").startswith("http://")
    return silence("submit", notes.get("submit"), now, on_laptop=on_laptop, allowed=_ALLOWED)


def read_timers(
    target: Target, functions: Sequence[str], hook: Callable[[Any], None] | None = None
) -> dict[str, TimerNote] | Unreadable:
    """
    Return what the host notes of some timers, or why it cannot be read.

    Args:
        target: The deployment.
        functions: Whose timers they are.
        hook: Is given the reply to each read.
    """
    try:
        storage = host_storage(target)
        if storage is None:
            name = "AzureWebJobsStorage" if target.on_laptop else "HOST_STORAGE_URL"
            return Unreadable(
                why="the settings do not name the storage account of the Functions host",
                next_step=f"add {name} to {target.source}",
            )
        with storage:
            statuses = timer_statuses(storage, functions, hook)
    except REFUSED as error:
        return why_unreadable(error, HOST_STORAGE, target)
    return {function: _timer_note(data) for function, data in statuses.items()}


def _timer_note(data: bytes) -> TimerNote:
    """Read the status of a timer; the host writes the year 1 for a time that there is not."""
    try:
        values = json.loads(data)
        last = values.get("Last")
        following = values.get("Next")
    except (ValueError, AttributeError):
        return TimerNote(last=None)
    return TimerNote(last=_instant(last), following=_instant(following))


def _instant(text: object) -> datetime | None:
    try:
        instant = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    instant = instant if instant.tzinfo else instant.replace(tzinfo=UTC)
    return instant.astimezone(UTC) if instant.year > 1 else None
