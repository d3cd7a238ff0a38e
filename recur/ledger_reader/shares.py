"""What a range record says of one of the occurrences that it stands for: a pure function."""

from dataclasses import replace

from orchestrator.decisions.decision import Skip
from orchestrator.decisions.plan import refusal
from orchestrator.enums import SkipReason
from orchestrator.ledger.record import Action, Record
from orchestrator.model import Occurrence


def share_of(record: Record, occurrence: Occurrence) -> Record:
    """
    Return a range record as it reads for one of its occurrences.

    What ``except`` or a holiday leaves out, or does not exist, has that reason and not the record's.
    """
    if not occurrence.exists:
        reason = SkipReason.NONEXISTENT
    elif occurrence.excluded:
        reason = SkipReason.EXCLUDED
    elif occurrence.holiday:
        reason = SkipReason.HOLIDAY
    else:
        return record
    if record.range is None or reason not in record.range.also:
        return record
    decision = replace(record.decision, action=Action.SKIPPED, reason=reason, because=None)
    skip = Skip(occurrence=occurrence, reason=reason)
    return replace(record, decision=decision, sentence=f"Skipped: {refusal(skip)}.")
