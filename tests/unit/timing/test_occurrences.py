"""When a schedule is due: the recurrences that were in force, one after the other."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from orchestrator.enums import IntervalUnit
from orchestrator.model import Interval, Occurrence, Recurrence, Timing
from orchestrator.timing.occurrences import (
    ended,
    following,
    in_force,
    latest,
    occurrences,
    occurrences_of,
    previous,
)
from orchestrator.timing.zones import parse_zone
from tests.support import debian
from tests.support.call_counts import counted
from tests.support.timings import LONG_AGO, timing

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
DAY = timedelta(days=1)
HOURLY = Recurrence(cron=("0 * * * *",))
NONE = Timing(since=NOON, recurrence=None)
REMOVED = replace(NONE, removed=True)


def hourly(since: datetime, *, paused: bool = False) -> Timing:
    return Timing(since=since, recurrence=HOURLY, paused=paused)


def test_an_occurrence_says_how_it_came_to_be() -> None:
    """Merged from two wall times, excluded, paused, or of a day that did not exist."""
    recurrence = Recurrence(
        cron=("15,45 2 * * *",), time_zone="America/New_York", except_=("2026-03-09",)
    )
    change = datetime(2026, 3, 8, 7, tzinfo=UTC)
    one = Timing(since=LONG_AGO, recurrence=recurrence, paused=True)

    found = occurrences(one, after=change - SECOND, until=change + DAY)

    assert list(found) == [
        Occurrence(nominal=change, merged=2, paused=True),
        Occurrence(nominal=change + 23.25 * HOUR, excluded=True, paused=True),
        Occurrence(nominal=change + 23.75 * HOUR, excluded=True, paused=True),
    ]
    apia = occurrences(
        timing("0 9 * * *", "Pacific/Apia"),
        after=datetime(2011, 12, 30, 9, tzinfo=UTC),
        until=datetime(2011, 12, 30, 10, tzinfo=UTC),
    )
    assert [one.exists for one in apia] == [False]


@pytest.mark.parametrize(
    ("after", "until", "hours"),
    [
        (NOON - SECOND, NOON, [12]),
        (NOON, NOON + HOUR - SECOND, []),
        (NOON, NOON + HOUR, [13]),
        (NOON, NOON, []),
        (NOON, NOON - HOUR, []),
    ],
)
def test_a_stretch_holds_its_end_and_not_its_begin(
    after: datetime, until: datetime, hours: list[int]
) -> None:
    """So that ticks share no occurrence and lose none."""
    one = hourly(LONG_AGO)
    for found in (
        occurrences(one, after=after, until=until),
        occurrences_of((one,), after=after, until=until),
    ):
        assert [one.nominal.hour for one in found] == hours
    assert list(occurrences(NONE, after=NOON - DAY, until=NOON)) == []


def test_a_stretch_ends_before_later_timings() -> None:
    """They are not looked at; nothing is due up to the first one."""
    timings = (hourly(NOON), hourly(NOON + 2 * HOUR, paused=True))
    found = list(occurrences_of(timings, after=NOON - DAY, until=NOON + HOUR))
    assert [one.nominal for one in found] == [NOON + HOUR]


def test_all_that_there_was_is_removed_with_the_schedule() -> None:
    """As long as it is gone; a removal that was undone removes nothing."""
    timings = (
        hourly(NOON - 3 * HOUR),
        replace(REMOVED, since=NOON - 2 * HOUR),
        hourly(NOON - HOUR),
        REMOVED,
        hourly(NOON + HOUR),
    )
    gone = occurrences_of(timings[:-1], after=NOON - DAY, until=NOON + 2 * HOUR)
    assert [(one.nominal, one.removed) for one in gone] == [
        (NOON - 2 * HOUR, True),
        (NOON, True),
    ]
    back = occurrences_of(timings, after=NOON - DAY, until=NOON + 2 * HOUR)
    assert [(one.nominal, one.removed) for one in back] == [
        (NOON - 2 * HOUR, False),
        (NOON, False),
        (NOON + 2 * HOUR, False),
    ]


def test_the_timing_in_force_is_the_last_that_began_before() -> None:
    """An occurrence at the very begin of one falls by the one before; the first has no one before."""
    first, second = hourly(NOON - HOUR), hourly(NOON)
    assert in_force((first, second), NOON + SECOND) == second
    assert in_force((first, second), NOON) == first
    assert in_force((first, second), NOON - DAY) == first


def test_the_following_occurrence_is_later() -> None:
    """Not the one at this instant, nor one up to the begin of its timing."""
    assert following((hourly(LONG_AGO),), NOON) == NOON + HOUR
    assert following((hourly(LONG_AGO),), NOON - SECOND) == NOON
    assert following((hourly(NOON + 2 * HOUR),), NOON) == NOON + 3 * HOUR


def test_the_following_occurrence_is_of_the_timing_in_force_at_its_time() -> None:
    """One that lies beyond the end of its timing does not come."""
    soon = Timing(since=NOON + HOUR, recurrence=Recurrence(cron=("30 * * * *",)))
    assert following((hourly(LONG_AGO), soon), NOON) == NOON + HOUR
    assert following((hourly(LONG_AGO), replace(soon, since=NOON + HOUR - SECOND)), NOON) == (
        NOON + 1.5 * HOUR
    )
    assert following((hourly(LONG_AGO), replace(NONE, since=NOON + HOUR - SECOND)), NOON) is None
    over = (hourly(LONG_AGO), replace(NONE, since=NOON - HOUR), hourly(NOON + HOUR))
    assert following(over, NOON) == NOON + 2 * HOUR


def test_nothing_follows_while_a_schedule_is_removed() -> None:
    """Not even what would come before the time of its removal; once it is back, that does."""
    timings = (hourly(LONG_AGO), replace(REMOVED, since=NOON + 3 * HOUR), hourly(NOON + 5 * HOUR))
    assert following(timings, NOON) == NOON + HOUR
    assert following(timings, NOON + 3 * HOUR) == NOON + 6 * HOUR
    assert following(timings[:2], NOON) is None


def test_what_follows_is_looked_for_through_nine_years() -> None:
    """A day that a zone left out is not taken for an occurrence."""
    leap_day = timing("0 0 29 2 *")
    century = datetime(2096, 2, 29, tzinfo=UTC)
    assert following((leap_day,), century) == datetime(2104, 2, 29, tzinfo=UTC)
    assert previous((leap_day,), datetime(2104, 2, 29, tzinfo=UTC)) == century
    begin = datetime(2011, 12, 29, 20, tzinfo=UTC)
    apia = (timing("0 9 * * *", "Pacific/Apia"),)
    assert following(apia, begin) == datetime(2011, 12, 30, 19, tzinfo=UTC)
    far = Timing(since=NOON + timedelta(days=366 * 9), recurrence=HOURLY)
    assert following((far,), NOON) is None
    assert following((replace(far, since=far.since - HOUR),), NOON) == far.since
    assert following((replace(far, since=far.since + HOUR),), NOON) is None


def test_the_previous_occurrence_is_earlier() -> None:
    """By the timing in force just before, also before that came into force."""
    timings = (hourly(LONG_AGO), Timing(since=NOON, recurrence=Recurrence(cron=("30 * * * *",))))
    assert previous(timings, NOON + 31 * MINUTE) == NOON + 30 * MINUTE
    assert previous(timings, NOON + 30 * MINUTE) == NOON - 30 * MINUTE
    assert previous(timings, NOON) == NOON - HOUR
    assert previous(timings, NOON + SECOND) == NOON - 30 * MINUTE
    assert previous((hourly(LONG_AGO), NONE), NOON + DAY) is None
    assert previous((hourly(NOON),), NOON - HOUR) is None


def test_the_previous_occurrence_may_be_a_second_back() -> None:
    """An interval counts in seconds."""
    every = Recurrence(every=61 * SECOND, anchor=NOON)
    timings = (Timing(since=LONG_AGO, recurrence=every),)
    assert previous(timings, NOON + SECOND) == NOON
    assert previous(timings, NOON) == NOON - 61 * SECOND


def test_the_latest_occurrence_is_looked_for_in_small_steps_first() -> None:
    """The days before it are not listed minute by minute."""
    timings = (timing("* 0-11 * * *"),)
    found, steps = counted(latest, timings, NOON + 30 * MINUTE)
    assert found == NOON - MINUTE
    assert steps < 2000


def test_the_previous_occurrence_is_neither_excluded_nor_of_a_missing_day() -> None:
    """The data of a window begin where a run could have been."""
    daily = Recurrence(cron=("0 6 * * *",), except_=("2026-06-01",))
    assert previous((Timing(since=LONG_AGO, recurrence=daily),), NOON) == NOON - DAY - 6 * HOUR
    morning = datetime(2011, 12, 30, 19, tzinfo=UTC)
    apia = (timing("0 9 * * *", "Pacific/Apia"),)
    assert previous(apia, morning) == datetime(2011, 12, 29, 19, tzinfo=UTC)
    assert latest(apia, morning - HOUR) == datetime(2011, 12, 29, 19, tzinfo=UTC)


def test_the_latest_occurrence_may_be_now() -> None:
    """Or as late as the timing that has it was in force."""
    assert latest((hourly(LONG_AGO),), NOON) == NOON
    assert latest((hourly(LONG_AGO),), NOON - SECOND) == NOON - HOUR
    assert latest((hourly(NOON - HOUR), NONE), NOON + DAY) == NOON
    assert latest((hourly(NOON - HOUR), replace(NONE, since=NOON - SECOND)), NOON + DAY) is None
    assert latest((hourly(NOON - HOUR), hourly(NOON + DAY)), NOON) == NOON
    assert latest((hourly(NOON - HOUR), replace(hourly(NOON), paused=True)), NOON + DAY) == NOON
    assert latest((hourly(NOON - DAY), hourly(NOON)), NOON + HOUR - SECOND) == NOON


def test_an_occurrence_at_the_begin_of_a_timing_is_not_its_latest() -> None:
    """It is of the timing before."""
    assert latest((hourly(NOON),), NOON) is None
    assert latest((hourly(NOON),), NOON + HOUR - SECOND) is None
    assert latest((hourly(NOON),), NOON + HOUR) == NOON + HOUR


@pytest.mark.parametrize("days", [1, 5, 40, 400])
def test_the_latest_occurrence_is_found_however_long_ago(days: int) -> None:
    """It is the newest, whichever step back finds it, and few steps find it."""
    long_ago = NOON - days * DAY
    one = Recurrence(cron=(f"0,30 12 {long_ago.day} {long_ago.month} *",))
    timings = (Timing(since=LONG_AGO, recurrence=one),)
    until = NOON if days < 365 else NOON - 36 * DAY

    found, steps = counted(latest, timings, until)

    assert found == long_ago + 30 * MINUTE
    assert steps < 100 * days + 3000


def test_an_occurrence_follows_the_timing_in_force_at_its_time() -> None:
    """A change of timing never reaches back."""
    noon = datetime(2026, 6, 1, 12, tzinfo=UTC)
    timings = (
        Timing(since=noon - timedelta(hours=3), recurrence=Recurrence(cron=("0 * * * *",))),
        Timing(since=noon, recurrence=Recurrence(cron=("30 * * * *",)), paused=True),
        Timing(since=noon + timedelta(hours=2), recurrence=None),
    )

    found = occurrences_of(timings, after=LONG_AGO, until=noon + timedelta(days=1))

    assert [(f"{o.nominal:%H:%M}", o.paused, o.removed) for o in found] == [
        ("10:00", False, False),
        ("11:00", False, False),
        ("12:00", False, False),
        ("12:30", True, False),
        ("13:30", True, False),
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


YEARS = 366 * DAY
AT_NOON = Recurrence(at=(NOON.replace(tzinfo=None),))


@pytest.mark.parametrize("end", [NOON, NOON + SECOND])
def test_an_end_is_exclusive(end: datetime) -> None:
    """An occurrence at this very instant is none; one a second earlier is the last."""
    one = Timing(since=LONG_AGO, recurrence=replace(HOURLY, end=end))
    every = Timing(since=LONG_AGO, recurrence=Recurrence(every=HOUR, anchor=NOON, end=end))
    last = NOON if end > NOON else NOON - HOUR

    for timings in ((one,), (every,)):
        assert latest(timings, NOON + YEARS) == last
        assert previous(timings, NOON + YEARS) == last
        assert following(timings, last - SECOND) == last
        assert following(timings, last) is None
        assert [
            o.nominal for o in occurrences(timings[0], after=last - SECOND, until=NOON + DAY)
        ] == [last]


def test_a_later_end_brings_no_occurrence_back() -> None:
    """An edit holds from its own time on: what fell between stays without a record."""
    timings = (
        Timing(since=LONG_AGO, recurrence=replace(HOURLY, end=NOON)),
        Timing(since=NOON + 3 * HOUR, recurrence=HOURLY),
    )
    found = occurrences_of(timings, after=NOON - 2 * HOUR, until=NOON + 5 * HOUR)
    assert [one.nominal.hour for one in found] == [11, 16, 17]


@pytest.mark.parametrize(
    ("recurrence", "now", "expected"),
    [
        (HOURLY, NOON + 100 * YEARS, False),
        (replace(HOURLY, end=NOON), NOON - HOUR - SECOND, False),
        (replace(HOURLY, end=NOON), NOON - HOUR, True),
        (AT_NOON, NOON - SECOND, False),
        (AT_NOON, NOON, True),
        (AT_NOON, NOON - 80 * YEARS, False),
        (replace(AT_NOON, cron=("0 0 */16 * MON#5",)), NOON, False),
        (replace(AT_NOON, cron=("0 12 1 1 *",), end=NOON + YEARS), NOON, False),
        (replace(AT_NOON, cron=("0 12 1 1 *",), end=NOON + HOUR), NOON, True),
        (replace(AT_NOON, cron=("0 12 1 1 *",), end=NOON), NOON - SECOND, True),
        (replace(AT_NOON, except_=("2026-06-01",)), NOON - DAY, True),
        (replace(AT_NOON, time_zone="Asia/Tokyo"), NOON - 9 * HOUR - SECOND, False),
        (replace(AT_NOON, time_zone="Asia/Tokyo"), NOON - 9 * HOUR, True),
        (None, NOON, False),
    ],
)
def test_a_schedule_is_ended_after_its_last_occurrence(
    recurrence: Recurrence | None, now: datetime, *, expected: bool
) -> None:
    """By its end or its single times; one that is merely never due is not."""
    assert ended((Timing(since=LONG_AGO, recurrence=recurrence),), now) is expected


def test_an_idle_tick_finds_no_work_in_what_is_ended() -> None:
    """Whatever time has passed since: it is not walked through."""
    for recurrence in (replace(HOURLY, end=NOON), AT_NOON):
        timings = (Timing(since=LONG_AGO, recurrence=recurrence),)
        found, steps = counted(list, occurrences_of(timings, after=NOON, until=NOON + 20 * YEARS))
        assert (found, steps < 2000) == ([], True)


@pytest.mark.parametrize(
    ("at", "zone", "expected"),
    [
        ("2026-03-08T02:30", "America/New_York", ["2026-03-08T07:00Z"]),
        ("2026-11-01T01:30", "America/New_York", ["2026-11-01T05:30Z"]),
        ("2026-10-04T02:15", "Australia/Lord_Howe", ["2026-10-03T15:30Z"]),
        ("2026-12-24T18:00", "Europe/Paris", ["2026-12-24T17:00Z"]),
    ],
)
def test_a_single_time_is_placed_as_a_fixed_expression(
    at: str, zone: str, expected: list[str]
) -> None:
    """In a gap at the first instant after it, in a repeated hour once."""
    recurrence = Recurrence(at=(datetime.fromisoformat(at),), time_zone=zone)
    one = Timing(since=LONG_AGO, recurrence=recurrence)
    found = occurrences(one, after=LONG_AGO, until=LONG_AGO + 40 * YEARS)
    assert [f"{o.nominal:%Y-%m-%dT%H:%MZ}" for o in found if o.exists] == expected


@pytest.mark.parametrize(
    ("zone", "cron", "anchor", "expected"),
    [
        (
            "America/New_York",
            "0 9 * * MON",
            "2026-02-23",
            ["02-23 09:00 -0500", "03-09 09:00 -0400", "03-23 09:00 -0400", "04-06 09:00 -0400"],
        ),
        (
            "America/New_York",
            "30 2 * * SUN",
            "2026-02-22",
            ["02-22 02:30 -0500", "03-08 03:00 -0400", "03-22 02:30 -0400", "04-05 02:30 -0400"],
        ),
        (
            "Pacific/Kiritimati",
            "0 0 * * MON",
            "2026-02-23",
            ["02-23 00:00 +1400", "03-09 00:00 +1400", "03-23 00:00 +1400", "04-06 00:00 +1400"],
        ),
    ],
)
def test_an_interval_counts_wall_dates(
    zone: str, cron: str, anchor: str, expected: list[str]
) -> None:
    """The hour stays where it is across changes of the clock; a gap is as for any other."""
    interval = Interval(every=2, unit=IntervalUnit.WEEKS, anchor=date.fromisoformat(anchor))
    recurrence = Recurrence(cron=(cron,), interval=interval, time_zone=zone)
    one, clock = Timing(since=LONG_AGO, recurrence=recurrence), parse_zone(zone)
    begin = datetime(2026, 2, 20, tzinfo=UTC)
    found = occurrences(one, after=begin, until=begin + 46 * DAY)
    assert [f"{o.nominal.astimezone(clock):%m-%d %H:%M %z}" for o in found] == expected


def test_a_long_interval_is_found_without_walking_through_its_minutes() -> None:
    """Every minute of one day in a year, eight years ahead."""
    interval = Interval(every=96, unit=IntervalUnit.MONTHS, anchor=date(2026, 5, 1))
    recurrence = Recurrence(cron=("* * 1 5 *",), interval=interval)
    found, steps = counted(following, (Timing(since=LONG_AGO, recurrence=recurrence),), NOON)
    assert found == datetime(2034, 5, 1, tzinfo=UTC)
    assert steps < 20_000


@pytest.mark.parametrize(
    ("recurrence", "first"),
    [
        (
            Recurrence(at=(datetime.fromisoformat("2060-03-01T09:00"),)),
            datetime(2060, 3, 1, 9, tzinfo=UTC),
        ),
        (
            Recurrence(
                cron=("0 0 */16 * MON#5",),
                at=(
                    datetime.fromisoformat("2060-03-01T09:00"),
                    datetime.fromisoformat("2061-03-01T09:00"),
                ),
            ),
            datetime(2060, 3, 1, 9, tzinfo=UTC),
        ),
        (
            Recurrence(
                at=(
                    datetime.fromisoformat("2060-03-01T09:00"),
                    datetime.fromisoformat("2070-07-01T09:00"),
                ),
                except_=("2060-03-01",),
                time_zone="Europe/Paris",
            ),
            datetime(2070, 7, 1, 7, tzinfo=UTC),
        ),
        (
            Recurrence(cron=("0 9 * * *",), at=(datetime.fromisoformat("2060-03-01T09:00"),)),
            datetime(2026, 6, 1, 9, tzinfo=UTC),
        ),
        (
            Recurrence(
                cron=("0 0 */16 * MON#5",), at=(datetime.fromisoformat("2025-03-01T09:00"),)
            ),
            None,
        ),
    ],
)
def test_single_times_are_found_however_far_they_lie(
    recurrence: Recurrence, first: datetime | None
) -> None:
    """Beyond the nine years through which an expression is looked for."""
    begin = datetime(2026, 6, 1, tzinfo=UTC)
    timings = (Timing(since=begin, recurrence=recurrence),)

    assert following(timings, begin) == first
    assert ended(timings, begin) is False
