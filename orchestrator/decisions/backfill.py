"""
What a backfill asks for: which past occurrences are to run, and the claims that they become.

The ids are those of the schedule, so that no run of it is made twice.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from itertools import islice

from orchestrator import ids
from orchestrator.enums import After, AttemptState, Outcome, SkipReason
from orchestrator.errors import RequestRefused
from orchestrator.ledger.attempt import Attempt
from orchestrator.ledger.record import Action, Past, Record
from orchestrator.ledger.request import MOST_RUNS, Request
from orchestrator.ledger.state import ScheduleState
from orchestrator.model import Occurrence
from orchestrator.timing.occurrences import occurrences_of


class Rerun(Enum):
    """
    Which occurrences a backfill runs besides those that were skipped, missed or never recorded.

    Attributes:
        NOTHING: None.
        FAILED: Those whose run ended with any outcome but success.
        ALL: Those whose run ended, and those that ``except`` or a holiday leaves out.
    """

    NOTHING = "nothing"
    FAILED = "failed"
    ALL = "all"

    @classmethod
    def of(cls, request: Request) -> "Rerun":
        """Return what a request asks for; never both of its flags are set."""
        if request.rerun:
            return cls.ALL
        return cls.FAILED if request.rerun_failed else cls.NOTHING


def occurrences_between(
    state: ScheduleState, *, after: datetime, until: datetime
) -> tuple[Occurrence, ...]:
    """
    Return the occurrences in ``(after, until]`` that a backfill looks at, oldest first.

    Only those that exist and have been decided; the others are still to come.

    Raises:
        RequestRefused: They are more than 1,000.
    """
    decided = min(until, state.decided_until)
    every = occurrences_of(state.timings, after=after, until=decided)
    found = tuple(islice((one for one in every if one.exists), MOST_RUNS + 1))
    if len(found) > MOST_RUNS:
        raise RequestRefused(
            f"more than {MOST_RUNS} occurrences lie in this time span: choose a shorter one"
        )
    return found


def eligible(occurrence: Occurrence, final: Record | None, rerun: Rerun) -> bool:
    """
    Tell whether a backfill runs an occurrence of which no run is open.

    Args:
        occurrence: One of those asked for.
        final: Its own final record; None if it has none, or only a share in a range's.
        rerun: What is to run besides.
    """
    if rerun is Rerun.ALL:
        return True
    if final is None:
        return not (occurrence.excluded or occurrence.holiday)
    if final.outcome is not None:
        return rerun is Rerun.FAILED and final.outcome is not Outcome.SUCCEEDED
    decision = final.decision
    left_out = {SkipReason.EXCLUDED, SkipReason.HOLIDAY}
    return decision.action is not Action.SUBMIT and decision.reason not in left_out


@dataclass(frozen=True, slots=True)
class Reopened:
    """A final record that is to be opened again, and its ETag."""

    record: Record
    etag: str


def claim(new: Record, reopened: Reopened | None) -> Record:
    """
    Return the record of a backfilled run: gated, and the heir of the final record it replaces.

    Args:
        new: The record as if the occurrence were claimed for the first time.
        reopened: The final record that it opens again; None if the occurrence has none.
    """
    if reopened is None:
        return new.with_attempt(replace(new.attempt, after=After.BACKFILL))
    old = reopened.record
    past = Past(
        kind=old.kind,
        claim=old.claim,
        request=old.request,
        by=old.by,
        note=old.note,
        decision=old.decision,
        outcome=old.outcome,
        reason=old.reason,
        sentence=old.sentence,
        attempts=len(old.attempts),
        extra=old.extra,
    )
    number = max((one.number for one in old.attempts), default=0) + 1  # attempts go on counting
    attempt = Attempt(
        number=number,
        job_id=ids.job_id(new.run_id, number),
        state=AttemptState.CLAIMED,
        claimed=new.attempt.claimed,
        after=After.BACKFILL,
    )
    return replace(
        new,
        attempts=(*old.attempts, attempt),
        replaces=reopened.etag,
        history=(*old.history, past),
    )
