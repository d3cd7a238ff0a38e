"""What is to come, and where two policies for changes of the clock go apart."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest

from orchestrator.enums import Gap
from orchestrator.model import Pause, Recurrence
from orchestrator.timing.placement import placements
from recur.schedules.policy_comparison import next_difference, parse_policy
from recur.schedules.upcoming import next_due, next_run, upcoming
from tests.support.call_counts import counted
from tests.support.schedules import schedule

NOW = datetime(2026, 11, 23, 9, 7, tzinfo=UTC)
RECURRENCES = (
    Recurrence(cron=("* * * * *",), except_=("0-57 * * * *",)),
    Recurrence(cron=("30 2 * * *", "*/20 * * * *"), except_=("* 3-23 * * *",), time_zone="Africa/Cairo"),
    Recurrence(cron=("0 0 29 2 *",), time_zone="Europe/Paris"),
    Recurrence(every=timedelta(minutes=7), except_=("*/2 * * * *", "2027-01-01")),
)  # fmt: skip


@pytest.mark.parametrize("recurrence", RECURRENCES)
def test_the_first_that_run_are_those_of_the_list(recurrence: Recurrence) -> None:
    """From the start on, paused or not."""
    one = schedule(recurrence=recurrence, start=NOW + timedelta(days=2), paused=True)

    running = (line.nominal for line in upcoming(replace(one, paused=False), NOW) if line.runs)

    assert next_due(one, NOW, 2) == list(islice(running, 2))


def test_single_times_are_listed_however_far_they_lie() -> None:
    """Alone, and beside an expression under which nothing comes."""
    far = (datetime.fromisoformat("2060-03-01T09:00"), datetime.fromisoformat("2061-03-01T09:00"))
    wanted = [one.replace(tzinfo=UTC) for one in far]
    for cron in ((), ("0 0 */16 * MON#5",)):
        one = schedule(recurrence=Recurrence(cron=cron, at=far))

        assert next_due(one, NOW, 3) == wanted
        assert [line.nominal for line in upcoming(one, NOW)] == wanted


@pytest.mark.parametrize(
    "recurrence",
    [
        Recurrence(cron=("* * * * *",), except_=("* * * * *",)),
        Recurrence(every=timedelta(minutes=1), except_=("* * * * *",)),
        Recurrence(every=timedelta(minutes=2), except_=("*/2 * * * *",)),
    ],
)
def test_what_never_runs_is_known_before_long(recurrence: Recurrence) -> None:
    """Millions of occurrences in nine years, all of them left out, are not listed."""
    found, steps = counted(next_due, schedule(recurrence=recurrence), NOW, 3)

    assert found == []
    assert steps < 100 * 366 * 9


@pytest.mark.parametrize(
    ("cron", "zone", "other"),
    [
        ("30 2 * * *", "America/New_York", "gap=skip"),
        ("*/20 * * * *", "America/New_York", "gap=shift"),
        ("15 * * * *", "Australia/Lord_Howe", "overlap=both"),
        ("30 1 1-7 4 *", "Australia/Lord_Howe", "overlap=second"),
        ("30 2 * * *", "Asia/Kolkata", "gap=skip"),
        ("30 2 * 6 *", "America/New_York", "gap=skip,overlap=both"),
    ],
)
def test_policies_differ_where_a_list_of_both_does(cron: str, zone: str, other: str) -> None:
    """One difference after the other; none where no clock changes, or nothing is due then."""
    one = schedule(recurrence=Recurrence(cron=(cron,), time_zone=zone))
    two = replace(one, recurrence=parse_policy(other).on(one.recurrence))
    until = NOW + timedelta(days=731)
    mine, theirs = (
        {found.nominal for found in placements(each.recurrence, after=NOW, until=until)}
        for each in (one, two)
    )
    differences, after = [], NOW

    while (found := next_difference(one, two, after)) and found <= until:
        differences.append(found)
        after = found

    assert differences == sorted(mine ^ theirs)


def test_policies_are_compared_only_where_a_clock_changes() -> None:
    """Two years of a schedule of every minute are not listed."""
    one = schedule(recurrence=Recurrence(cron=("* * * * *",), time_zone="Europe/Paris"))
    other = replace(one, recurrence=replace(one.recurrence, gap=Gap.SKIP))

    found, steps = counted(next_difference, one, other, NOW)

    assert found is None
    assert steps < 500_000


DAY = timedelta(days=1)
NOON = Recurrence(cron=("0 12 * * *",))
TODAY = NOW.replace(hour=12, minute=0)


@pytest.mark.parametrize(
    ("pauses", "runs"),
    [
        ((), TODAY),
        ((Pause(since=NOW, until=TODAY + DAY, by="eva"),), TODAY + DAY),
        ((Pause(since=NOW, until=TODAY + DAY + timedelta(seconds=1), by="eva"),), TODAY + 2 * DAY),
        (
            (
                Pause(since=NOW, until=TODAY + 2 * DAY, by="eva"),
                Pause(since=TODAY + DAY, until=TODAY + 3 * DAY, by="recur"),
            ),
            TODAY + 3 * DAY,
        ),
        ((Pause(since=TODAY, by="eva"),), TODAY),
        ((Pause(since=NOW, by="eva"),), None),
    ],
)
def test_the_next_run_lies_behind_all_pauses(
    pauses: tuple[Pause, ...], runs: datetime | None
) -> None:
    """The end of a pause is no part of it; one without an end leaves nothing."""
    one = schedule(recurrence=NOON)

    assert next_run(one, NOW, pauses) == runs
    assert next_run(replace(one, paused=True), NOW, pauses) is None
