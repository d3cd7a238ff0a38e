"""What is wrong with a run that has not ended: pure functions of its line in the work list."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from orchestrator.enums import AttemptState
from orchestrator.ids import RunId
from orchestrator.ledger.record import Record
from recur.causes.pool_causes import Cause, node_cause, pool_cause
from recur.causes.remedies import why_blocked
from recur.causes.surroundings import OpenLine, Surroundings
from recur.causes.trouble import Health, Kind, Trouble
from recur.formats import age

_GRACE: Final = timedelta(minutes=15)
"""For the collector, behind a time at which it should have ended a run."""

_UNREAD: Final = timedelta(hours=1)
"""For so long the collector tries to read the outputs of a run that has ended."""


def open_run_trouble(
    line: OpenLine, around: Surroundings, run_timeout: timedelta | None
) -> Trouble | None:
    """
    Return what is wrong with an open run; None: it goes on as it should.

    Args:
        line: Of the work list.
        around: What it runs in.
        run_timeout: Of the run, or of its schedule by the document in force; None: not known.
    """
    run = line.run
    if run.damaged:
        cause = "the listing does not tell how its open record stands"
        return _of(line, Kind.DAMAGED, cause, _repair_step(run.run_id))
    ended = run.state is AttemptState.ENDED
    if run.account not in {None, around.account} and not ended:
        cause = f"its job is in the Batch account {run.account}, which nobody asks any more"
        return _of(line, Kind.ELSEWHERE, cause, "recur adopt --give-up ends it as lost")
    if late := _overstays(line, around.now, run_timeout):
        return _of(line, Kind.STUCK, late, _stuck_step(run.run_id, on_laptop=around.on_laptop))
    if line.blocked and not run.stop:
        return _of(line, Kind.BLOCKED, *why_blocked(line.blocked, on_laptop=around.on_laptop))
    return _on_its_pool(line, around)


def _repair_step(run: RunId) -> str:
    """Return what mends an open record whose metadata cannot be read, or nothing of it."""
    return (
        "recur tick collect writes its metadata again from its content; if that does not help, "
        f"recur show {run} says what is wrong with the record"
    )


def held_up(record: Record, *, on_laptop: bool) -> tuple[str, str] | None:
    """Return what keeps the job of an open run from going on in Batch, and how it goes on; or None."""
    attempt = record.attempt
    if attempt.state is not AttemptState.SUBMITTED or attempt.diagnosis is None or record.stop:
        return None
    stop = f"recur stop {record.run_id}"
    step = f"az batch job enable --job-id {attempt.job_id}, or {stop}"
    if on_laptop:
        step = f"{stop} ends it; it goes on when its job is enabled again"
    return attempt.diagnosis.rstrip("."), step


def with_record(trouble: Trouble, record: Record, *, on_laptop: bool) -> Trouble:
    """Return the trouble of an open run with what its record says beyond the work list."""
    if held := held_up(record, on_laptop=on_laptop):
        return replace(trouble, cause=held[0], next_step=held[1])
    detail = record.attempt.blocked_detail if record.attempts else None
    if trouble.kind is not Kind.BLOCKED or not detail:
        return trouble
    return replace(trouble, cause=f"{trouble.cause}: {detail.rstrip('.')}")


def lost_node(line: OpenLine, around: Surroundings) -> Cause | None:
    """Return what is wrong with the node of a run that runs; None: nothing, as far as is known."""
    run = line.run
    if run.state is not AttemptState.SUBMITTED or run.stop or run.start_by or run.node is None:
        return None
    if run.pool not in {None, around.pool_id}:
        return None
    return node_cause(run.node, around, f"recur logs {run.run_id} -f follows it")


def _on_its_pool(line: OpenLine, around: Surroundings) -> Trouble | None:
    run = line.run
    if lost := lost_node(line, around):
        return _by_pool(line, Kind.NODE_LOST, lost)
    if run.state is not AttemptState.SUBMITTED or run.start_by is None or run.stop:
        return None
    if run.pool not in {None, around.pool_id}:
        cause = f"it waits in pool {run.pool}, and these settings name {around.pool_id}"
        step = f"recur show {run.run_id} looks at its pool"
        return _of(line, Kind.WAITING, cause, step, health=Health.NOTE)
    cause_of_pool = pool_cause(around)
    return _by_pool(line, Kind.WAITING, cause_of_pool) if cause_of_pool else None


def _by_pool(line: OpenLine, kind: Kind, cause: Cause) -> Trouble:
    return _of(
        line, kind, cause.text, cause.next_step, health=cause.health, last_lines=cause.last_lines
    )


def _overstays(line: OpenLine, now: datetime, run_timeout: timedelta | None) -> str | None:
    """Say what should have happened to a run long ago; None: nothing."""
    run = line.run
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
            longest = timedelta.max / 2 if run_timeout is None else run_timeout
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
    return f"{what} ({age(now - since)})"


def _stuck_step(run: RunId, *, on_laptop: bool) -> str:
    log = "what `make start` prints" if on_laptop else "the app's log"
    return f"recur tick does the timers' work now; if the timers run, look at {log} for {run}"


def _of(  # noqa: PLR0913 - the parts of a trouble
    line: OpenLine,
    kind: Kind,
    cause: str,
    next_step: str,
    *,
    health: Health = Health.PROBLEM,
    last_lines: tuple[str, ...] = (),
) -> Trouble:
    run = line.run
    return Trouble(
        health=health,
        kind=kind,
        schedule=run.schedule,
        run_id=run.run_id,
        since=None if kind is Kind.NODE_LOST else run.since or run.nominal,
        cause=cause,
        next_step=next_step,
        last_lines=last_lines,
    )
