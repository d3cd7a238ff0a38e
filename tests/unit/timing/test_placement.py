"""Occurrences of a recurrence: wall times, mapped to instants, with Debian's rules where clocks change."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.enums import Fold, Gap
from orchestrator.model import Occurrence, Recurrence, Timing
from orchestrator.timing.occurrences import occurrences
from orchestrator.timing.placement import Placement, minutes_of, placements
from orchestrator.timing.zones import parse_zone
from tests.support import debian
from tests.support.breadth import examples
from tests.support.call_counts import counted
from tests.support.timings import LONG_AGO, timing


def local(cron: str, zone: str, first: str, last: str) -> list[str]:
    """List the occurrences on wall dates ``first`` to ``last`` as local ISO times with offset."""
    tz = parse_zone(zone)
    after = datetime.fromisoformat(first).replace(tzinfo=tz) - timedelta(seconds=1)
    until = datetime.fromisoformat(last).replace(tzinfo=tz) + timedelta(days=1, seconds=-1)
    found = occurrences(timing(cron, zone), after=after, until=until)
    return [o.nominal.astimezone(tz).isoformat(timespec="minutes") for o in found if o.exists]


@pytest.mark.parametrize(
    ("cron", "zone", "day", "expected"),
    [
        # New York, 8 March 2026: 02:00 becomes 03:00
        ("30 2 * * *", "America/New_York", "2026-03-08", ["2026-03-08T03:00-04:00"]),
        ("15,45 2 * * *", "America/New_York", "2026-03-08", ["2026-03-08T03:00-04:00"]),
        (
            "30 2,3 * * *",
            "America/New_York",
            "2026-03-08",
            ["2026-03-08T03:00-04:00", "2026-03-08T03:30-04:00"],
        ),
        (
            "30 */2 * * *",
            "America/New_York",
            "2026-03-08",
            [
                "2026-03-08T00:30-05:00",
                *(f"2026-03-08T{hour:02}:30-04:00" for hour in range(4, 24, 2)),
            ],
        ),
        # New York, 1 November 2026: 01:00 to 02:00 happens twice
        ("30 1 * * *", "America/New_York", "2026-11-01", ["2026-11-01T01:30-04:00"]),
        (
            "0,30 1 * * *",
            "America/New_York",
            "2026-11-01",
            [
                "2026-11-01T01:00-04:00",
                "2026-11-01T01:30-04:00",
            ],
        ),
        (
            "*/30 1 * * *",
            "America/New_York",
            "2026-11-01",
            [
                "2026-11-01T01:00-04:00",
                "2026-11-01T01:30-04:00",
                "2026-11-01T01:00-05:00",
                "2026-11-01T01:30-05:00",
            ],
        ),
        # Lord Howe moves by half an hour
        ("15 2 * * *", "Australia/Lord_Howe", "2026-10-04", ["2026-10-04T02:30+11:00"]),
        ("45 1 * * *", "Australia/Lord_Howe", "2026-04-05", ["2026-04-05T01:45+11:00"]),
        (
            "45 1-2 * * *",
            "Australia/Lord_Howe",
            "2026-04-05",
            [
                "2026-04-05T01:45+11:00",
                "2026-04-05T02:45+10:30",
            ],
        ),
        (
            "45 */1 * * *",
            "Australia/Lord_Howe",
            "2026-04-05",
            [
                "2026-04-05T00:45+11:00",
                "2026-04-05T01:45+11:00",
                "2026-04-05T01:45+10:30",
                *(f"2026-04-05T{hour:02}:45+10:30" for hour in range(2, 24)),
            ],
        ),
        # Cairo's gap is at midnight
        ("0 0 * * *", "Africa/Cairo", "2026-04-24", ["2026-04-24T01:00+03:00"]),
    ],
)
def test_occurrences_follow_debian_where_clocks_change(
    cron: str, zone: str, day: str, expected: list[str]
) -> None:
    """A fixed time in a gap runs at its end, in a repeated hour once; a wild one follows the wall."""
    assert expected == local(cron, zone, day, day)


NEW_YORK, LORD_HOWE = "America/New_York", "Australia/Lord_Howe"


@pytest.mark.parametrize(
    ("cron", "zone", "day", "policy", "expected"),
    [
        ("30 2 * * *", NEW_YORK, "2026-03-08", Gap.SHIFT, ["03:00-04:00"]),
        ("30 2 * * *", NEW_YORK, "2026-03-08", Gap.SKIP, []),
        ("30 2-3 * * *", NEW_YORK, "2026-03-08", Gap.SKIP, ["03:30-04:00"]),
        ("*/30 2 * * *", NEW_YORK, "2026-03-08", Gap.SHIFT, ["03:00-04:00"]),
        ("30 1 * * *", NEW_YORK, "2026-11-01", Fold.FIRST, ["01:30-04:00"]),
        ("30 1 * * *", NEW_YORK, "2026-11-01", Fold.SECOND, ["01:30-05:00"]),
        ("30 1 * * *", NEW_YORK, "2026-11-01", Fold.BOTH, ["01:30-04:00", "01:30-05:00"]),
        ("30 0-2/1 * * *", NEW_YORK, "2026-11-01", Fold.SECOND, ["00:30-04:00", "01:30-05:00", "02:30-05:00"]),
        ("*/30 1 * * *", NEW_YORK, "2026-11-01", Fold.FIRST, ["01:00-04:00", "01:30-04:00"]),
        ("15 2 * * *", LORD_HOWE, "2026-10-04", Gap.SKIP, []),
        ("15,30 2 * * *", LORD_HOWE, "2026-10-04", Gap.SHIFT, ["02:30+11:00"]),
        ("45 1 * * *", LORD_HOWE, "2026-04-05", Fold.SECOND, ["01:45+10:30"]),
        ("15,45 1 * * *", LORD_HOWE, "2026-04-05", Fold.BOTH, ["01:15+11:00", "01:45+11:00", "01:45+10:30"]),
        ("*/20 0 * * *", "Africa/Cairo", "2026-04-24", Gap.SHIFT, ["01:00+03:00"]),
        ("0 0 * * *", "Africa/Cairo", "2026-04-24", Gap.SKIP, []),
        ("30 23 * * *", "Africa/Cairo", "2026-10-29", Fold.BOTH, ["23:30+03:00", "23:30+02:00"]),
        ("30 23 * * *", "Africa/Cairo", "2026-10-29", Fold.SECOND, ["23:30+02:00"]),
    ],
)  # fmt: skip
def test_a_schedule_may_say_what_happens_where_clocks_change(
    cron: str, zone: str, day: str, policy: Gap | Fold, expected: list[str]
) -> None:
    """A gap shifts or skips, a repeated hour runs first, second or both, wild or not."""
    tz = parse_zone(zone)
    begin = datetime.fromisoformat(day).replace(tzinfo=tz)
    one = Recurrence(cron=(cron,), time_zone=zone)
    one = replace(one, gap=policy) if isinstance(policy, Gap) else replace(one, fold=policy)

    end = datetime.fromisoformat(f"{day}T23:59:59").replace(tzinfo=tz, fold=1)
    found = due(one, (begin - timedelta(seconds=1)).isoformat(), end.isoformat())

    assert expected == [f"{o.nominal.astimezone(tz):%H:%M%:z}" for o in found]


def test_times_that_merge_are_counted() -> None:
    """Two fixed times in one gap become one occurrence that says so."""
    (one,) = occurrences(
        timing("15,45 2 * * *", "America/New_York"),
        after=datetime(2026, 3, 8, tzinfo=UTC),
        until=datetime(2026, 3, 9, tzinfo=UTC),
    )

    assert (datetime(2026, 3, 8, 7, tzinfo=UTC), 2) == (one.nominal, one.merged)


def test_a_day_that_a_zone_left_out_has_no_occurrence() -> None:
    """Apia had no 30 December 2011: it is marked as not existing, and the next day is as ever."""
    days = list(
        occurrences(
            timing("0 9 * * *", "Pacific/Apia"),
            after=datetime(2011, 12, 29, tzinfo=UTC),
            until=datetime(2012, 1, 1, tzinfo=UTC),
        )
    )

    assert [
        (datetime(2011, 12, 29, 19, tzinfo=UTC), True),
        (datetime(2011, 12, 30, 10, tzinfo=UTC), False),
        (datetime(2011, 12, 30, 19, tzinfo=UTC), True),
        (datetime(2011, 12, 31, 19, tzinfo=UTC), True),
    ] == [(day.nominal, day.exists) for day in days]


ZONES = (
    "UTC",
    "America/New_York",
    "America/St_Johns",
    "America/Santiago",
    "Africa/Cairo",
    "Africa/Casablanca",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "Pacific/Chatham",
)


@cache
def changes(zone: str) -> list[datetime]:
    """
    List the hours in which a zone changes its clock, from 2025 to 2027.

    One in June stands for a zone that changes none.
    """
    tz, first = parse_zone(zone), datetime(2025, 1, 1, tzinfo=UTC)
    hours = [first + timedelta(hours=n) for n in range(3 * 365 * 24)]
    return [
        after
        for before, after in pairwise(hours)
        if before.astimezone(tz).utcoffset() != after.astimezone(tz).utcoffset()
    ] or [datetime(2026, 6, 1, tzinfo=UTC)]


@st.composite
def crons(draw: st.DrawFn) -> str:
    """Draw expressions that come due around the hours in which clocks change."""
    minute = draw(
        st.sampled_from(["*", "*/7", "*/30", "0", "30", "45", "0,30", "15,45", "10-20/5", "59"])
    )
    hour = draw(st.sampled_from(["*", "*/2", "*/3", "0", "1", "2", "1,2", "0-3", "2-3", "23", "3"]))
    day = draw(st.sampled_from(["*", "*", "*", "1-15", "*/2"]))
    weekday = draw(st.sampled_from(["*", "*", "*", "0", "1-5"]))
    return f"{minute} {hour} {day} * {weekday}"


@st.composite
def near_changes(draw: st.DrawFn) -> tuple[str, list[datetime]]:
    """Draw a zone and three instants, at most eight hours from a change of its clock."""
    zone = draw(st.sampled_from(ZONES))
    change = draw(st.sampled_from(changes(zone)))
    minutes = draw(st.lists(st.integers(-480, 480), min_size=3, max_size=3))
    return zone, sorted(change + timedelta(minutes=n) for n in minutes)


@pytest.mark.no_cover  # measuring it would double its time; examples cover the same
@examples(400)
@given(
    st.lists(crons(), min_size=1, max_size=2),
    near_changes(),
    st.sampled_from(Gap),
    st.sampled_from(Fold),
    st.sampled_from([(), ("*/10 1 * * *",)]),
)
def test_ticks_partition_the_occurrences(
    union: list[str],
    near: tuple[str, list[datetime]],
    gap: Gap,
    overlap: Fold,
    left_out: tuple[str, ...],
) -> None:
    """(a, c] is (a, b] followed by (b, c]: no tick boundary loses or repeats an occurrence."""
    zone, (a, b, c) = near
    recurrence = Recurrence(
        cron=tuple(union), time_zone=zone, gap=gap, fold=overlap, except_=left_out
    )
    one = Timing(since=LONG_AGO, recurrence=recurrence)

    whole = list(occurrences(one, after=a, until=c))

    assert whole == [*occurrences(one, after=a, until=b), *occurrences(one, after=b, until=c)]
    assert sorted({o.nominal for o in whole}) == [o.nominal for o in whole]


@pytest.mark.no_cover  # measuring it would double its time; examples cover the same
@examples(200)
@given(crons(), near_changes())
def test_every_occurrence_is_where_debians_cron_has_it(
    cron: str, near: tuple[str, list[datetime]]
) -> None:
    """Walked minute by minute, around every change of the clock."""
    zone, (a, _, c) = near

    found = [o.nominal for o in occurrences(timing(cron, zone), after=a, until=c)]

    assert found == debian.runs(cron, parse_zone(zone), a, c)


def test_a_fixed_time_does_not_run_again_when_a_tick_falls_into_the_repeated_hour() -> None:
    """01:30 has been once; from within the second hour nothing tells but what was before it."""
    within = datetime(2026, 11, 1, 6, 10, tzinfo=UTC)
    after = within + timedelta(hours=1)

    assert not list(
        occurrences(timing("30 1 * * *", "America/New_York"), after=within, until=after)
    )


def due(recurrence: Recurrence, after: str, until: str) -> list[Occurrence]:
    """List the occurrences of a recurrence between two ISO times."""
    one = Timing(since=LONG_AGO, recurrence=recurrence)
    begin, end = datetime.fromisoformat(after), datetime.fromisoformat(until)
    return list(occurrences(one, after=begin, until=end))


def test_several_expressions_are_one_schedule() -> None:
    """What two of them have in common is one occurrence."""
    both = Recurrence(cron=("0 */6 * * *", "0 6,7 * * *"))

    found = due(both, "2026-06-01T00:00:00Z", "2026-06-01T12:00:00Z")

    assert [(o.nominal.hour, o.merged) for o in found] == [(6, 1), (7, 1), (12, 1)]


def test_an_interval_knows_no_clock() -> None:
    """From its anchor on, and before it, in elapsed time: a day has 23 hours where clocks change."""
    recurrence = Recurrence(
        every=timedelta(hours=8),
        anchor=datetime(2026, 6, 1, 1, 2, 3, tzinfo=UTC),
        time_zone="America/New_York",
    )

    found = due(recurrence, "2026-03-07T17:02:03Z", "2026-03-09T01:02:03Z")

    assert [f"{o.nominal:%dT%H:%M:%S}" for o in found] == [
        *("08T01:02:03", "08T09:02:03", "08T17:02:03", "09T01:02:03")
    ]


@pytest.mark.parametrize(
    ("cron", "after", "days"),
    [
        ("0 6 1 2 *", "2026-01-31", ["2026-02-01", "2027-02-01", "2028-02-01"]),
        ("0 6 1 2 *", "2026-02-01", ["2026-02-01", "2027-02-01", "2028-02-01"]),
        ("0 6 1 2 *", "2026-02-02", ["2027-02-01", "2028-02-01"]),
        ("0 6 1 1 *", "2026-01-15", ["2027-01-01", "2028-01-01"]),
        ("0 6 1 3 *", "2026-01-15", ["2026-03-01", "2027-03-01", "2028-03-01"]),
        ("0 6 31 12 *", "2026-03-31", ["2026-12-31", "2027-12-31"]),
        ("0 6 29 2 *", "2026-01-30", ["2028-02-29"]),
    ],
)
def test_days_of_few_months_are_gone_to(cron: str, after: str, days: list[str]) -> None:
    """No month between is taken for one of them, and none is walked through."""
    begin = datetime.fromisoformat(after).replace(tzinfo=UTC)

    found, steps = counted(
        lambda: list(
            placements(
                Recurrence(cron=(cron,)), after=begin, until=datetime(2028, 12, 1, tzinfo=UTC)
            )
        )
    )

    assert [one.nominal for one in found] == [
        datetime.fromisoformat(f"{day}T06:00:00+00:00") for day in days
    ]
    assert steps < 2500


@pytest.mark.parametrize("left_out", [("2026-06-01",), ("* 0-11 * * *", "* 12-23 1 6 *")])
def test_an_interval_passes_over_what_is_left_out(left_out: tuple[str, ...]) -> None:
    """A day, or what is left of it, in a few steps."""
    recurrence = Recurrence(every=timedelta(seconds=10), except_=left_out)
    begin = datetime(2026, 6, 1, tzinfo=UTC)
    day = begin + timedelta(days=1)
    first = day if len(left_out) == 1 else day + timedelta(hours=12)

    found, steps = counted(
        lambda: list(placements(recurrence, after=begin, until=first, excluded=False))
    )

    assert [one.nominal for one in found] == [first]
    assert steps < 2500


def test_an_interval_runs_at_the_first_of_two_midnights() -> None:
    """Havana had the hour after it twice in 2025; the day before, which is left out, ends before it."""
    recurrence = Recurrence(
        every=timedelta(minutes=30), time_zone="America/Havana", except_=("2025-11-01",)
    )
    midnight = datetime(2025, 11, 2, 4, tzinfo=UTC)

    found = placements(
        recurrence, after=midnight - timedelta(hours=9), until=midnight, excluded=False
    )

    assert [one.nominal for one in found] == [midnight]


def test_a_gap_of_three_hours_is_one_of_the_clock() -> None:
    """Casey went from 02:00 to 05:00; only a larger jump is taken for a correction."""
    found = due(
        Recurrence(cron=("30 3 * * *",), time_zone="Antarctica/Casey"),
        "2009-10-17T12:00:00Z",
        "2009-10-18T12:00:00Z",
    )
    assert found == [Occurrence(nominal=datetime(2009, 10, 17, 18, tzinfo=UTC))]


def test_an_interval_without_an_anchor_counts_from_the_year_2000() -> None:
    """So that no edit moves it."""
    begin = datetime(2000, 1, 1, tzinfo=UTC)
    every = timedelta(days=7, seconds=1)
    found = due(Recurrence(every=every), "2000-01-01T00:00:00Z", "2000-01-20T00:00:00Z")
    assert [one.nominal for one in found] == [begin + every, begin + 2 * every]
    at_begin = due(Recurrence(every=every), "1999-12-31T23:59:59Z", "2000-01-01T00:00:00Z")
    assert [one.nominal for one in at_begin] == [begin]


@pytest.mark.parametrize("excluded", [True, False])
def test_a_placement_holds_the_wall_times_it_comes_from(excluded: bool) -> None:
    """Of an expression and of an interval; what is left out is yielded on demand."""
    zone, change = NEW_YORK, datetime(2026, 3, 8, 7, tzinfo=UTC)
    cron = Recurrence(cron=("15,45 2 * * *", "0 3 8 * *"), time_zone=zone, except_=("2026-03-09",))
    every = Recurrence(
        every=timedelta(hours=12), anchor=change, time_zone=zone, except_=("2026-03-09",)
    )
    until = change + timedelta(days=2)

    def wall(text: str) -> datetime:
        return datetime.fromisoformat(f"2026-03-{text}")

    left_out = timedelta(days=1) - timedelta(minutes=45)
    of_cron = [
        Placement(
            nominal=change,
            walls=(wall("08T02:15"), wall("08T02:45"), wall("08T03:00")),
            merged=3,
        ),
        *(
            Placement(nominal=change + left_out + late, walls=(wall(text),), excluded=True)
            for late, text in ((timedelta(), "09T02:15"), (timedelta(minutes=30), "09T02:45"))
            if excluded
        ),
        Placement(nominal=change + timedelta(days=2, minutes=-45), walls=(wall("10T02:15"),)),
        Placement(nominal=change + timedelta(days=2, minutes=-15), walls=(wall("10T02:45"),)),
    ]
    of_every = [
        Placement(nominal=change, walls=(wall("08T03:00"),)),
        Placement(nominal=change + timedelta(hours=12), walls=(wall("08T15:00"),)),
        *(
            Placement(nominal=change + late, walls=(wall(text),), excluded=True)
            for late, text in (
                (timedelta(hours=24), "09T03:00"),
                (timedelta(hours=36), "09T15:00"),
            )
            if excluded
        ),
        Placement(nominal=until, walls=(wall("10T03:00"),)),
    ]
    for recurrence, expected in ((cron, of_cron), (every, of_every)):
        after = change - timedelta(seconds=1)
        assert list(placements(recurrence, after=after, until=until, excluded=excluded)) == expected


@pytest.mark.parametrize(
    ("every", "since", "minutes"),
    [
        (timedelta(hours=12), timedelta(), [0, 720]),
        (timedelta(hours=12), timedelta(minutes=1, seconds=30), [1, 721]),
        (timedelta(hours=12), timedelta(hours=12), [720]),
        (timedelta(days=1), timedelta(), [0]),
        (timedelta(minutes=719, seconds=30), timedelta(), [0, 719, 1439]),
        (timedelta(minutes=720), timedelta(hours=24), []),
    ],
)
def test_the_minutes_of_an_interval_are_those_of_its_times(
    every: timedelta, since: timedelta, minutes: list[int]
) -> None:
    """From its first time of a day on, up to midnight."""
    assert minutes_of(every, since) == sum(1 << minute for minute in minutes)


def test_what_is_excluded_stays_an_occurrence() -> None:
    """By the wall date or an expression, whatever UTC's date is; and nothing else is marked."""
    recurrence = Recurrence(
        cron=("0 20 * * *",), time_zone="America/New_York", except_=("2026-12-25", "* * * * SUN")
    )

    found = due(recurrence, "2026-12-24T12:00:00Z", "2026-12-29T12:00:00Z")

    assert [(o.nominal.day, o.excluded, o.can_run) for o in found] == [
        (25, False, True),
        (26, True, False),
        (27, False, True),
        (28, True, False),
        (29, False, True),
    ]


