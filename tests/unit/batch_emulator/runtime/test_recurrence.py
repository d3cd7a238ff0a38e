"""When a job schedule makes jobs: instants, windows and ends, as azure-batch documents them."""

from datetime import UTC, datetime, timedelta
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batch_emulator.runtime.recurrence import Recurrence

START: Final = datetime(2026, 12, 1, 2, tzinfo=UTC)
HOUR: Final = timedelta(hours=1)
MINUTE: Final = timedelta(minutes=1)
TICK: Final = timedelta(microseconds=1)

durations = st.timedeltas(min_value=MINUTE, max_value=timedelta(days=3))
moments = st.timedeltas(min_value=-timedelta(days=2), max_value=timedelta(days=30)).map(
    lambda offset: START + offset
)


def hourly(window: timedelta = timedelta(days=9), end: datetime | None = None) -> Recurrence:
    """Return what is due every hour from ``START`` on."""
    return Recurrence(start=START, interval=HOUR, window=window, end=end)


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ({}, Recurrence(start=START)),
        ({"recurrenceInterval": "PT1H"}, hourly(Recurrence(start=START).window)),
        (
            {
                "doNotRunUntil": "2026-12-02T00:00:00Z",
                "doNotRunAfter": "2026-12-03T00:00:00.5Z",
                "startWindow": "PT5M",
            },
            Recurrence(
                start=datetime(2026, 12, 2, tzinfo=UTC),
                window=5 * MINUTE,
                end=datetime(2026, 12, 3, 0, 0, 0, 500_000, tzinfo=UTC),
            ),
        ),
    ],
)
def test_a_schedule_starts_at_its_creation_or_when_it_says(
    schedule: dict[str, str], expected: Recurrence
) -> None:
    """Everything is optional: without an interval there is one instant, without a window no hurry."""
    assert Recurrence.read(schedule, START) == expected


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (START - TICK, START),
        (START, START + HOUR),
        (START + HOUR - TICK, START + HOUR),
        (START + HOUR, START + 2 * HOUR),
    ],
)
def test_the_next_instant_is_later(moment: datetime, expected: datetime) -> None:
    """An instant is not its own successor."""
    assert hourly().after(moment) == expected


def test_nothing_follows_the_only_instant() -> None:
    """A schedule without an interval does not recur."""
    assert Recurrence(start=START).after(START) is None


def test_no_instant_is_beyond_the_calendar() -> None:
    """The longest interval of the service leads nowhere."""
    endless = Recurrence(start=START, interval=timedelta(days=10_675_199))
    assert endless.after(START) is None
    assert endless.closes(START) is None


@pytest.mark.parametrize(
    ("late", "window", "expected"),
    [
        (timedelta(0), MINUTE, START),
        (MINUTE - TICK, MINUTE, START),
        (MINUTE, MINUTE, START + HOUR),
        (HOUR - TICK, 9 * HOUR, START),
        (HOUR, 9 * HOUR, START + HOUR),
        (HOUR + MINUTE, MINUTE, START + 2 * HOUR),
        (5 * HOUR + TICK, 9 * HOUR, START + 5 * HOUR),
    ],
)
def test_an_instant_is_lost_with_its_window_or_with_the_next_one(
    late: timedelta, window: timedelta, expected: datetime
) -> None:
    """What is due in one interval is not carried into the next, however long the window is."""
    assert hourly(window).pending(START, START + late) == expected


@pytest.mark.parametrize(
    ("moment", "end", "expected"),
    [
        (START, START, START),
        (START + TICK, START, None),
        (START + MINUTE, START + HOUR, START),
        (START + HOUR, START + HOUR - TICK, None),
    ],
)
def test_no_job_is_made_after_the_end(
    moment: datetime, end: datetime, expected: datetime | None
) -> None:
    """Neither for an instant after it, nor late for one before it."""
    assert hourly(end=end).pending(START, moment) == expected


@given(durations, durations, moments, moments)
def test_what_is_pending_closes_later(
    interval: timedelta, window: timedelta, due: datetime, moment: datetime
) -> None:
    """Whoever waits until it closes waits, and sees another instant then."""
    recurrence = Recurrence(start=START, interval=interval, window=window)
    first = recurrence.after(due)
    seen = recurrence.pending(first, moment)
    assert seen is not None
    closing = recurrence.closes(seen)
    assert closing is not None
    assert closing > moment
    then = recurrence.pending(seen, closing)
    assert then is not None
    assert then > seen


@given(durations, durations, st.lists(moments, max_size=20))
def test_each_instant_has_one_chance(
    interval: timedelta, window: timedelta, looks: list[datetime]
) -> None:
    """Whenever it is looked at, a job is made at most once for an instant, and within its window."""
    recurrence = Recurrence(start=START, interval=interval, window=window)
    due: datetime | None = START
    made = []
    for moment in sorted(looks):
        due = recurrence.pending(due, moment)
        if due is not None and due <= moment:
            assert moment - due < min(window, interval)
            assert (due - START) % interval == timedelta(0)
            made.append(due)
            due = recurrence.after(due)
    assert len(made) == len(set(made))
