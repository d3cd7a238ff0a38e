"""What is frozen at a claim."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.decisions import claims
from orchestrator.enums import Overlap
from orchestrator.ledger.state import CollectState, ScheduleResults
from tests.support.hourly import HOUR, HOURLY, NOON, run_at_noon
from tests.support.schedules import ID, schedule


@given(st.integers(0, 100_000), st.integers(1, 3000))
def test_jitter_is_the_same_whenever_it_is_asked_for(seconds: int, gap: int) -> None:
    """It is below its limit and below the time to the next occurrence."""
    table = schedule(jitter=timedelta(seconds=seconds))
    upcoming = NOON + timedelta(seconds=gap)

    first, second = (claims.jittered(table, NOON, upcoming) for _ in range(2))

    assert first == second
    if seconds == 0:
        assert first is None
    else:
        assert first is not None
        assert timedelta(0) <= first - NOON < timedelta(seconds=min(seconds, gap))


def test_occurrences_have_different_jitter() -> None:
    """Else all schedules of the hour would start at once again."""
    table = schedule(jitter=HOUR)
    waits = {claims.jittered(table, NOON + n * 24 * HOUR, None) for n in range(50)}
    assert len({wait and wait.minute for wait in waits}) > 20


def test_the_environment_of_a_schedule_cannot_hide_the_products_own() -> None:
    """Its own variables are there, those of the product are what they are."""
    record = run_at_noon(schedule(environment={"REPORT": "daily", "RECUR_RUN_ID": "mine"}))
    assert record.task is not None
    assert record.task.environment["REPORT"] == "daily"
    assert record.task.environment["RECUR_RUN_ID"] == record.run_id


def test_a_later_success_is_not_a_previous_one() -> None:
    """A backfilled run is not told of a success after its own time."""
    for success, known in ((NOON - HOUR, True), (NOON + HOUR, False)):
        results = CollectState(schedules={ID: ScheduleResults(last_success=success)})
        record = run_at_noon(schedule(), results)
        assert record.task is not None
        assert ("RECUR_PREVIOUS_SUCCESS" in record.task.environment) is known


def test_attempts_end_before_the_next_occurrence_unless_they_queue() -> None:
    """The next occurrence has the place."""
    for overlap, until in ((Overlap.SKIP, NOON + HOUR), (Overlap.QUEUE, None)):
        record = run_at_noon(schedule(recurrence=HOURLY, overlap=overlap))
        assert record.task is not None
        assert record.task.retry_until == until
