"""When a job schedule makes its next job, as azure-batch documents it."""

from datetime import UTC, datetime, timedelta
from typing import Final

from batch_emulator.clock import RealClock
from batch_emulator.runtime.state.job_schedule import JobSchedule

START: Final = datetime(2026, 12, 1, 2, tzinfo=UTC)
MINUTE: Final = timedelta(minutes=1)


def at(moment: datetime) -> RealClock:
    """Return a clock that stands."""
    return RealClock(read=lambda: moment)


def schedule_of(**schedule: str) -> JobSchedule:
    """Return a job schedule that was made at ``START``, a minute ago."""
    made = JobSchedule({"id": "old", "schedule": schedule}, at(START))
    made.clock = at(START + MINUTE)
    return made


def test_one_that_starts_in_the_past_keeps_its_instants() -> None:
    """The last instant before the creation is due, unless its window is over."""
    before = {"doNotRunUntil": "2026-11-30T01:30:00Z", "recurrenceInterval": "PT1H"}
    assert schedule_of(**before).due == START - 30 * MINUTE
    assert schedule_of(**before, startWindow="PT5M").due == START + 30 * MINUTE


def test_another_interval_counts_from_the_creation() -> None:
    """As recorded: two days that became one were due a day after the creation."""
    schedule = schedule_of(recurrenceInterval="P2D")
    schedule.jobs_made, schedule.due = 1, START + timedelta(days=2)
    schedule.revise({"id": "old", "schedule": {"recurrenceInterval": "P1D"}})
    assert schedule.due == START + timedelta(days=1)


def test_a_change_without_another_schedule_keeps_the_next_instant() -> None:
    """Metadata and the jobs' specification are not its business."""
    schedule = schedule_of(recurrenceInterval="PT1H")
    schedule.jobs_made = 1
    schedule.revise({**schedule.body, "metadata": []})
    assert schedule.due == START
