"""What the open runs of a work list do, and what is wrong with them: pure functions."""

from collections.abc import Iterator
from datetime import timedelta

from orchestrator.enums import AttemptState
from recur.causes.open_run import lost_node, open_run_trouble
from recur.causes.surroundings import OpenLine
from recur.causes.trouble import Trouble
from recur.status.readings import Readings
from recur.status.value import State


def run_state(line: OpenLine, readings: Readings) -> State:
    """Return what an open run does; one whose node is lost does not run."""
    run = line.run
    if run.stop:
        return State.STOPPING
    match run.state:
        case AttemptState.ENDED:
            return State.FINISHING
        case AttemptState.SUBMITTED:
            waits = run.start_by or run.damaged or lost_node(line, readings.surroundings)
            return State.WAITING if waits else State.RUNNING
        case AttemptState.CLAIMED:
            return State.BLOCKED if line.blocked else State.WAITING


def open_run_troubles(readings: Readings) -> Iterator[Trouble]:
    """Yield what is wrong with each open run; nothing for one that goes on as it should."""
    for line in readings.lines:
        timeout = _run_timeout(line, readings)
        if trouble := open_run_trouble(line, readings.surroundings, timeout):
            yield trouble


def _run_timeout(line: OpenLine, readings: Readings) -> timedelta | None:
    """Return the longest time of a run by the document in force; by an earlier one it may differ."""
    document = readings.parsed
    schedule = document.schedules.get(line.run.schedule) if document else None
    return schedule.run_timeout if schedule else None
