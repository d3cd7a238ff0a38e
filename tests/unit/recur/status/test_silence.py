"""Whether a timer fires, by what the Functions host notes of it."""

from datetime import timedelta

import pytest

from recur.status.readings import TimerNote
from recur.status.timers import silence
from tests.support.status_readings import MINUTE, NOW


@pytest.mark.parametrize(
    ("note", "said"),
    [
        (None, "no submit tick yet: its timer has not fired"),
        (TimerNote(last=None), "no submit tick yet: its timer has not fired"),
        (TimerNote(last=None, following=NOW + MINUTE), None),
        (TimerNote(last=None, following=NOW - 4 * MINUTE), None),
        (
            TimerNote(last=None, following=NOW - 5 * MINUTE),
            "no submit tick yet: its timer has not fired",
        ),
        (TimerNote(last=NOW - 6 * MINUTE), "no submit tick for 6 min"),
        (TimerNote(last=NOW - 5 * MINUTE), None),
        (TimerNote(last=NOW - 9 * MINUTE, following=NOW + MINUTE), None),
        (TimerNote(last=NOW), None),
    ],
)
def test_a_timer_is_silent_five_minutes_after_it_should_have_fired(
    note: TimerNote | None, said: str | None
) -> None:
    """One that fires more seldom is given its time."""
    found = silence("submit", note, NOW, on_laptop=False)

    assert (found.what if found else None) == said


def test_whoever_waits_is_told_earlier() -> None:
    """Than the alarm sounds."""
    note = TimerNote(last=NOW - 3 * MINUTE)

    assert silence("submit", note, NOW, on_laptop=True) is None
    assert silence("submit", note, NOW, on_laptop=True, allowed=2 * MINUTE)


def test_on_a_laptop_the_next_step_is_one_that_works_there() -> None:
    """Elsewhere it is the function app."""
    note = TimerNote(last=NOW - timedelta(hours=1))
    here = silence("submit", note, NOW, on_laptop=True)
    there = silence("submit", note, NOW, on_laptop=False)

    assert here
    assert "`make start`" in str(here.next_step)
    assert there
    assert "restart the function app" in str(there.next_step)
