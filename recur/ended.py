"""Why a schedule is ended."""

from dataclasses import replace
from datetime import datetime

from orchestrator.model import Recurrence, Timing
from orchestrator.timing.occurrences import ended


def why_ended(recurrence: Recurrence, after: datetime) -> str:
    """Say why nothing of a recurrence that is ended comes due after an instant."""
    plain = Timing(since=after, recurrence=replace(recurrence, holidays=None))
    if recurrence.holidays and not ended((plain,), after):
        return "holidays leave it no occurrence before its end"
    return "its last occurrence is in the past"
