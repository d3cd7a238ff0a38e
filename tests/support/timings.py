"""Timings for tests, in force since long ago."""

from datetime import UTC, datetime

from orchestrator.model import Recurrence, Timing

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


def timing(cron: str, zone: str = "UTC") -> Timing:
    """Return the timing of one expression."""
    return Timing(since=LONG_AGO, recurrence=Recurrence(cron=(cron,), time_zone=zone))
