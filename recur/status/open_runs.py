"""What is wrong with runs that have not ended: pure functions of the work list."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from orchestrator.enums import AttemptState, BlockedReason
from orchestrator.ids import RunId
from recur.explain.remedies import WHY_BLOCKED
from recur.formats import short_duration
from recur.status.pool import make_pool, waiting_cause
from recur.status.readings import OpenLine, Readings
from recur.status.value import Kind, State, Trouble

_GRACE: Final = timedelta(minutes=15)
"""For the collector, behind a time at which it should have ended a run."""

_UNREAD: Final = timedelta(hours=1)
"""For so long the collector tries to read the outputs of a run that has ended."""

_ALONE: Final = "a later version wrote it", "use that version of recur"


def run_state(line: OpenLine) -> State:
    """Return what an open run does."""
    run = line.run
    if run.stop:
        return State.STOPPING
    match run.state:
        case AttemptState.ENDED:
            return State.FINISHING
        case AttemptState.SUBMITTED:
            return State.WAITING if run.start_by or run.damaged else State.RUNNING
        case AttemptState.CLAIMED:
            return State.BLOCKED if line.blocked else State.WAITING


def open_run_troubles(readings: Readings) -> Iterator[Trouble]:
    """Yield what is wrong with each open run; nothing for one that goes on as it should."""
    pool = waiting_cause(readings)
    for line in readings.lines:
        if trouble := _trouble(line, readings, pool):
            yield trouble


def _trouble(line: OpenLine, readings: Readings, pool: tuple[str, str] | None) -> Trouble | None:
    run = line.run
    if run.damaged:
        cause = "the listing does not tell how its open record stands"
        return _of(line, Kind.DAMAGED, cause, f"recur show {run.run_id}")
    ended = run.state is AttemptState.ENDED
    if run.account not in {None, readings.account} and not ended:
        cause = f"its job is in the Batch account {run.account}, which nobody asks any more"
        return _of(line, Kind.ELSEWHERE, cause, "recur adopt --give-up ends it as lost")
    if late := _overstays(line, readings):
        return _of(line, Kind.STUCK, late, _collect_step(readings, run.run_id))
    if line.blocked and not run.stop:
        return _of(line, Kind.BLOCKED, *_why_blocked(line.blocked, readings))
    if run.state is AttemptState.SUBMITTED and run.start_by and pool:
        return _of(line, Kind.WAITING, *pool)
    return None


def _why_blocked(reason: str, readings: Readings) -> tuple[str, str]:
    """Return why a run has no job yet, with the reason's word, and what mends that."""
    why, step = WHY_BLOCKED.get(reason, _ALONE)
    if reason == BlockedReason.POOL_MISSING:
        step = make_pool(readings)
    elif readings.on_laptop and reason in {BlockedReason.AUTH, BlockedReason.UNAVAILABLE}:
        step = "`make up` runs the Batch account and writes its key into the settings"
    return f"{why} ({reason})", step


def _overstays(line: OpenLine, readings: Readings) -> str | None:
    """Say what should have happened to a run long ago; None: nothing."""
    run, now = line.run, readings.now
    if run.stop:
        return _past(run.since, _GRACE, now, "it is to be stopped, and its job has not ended")
    match run.state:
        case AttemptState.ENDED:
            return _past(
                run.since, _UNREAD + _GRACE, now, "its job has ended, and its record is not final"
            )
        case AttemptState.SUBMITTED if run.start_by:
            return _past(
                run.start_by, _GRACE, now, "its start timeout has passed, and it was not given up"
            )
        case AttemptState.SUBMITTED:
            longest = _run_timeout(line, readings)
            return _past(
                run.since, longest + _GRACE, now, "its run timeout has passed, and it has not ended"
            )
        case AttemptState.CLAIMED:
            return _undispatched(line, now)


def _undispatched(line: OpenLine, now: datetime) -> str | None:
    run = line.run
    if line.blocked or run.after or (run.not_before and run.not_before > now):
        return None
    begin = max(run.since, run.not_before) if run.since and run.not_before else run.since
    return _past(begin, _GRACE, now, "it is due, and no tick has created its job")


def _past(since: datetime | None, limit: timedelta, now: datetime, what: str) -> str | None:
    if since is None or now - since <= limit:
        return None
    return f"{what} ({short_duration(now - since)})"


def _run_timeout(line: OpenLine, readings: Readings) -> timedelta:
    """Return the longest time of a run by the document in force; by an earlier one it may differ."""
    document = readings.parsed
    schedule = document.schedules.get(line.run.schedule) if document else None
    return schedule.run_timeout if schedule else timedelta.max / 2


def _collect_step(readings: Readings, run: RunId) -> str:
    log = "what `make start` prints" if readings.on_laptop else "the app's log"
    return f"recur show {run}; if the timers run, look at {log}"


def _of(line: OpenLine, kind: Kind, cause: str, next_step: str) -> Trouble:
    run = line.run
    return Trouble(
        kind=kind,
        schedule=run.schedule,
        run_id=run.run_id,
        since=run.since or run.nominal,
        cause=cause,
        next_step=next_step,
    )
