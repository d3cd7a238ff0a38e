"""What becomes of runs whose job is in a Batch account that the ledger has left."""

from dataclasses import replace
from datetime import datetime

from orchestrator.enums import AttemptState, Outcome, Reason
from orchestrator.ledger.attempt import Attempt, Stop
from orchestrator.ledger.record import Record


def giving_up(record: Record, now: datetime) -> Record:
    """Return an open record that is marked: its run ends without a word of its account."""
    account = record.attempt.account
    sentence = f"It was given up: its job is in the Batch account {account}, which no longer owns this ledger."
    cause = Reason.ACCOUNT_LEFT
    return replace(record, stop=Stop(cause=cause, reason=cause, sentence=sentence, at=now))


def given_up(record: Record) -> Attempt | None:
    """
    Return the end of an attempt whose run was given up; None: it waits for its account.

    What was known of its end stays true.
    """
    stop = record.stop
    if stop is None or stop.cause is not Reason.ACCOUNT_LEFT:
        return None
    if record.attempt.outcome is not None:
        return replace(record.attempt, state=AttemptState.ENDED)
    return replace(
        record.attempt,
        state=AttemptState.ENDED,
        outcome=Outcome.LOST,
        reason=stop.reason,
        sentence=stop.sentence,
    )
