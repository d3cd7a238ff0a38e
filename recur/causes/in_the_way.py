"""Which runs an attempt waits for: a pure function of the work list."""

from collections.abc import Sequence
from typing import Final

from orchestrator.enums import After, AttemptState
from orchestrator.ids import RunId
from orchestrator.ledger.record import Kind, Record
from orchestrator.ledger.state import OpenRun

GATES: Final = {
    After.QUEUE: "it waits for the earlier runs of its schedule to end (queue)",
    After.REPLACE: "it waits until what it replaces has ended (replace)",
    After.RETRY: "its next attempt waits for the submitted runs of its schedule to end (retry)",
    After.BACKFILL: "it waits for its turn: backfilled runs go one at a time, the oldest first "
    "(backfill)",
}


def runs_ahead(record: Record, open_runs: Sequence[OpenRun]) -> tuple[RunId, ...]:
    """Return the runs that an attempt waits for, as far as the ledger tells, the oldest first."""
    me = (record.nominal, record.run_id)
    backfill = record.attempt.after is After.BACKFILL
    ahead = (
        run
        for run in open_runs
        if run.schedule == record.schedule
        and run.run_id != record.run_id
        and (run.kind is Kind.BACKFILLED) == backfill
        and (backfill or not run.forced)
        and not _has_ended(run)
        and (_has_started(run) or run.order < me)
    )
    return tuple(run.run_id for run in sorted(ahead, key=lambda one: one.order))


def waiting_sentence(record: Record, ahead: Sequence[RunId]) -> str:
    """Say what an attempt waits for whose gate is not open."""
    gate = GATES[record.attempt.after] if record.attempt.after else "it waits"
    if not ahead:
        return f"{gate}; none of them is open any more, so the next tick submits it"
    return f"{gate}: {', '.join(ahead)}"


def _has_ended(run: OpenRun) -> bool:
    """Whether the ledger alone tells that no job of a run is active; else Batch is asked."""
    given_up = run.state is AttemptState.CLAIMED and run.stop and run.untried
    return run.state is AttemptState.ENDED or given_up


def _has_started(run: OpenRun) -> bool:
    """Whether a run has a job, or waits for nothing but its dispatch."""
    return run.state is not AttemptState.CLAIMED or run.stop or run.after is None
