"""The numbers by which an alert tells that a schedule is overdue."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from orchestrator.decisions.schedule_report import MARGIN, Report, report
from orchestrator.ids import RunId
from orchestrator.ledger.results import ScheduleResults
from orchestrator.ledger.state import ScheduleState
from orchestrator.model import Pause, Recurrence, Retries, Schedule, Timing
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


@pytest.mark.parametrize(
    "recurrence",
    [
        Recurrence(cron=("0 2 * * *",), end=LAST_NIGHT + HOUR),
        Recurrence(at=(LAST_NIGHT.replace(tzinfo=None),)),
    ],
)
def test_nothing_is_expected_of_a_schedule_that_is_ended(recurrence: Recurrence) -> None:
    """Its last run has an outcome and, if it failed, an alert of its own."""
    state = replace(DAILY, timings=(replace(DAILY.timings[0], recurrence=recurrence),))

    before = report(state, TABLE, ScheduleResults(), LAST_NIGHT - timedelta(seconds=1))
    after = report(state, TABLE, ScheduleResults(), OVERDUE_AT + HOUR)

    assert (before.ended, after.ended) == (False, True)
    assert (after.max_gap_seconds, after.expected) == (None, None)


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


def test_a_report_tells_the_numbers_of_the_alert() -> None:
    """Seconds since the end of the last success, which may lie before the newest expected run."""
    results = ScheduleResults(
        last_success=LAST_NIGHT - 24 * HOUR,
        last_success_finished=LAST_NIGHT - 23 * HOUR,
        failed=(RunId("nightly-20260601T020000Z"),),
    )
    assert report(DAILY, TABLE, results, NOON) == Report(
        seconds_since_success=33 * HOUR.total_seconds(),
        max_gap_seconds=10 * HOUR.total_seconds(),
        expected=LAST_NIGHT,
        last_success=LAST_NIGHT - 24 * HOUR,
        failed=1,
        paused=False,
        ended=False,
    )


def test_a_schedule_without_a_success_counts_from_its_first_timing() -> None:
    """A change of its cron is no new beginning."""
    changed = replace(DAILY.timings[0], since=NOON - HOUR)
    state = replace(DAILY, timings=(*DAILY.timings, changed))
    assert report(state, TABLE, ScheduleResults(), NOON).seconds_since_success == (
        30 * 24 * HOUR.total_seconds()
    )


def test_a_success_ahead_of_the_clock_is_no_negative_time_ago() -> None:
    """The clock of a node may be ahead of ours."""
    assert report(DAILY, TABLE, success(NOON + HOUR), NOON).seconds_since_success == 0


@pytest.mark.parametrize(
    ("table", "longest"),
    [
        (None, timedelta(hours=6, minutes=30)),
        (replace(TABLE, start_timeout=HOUR, run_timeout=2 * HOUR), 3 * HOUR),
        (replace(TABLE, jitter=HOUR), timedelta(hours=7, minutes=30)),
        (
            replace(
                TABLE,
                start_timeout=HOUR,
                run_timeout=HOUR,
                retries=Retries(max=2, backoff=timedelta(minutes=5)),
            ),
            6 * HOUR + timedelta(minutes=5 + 10),
        ),
    ],
)
def test_a_run_is_expected_once_all_its_time_has_passed(
    table: Schedule | None, longest: timedelta
) -> None:
    """Timeouts of all attempts, backoffs, jitter and a margin; at that very second, not before."""
    at = LAST_NIGHT + longest + timedelta(minutes=15)

    assert report(DAILY, table, ScheduleResults(), at).expected == LAST_NIGHT
    before = report(DAILY, table, ScheduleResults(), at - timedelta(seconds=1))
    assert before.expected == LAST_NIGHT - 24 * HOUR


def test_an_older_pause_of_the_document_does_not_count() -> None:
    """Whether a schedule is paused is what its last timing says, or a pause that holds now."""
    former = replace(DAILY.timings[0], paused=True)
    state = replace(DAILY, timings=(former, replace(DAILY.timings[0], since=NOON - HOUR)))
    assert not report(state, TABLE, ScheduleResults(), NOON).paused
    last = replace(state, timings=tuple(reversed(state.timings)))
    assert report(last, TABLE, ScheduleResults(), NOON).paused


def test_of_two_pauses_either_holds() -> None:
    """Nights of both are passed over to find one that was expected."""
    nights = [LAST_NIGHT - n * 24 * HOUR for n in range(3)]
    newest, older = (
        Pause(since=night - HOUR, until=night + HOUR, by="me", request="a") for night in nights[:2]
    )
    state = replace(DAILY, pauses=(older, newest))

    assert report(state, TABLE, ScheduleResults(), NOON).expected == nights[2]
    now = replace(DAILY, pauses=(older, replace(newest, until=None)))
    assert report(now, TABLE, ScheduleResults(), NOON).paused
