"""What is said below a schedule that is put in force: when it runs next, and what pauses it."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from orchestrator.model import Pause, Recurrence
from recur.schedules.next_lines import next_lines
from tests.support.schedules import schedule

NOW = datetime(2026, 11, 23, 9, 7, tzinfo=UTC)
NOON = Recurrence(cron=("0 12 * * *",), time_zone="America/Bogota")
BY_HAND = Pause(since=NOW, until=NOW + timedelta(days=1), by="eva", note="moves")


@pytest.mark.parametrize(
    ("pauses", "lines"),
    [
        ((), ["next: 2026-11-23 12:00-05:00, 2026-11-24 12:00-05:00"]),
        (
            (BY_HAND,),
            [
                "paused until 2026-11-24 04:07-05:00 by eva: moves",
                "next: 2026-11-24 12:00-05:00, 2026-11-25 12:00-05:00",
            ],
        ),
        (
            (Pause(since=NOW, by="recur", note="3 runs have failed"),),
            [
                "paused by recur: 3 runs have failed",
                "nothing runs before `recur resume nightly`",
            ],
        ),
        (
            (Pause(since=NOW - timedelta(days=1), until=NOW, by="eva"),),
            ["next: 2026-11-23 12:00-05:00, 2026-11-24 12:00-05:00"],
        ),
    ],
)
def test_only_what_runs_is_next(pauses: tuple[Pause, ...], lines: list[str]) -> None:
    """And each pause in force is named, until when and by whom."""
    one = schedule(recurrence=NOON)

    assert [*next_lines(one, NOW, 2, pauses=pauses)] == lines


def test_a_pause_of_the_document_leaves_nothing_to_run() -> None:
    """Whatever else pauses the schedule."""
    (line,) = next_lines(schedule(recurrence=NOON, paused=True), NOW, 3, pauses=(BY_HAND,))

    assert line.startswith("paused by the document: nothing runs before")


def test_times_are_in_the_zone_that_is_asked_for() -> None:
    """All of them, also those of pauses."""
    zone = ZoneInfo("UTC")

    pause, coming = next_lines(schedule(recurrence=NOON), NOW, 1, pauses=(BY_HAND,), zone=zone)

    assert "until 2026-11-24 09:07Z by" in pause
    assert coming == "next: 2026-11-24 17:00Z"
