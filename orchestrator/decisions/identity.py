"""
Whose a Batch job is, and which life of a run a record tells of: by ids, never by clocks.

A run may have more than one life: its final record is deleted or opened again, and it runs once
more. Each life is one claim. Records and jobs of versions without claim ids agree by having none.
"""

import hashlib
from dataclasses import replace
from datetime import datetime
from enum import Enum

from orchestrator import ids
from orchestrator.batch_state import Job
from orchestrator.ids import RunId
from orchestrator.ledger.record import Action, Kind, Record

_DIGITS = 16


class Whose(Enum):
    """Whose the job is that has the id of an attempt."""

    OURS = "of this claim"
    ENDED = "of an earlier life of the run, which has ended"
    TAKEN = "of an earlier life that goes on, or of somebody else"
    GONE = "there is none any more"


def claim_id(ledger: str, run_id: RunId, at: datetime, request: str | None) -> str:
    """
    Return the id of a claim: the same for each replay of a plan, another for each later life.

    Args:
        ledger: Id of the ledger.
        run_id: The run that is claimed.
        at: When that was decided.
        request: Id of the request that asked for it; None for what the schedule asked for.
    """
    text = "\n".join((ledger, run_id, at.isoformat(), request or ""))
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]


def identified(record: Record, ledger: str) -> Record:
    """Return the record of a decision with the ids of its ledger and, if it submits, its claim."""
    if record.decision.action is not Action.SUBMIT:
        return replace(record, ledger=ledger)
    claim = claim_id(ledger, record.run_id, record.decision.at, record.request)
    return replace(record, ledger=ledger, claim=claim)


def numbered(record: Record, number: int) -> Record:
    """Return a record whose attempt in hand has another number, and so another job id."""
    job_id = ids.job_id(record.run_id, number)
    return record.with_attempt(replace(record.attempt, number=number, job_id=job_id))


def is_job_of(run_id: RunId, claim: str | None, job: Job) -> bool:
    """Tell whether a job is one of this claim by what the work list says of it."""
    return (job.run_id, job.claim) == (run_id, claim)


def is_ours(record: Record, job: Job) -> bool:
    """Tell whether a job is one of this claim, whatever its attempt."""
    return (job.run_id, job.ledger, job.claim) == (record.run_id, record.ledger, record.claim)


def whose(record: Record, job: Job | None) -> Whose:
    """
    Tell whose the job is that has the id of the attempt in hand.

    A job of a version without ledger ids counts as an earlier life's where it names the run.
    """
    if job is None:
        return Whose.GONE
    if is_ours(record, job):
        return Whose.OURS
    earlier = job.run_id == record.run_id and job.ledger in {record.ledger, None}
    return Whose.ENDED if earlier and job.state == "completed" else Whose.TAKEN


def tells_of(final: Record, record: Record) -> bool:
    """Tell whether a final record, or its history, holds the life of an open record."""
    if record.claim is None:
        lives = [(final.claim, final.request), *((one.claim, one.request) for one in final.history)]
        return (None, record.request) in lives
    return record.claim in {final.claim, *(one.claim for one in final.history)}


def is_stale(record: Record, final: Record) -> bool:
    """
    Tell whether an open record is left from a life that has ended.

    What a schedule claims is always the first life of its run: any final record ends it.
    """
    return record.kind is Kind.SCHEDULED or tells_of(final, record)