def test_an_interval_is_excluded_by_its_wall_time() -> None:
    """An expression in ``except`` matches whole minutes."""
    recurrence = Recurrence(
        every=timedelta(minutes=30),
        anchor=datetime(2026, 1, 1, 0, 0, 30, tzinfo=UTC),
        time_zone="Europe/Berlin",
        except_=("30 13 * * *",),
    )

    found = due(recurrence, "2026-01-01T12:00:00Z", "2026-01-01T13:00:00Z")

    assert [(o.nominal.minute, o.excluded) for o in found] == [(0, False), (30, True)]


def test_a_shifted_occurrence_is_excluded_by_the_time_it_had() -> None:
    """What is left of two that fall together runs, and counts alone."""
    recurrence = Recurrence(
        cron=("15,45 2 * * *",), time_zone="America/New_York", except_=("15 2 * * *",)
    )
    gone = replace(recurrence, except_=("15,45 2 * * *",))

    (one,) = due(recurrence, "2026-03-08T00:00:00Z", "2026-03-09T00:00:00Z")
    (none,) = due(gone, "2026-03-08T00:00:00Z", "2026-03-09T00:00:00Z")

    assert (one.excluded, one.merged) == (False, 1)
    assert (none.excluded, none.merged) == (True, 2)
    assert one.nominal == none.nominal == datetime(2026, 3, 8, 7, tzinfo=UTC)


@pytest.mark.no_cover  # measuring it would double its time; examples cover the same
@examples(200)
@given(
    st.one_of(crons().map(lambda one: (one,)), st.integers(60, 9000)),
    near_changes(),
    st.lists(
        st.sampled_from(
            ["*/2 * * * *", "1-59/2 * * * *", "* 0-2 * * *", "10-50 * * * *", "* * * * SUN"]
        ),
        min_size=1,
        max_size=2,
    ),
)
def test_what_is_left_out_is_passed_over_and_nothing_else(
    when: tuple[str] | int, near: tuple[str, list[datetime]], left_out: list[str]
) -> None:
    """As if each occurrence were looked at, over days and where clocks change."""
    zone, (a, b, c) = near
    recurrence = Recurrence(time_zone=zone, except_=tuple(left_out))
    if isinstance(when, int):
        recurrence = replace(recurrence, every=timedelta(seconds=when), anchor=b)
    else:
        recurrence = replace(recurrence, cron=when)
    begin, end = a - timedelta(days=2), c + timedelta(days=2)

    every = placements(recurrence, after=begin, until=end)

    found = [one for one in every if not one.excluded]
    assert found == list(placements(recurrence, after=begin, until=end, excluded=False))
