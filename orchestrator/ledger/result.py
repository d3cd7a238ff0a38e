"""
What a final record comes to, as one line of a listing.

Final blobs repeat it as metadata, so that results and summaries can be made anew from listings.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from orchestrator import ids
from orchestrator.enums import Outcome
from orchestrator.errors import RecordUnreadable
from orchestrator.ids import RunId, ScheduleId
from orchestrator.ledger.attempt import Attempt
from orchestrator.ledger.record import Action, Cost, Kind, Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """
    How a run ended, or why one or several occurrences did not run.

    Attributes:
        nominal: Of a range, that of the first occurrence.
        last: Nominal time of the last occurrence; the same as ``nominal`` for a single one.
        count: How many occurrences it stands for.
        action: What was decided.
        reason: Of the outcome; of the decision for what did not run.
        outcome: None for what did not run.
        attempt: The number of the last attempt.
        finished: When the last attempt ended.
        seconds: How long its task took; None for one that never began.
        lateness: Seconds from the nominal time to the submission; None for what was triggered or
            backfilled: nobody waited for it at its nominal time.
        cost: Of all attempts.
    """

    run_id: RunId
    schedule: ScheduleId
    nominal: datetime
    last: datetime
    count: int = 1
    action: Action
    reason: str
    outcome: Outcome | None = None
    attempt: int = 1
    finished: datetime | None = None
    seconds: float | None = None
    lateness: float | None = None
    cost: Cost | None = None

    @property
    def job_id(self) -> str:
        """The Batch job of the last attempt: a run that a backfill repeated has another one."""
        return ids.job_id(self.run_id, self.attempt)


def result_of(record: Record) -> Result:
    """Return what a final record comes to."""
    span = record.range
    attempt = record.attempts[-1] if record.attempts else None
    return Result(
        run_id=record.run_id,
        schedule=record.schedule,
        nominal=record.nominal,
        last=span.last if span else record.nominal,
        count=span.count if span else 1,
        action=record.decision.action,
        reason=(record.reason if record.outcome else record.decision.reason) or "",
        outcome=record.outcome,
        attempt=attempt.number if attempt else 1,
        finished=attempt.finished if attempt else None,
        seconds=task_seconds(attempt) if attempt else None,
        lateness=record.lateness_seconds if record.kind is Kind.SCHEDULED else None,
        cost=record.cost,
    )


def task_seconds(attempt: Attempt) -> float | None:
    """Return how long the task of an attempt took, to a thousandth; None if it never began."""
    if attempt.task_seconds is not None:
        return round(attempt.task_seconds, 3)
    if attempt.started is None or attempt.finished is None:
        return None
    return max(0.0, round((attempt.finished - attempt.started).total_seconds(), 3))


def result_metadata(record: Record) -> dict[str, str]:
    """Return the metadata of a final record's blob; what is not known is left out."""
    result = result_of(record)
    values: dict[str, object] = {
        "outcome": result.outcome or result.action,
        "reason": result.reason,
        "kind": record.kind,
        "nominal": result.nominal.isoformat(),
        "last": result.last.isoformat() if result.count > 1 else None,
        "count": result.count if result.count > 1 else None,
        "attempt": result.attempt if result.attempt > 1 else None,
        "finished": result.finished.isoformat() if result.finished else None,
        "seconds": result.seconds,
        "lateness": result.lateness,
        "cost": f"{result.cost.amount} {result.cost.currency}" if result.cost else None,
    }
    return {key: str(value) for key, value in values.items() if value not in (None, "")}


def read_result(blob: str, metadata: Mapping[str, str]) -> Result | None:
    """
    Read one line of a listing of final records.

    Args:
        blob: The name of the blob.
        metadata: Of the blob.

    Returns:
        The result; None where the metadata hold none, as those of earlier versions.

    Raises:
        RecordUnreadable: They say what this version does not know.
    """
    values = {key.lower(): value for key, value in metadata.items()}
    run_id = ids.final_run_id(blob)
    parsed = ids.parse_run_id(run_id) if run_id else None
    if run_id is None or parsed is None or not {"outcome", "nominal"} <= values.keys():
        return None
    outcome = values["outcome"]
    did_not_run = outcome in {Action.SKIPPED, Action.MISSED}
    scheduled = (
        values.get("kind", Kind.SCHEDULED) == Kind.SCHEDULED
    )  # earlier versions wrote it for all
    amount, _, currency = values.get("cost", "").partition(" ")
    try:
        nominal = _instant(values["nominal"])
        return Result(
            run_id=run_id,
            schedule=parsed[0],
            nominal=nominal,
            last=_instant(values["last"]) if "last" in values else nominal,
            count=int(values.get("count", "1")),
            action=Action(outcome) if did_not_run else Action.SUBMIT,
            reason=values.get("reason", ""),
            outcome=None if did_not_run else Outcome(outcome),
            attempt=int(values.get("attempt", "1")),
            finished=_instant(values["finished"]) if "finished" in values else None,
            seconds=float(values["seconds"]) if "seconds" in values else None,
            lateness=float(values["lateness"]) if "lateness" in values and scheduled else None,
            cost=Cost(amount=float(amount), currency=currency) if currency else None,
        )
    except ValueError as error:
        raise RecordUnreadable(f"the metadata of {blob}: {error}") from error


def _instant(text: str) -> datetime:
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError(f"{text} has no offset")
    return instant
