"""A TIME means the instants that an operator means by it, also where clocks change."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.enums import Fold, Gap, OnHoliday
from orchestrator.model import Holidays, Recurrence, Timing
from orchestrator.timing.occurrences import occurrences_of
from recur.errors import CliError, Exit
from recur.explain.time_argument import Question, parse_time_argument, questions
from recur.timing_lookup import occurrence_after, occurrence_at, occurrence_before

LONG_AGO = datetime(2011, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 11, 21, 3, 0, 30, tzinfo=UTC)  # 22:00:30 of the 20th in New York


def timings(cron: str, zone: str = "America/New_York", **keys: Gap | Fold) -> tuple[Timing, ...]:
    recurrence = Recurrence(cron=(cron,), time_zone=zone)
    if gap := keys.get("gap"):
        recurrence = Recurrence(cron=(cron,), time_zone=zone, gap=Gap(gap))
    if overlap := keys.get("overlap"):
        recurrence = Recurrence(cron=(cron,), time_zone=zone, fold=Fold(overlap))
    return (Timing(since=LONG_AGO, recurrence=recurrence),)


def meant(text: str, of: tuple[Timing, ...]) -> list[Question]:
    assert of[0].recurrence
    zone = ZoneInfo(of[0].recurrence.time_zone)
    return questions(parse_time_argument(text, zone, NOW), of, zone)


def instants(text: str, of: tuple[Timing, ...]) -> list[str]:
    return [one.instant.strftime("%Y-%m-%dT%H:%MZ") for one in meant(text, of)]


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("2026-11-20T02:30-05:00", ["2026-11-20T07:30Z"]),
        ("2026-11-20T07:30Z", ["2026-11-20T07:30Z"]),
        ("20261120T073000Z", ["2026-11-20T07:30Z"]),
        ("2026-11-20T02:30", ["2026-11-20T07:30Z"]),
        ("2026-11-20 02:30", ["2026-11-20T07:30Z"]),
        ("2026-07-20T02:30", ["2026-07-20T06:30Z"]),
        ("2026-11-20", ["2026-11-20T07:30Z"]),
        ("today", ["2026-11-20T07:30Z"]),
        ("yesterday", ["2026-11-19T07:30Z"]),
        ("02:30", ["2026-11-20T07:30Z"]),
        ("22:30", ["2026-11-20T03:30Z"]),
        ("2h", ["2026-11-21T01:00Z"]),
        ("now", ["2026-11-21T03:00Z"]),
    ],
)
def test_a_time_is_an_instant(text: str, meant: list[str]) -> None:
    """With an offset, on the wall, as the day it falls on, or counted from now."""
    assert instants(text, timings("30 2 * * *")) == meant


@pytest.mark.parametrize("text", ["", "soon", "2026-13-01", "25:00", "2026-11-20T02:30-99:00"])
def test_what_is_no_time_is_refused(text: str) -> None:
    """With what to write instead."""
    with pytest.raises(CliError) as refused:
        parse_time_argument(text, UTC, NOW)

    assert refused.value.code == Exit.USAGE
    assert "2026-11-01T07:30Z" in (refused.value.next_step or "")


@pytest.mark.parametrize("text", ["0001-01-01", "9999-12-31", "9999-12-31T23:59:59-14:00"])
def test_what_no_recurrence_reaches_is_refused(text: str) -> None:
    """With the years that there are."""
    with pytest.raises(CliError, match="out of range") as refused:
        parse_time_argument(text, UTC, NOW)

    assert refused.value.code == Exit.USAGE
    assert "before 2200" in (refused.value.next_step or "")


def test_a_shifted_wall_time_means_the_shifted_occurrence() -> None:
    """02:30 does not exist on that day; its occurrence runs at 03:00."""
    (one,) = meant("2026-03-08T02:30", timings("30 2 * * *"))

    assert one.instant == datetime(2026, 3, 8, 7, 0, tzinfo=UTC)
    assert one.notes == (
        (
            "2026-03-08 02:30 does not exist in America/New_York: the clock goes forward to "
            "2026-03-08T03:00:00-04:00, and its occurrence is moved to that time."
        ),
    )


@pytest.mark.parametrize(
    "of", [timings("*/30 * * * *"), timings("30 2 * * *", gap=Gap.SKIP)], ids=["wild", "skip"]
)
def test_a_wall_time_that_is_left_out_says_so(of: tuple[Timing, ...]) -> None:
    """By the policy, or because an expression that begins with a star follows the clock."""
    (one,) = meant("2026-03-08T02:30", of)

    assert "its occurrence is skipped (dst.gap = " in one.notes[0]


def test_a_wall_time_that_does_not_exist_and_is_not_asked_for_says_only_that() -> None:
    """There is nothing that could have been shifted."""
    (one,) = meant("2026-03-08T02:15", timings("30 2 * * *"))

    assert one.notes[0].endswith("goes forward to 2026-03-08T03:00:00-04:00.")


def test_a_shifted_occurrence_says_where_it_comes_from() -> None:
    """Also when asked for by its instant."""
    (one,) = meant("2026-03-08T07:00Z", timings("15,30 2 * * *"))

    (note,) = one.notes
    assert "02:15, 02:30" in note


def test_a_wall_time_that_comes_twice_means_both() -> None:
    """And the one that does not run says which does."""
    fixed = meant("2026-11-01T01:30", timings("30 1 * * *"))

    assert [one.instant.hour for one in fixed] == [5, 6]
    assert all("happens twice" in one.notes[0] for one in fixed)
    assert len(fixed[0].notes) == 1
    assert "does not run at the second one" in fixed[1].notes[1]
    assert "2026-11-01T01:30:00-04:00" in fixed[1].notes[1]

    second = meant("2026-11-01T01:30", timings("30 1 * * *", overlap=Fold.SECOND))
    assert "does not run at the first one" in second[0].notes[1]
    wild = meant("2026-11-01T01:30", timings("*/30 * * * *"))
    assert [len(one.notes) for one in wild] == [1, 1]


def test_the_suppressed_half_says_so_when_asked_for_by_its_instant() -> None:
    """An operator who sees 01:30-05:00 on the clock asks for that."""
    (one,) = meant("2026-11-01T01:30-05:00", timings("30 1 * * *"))

    assert "does not run at the second one" in one.notes[0]


def test_a_day_that_never_came_says_so() -> None:
    """Apia went from 29 to 31 December 2011."""
    (one,) = meant("2011-12-30T12:00", timings("0 12 * * *", "Pacific/Apia"))

    assert one.instant == datetime(2011, 12, 30, 10, 0, tzinfo=UTC)
    assert "does not exist in Pacific/Apia" in one.notes[0]
    assert one.notes[0].endswith("and its occurrence is skipped (nonexistent).")


def test_a_day_means_all_its_occurrences() -> None:
    """23 or 25 hours of them where the clock changes; none of its neighbours."""
    hourly = timings("0 * * * *")

    assert len(meant("2026-11-20", hourly)) == 24
    assert len(meant("2026-03-08", hourly)) == 23
    assert len(meant("2026-11-01", hourly)) == 25
    assert instants("2026-11-20", timings("0 0 * * *")) == ["2026-11-20T05:00Z"]


def test_a_day_without_occurrence_means_the_day() -> None:
    """To be answered as a day."""
    (one,) = meant("2026-11-21", timings("30 2 * * FRI"))

    assert one.day == date(2026, 11, 21)
    assert one.until - one.instant == timedelta(days=1)


BACK = (
    "The clock of America/New_York is put back on 2026-11-01, from 02:00-04:00 to 01:00-05:00: the "
    "times from 01:00 to 02:00 come twice."
)
FORWARD = (
    "The clock of America/New_York is put forward on 2026-03-08, from 02:00-05:00 to 03:00-04:00: "
    "the times from 02:00 to 03:00 do not exist."
)


@pytest.mark.parametrize(
    ("day", "zone", "note"),
    [
        ("2026-11-01", "America/New_York", BACK),
        ("2026-03-08", "America/New_York", FORWARD),
        ("2026-04-24", "Africa/Cairo", "from 00:00+02:00 to 01:00+03:00: the times from 00:00 to 01:00 do not"),
        ("2026-10-29", "Africa/Cairo", "from 00:00+03:00 to 23:00+02:00: the times from 23:00 to 00:00 come"),
        ("2026-04-05", "Australia/Lord_Howe", "from 02:00+11:00 to 01:30+10:30: the times from 01:30 to 02:00 come"),
        ("2011-12-30", "Pacific/Apia", "2011-12-30 does not exist in Pacific/Apia"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("cron", ["30 5 * * *", "0 0 1 1 *"])
def test_a_day_on_which_the_clock_changes_says_so(
    day: str, zone: str, note: str, cron: str
) -> None:
    """Whether or not something falls on it, and on no day beside it."""
    asked = date.fromisoformat(day)
    for around in (-2, -1, 0, 1, 2):
        for one in meant(str(asked + timedelta(days=around)), timings(cron, zone)):
            told = [says for says in one.notes if "The clock of" in says or "whole day" in says]
            if around == 0 or (zone == "Pacific/Apia" and around == 1):
                assert len(told) == 1
            else:
                assert told == []
            assert around or note in told[0]


def test_a_day_whose_occurrence_is_left_out_by_the_clock_says_so() -> None:
    """The day has none, and the clock is why."""
    (one,) = meant("2026-03-08", timings("30 2 * * *", gap=Gap.SKIP))

    assert (one.day, one.notes) == (date(2026, 3, 8), (FORWARD,))


def test_a_shifted_occurrence_of_a_day_says_both() -> None:
    """What the clock does on that day, and what it does to the occurrence."""
    (one,) = meant("2026-03-08", timings("30 2 * * *"))

    assert one.notes[0] == FORWARD
    assert "occurrences at 02:30 run at this instant" in one.notes[1]


def test_a_day_of_a_schedule_that_is_forgotten_means_the_day() -> None:
    """In the zone that is given: no timing tells more."""
    (one,) = questions(parse_time_argument("2026-11-21", UTC, NOW), (), ZoneInfo("America/Bogota"))

    assert (one.day, one.instant.hour) == (date(2026, 11, 21), 5)


def test_wall_times_follow_the_zone_of_their_time() -> None:
    """A schedule that moved from one zone to another."""
    moved = datetime(2026, 11, 10, tzinfo=UTC)
    bogota = Recurrence(cron=("30 2 * * *",), time_zone="America/Bogota")
    berlin = Recurrence(cron=("30 2 * * *",), time_zone="Europe/Berlin")
    both = (Timing(since=LONG_AGO, recurrence=bogota), Timing(since=moved, recurrence=berlin))

    assert instants("2026-11-05T02:30", both) == ["2026-11-05T07:30Z"]
    assert instants("2026-11-15T02:30", both) == ["2026-11-15T01:30Z"]


def test_a_day_is_that_of_the_zone_of_its_time() -> None:
    """As its wall times are, whatever zone the schedule has by now; also the day of the change."""
    moved = datetime(2026, 11, 10, 12, tzinfo=UTC)
    new_york = Recurrence(cron=("30 11,23 * * *",), time_zone="America/New_York")
    kiritimati = Recurrence(cron=("30 11,23 * * *",), time_zone="Pacific/Kiritimati")
    both = (Timing(since=LONG_AGO, recurrence=new_york), Timing(since=moved, recurrence=kiritimati))

    def of(text: str) -> list[datetime]:
        return [
            one.instant
            for one in questions(
                parse_time_argument(text, UTC, NOW), both, ZoneInfo("Pacific/Kiritimati")
            )
        ]

    assert of("2026-11-05") == [*of("2026-11-05T11:30"), *of("2026-11-05T23:30")]
    assert of("2026-11-05") == [
        datetime(2026, 11, 5, 16, 30, tzinfo=UTC),
        datetime(2026, 11, 6, 4, 30, tzinfo=UTC),
    ]
    assert of("2026-11-15") == [*of("2026-11-15T11:30"), *of("2026-11-15T23:30")]
    assert of("2026-11-09") == [
        datetime(2026, 11, 9, 16, 30, tzinfo=UTC),
        datetime(2026, 11, 10, 4, 30, tzinfo=UTC),
    ]
    assert of("2026-11-11") == [
        datetime(2026, 11, 10, 21, 30, tzinfo=UTC),
        datetime(2026, 11, 11, 9, 30, tzinfo=UTC),
    ]


def test_every_occurrence_belongs_to_one_day() -> None:
    """Where the zone changes, too: none of two days, none of no day."""
    moved = datetime(2026, 11, 10, 12, tzinfo=UTC)
    zones = ("America/New_York", "Pacific/Kiritimati", "Pacific/Pago_Pago")
    both = tuple(
        Timing(
            since=moved + timedelta(days=n) if n else LONG_AGO,
            recurrence=Recurrence(cron=("0 * * * *",), time_zone=zone),
        )
        for n, zone in enumerate(zones)
    )
    days = (f"2026-11-{day:02}" for day in range(1, 31))

    found = [
        one.instant
        for day in days
        for one in questions(parse_time_argument(day, UTC, NOW), both, UTC)
    ]

    begin, end = found[0] - timedelta(seconds=1), found[-1]
    assert sorted(found) == [one.nominal for one in occurrences_of(both, after=begin, until=end)]


minutes = st.integers(0, 400 * 24 * 60).map(
    lambda n: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=n)
)
crons = st.sampled_from(
    ["30 2 * * *", "*/7 * * * *", "0 0 1 * *", "15 1,2 * * SUN", "0 */5 * * MON"]
)


@given(minutes, crons)
def test_neighbours_are_the_nearest_occurrences(instant: datetime, cron: str) -> None:
    """Nothing lies between them but the instant itself."""
    of = timings(cron)
    low, high = occurrence_before(of, instant), occurrence_after(of, instant)

    assert low is not None
    assert high is not None
    assert low < instant < high
    between = [one.nominal for one in occurrences_of(of, after=low, until=high)]
    itself = [instant] if occurrence_at(of, instant) else []
    assert between == [*itself, high]
    assert all(a < b for a, b in pairwise([low, *between]))


def test_a_holiday_says_where_its_occurrence_went() -> None:
    """Asked for by its time or by its day; and the day it went to says from where it came."""
    bank = Holidays(calendars=("bank",), days=("2026 1225",), policy=OnHoliday.NEXT_WORKING_DAY)
    recurrence = Recurrence(cron=("0 9 * * FRI",), time_zone="Europe/Paris", holidays=bank)
    moving = (Timing(since=LONG_AGO, recurrence=recurrence),)
    skipping = (
        replace(
            moving[0], recurrence=replace(recurrence, holidays=replace(bank, policy=OnHoliday.SKIP))
        ),
    )
    away = "2026-12-25 is a holiday (bank): its occurrences move to Monday, 2026-12-28."
    skipped = "2026-12-25 is a holiday (bank): its occurrences are skipped."

    for text in ("2026-12-25T09:00", "2026-12-25"):
        assert [one.notes for one in meant(text, moving)] == [(away,)]
        assert [one.notes for one in meant(text, skipping)] == [(skipped,)]
    for text in ("2026-12-28T09:00", "2026-12-28"):
        (one,) = meant(text, moving)
        assert one.notes == (
            "The occurrence on a holiday, 2026-12-25 09:00, moves to this instant.",
        )
    assert [one.notes for one in meant("2026-12-18", moving)] == [()]


def test_a_day_that_became_a_holiday_while_it_lasted_is_one() -> None:
    """By what was in force at the time that is asked for, or at the end of the day."""
    plain = Recurrence(cron=("0 9 * * FRI",))
    bank = Holidays(calendars=("bank",), days=("2026 1225",))
    early = Timing(since=LONG_AGO, recurrence=plain)
    late = Timing(
        since=datetime(2026, 12, 25, 8, tzinfo=UTC), recurrence=replace(plain, holidays=bank)
    )
    skipped = "2026-12-25 is a holiday (bank): its occurrences are skipped."

    assert [one.notes for one in meant("2026-12-25T09:00", (early, late))] == [(skipped,)]
    assert [one.notes for one in meant("2026-12-25", (early, late))] == [(skipped,)]
    assert [one.notes for one in meant("2026-12-25T07:00", (early, late))] == [()]
