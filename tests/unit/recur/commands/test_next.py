"""`recur next` of a paused schedule names no time as the next at which nothing will run."""

from datetime import UTC, datetime, timedelta, tzinfo
from io import StringIO
from typing import cast

import pytest
from rich.console import Console

from orchestrator.model import Pause, Recurrence, Schedule
from recur.commands.next import show_upcoming
from recur.context import Context
from recur.output import Printer
from recur.schedules.source import Source
from recur.schedules.upcoming import first_occurrences, upcoming
from tests.support.schedules import schedule

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
DAILY = Recurrence(cron=("0 12 * * *",), time_zone="Europe/Paris")


def told(
    table: Schedule, *pauses: Pause, zone: tzinfo | None = None, counted: bool = False
) -> list[str]:
    """Return what people read of the next three occurrences."""
    output = Printer()
    output.people = Console(file=StringIO(), width=200, soft_wrap=True)
    source = Source(schedule=table, pauses=pauses, now=NOW, place="the document in force")
    lines = list(first_occurrences(upcoming(table, NOW, pauses=pauses), 3))
    given = Context(settings=None, output=output, zone=zone)
    show_upcoming(given, source, NOW, lines, counted=counted)
    return cast("StringIO", output.people.file).getvalue().splitlines()


def test_occurrences_that_a_pause_skips_share_a_row() -> None:
    """What is due behind it has one of its own, and is named as the next that runs."""
    pause = Pause(since=NOW, until=NOW + timedelta(days=2), by="eva", note="db")

    assert told(schedule(recurrence=DAILY), pause) == [
        "WALL TIME         OFFSET  UTC                NOTE",
        "2026-11-23 12:00  +01:00  2026-11-23 11:00Z  skipped ×2: paused until 2026-11-25 09:00Z by eva: db",
        "2026-11-25 12:00  +01:00  2026-11-25 11:00Z",
        "the next that runs: 2026-11-25 12:00+01:00",
    ]


@pytest.mark.parametrize(
    ("table", "pauses", "said"),
    [
        (
            schedule(recurrence=DAILY),
            (Pause(since=NOW, by="eva"),),
            "nothing runs before `recur resume nightly`",
        ),
        (
            schedule(recurrence=DAILY, paused=True),
            (),
            "nothing runs before a document without paused = true is applied",
        ),
    ],
)
def test_a_pause_without_an_end_says_what_ends_it(
    table: Schedule, pauses: tuple[Pause, ...], said: str
) -> None:
    """There is no time to name."""
    _, row, last = told(table, *pauses)

    assert "skipped ×3: paused by" in row
    assert last == said


def test_a_schedule_that_is_not_paused_needs_no_such_line() -> None:
    """Its first row is the next that runs."""
    assert len(told(schedule(recurrence=DAILY))) == 4


def test_a_zone_that_is_named_is_that_of_the_wall_times() -> None:
    """Instead of the schedule's."""
    _, first, *_ = told(schedule(recurrence=DAILY), zone=UTC)

    assert first == "2026-11-23 11:00  +00:00  2026-11-23 11:00Z"


def test_from_now_on_it_is_told_how_far_away_each_is() -> None:
    """So that nobody has to count."""
    heading, first, *_ = told(schedule(recurrence=DAILY), counted=True)

    assert heading.split() == ["WALL", "TIME", "OFFSET", "UTC", "IN", "NOTE"]
    assert first.endswith("2026-11-23 11:00Z  2 h")
