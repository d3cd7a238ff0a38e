"""The numbers by which an alert tells that a schedule is overdue."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from orchestrator.decisions.schedule_report import MARGIN, Report, report
from orchestrator.ledger.state import ScheduleResults, ScheduleState
from orchestrator.model import Pause, Recurrence, Retries, Timing
from tests.support.schedules import schedule

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAILY = ScheduleState(
    timings=(Timing(since=NOON - 30 * 24 * HOUR, recurrence=Recurrence(cron=("0 2 * * *",))),),
    decided_until=NOON,
)
TABLE = schedule()  # 30 minutes to start, 6 hours to run
LAST_NIGHT = NOON - 10 * HOUR
OVERDUE_AT = LAST_NIGHT + timedelta(hours=6, minutes=30) + MARGIN


def success(finished: datetime) -> ScheduleResults:
    return ScheduleResults(last_success=finished, last_success_finished=finished)


def overdue(one: Report) -> bool:
    """Compare as the alert does."""
    return one.max_gap_seconds is not None and one.seconds_since_success > one.max_gap_seconds


def test_a_schedule_is_overdue_when_a_run_should_have_ended_and_none_has() -> None:
    """From the nominal time, both timeouts and a margin on; not a minute before."""
    night_before = success(LAST_NIGHT - 23 * HOUR)

    before = report(DAILY, TABLE, night_before, OVERDUE_AT - timedelta(minutes=1))
    after = report(DAILY, TABLE, night_before, OVERDUE_AT)

    assert not overdue(before)
    assert overdue(after)
    assert after.expected == LAST_NIGHT


def test_a_run_that_ended_well_since_answers_for_it() -> None:
    """Its own, or a longer one that was in its way."""
    assert not overdue(report(DAILY, TABLE, success(LAST_NIGHT + HOUR), NOON))


def test_a_schedule_that_never_succeeded_counts_from_its_beginning() -> None:
    """A job that fails from its first night on is overdue as well."""
    assert overdue(report(DAILY, TABLE, ScheduleResults(), NOON))


def test_nothing_is_expected_of_a_new_or_a_paused_schedule() -> None:
    """There is no number to compare, so no alert."""
    new = ScheduleState(
        timings=(Timing(since=NOON, recurrence=Recurrence(cron=("0 2 * * *",))),),
        decided_until=NOON,
    )
    paused = replace(DAILY, timings=(replace(DAILY.timings[0], paused=True),))

    for state in (new, paused):
        assert report(state, TABLE, ScheduleResults(), NOON).max_gap_seconds is None


def test_a_schedule_whose_table_is_invalid_is_still_watched() -> None:
    """It stands still, which is just what the alert is for."""
    assert overdue(report(DAILY, None, success(LAST_NIGHT - HOUR), NOON))


def test_nothing_is_expected_while_somebody_paused_a_schedule() -> None:
    """What was due before the pause still is; a pause after failures is to be heard of."""
    late = success(LAST_NIGHT - 23 * HOUR)
    asked = Pause(since=LAST_NIGHT - HOUR, by="me", request="a")
    failures = Pause(since=LAST_NIGHT - HOUR, by="recur")

    paused = report(replace(DAILY, pauses=(asked,)), TABLE, late, NOON)
    failing = report(replace(DAILY, pauses=(failures,)), TABLE, late, NOON)
    resumed = report(replace(DAILY, pauses=(replace(asked, until=NOON),)), TABLE, late, NOON)

    assert (paused.paused, paused.expected) == (True, LAST_NIGHT - 24 * HOUR)
    assert (failing.paused, overdue(failing)) == (False, True)
    assert (resumed.paused, overdue(resumed)) == (False, False)


def test_every_attempt_has_its_time() -> None:
    """A run that may be tried again is overdue only after the last try could have ended."""
    twice = replace(TABLE, retries=Retries(max=1, backoff=HOUR))
    late = success(LAST_NIGHT - 23 * HOUR)
    begin = OVERDUE_AT + timedelta(hours=6, minutes=30) + HOUR

    assert not overdue(report(DAILY, twice, late, begin - timedelta(minutes=1)))
    assert overdue(report(DAILY, twice, late, begin))
