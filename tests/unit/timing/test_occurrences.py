"""When a schedule is due: the recurrences that were in force, one after the other."""

from datetime import UTC, datetime, timedelta

import pytest

from orchestrator.model import Occurrence, Recurrence, Timing
from orchestrator.timing.occurrences import following, latest, occurrences, occurrences_of, previous
from tests.support import debian
from tests.support.call_counts import counted
from tests.support.timings import LONG_AGO, timing


def test_an_occurrence_follows_the_timing_in_force_at_its_time() -> None:
    """A change of timing never reaches back."""
    noon = datetime(2026, 6, 1, 12, tzinfo=UTC)
    timings = (
        Timing(since=noon - timedelta(hours=3), recurrence=Recurrence(cron=("0 * * * *",))),
        Timing(since=noon, recurrence=Recurrence(cron=("30 * * * *",)), paused=True),
        Timing(since=noon + timedelta(hours=2), recurrence=None),
    )

    found = occurrences_of(timings, after=LONG_AGO, until=noon + timedelta(days=1))

    assert [(f"{o.nominal:%H:%M}", o.paused) for o in found] == [
        ("10:00", False),
        ("11:00", False),
        ("12:00", False),
        ("12:30", True),
        ("13:30", True),
    ]


def test_the_previous_occurrence_may_be_years_back() -> None:
    """29 February is found from one leap day to the one before; a window begins there."""
    leap_day = datetime(2028, 2, 29, 6, tzinfo=UTC)

    assert datetime(2024, 2, 29, 6, tzinfo=UTC) == previous((timing("0 6 29 2 *"),), leap_day)
    assert leap_day - timedelta(days=1) == previous((timing("0 6 * * *"),), leap_day)
    assert (
        previous((Timing(since=leap_day, recurrence=Recurrence(cron=("0 6 * * *",))),), leap_day)
        is None
    )


def test_the_latest_occurrence_skips_paused_stretches_as_a_whole() -> None:
    """Years of a paused minute schedule cost nothing to look past."""
    begun = datetime(2020, 1, 1, tzinfo=UTC)
    timings = (
        Timing(since=begun, recurrence=Recurrence(cron=("* * * * *",))),
        Timing(
            since=begun + timedelta(days=1), recurrence=Recurrence(cron=("* * * * *",)), paused=True
        ),
    )

    assert latest(timings, begun + timedelta(days=3000)) == begun + timedelta(days=1)
    assert latest(timings[1:], begun + timedelta(days=3000)) is None


def due(recurrence: Recurrence, after: str, until: str) -> list[Occurrence]:
    """List the occurrences of a recurrence between two ISO times."""
    one = Timing(since=LONG_AGO, recurrence=recurrence)
    begin, end = datetime.fromisoformat(after), datetime.fromisoformat(until)
    return list(occurrences(one, after=begin, until=end))


def test_the_following_occurrence_is_the_next_that_can_happen() -> None:
    """Not an excluded one, nor one of a paused or removed schedule, but one of a later timing."""
    noon = datetime(2026, 12, 24, 12, tzinfo=UTC)
    daily = Recurrence(cron=("0 6 * * *",), except_=("2026-12-25",))
    paused = Timing(since=noon, recurrence=Recurrence(cron=("* * * * *",)), paused=True)
    later = Timing(since=noon + timedelta(days=3), recurrence=daily)

    assert following((Timing(since=LONG_AGO, recurrence=daily),), noon) == datetime(
        2026, 12, 26, 6, tzinfo=UTC
    )
    assert following((paused, later), noon) == datetime(2026, 12, 28, 6, tzinfo=UTC)
    assert following((paused,), noon) is None
    removed = Timing(since=noon + timedelta(days=9), recurrence=None, removed=True)
    assert following((paused, later, removed), noon) is None


@pytest.mark.parametrize(
    "recurrence",
    [
        Recurrence(cron=("0 0 */16 * MON#5",)),
        Recurrence(cron=("* * * * *",), except_=("* 0-11 * * *", "* 12-23 * * *")),
        Recurrence(every=timedelta(minutes=1), except_=("* * * * *",)),
        Recurrence(every=timedelta(minutes=2), except_=("*/2 * * * *",), time_zone="Europe/Paris"),
        Recurrence(every=timedelta(seconds=61), except_=("* */2 * * *", "* 1-23/2 * * *")),
    ],
)
def test_what_never_happens_is_not_looked_for_for_ever(recurrence: Recurrence) -> None:
    """Neither forward nor back: nine years are looked through, of each day what it has in common."""
    timings = (Timing(since=LONG_AGO, recurrence=recurrence),)
    now = datetime(2026, 6, 1, tzinfo=UTC)

    for search in (following, previous, latest):
        found, steps = counted(search, timings, now)
        assert found is None
        assert steps < 100 * 366 * 27


@pytest.mark.parametrize("cron", ["30 2 29 2 *", "30 2 31 12 *", "30 2 29 2 */7", "* 2 1 1 *"])
def test_days_that_come_seldom_are_gone_to(cron: str) -> None:
    """By their months: the years between are not looked through."""
    now = datetime(2026, 6, 1, tzinfo=UTC)

    found, steps = counted(following, (timing(cron),), now)

    days = (datetime(2026, 6, 1, 2, 30, tzinfo=UTC) + timedelta(days=n) for n in range(366 * 9))
    due = (day for day in days if debian.matches(cron, day))
    assert found == next((day.replace(minute=0 if cron[0] == "*" else 30) for day in due), None)
    assert steps < 2000
