"""Schedules for tests, with the defaults of the document."""

from dataclasses import replace
from typing import Any

from orchestrator.document.parse import parse
from orchestrator.ids import ScheduleId
from orchestrator.model import Schedule

ID = ScheduleId("nightly")


def schedule(**changes: Any) -> Schedule:  # noqa: ANN401 - values of whatever field
    """Return a schedule of every minute, UTC, with some of its values changed."""
    text = '[schedules.nightly]\ncron = "* * * * *"\ncommand = "true"\n'
    return replace(parse(text).schedules[ID], **changes)
