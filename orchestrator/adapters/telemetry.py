"""
Telemetry: events as log records, which the worker library exports when a setting says so.

An event is a log record with ``microsoft.custom_event.name``; Application Insights makes a
customEvents row of it. Alerts query these names and keys: they are public.
"""

import asyncio
import contextlib
import logging
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from opentelemetry import metrics, trace
from opentelemetry._logs import get_logger_provider

from orchestrator.model import About

_LOGGER: Final = logging.getLogger("recur")
_LOGGER.setLevel(logging.INFO)  # whatever the level of the worker: the heartbeats are INFO
_FLUSH_SECONDS: Final = 3


class Event(StrEnum):
    """What can be told of a tick."""

    TICK_FINISHED = "tick.finished"
    DOCUMENT_REJECTED = "document.rejected"
    OCCURRENCE_SUBMITTED = "occurrence.submitted"
    OCCURRENCE_SKIPPED = "occurrence.skipped"
    OCCURRENCE_MISSED = "occurrence.missed"
    OCCURRENCE_BLOCKED = "occurrence.blocked"
    RUN_FINISHED = "run.finished"
    RUN_SLOW = "run.slow"
    LEDGER_TROUBLE = "ledger.trouble"
    SCHEDULE_REPORTED = "schedule.reported"
    CLOCK_SKEWED = "clock.skewed"


_ABOUT: Final = ("description", "owner", "runbook", "tags")
_RUN: Final = ("schedule", "run_id", "nominal", *_ABOUT)

KEYS: Final[dict[Event, tuple[str, ...]]] = {
    Event.TICK_FINISHED: (
        "function",
        "past_due",
        "problem",
        "lease_taken",
        "open",
        "answered",
        "claimed",
        "skipped",
        "missed",
        "submitted",
        "blocked",
        "stopped",
        "retried",
        "finished",
        "deleted",
        "left",
    ),
    Event.DOCUMENT_REJECTED: ("schedule", "problem"),
    Event.OCCURRENCE_SUBMITTED: (*_RUN, "lateness_seconds"),
    Event.OCCURRENCE_SKIPPED: (*_RUN, "reason", "because", "count"),
    Event.OCCURRENCE_MISSED: (*_RUN, "reason", "count"),
    Event.OCCURRENCE_BLOCKED: (*_RUN, "reason", "detail"),
    Event.RUN_FINISHED: (*_RUN, "outcome", "reason", "sentence", "last_words", "event_id"),
    Event.RUN_SLOW: (*_RUN, "seconds", "usual_seconds", "event_id"),
    Event.LEDGER_TROUBLE: ("what", "blob", "detail"),
    Event.SCHEDULE_REPORTED: (
        "schedule",
        *_ABOUT,
        "seconds_since_success",
        "max_gap_seconds",
        "expected",
        "last_success",
        "failed",
        "paused",
        "valid",
    ),
    Event.CLOCK_SKEWED: ("seconds",),
}
"""The keys of each event, always all of them: alerts query them."""

_LEVELS: Final = {
    Event.DOCUMENT_REJECTED: logging.ERROR,
    Event.OCCURRENCE_MISSED: logging.WARNING,
    Event.OCCURRENCE_BLOCKED: logging.WARNING,
    Event.RUN_SLOW: logging.WARNING,
    Event.LEDGER_TROUBLE: logging.ERROR,
    Event.CLOCK_SKEWED: logging.WARNING,
}


def emit(event: Event, about: About | None = None, /, **values: Any) -> None:  # noqa: ANN401 - whatever JSON can say
    """
    Tell one event; a key without a value is told as an empty text.

    Args:
        event: Its name.
        about: Of the schedule that the event is about, with its tags in one text.
        values: By key.
    """
    told = dict.fromkeys(KEYS[event], "")
    if about:
        values = {
            **values,
            "description": about.description,
            "owner": about.owner,
            "runbook": about.runbook,
            "tags": ", ".join(about.tags),
        }
    for key, value in values.items():
        if value is not None:
            told[key] = value.isoformat() if isinstance(value, datetime) else value
    _LOGGER.log(
        _LEVELS.get(event, logging.INFO),
        "%s %s",
        event.value,
        " ".join(f"{key}={value}" for key, value in told.items() if value != ""),
        extra={"microsoft.custom_event.name": event.value, **told},
    )


def trouble(message: str, error: BaseException) -> None:
    """Tell of an error that the pass survives: one run's or one schedule's."""
    _LOGGER.error("%s: %s", message, error, exc_info=error)


async def flush() -> None:
    """
    Send what waits: between ticks the instance may be frozen. A no-op without an exporter.

    The SDK takes a limit and does not keep it: it sends until its queue is empty. So the wait is
    given up here; a tick does not hang on its telemetry.
    """
    providers = (trace.get_tracer_provider(), metrics.get_meter_provider(), get_logger_provider())
    for provider in providers:
        force_flush = getattr(provider, "force_flush", None)
        if force_flush is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_FLUSH_SECONDS):
                    await asyncio.to_thread(force_flush)
