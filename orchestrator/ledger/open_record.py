"""Open records are checked when they are read: what the passes do with one relies on these facts."""

from collections.abc import Iterator, Mapping
from dataclasses import fields
from datetime import datetime

from orchestrator import ids
from orchestrator.enums import AttemptState
from orchestrator.errors import RecordUnreadable
from orchestrator.ids import RunId
from orchestrator.ledger.attempt import Attempt, Stop
from orchestrator.ledger.record import Record, load


def load_open(run_id: RunId, data: bytes, metadata: Mapping[str, str] | None = None) -> Record:
    """
    Return the record of a run that is not final.

    Args:
        run_id: Of its blob's name.
        data: The JSON.
        metadata: Of its blob; what this version does not know of it is kept.

    Raises:
        RecordUnreadable: It is damaged, not a record, or one of a later version.
    """
    record = load(data, metadata)
    problem = next(_problems(run_id, record), None)
    if problem:
        raise RecordUnreadable(f"a damaged record: {problem}")
    return record


def _problems(run_id: RunId, record: Record) -> Iterator[str]:
    if record.run_id != run_id:
        yield f"it belongs to run {record.run_id}"
    schedule, nominal = ids.parse_run_id(run_id) or (None, None)
    if record.schedule != schedule:
        yield f"its schedule is {record.schedule}"
    if nominal and record.nominal != nominal:
        yield f"its nominal time is {record.nominal}"
    if record.task is None:
        yield "it has no task"
    if not record.attempts:
        yield "it has no attempt"
    numbers = [attempt.number for attempt in record.attempts]
    if numbers != sorted(set(numbers)) or min(numbers, default=1) < 1:
        yield f"its attempts have the numbers {numbers}"
    for attempt in record.attempts:
        yield from _of_attempt(run_id, attempt)
    if record.attempts and record.attempt.state is AttemptState.ENDED and not record.outcome:
        yield "its last attempt has ended, and it has no outcome"
    yield from _without_offset(record)


def _of_attempt(run_id: RunId, attempt: Attempt) -> Iterator[str]:
    if attempt.job_id != ids.job_id(run_id, attempt.number):
        yield f"attempt {attempt.number} has the job {attempt.job_id}"
    ended = attempt.state is AttemptState.ENDED
    if ended and not attempt.outcome:
        yield f"attempt {attempt.number} has ended without an outcome"
    if attempt.state is AttemptState.SUBMITTED and not attempt.submitted:
        yield f"attempt {attempt.number} is submitted and has no submission time"


def _without_offset(record: Record) -> Iterator[str]:
    """Tell times without an offset: they cannot be compared."""
    values: list[Record | Attempt | Stop] = [record, *record.attempts]
    values += [record.stop] if record.stop else []
    for value in values:
        for field in fields(value):
            instant = getattr(value, field.name)
            if isinstance(instant, datetime) and instant.tzinfo is None:
                yield f"{field.name} {instant} has no offset"
    until = record.task.retry_until if record.task else None
    if until and until.tzinfo is None:
        yield f"retry_until {until} has no offset"
