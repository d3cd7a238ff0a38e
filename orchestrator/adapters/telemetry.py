"""
Telemetry: events as log records, which the worker library exports when a setting says so.

An event is a log record with ``microsoft.custom_event.name``; Application Insights makes a
customEvents row of it. Alerts query these names and keys: they are public.
"""

import asyncio
import logging
from enum import StrEnum
from typing import Any, Final

from opentelemetry import metrics, trace
from opentelemetry._logs import get_logger_provider

_LOGGER: Final = logging.getLogger("recur")
_FLUSH_MILLISECONDS: Final = 3000


class Event(StrEnum):
    """What can be told of a tick; each always carries the same keys, given in its comment."""

    TICK_FINISHED = "tick.finished"  # function, problem, and the counts of the pass
    DOCUMENT_REJECTED = "document.rejected"  # schedule, problem
    OCCURRENCE_SUBMITTED = "occurrence.submitted"  # schedule, run_id, nominal, lateness_seconds
    OCCURRENCE_SKIPPED = "occurrence.skipped"  # schedule, run_id, nominal, reason, because
    OCCURRENCE_MISSED = "occurrence.missed"  # schedule, run_id, nominal, reason, count
    OCCURRENCE_BLOCKED = "occurrence.blocked"  # schedule, run_id, nominal, reason, detail
    RUN_FINISHED = "run.finished"  # schedule, run_id, nominal, outcome, reason, sentence, event_id


_LEVELS: Final = {
    Event.DOCUMENT_REJECTED: logging.ERROR,
    Event.OCCURRENCE_MISSED: logging.WARNING,
    Event.OCCURRENCE_BLOCKED: logging.WARNING,
}


def emit(event: Event, **keys: Any) -> None:  # noqa: ANN401 - whatever JSON can say
    """Tell one event; keys without a value are left out."""
    given = {key: value for key, value in keys.items() if value is not None}
    _LOGGER.log(
        _LEVELS.get(event, logging.INFO),
        "%s %s",
        event.value,
        " ".join(f"{key}={value}" for key, value in given.items()),
        extra={"microsoft.custom_event.name": event.value, **given},
    )


def trouble(message: str, error: BaseException) -> None:
    """Tell of an error that the pass survives: one run's or one schedule's."""
    _LOGGER.error("%s: %s", message, error, exc_info=error)


async def flush() -> None:
    """Send what waits: between ticks the instance may be frozen. A no-op without an exporter."""
    providers = (trace.get_tracer_provider(), metrics.get_meter_provider(), get_logger_provider())
    for provider in providers:
        force_flush = getattr(provider, "force_flush", None)
        if force_flush is not None:
            await asyncio.to_thread(force_flush, _FLUSH_MILLISECONDS)
