"""Which Batch jobs are not needed any more: a pure function of a job and its run's final record."""

from datetime import datetime, timedelta
from typing import Final

from orchestrator.batch_state import EndedJob
from orchestrator.ledger.record import Record
from orchestrator.ledger.state import HousekeepingMark

JOBS_KEPT: Final = timedelta(days=7)
EVERY: Final = timedelta(hours=1)


def is_due(mark: HousekeepingMark | None, now: datetime) -> bool:
    """
    Tell whether old jobs are to be looked for, even in a tick with nothing else to do.

    In a ledger without a mark no run has ended yet.
    """
    return mark is not None and (mark.after is not None or now - mark.at >= EVERY)


def may_go(ended: EndedJob, final: Record | None) -> bool:
    """
    Tell whether the job of an attempt may be deleted.

    Its run's final record must hold its ledger, its claim and its attempt. Jobs and records of
    versions without ids agree by having none.
    """
    if final is None or ended.job.run_id != final.run_id:
        return False
    lives = {(final.ledger, final.claim)}
    lives |= {(final.ledger if past.claim else None, past.claim) for past in final.history}
    attempts = {(one.number, one.job_id) for one in final.attempts}
    return (
        (ended.job.ledger, ended.job.claim) in lives
        and ended.job.attempt is not None
        and (ended.job.attempt, ended.id) in attempts
    )
