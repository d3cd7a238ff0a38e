"""What both passes keep beside the records: the state of the submit pass, and the work list."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from orchestrator import ids
from orchestrator.enums import After, AttemptState, BlockedReason, Reason
from orchestrator.errors import RecordUnreadable
from orchestrator.ledger.attempt import Stop
from orchestrator.ledger.record import Kind, metadata
from orchestrator.ledger.results import (
    CollectState,
    dump_collect,
    finished,
    load_collect,
)
from orchestrator.ledger.state import OpenRun, SubmitState, dump_submit, load_submit, read_open_run
from orchestrator.model import Timing
from tests.support.hourly import (
    HOUR,
    MINUTE,
    NOON,
    STATE,
    run_at_noon,
)
from tests.support.records import RECORD, comes_to
from tests.support.schedules import ID, schedule

RUN = run_at_noon(schedule())
METADATA = {"state": "claimed", "nominal": "2026-06-01T12:00:00+00:00"}
TRIGGERED = ids.trigger_id(ID, "a key")


def test_what_is_written_is_read_back() -> None:
    """Both states."""
    state = SubmitState(document="etag", schedules={ID: STATE}, plan=(RECORD,))
    results = finished(CollectState(), comes_to(RECORD, succeeded=True))

    assert load_submit(dump_submit(state)) == state
    assert load_collect(dump_collect(results)) == results


@pytest.mark.parametrize(
    "metadata", [{"state": "dreaming"}, {"state": "claimed", "attempt": "first"}]
)
def test_an_open_run_that_says_what_we_do_not_know_is_told(metadata: dict[str, str]) -> None:
    """It does not vanish from the work list in silence."""
    with pytest.raises(RecordUnreadable):
        read_open_run(ids.open_blob(RECORD.run_id), metadata)
    assert read_open_run(ids.open_blob(RECORD.run_id), {}) is None


def test_a_line_of_the_work_list_says_what_its_record_says() -> None:
    """As the metadata of an open record have it, in whatever case the service returns them."""
    attempt = replace(
        RUN.attempt,
        number=3,
        state=AttemptState.SUBMITTED,
        not_before=NOON + MINUTE,
        after=After.RETRY,
        ready=NOON + HOUR,
        blocked=BlockedReason.QUOTA,
        pool="recur",
        started=NOON,
        node="node-1",
    )
    stop = Stop(cause=Reason.STOPPED, reason=Reason.STOPPED, sentence="", at=NOON)
    record = replace(RUN.with_attempt(attempt), kind=Kind.TRIGGERED, forced=True, stop=stop)
    values = {key.title(): value for key, value in metadata(record).items()}

    found = read_open_run(ids.open_blob(TRIGGERED), values)

    assert found == OpenRun(
        run_id=TRIGGERED,
        schedule=ID,
        nominal=NOON,
        kind=Kind.TRIGGERED,
        forced=True,
        state=AttemptState.SUBMITTED,
        attempt=3,
        not_before=NOON + MINUTE,
        after=After.RETRY,
        untried=False,
        blocked=True,
        stop=True,
        since=NOON,
        pool="recur",
        node="node-1",
    )


def test_a_plain_line_of_the_work_list_is_that_of_a_first_attempt() -> None:
    """The nominal time is the one in its id."""
    found = read_open_run(ids.open_blob(RUN.run_id), {"state": "claimed"})
    assert found == OpenRun(
        run_id=RUN.run_id,
        schedule=ID,
        nominal=NOON,
        kind=Kind.SCHEDULED,
        forced=False,
        state=AttemptState.CLAIMED,
        attempt=1,
        not_before=None,
        after=None,
        untried=False,
        blocked=False,
        stop=False,
    )
    assert found.order == (NOON, RUN.run_id)


@pytest.mark.parametrize(
    ("values", "untried"),
    [({"after": "queue"}, True), ({"after": "queue", "ready": NOON.isoformat()}, False)],
)
def test_an_attempt_whose_gates_never_opened_was_never_tried(
    values: dict[str, str], *, untried: bool
) -> None:
    """So there is certainly no job of it."""
    found = read_open_run(ids.open_blob(RUN.run_id), {**METADATA, **values})
    assert found is not None
    assert found.untried is untried


def test_the_nominal_time_of_a_trigger_needs_an_offset() -> None:
    """It stands in its metadata alone."""
    for nominal in ({}, {"nominal": "2026-06-01T12:00:00"}):
        with pytest.raises(RecordUnreadable, match=TRIGGERED):
            read_open_run(ids.open_blob(TRIGGERED), {"state": "claimed", **nominal})


@pytest.mark.parametrize("load", [load_submit, load_collect])
def test_a_state_of_another_version_is_not_read(
    load: Callable[[bytes], SubmitState | CollectState],
) -> None:
    """Nor is what is none."""
    with pytest.raises(RecordUnreadable, match="has schema 2; this version reads 1"):
        load(b'{"schema": 2}')
    with pytest.raises(RecordUnreadable, match="is not what this version writes"):
        load(b'{"schedules": 1}')


def test_a_schedule_is_removed_by_its_last_timing() -> None:
    """A removal before that is over."""
    removed = Timing(since=NOON, recurrence=None, removed=True)
    assert not STATE.removed
    assert replace(STATE, timings=(*STATE.timings, removed)).removed
    assert not replace(STATE, timings=(removed, *STATE.timings)).removed
