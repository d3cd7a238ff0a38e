"""Holidays: what is one, where its occurrences move, and how they are kept."""

from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.enums import OnHoliday, Weekday
from orchestrator.model import WEEKEND, Holidays, Occurrence, Recurrence, Timing
from orchestrator.timing.holidays import FARTHEST, packed, unpacked, working_days
from orchestrator.timing.occurrences import ended, following, latest, occurrences, previous
from orchestrator.timing.zones import parse_zone
from tests.support.breadth import examples
from tests.support.timings import LONG_AGO

DAY = timedelta(days=1)
NEXT, PREVIOUS, SKIP = OnHoliday.NEXT_WORKING_DAY, OnHoliday.PREVIOUS_WORKING_DAY, OnHoliday.SKIP
CHRISTMAS = ("2026-12-25", "2026-12-28")  # a Friday, and Boxing Day's substitute on Monday


def holidays(
    *days: str,
    policy: OnHoliday = NEXT,
    weekdays: tuple[Weekday, ...] = (),
    weekend: tuple[Weekday, ...] = WEEKEND,
) -> Holidays:
    """Return holidays of dates, and of ranges with ``..`` between two of them."""
    ranges = [tuple(map(date.fromisoformat, one.split(".."))) for one in days]
    return Holidays(
        calendars=("bank",),
        days=packed((one[0], one[-1]) for one in ranges),
        weekdays=weekdays,
        policy=policy,
        weekend=weekend,
    )


def due(recurrence: Recurrence, first: str, last: str) -> list[Occurrence]:
    """Return the occurrences on some wall dates, both included."""
    zone = parse_zone(recurrence.time_zone)
    begin, end = (datetime.fromisoformat(one).replace(tzinfo=zone) for one in (first, last))
    timing = Timing(since=LONG_AGO, recurrence=recurrence)
    return list(
        occurrences(
            timing, after=begin - timedelta(seconds=1), until=end + DAY - timedelta(seconds=1)
        )
    )


def shown(one: Occurrence) -> str:
    """Return day and hour, with what is to be said of them."""
    text = f"{one.nominal:%m-%d %H}"
    text += " holiday" if one.holiday else ""
    text += " excluded" if one.excluded else ""
    text += "".join(f" <{source:%m-%d}" for source in one.moved_from)
    return text + (f" x{one.merged}" if one.merged > 1 else "")


@pytest.mark.parametrize(
    ("policy", "cron", "expected"),
    [
        (SKIP, "0 9 * * MON-FRI", ["12-24 09", "12-25 09 holiday", "12-28 09 holiday", "12-29 09"]),
        (NEXT, "0 9 * * MON-FRI", ["12-24 09", "12-29 09 <12-25 <12-28 x3"]),
        (PREVIOUS, "0 9 * * MON-FRI", ["12-24 09 <12-25 <12-28 x3", "12-29 09"]),
        (NEXT, "0 9 25 * *", ["12-29 09 <12-25"]),
        (PREVIOUS, "0 9 25 * *", ["12-24 09 <12-25"]),
        (NEXT, "0 9 * * *", ["12-24 09", "12-26 09", "12-27 09", "12-29 09 <12-25 <12-28 x3"]),
        (SKIP, "0 9 26 * *", ["12-26 09"]),
        (NEXT, "0 9,17 25 * *", ["12-29 09 <12-25", "12-29 17 <12-25"]),
    ],
)
def test_an_occurrence_on_a_holiday_is_skipped_or_moves(
    policy: OnHoliday, cron: str, expected: list[str]
) -> None:
    """Over the weekend, at the same hour; a Saturday that is no holiday keeps its own."""
    recurrence = Recurrence(cron=(cron,), holidays=holidays(*CHRISTMAS, policy=policy))
    assert [shown(one) for one in due(recurrence, "2026-12-24", "2026-12-29")] == expected


def test_days_of_the_week_can_be_holidays() -> None:
    """The 25th, or the Friday before a weekend."""
    weekends = holidays(policy=PREVIOUS, weekdays=WEEKEND)
    found = due(Recurrence(cron=("0 9 25 * *",), holidays=weekends), "2026-07-01", "2026-10-31")
    assert [shown(one) for one in found] == [
        "07-24 09 <07-25",
        "08-25 09",
        "09-25 09",
        "10-23 09 <10-25",
    ]


