"""Open records are checked when they are read."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from orchestrator.enums import AttemptState, Outcome, Reason
from orchestrator.errors import RecordUnreadable
from orchestrator.ids import RunId, trigger_id
from orchestrator.ledger.attempt import Stop
from orchestrator.ledger.open_record import load_open
from orchestrator.ledger.record import Kind, dump, metadata
from tests.support.records import NIGHTLY, RECORD, SUBMITTED

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
ENDED = replace(SUBMITTED, state=AttemptState.ENDED, outcome=Outcome.LOST)


def test_a_sound_record_is_read() -> None:
    """With what another version keeps in its metadata."""
    later = metadata(RECORD) | {"later": "x"}

    found = load_open(RECORD.run_id, dump(RECORD), later)

    assert found == RECORD
    assert found.unknown_metadata == {"later": "x"}


def test_the_record_of_a_trigger_has_its_nominal_time_in_its_content_alone() -> None:
    """Its id does not tell it."""
    run = trigger_id(NIGHTLY, "key")
    attempt = replace(SUBMITTED, job_id=run)
    record = replace(RECORD, run_id=run, kind=Kind.TRIGGERED, attempts=(attempt,))

    assert load_open(run, dump(record)) == record


def test_an_attempt_that_ended_may_be_followed_by_another() -> None:
    """Numbers may be left out where they were taken."""
    third = replace(SUBMITTED, number=3, job_id=f"{RECORD.run_id}-r3")
    record = replace(RECORD, attempts=(ENDED, third))

    assert load_open(RECORD.run_id, dump(record)) == record


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"run_id": RunId("nightly-20260601T130000Z")}, "belongs to run nightly-20260601T130000Z"),
        ({"schedule": "other"}, "schedule is other"),
        ({"nominal": NOON.replace(hour=13)}, "nominal time"),
        ({"task": None}, "no task"),
        ({"attempts": ()}, "no attempt"),
        ({"attempts": (replace(SUBMITTED, number=0),)}, r"numbers \[0\]"),
        ({"attempts": (SUBMITTED, SUBMITTED)}, r"numbers \[1, 1\]"),
        ({"attempts": (replace(SUBMITTED, job_id="other"),)}, "has the job other"),
        ({"attempts": (replace(SUBMITTED, submitted=None),)}, "has no submission time"),
        ({"attempts": (replace(ENDED, outcome=None),)}, "without an outcome"),
        ({"attempts": (ENDED,)}, "it has no outcome"),
        ({"nominal": NOON.replace(tzinfo=None)}, "nominal time|no offset"),
        (
            {"attempts": (replace(SUBMITTED, claimed=NOON.replace(tzinfo=None)),)},
            "claimed .* no offset",
        ),
        (
            {
                "stop": Stop(
                    cause=Reason.STOPPED,
                    reason=Reason.STOPPED,
                    sentence="",
                    at=NOON.replace(tzinfo=None),
                )
            },
            "at .* no offset",
        ),
    ],
)
def test_a_damaged_record_is_refused_with_what_is_wrong(changes: dict[str, Any], said: str) -> None:
    """No pass has to look for it again."""
    with pytest.raises(RecordUnreadable, match=said):
        load_open(RECORD.run_id, dump(replace(RECORD, **changes)))


@pytest.mark.parametrize("field", ["attempts", "task", "decision", "run_id", "nominal", "versions"])
def test_a_field_of_nothing_is_refused(field: str) -> None:
    """Whichever it is."""
    content = json.loads(dump(RECORD)) | {field: None}

    with pytest.raises(RecordUnreadable):
        load_open(RECORD.run_id, json.dumps(content).encode())
