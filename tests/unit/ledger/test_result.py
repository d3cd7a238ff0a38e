"""What a final record comes to, and the metadata that say so."""

from dataclasses import replace
from datetime import timedelta

import pytest

from orchestrator import ids
from orchestrator.enums import Outcome, Reason
from orchestrator.errors import RecordUnreadable
from orchestrator.ledger.record import Action, Cost, Kind, Range, Record
from orchestrator.ledger.result import read_result, result_metadata, result_of, task_seconds
from tests.support.hourly import HOUR, MINUTE, NOON
from tests.support.records import NIGHTLY, decided, ran

FAILED = replace(
    ran(NOON, Outcome.FAILED, Reason.EXIT_CODE), cost=Cost(amount=0.25, currency="USD")
)
TRIGGERED = replace(
    ran(NOON), run_id=ids.trigger_id(NIGHTLY, "a key"), kind=Kind.TRIGGERED, lateness_seconds=0.5
)
MISSED = decided(
    NOON,
    Action.MISSED,
    reason="window",
    range=Range(first=NOON, last=NOON + 3 * HOUR, count=4),
)


@pytest.mark.parametrize(
    "record", [FAILED, TRIGGERED, MISSED, decided(NOON, Action.SKIPPED, reason="overlap")]
)
def test_the_metadata_of_a_final_record_say_what_it_comes_to(record: Record) -> None:
    """A listing suffices: a run, a trigger's run, a range, a single skip."""
    assert read_result(record.blob, result_metadata(record)) == result_of(record)


@pytest.mark.parametrize("kind", Kind)
def test_only_a_scheduled_run_is_late(kind: Kind) -> None:
    """A backfill of last month is not a month late; metadata of earlier versions say so of all."""
    record = replace(FAILED, kind=kind, lateness_seconds=9.0)
    listed = read_result(FAILED.blob, result_metadata(record) | {"lateness": "9.0"})

    assert listed is not None
    assert result_of(record).lateness == (9.0 if kind is Kind.SCHEDULED else None)
    assert listed.lateness == result_of(record).lateness


def test_a_later_attempt_is_told_from_the_first() -> None:
    """Its job is another one."""
    again = replace(FAILED.attempt, number=2, job_id=ids.job_id(FAILED.run_id, 2))
    record = replace(FAILED, attempts=(FAILED.attempt, again))

    found = read_result(record.blob, result_metadata(record))

    assert found is not None
    assert found.job_id == again.job_id


def test_metadata_of_earlier_versions_hold_no_result() -> None:
    """Nor does a blob that is not a final record by its name."""
    assert read_result(FAILED.blob, {}) is None
    assert read_result("runs/nightly/notes.txt", result_metadata(FAILED)) is None
    assert read_result(f"open/{FAILED.run_id}.json", result_metadata(FAILED)) is None


@pytest.mark.parametrize(
    ("key", "value"),
    [("outcome", "vanished"), ("nominal", "noon"), ("nominal", "2026-06-01"), ("count", "few")],
)
def test_metadata_that_this_version_does_not_know_are_unreadable(key: str, value: str) -> None:
    """The record itself is read then."""
    with pytest.raises(RecordUnreadable, match=r"the metadata of runs/nightly/"):
        read_result(FAILED.blob, result_metadata(FAILED) | {key: value})


def test_a_task_takes_the_time_from_its_begin_to_its_end() -> None:
    """Batch's own word goes first; a task that never began takes no time."""
    begun = replace(FAILED.attempt, started=NOON, finished=NOON + MINUTE, task_seconds=None)

    assert task_seconds(begun) == timedelta(minutes=1).total_seconds()
    assert task_seconds(replace(begun, task_seconds=3.14159)) == round(3.14159, 3)
    assert task_seconds(replace(begun, started=None)) is None
    assert task_seconds(replace(begun, finished=None)) is None