def test_another_weekend_has_other_working_days() -> None:
    """Friday and Saturday, or none at all."""
    thursday = Recurrence(cron=("0 9 24 12 *",))
    gulf = holidays("2026-12-24", weekend=(Weekday.FRI, Weekday.SAT))
    always = holidays("2026-12-24", weekend=())
    for rule, expected in ((gulf, "12-27 09 <12-24"), (always, "12-25 09 <12-24")):
        found = due(Recurrence(cron=thursday.cron, holidays=rule), "2026-12-20", "2026-12-31")
        assert [shown(one) for one in found] == [expected]


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        ("2027-01-30", "02-01 09 <01-01"),
        ("2027-01-31", "02-01 09 <01-01"),
        ("2027-02-01", "01-01 09 holiday"),
    ],
)
def test_an_occurrence_moves_31_days_at_most(last: str, expected: str) -> None:
    """Where no working day is that near, it is skipped on its holiday."""
    recurrence = Recurrence(cron=("0 9 1 1 *",), holidays=holidays(f"2027-01-01..{last}"))
    assert [shown(one) for one in due(recurrence, "2026-12-01", "2027-03-31")] == [expected]


def test_a_move_may_leave_its_month_and_its_year() -> None:
    """From the last day of January over February into March; back from January into December."""
    far = Recurrence(cron=("0 9 31 1 *",), holidays=holidays("2027-01-31..2027-03-02"))
    back = Recurrence(cron=("0 9 1 1 *",), holidays=holidays("2027-01-01", policy=PREVIOUS))
    single = Recurrence(at=(datetime.fromisoformat("2027-01-01T09:00"),), holidays=back.holidays)
    for recurrence, nominal in (
        (far, "2027-03-03T09"),
        (back, "2026-12-31T09"),
        (single, "2026-12-31T09"),
    ):
        timings = (Timing(since=LONG_AGO, recurrence=recurrence),)
        moved = datetime.fromisoformat(f"{nominal}:00Z")
        assert following(timings, datetime(2026, 6, 1, tzinfo=UTC)) == moved
        assert latest(timings, datetime(2027, 5, 1, tzinfo=UTC)) == moved
        assert previous(timings, datetime(2027, 5, 1, tzinfo=UTC)) == moved
    assert ended(
        (Timing(since=LONG_AGO, recurrence=single),), datetime(2026, 12, 31, 9, tzinfo=UTC)
    )


def test_except_is_asked_before_and_after_a_move() -> None:
    """What it leaves out on a holiday stays there; what moves to a day that it leaves out is left out."""
    recurrence = Recurrence(
        cron=("0 9,17 25 12 *",),
        except_=("* 9 25 12 *", "* * 29 12 *"),
        holidays=holidays(*CHRISTMAS),
    )
    assert [shown(one) for one in due(recurrence, "2026-12-24", "2026-12-31")] == [
        *("12-25 09 excluded", "12-29 17 excluded <12-25")
    ]


def test_a_moved_occurrence_is_placed_by_the_clock_of_where_it_moved_to() -> None:
    """From a Saturday, half past two, to the night in which that does not exist or comes twice."""
    always = (holidays("2026-03-07", "2026-10-31", weekend=()),)
    for cron, first, expected in (
        ("30 2 7 3 *", "2026-03-07", [("2026-03-08T07:00", "2026-03-07T07:30")]),
        ("30 1 31 10 *", "2026-10-31", [("2026-11-01T05:30", "2026-10-31T05:30")]),
        ("*/30 1 31 10 *", "2026-10-31", [
            ("2026-11-01T05:00", "2026-10-31T05:00"), ("2026-11-01T05:30", "2026-10-31T05:30"),
            ("2026-11-01T06:00", "2026-10-31T05:00"), ("2026-11-01T06:30", "2026-10-31T05:30"),
        ]),
    ):  # fmt: skip
        recurrence = Recurrence(cron=(cron,), time_zone="America/New_York", holidays=always[0])
        last = f"{date.fromisoformat(first) + DAY}"
        found = due(recurrence, first, last)
        assert [
            (
                f"{one.nominal:%Y-%m-%dT%H:%M}",
                *(f"{source:%Y-%m-%dT%H:%M}" for source in one.moved_from),
            )
            for one in found
        ] == expected


