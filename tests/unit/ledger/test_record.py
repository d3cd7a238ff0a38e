"""Records as JSON."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from orchestrator.enums import After, AttemptState, BlockedReason, Reason
from orchestrator.errors import RecordUnreadable
from orchestrator.ids import RunId
from orchestrator.ledger.attempt import Stop
from orchestrator.ledger.record import METADATA_KEYS, Kind, Range, Record, dump, load, metadata
from tests.support.records import RECORD, SUBMITTED

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
HALF_HOUR = timedelta(minutes=30)
TRIGGERED = RunId("nightly-m0123456789abcdef")


def test_a_record_is_read_back() -> None:
    """Its JSON is the same bytes for the same record."""
    assert load(dump(RECORD)) == RECORD
    assert dump(load(dump(RECORD))) == dump(RECORD)


@pytest.mark.parametrize("data", [b"", b"{}", b"\xff", dump(replace(RECORD, schema=2))])
def test_a_blob_that_is_no_record_is_told(data: bytes) -> None:
    """One of a later version included: to rewrite it would lose what it says."""
    with pytest.raises(RecordUnreadable):
        load(data)


@pytest.mark.parametrize(
    ("record", "blob"),
    [
        (RECORD, "runs/nightly/2026/06/nightly-20260601T120000Z.json"),
        (
            replace(RECORD, kind=Kind.BACKFILLED),
            "runs/nightly/2026/06/nightly-20260601T120000Z.json",
        ),
        (
            replace(RECORD, kind=Kind.TRIGGERED, run_id=TRIGGERED),
            "runs/nightly/triggered/nightly-m0123456789abcdef.json",
        ),
        (
            replace(RECORD, range=Range(first=NOON, last=NOON, count=3)),
            "runs/nightly/2026/06/nightly-20260601T120000Z+3.json",
        ),
    ],
)
def test_a_final_record_has_its_name(record: Record, blob: str) -> None:
    """A trigger's has no month, a range's says how many it stands for."""
    assert record.blob == blob


def test_the_attempt_in_hand_is_the_last() -> None:
    """It alone is replaced, and its outputs have a folder of their own."""
    second = replace(SUBMITTED, number=2)
    twice = replace(RECORD, attempts=(SUBMITTED, second))

    assert twice.attempt == second
    assert twice.output_prefix == "nightly/2026/06/nightly-20260601T120000Z/r2/"
    third = replace(second, number=3)
    assert twice.with_attempt(third).attempts == (SUBMITTED, third)


def test_the_metadata_of_an_open_record_are_what_the_work_list_needs() -> None:
    """What is not so of a run is not there."""
    plain = {
        "state": "submitted",
        "attempt": "1",
        "kind": "scheduled",
        "nominal": "2026-06-01T12:00:00+00:00",
        "start_by": "2026-06-01T12:30:00+00:00",
        "since": "2026-06-01T12:00:00+00:00",
    }
    attempt = replace(
        SUBMITTED,
        not_before=NOON,
        after=After.RETRY,
        ready=NOON,
        blocked=BlockedReason.QUOTA,
        account="https://b.example",
        pool="recur",
    )
    running = RECORD.with_attempt(replace(SUBMITTED, started=NOON + HALF_HOUR, node="node-1"))
    stop = Stop(cause=Reason.STOPPED, reason=Reason.NO_NODE, sentence="", at=NOON)
    full = replace(RECORD.with_attempt(attempt), forced=True, stop=stop, claim="c1")

    assert metadata(RECORD) == plain
    assert metadata(full) == plain | {
        "forced": "true",
        "claim": "c1",
        "account": "https://b.example",
        "not_before": "2026-06-01T12:00:00+00:00",
        "after": "retry",
        "ready": "2026-06-01T12:00:00+00:00",
        "blocked": "quota",
        "stop": "stopped",
        "pool": "recur",
    }
    assert metadata(running)["node"] == "node-1"
    assert metadata(full).keys() | {"node"} == METADATA_KEYS


@pytest.mark.parametrize(
    ("changes", "start_by"),
    [
        ({}, NOON + HALF_HOUR),
        ({"waiting_since": NOON + HALF_HOUR}, NOON + 2 * HALF_HOUR),
        ({"started": NOON + HALF_HOUR}, None),
        ({"started": NOON, "waiting_since": NOON + HALF_HOUR}, NOON + 2 * HALF_HOUR),
        ({"started": NOON + HALF_HOUR, "waiting_since": NOON}, None),
        ({"started": NOON, "waiting_since": NOON}, NOON + HALF_HOUR),
        ({"submitted": None, "state": AttemptState.CLAIMED}, None),
        ({"state": AttemptState.ENDED}, None),
    ],
)
def test_the_work_list_says_until_when_a_waiting_task_has_to_start(
    changes: dict[str, Any], start_by: datetime | None
) -> None:
    """From its submission, or from when it began to wait anew."""
    record = replace(RECORD, attempts=(replace(SUBMITTED, **changes),))

    found = metadata(record).get("start_by")

    assert found == (start_by.isoformat() if start_by else None)


@pytest.mark.parametrize(
    ("changes", "node"),
    [
        ({"started": NOON, "node": "node-1"}, "node-1"),
        ({"started": NOON, "waiting_since": NOON, "node": "node-1"}, None),
        ({"started": NOON, "node": "node-1", "state": AttemptState.ENDED}, None),
        ({"started": NOON}, None),
    ],
)
def test_the_work_list_names_the_node_of_a_running_task(
    changes: dict[str, Any], node: str | None
) -> None:
    """Not one that it has lost, even within the second in which it began."""
    record = replace(RECORD, attempts=(replace(SUBMITTED, **changes),))

    assert metadata(record).get("node") == node


@pytest.mark.parametrize(
    ("changes", "minutes"),
    [
        ({"state": AttemptState.CLAIMED, "submitted": None}, 0),
        ({"state": AttemptState.CLAIMED, "ready": NOON + HALF_HOUR}, 30),
        ({"submitted": NOON + HALF_HOUR}, 30),
        ({"started": NOON + HALF_HOUR}, 30),
        ({"started": NOON, "waiting_since": NOON + HALF_HOUR}, 30),
        ({"state": AttemptState.ENDED, "started": NOON, "finished": NOON + HALF_HOUR}, 30),
    ],
)
def test_the_work_list_says_since_when_a_run_stands_as_it_does(
    changes: dict[str, Any], minutes: int
) -> None:
    """Claimed, blocked, waiting for a node, running or ended: without a look at the record."""
    record = replace(RECORD, attempts=(replace(SUBMITTED, **changes),))

    since = NOON + timedelta(minutes=minutes)
    assert metadata(record)["since"] == since.isoformat()


def test_metadata_of_another_version_are_kept() -> None:
    """They stand beside the JSON, make no two records differ, and replace no key of ours."""
    later = {"added_later": "x", "Other": "y"}
    record = load(dump(RECORD), {**metadata(RECORD), **later, "Blocked": "quota"})

    assert record == RECORD
    assert dump(record) == dump(RECORD)
    assert metadata(record) == metadata(RECORD) | later
    assert metadata(record.with_attempt(record.attempt)) == metadata(record)


def test_a_reason_that_a_later_version_tells_apart_is_kept() -> None:
    """A range of skips is read as it is: it may hold what this version does not know."""
    spans = Range(first=NOON, last=NOON + timedelta(hours=1), count=2, also={"eclipse": 1})

    assert load(dump(replace(RECORD, range=spans))).range == spans


def test_a_field_named_as_the_metadata_is_a_field_like_any_other() -> None:
    """The JSON of a later version may have it: it is kept as JSON."""
    data = json.loads(dump(RECORD)) | {"unknown_metadata": {"a": 1}}
    record = load(json.dumps(data).encode())

    assert record.unknown_metadata == {}
    assert json.loads(dump(record)) == data
