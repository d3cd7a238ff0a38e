"""Where a job schedule ends and a schedule begins: each instant has one of them."""

from datetime import UTC, datetime, timedelta
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batch_emulator.runtime.recurrence import Recurrence
from recur.importing.job_schedule import Instants
from recur.importing.turning_point import Mark, first_without_job

START: Final = datetime(2026, 12, 1, 2, 0, 0, 250_000, tzinfo=UTC)
MINUTE: Final = timedelta(minutes=1)
SECOND: Final = timedelta(seconds=1)

seconds = st.integers(0, 900).map(lambda number: timedelta(seconds=number))


def instants(interval: timedelta | None = MINUTE, **more: datetime | None) -> Instants:
    """Return what is told of a job schedule."""
    told = {"next_run": None, "end": None, **more}
    return Instants(next_run=told["next_run"], end=told["end"], interval=interval, window=None)


def made_until(
    recurrence: Recurrence, moment: datetime, lengths: list[timedelta]
) -> tuple[list[tuple[datetime, datetime]], datetime | None]:
    """
    Return what a job schedule has made by a moment, and the instant that it waits for then.

    Each of its jobs is an instant and the time of its creation; ``lengths`` are how long they take.
    """
    made: list[tuple[datetime, datetime]] = []
    due: datetime | None = recurrence.start
    free = recurrence.start
    for length in [*lengths, timedelta(days=1)]:
        due = recurrence.pending(due, max(free, recurrence.start))
        if due is None:
            return made, None
        created = max(due, free)
        if created > moment:
            break
        made.append((due, created))
        due = recurrence.after(due)
        free = created + length
    return made, recurrence.pending(due, moment)


@given(
    interval=st.integers(60, 300).map(lambda number: timedelta(seconds=number)),
    window=st.integers(60, 400).map(lambda number: timedelta(seconds=number)),
    lengths=st.lists(seconds, max_size=12),
    marked=seconds,
    later=seconds,
)
def test_each_instant_belongs_to_one_of_the_two(
    interval: timedelta,
    window: timedelta,
    lengths: list[timedelta],
    marked: timedelta,
    later: timedelta,
) -> None:
    """
    Whatever the job schedule does between the look at it and its end.

    What it has made a job for lies before the turning point. Of the rest, what lies before was lost
    to it by its own rules; what lies at the turning point or later is the schedule's.
    """
    recurrence = Recurrence(start=START, interval=interval, window=window)
    before, next_run = made_until(recurrence, START + marked, lengths)
    after, then = made_until(recurrence, START + marked + later, lengths)
    assert next_run is not None
    mark = Mark(schedule="s", next_run=next_run, recent_job=f"s:job-{len(before)}")

    first = first_without_job(
        mark,
        instants(interval, next_run=then),
        recent_job=f"s:job-{len(after)}",
        made=after[-1][1] if after else None,
    )

    assert first is not None
    assert (first - START) % interval == timedelta(0)
    assert all(instant < first for instant, _ in after)
    waited_for = then if then is not None else START
    unmade = [
        instant
        for steps in range((first - next_run) // interval)
        if (instant := next_run + steps * interval) not in {one for one, _ in after}
    ]
    assert all(instant < max(waited_for, after[-1][0]) for instant in unmade)


@pytest.mark.parametrize(
    ("made", "next_run", "expected"),
    [
        (START, START + MINUTE, START + MINUTE),
        (START - 2 * SECOND, START + MINUTE, START + MINUTE),
        (START + 57 * SECOND, START + MINUTE, START + MINUTE),
        (START + 57 * SECOND, START + 2 * MINUTE, START + 2 * MINUTE),
        (START + 3 * MINUTE + SECOND, None, START + 4 * MINUTE),
        (None, None, START + MINUTE),
    ],
)
def test_a_job_that_was_made_since_has_an_instant(
    made: datetime | None, next_run: datetime | None, expected: datetime
) -> None:
    """Also one whose time of creation is a little early; close to the next, the service tells."""
    mark = Mark(schedule="s", next_run=START, recent_job="s:job-1")
    seen = instants(next_run=next_run)
    assert first_without_job(mark, seen, recent_job="s:job-2", made=made) == expected


def test_jobs_that_are_gone_count_by_their_numbers() -> None:
    """It was enabled again after a hand-over that was cut off, made jobs, and they were deleted."""
    mark = Mark(schedule="s", next_run=START, recent_job="s:job-2")
    seen = instants(next_run=START + 9 * MINUTE)
    for recent, steps in (("s:job-3", 1), ("s:job-7", 5), ("other", 1)):
        first = first_without_job(mark, seen, recent_job=recent, made=None)
        assert first == START + steps * MINUTE, recent


def test_without_another_job_nothing_has_happened() -> None:
    """However long ago: the instant is owed."""
    mark = Mark(schedule="s", next_run=START, recent_job=None)
    seen = instants(next_run=START + 90 * MINUTE)
    assert first_without_job(mark, seen, recent_job=None, made=None) == START


def test_nothing_follows_the_last_job() -> None:
    """Of one that does not recur, and of one whose time is over."""
    mark = Mark(schedule="s", next_run=START, recent_job=None)
    once, over = instants(None), instants(end=START + 30 * SECOND)
    assert first_without_job(mark, once, recent_job="s:job-1", made=START) is None
    assert first_without_job(mark, over, recent_job="s:job-1", made=START) is None


@pytest.mark.parametrize("recent", [None, "Old_one:job-12"])
def test_a_mark_is_read_as_it_was_written(recent: str | None) -> None:
    """To the microsecond."""
    mark = Mark(schedule="old-one", next_run=START, recent_job=recent)
    assert Mark.read(mark.text()) == mark


@pytest.mark.parametrize("text", ["", "old", "old yesterday", " 2026-12-01T00:00:00Z"])
def test_other_texts_are_no_marks(text: str) -> None:
    """Somebody else may use the name."""
    assert Mark.read(text) is None