days = st.dates(date(2026, 1, 1), date(2027, 12, 31))
spans = st.lists(
    st.tuples(days, st.integers(0, 40)).map(lambda one: (one[0], one[0] + one[1] * DAY)), max_size=8
)
weekdays = st.sets(st.sampled_from(Weekday), max_size=6).map(lambda some: tuple(sorted(some)))


@given(spans)
def test_what_is_kept_is_the_same_days(ranges: list[tuple[date, date]]) -> None:
    """Whatever overlaps, touches or crosses a year; and as few ranges as there can be."""
    kept = list(unpacked(packed(ranges)))
    named = {first + n * DAY for first, last in ranges for n in range((last - first).days + 1)}
    assert {
        first + n * DAY for first, last in kept for n in range((last - first).days + 1)
    } == named
    assert kept == sorted(kept)
    assert all(one[1] + DAY < other[0] for one, other in pairwise(kept))


def test_five_years_of_holidays_are_a_few_hundred_bytes() -> None:
    """A thousand schedules may each have them."""
    every = [date(2026 + n // 13, 1 + n % 12, 3 + 2 * (n % 13)) for n in range(65)]
    assert len(" ".join(packed((day, day) for day in every))) < 400
    assert packed([(date(2026, 12, 24), date(2027, 1, 2))]) == ("2026 1224-20270102",)
    assert packed([(date(2026, 12, 24), date(2026, 12, 24))]) == ("2026 1224",)


@examples(150)
@given(
    spans,
    weekdays,
    weekdays,
    st.sampled_from(OnHoliday),
    st.sampled_from(["0 9 * * *", "0 9,17 1,15,31 * *", "30 6 * * MON", "0 0 L * *"]),
    st.sampled_from(["", "2026-12-25", "* * * 2 *"]),
)
def test_occurrences_are_those_of_a_search_day_by_day(  # noqa: PLR0913, PLR0917 - one for each key
    ranges: list[tuple[date, date]],
    weekly: tuple[Weekday, ...],
    weekend: tuple[Weekday, ...],
    policy: OnHoliday,
    cron: str,
    left_out: str,
) -> None:
    """None is lost, each moves to the nearest working day, and its record could say from where."""
    except_ = (left_out,) if left_out else ()
    rule = Holidays(
        calendars=("x",), days=packed(ranges), weekdays=weekly, policy=policy, weekend=weekend
    )
    plain = due(Recurrence(cron=(cron,), except_=except_), "2025-11-01", "2028-02-28")
    names = tuple(Weekday)
    named = {first + n * DAY for first, last in ranges for n in range((last - first).days + 1)}

    def holiday(day: date) -> bool:
        return day in named or names[day.weekday()] in weekly

    expected: defaultdict[datetime, list[datetime]] = defaultdict(list)
    skipped: set[datetime] = set()
    for one in plain:
        moved = one.nominal
        step = {NEXT: DAY, PREVIOUS: -DAY, SKIP: timedelta()}[policy]
        if holiday(moved.date()) and not one.excluded:
            for _ in range(FARTHEST):
                moved += step
                if not holiday(moved.date()) and names[moved.weekday()] not in weekend:
                    break
            else:
                moved = one.nominal
                skipped.add(moved)
        expected[moved].append(one.nominal)

    found = due(
        Recurrence(cron=(cron,), except_=except_, holidays=rule), "2025-12-15", "2028-01-15"
    )
    first, last = datetime(2025, 12, 15, tzinfo=UTC), datetime(2028, 1, 16, tzinfo=UTC)
    assert {one.nominal: (one.merged, list(one.moved_from), one.holiday) for one in found} == {
        moved: (len(those), sorted(one for one in those if one != moved), moved in skipped)
        for moved, those in expected.items()
        if first <= moved < last
    }


@given(spans, weekdays, st.sampled_from([NEXT, PREVIOUS]), days)
def test_a_working_day_gets_what_moves_to_it(
    ranges: list[tuple[date, date]], weekend: tuple[Weekday, ...], policy: OnHoliday, day: date
) -> None:
    """From each holiday whose nearest working day it is, and from no other."""
    rule = working_days(
        Holidays(calendars=("x",), days=packed(ranges), policy=policy, weekend=weekend)
    )
    around = [day + n * DAY for n in range(-40, 41)]
    if rule.working(day):
        moving = {one for one in around if rule.holiday(one) and rule.target(one) == day}
        assert set(rule.sources(day)) == moving
