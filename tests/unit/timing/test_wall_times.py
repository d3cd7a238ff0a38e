"""The wall times that expressions and single times give together."""

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.enums import IntervalUnit, OnHoliday
from orchestrator.model import Holidays, Interval, Recurrence
from orchestrator.timing.holidays import packed
from orchestrator.timing.wall_times import Wall, counts, next_counted, wall_times, walls

YEAR = timedelta(days=366)


def wall(text: str) -> datetime:
    """Return a time of 1 June 2026, or of another day where it says so."""
    return datetime.fromisoformat(text if "T" in text else f"2026-06-01T{text}")


def due(
    *crons: str,
    first: str,
    last: str,
    at: tuple[str, ...] = (),
    without: tuple[str, ...] = (),
    excluded: bool = False,
) -> list[str]:
    recurrence = Recurrence(cron=crons, at=tuple(map(wall, at)), except_=without)
    found = walls(recurrence, wall(first), wall(last), excluded=excluded)
    return [f"{one.time:%d %H:%M}" for one in found]


@pytest.mark.parametrize(
    ("first", "expected"),
    [
        ("11:59:59", ["01 12:00", "01 12:01"]),
        ("12:00", ["01 12:00", "01 12:01"]),
        ("12:00:00.000001", ["01 12:01"]),
        ("12:00:01", ["01 12:01"]),
        ("12:01", ["01 12:01"]),
    ],
)
def test_the_first_time_is_part_of_a_stretch(first: str, expected: list[str]) -> None:
    """A minute that had begun before it is not."""
    assert due("* * * * *", first=first, last="12:01:30") == expected


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        ("12:00:59", ["01 12:00"]),
        ("12:01", ["01 12:00", "01 12:01"]),
        ("2026-06-02T00:00", ["01 12:00", "01 12:01", "02 00:00"]),
        ("2026-06-02T00:00:59.999999", ["01 12:00", "01 12:01", "02 00:00"]),
    ],
)
def test_the_last_time_is_part_of_a_stretch(last: str, expected: list[str]) -> None:
    """On the first day as on a later one."""
    assert due("0,1 0,12 * * *", first="12:00", last=last) == expected[:3]


def test_a_stretch_goes_from_day_to_day() -> None:
    """What lies between its first and its last day is there in full."""
    assert due("0 6,18 * * *", first="12:00", last="2026-06-03T12:00") == [
        *("01 18:00", "02 06:00", "02 18:00", "03 06:00")
    ]
    assert due("0 6 * * *", first="12:00", last="11:00") == []


def test_each_time_says_which_kind_of_expression_has_it() -> None:
    """A fixed one, a wild one, or both; each on its own days."""
    recurrence = Recurrence(
        cron=("0 6,7 * * *", "30 6 * * TUE", "0 7 * * *", "0 */7 * * *"), except_=("0 7 * * *",)
    )
    found = walls(recurrence, wall("06:00"), wall("14:00"), excluded=True)
    assert list(found) == [
        Wall(time=wall("06:00"), fixed=True, wild=False, excluded=False),
        Wall(time=wall("07:00"), fixed=True, wild=True, excluded=True),
        Wall(time=wall("14:00"), fixed=False, wild=True, excluded=False),
    ]


def test_what_is_left_out_is_there_only_on_demand() -> None:
    """The other times are the same either way."""
    several, last = ("* 12 * * *", "2026-06-02"), "2026-06-03T11:00"
    assert due("0 11-13 * * *", first="11:00", last=last, without=several) == [
        *("01 11:00", "01 13:00", "03 11:00")
    ]
    assert due("0 11-13 * * *", first="11:00", last=last, without=several, excluded=True) == [
        *("01 11:00", "01 12:00", "01 13:00", "02 11:00", "02 12:00", "02 13:00", "03 11:00")
    ]


def test_single_times_and_expressions_are_one_union() -> None:
    """A time that both give comes once, and is fixed."""
    at = ("2026-06-02T06:00", "12:30", "2026-06-02T06:00")
    assert due("0 */6 * * *", first="12:00", last="2026-06-02T06:00", at=at) == [
        *("01 12:00", "01 12:30", "01 18:00", "02 00:00", "02 06:00")
    ]
    both = Recurrence(cron=("0 */6 * * *",), at=(wall("06:00"),))
    assert list(walls(both, wall("06:00"), wall("06:00"), excluded=True)) == [
        Wall(time=wall("06:00"), fixed=True, wild=True, excluded=False)
    ]


def test_except_leaves_out_single_times_too() -> None:
    """By its date or by an expression."""
    at = ("06:00", "2026-06-02T06:00", "2026-06-03T07:00")
    without = ("2026-06-01", "* 7 * * *")
    assert due(first="00:00", last="2026-06-04T00:00", at=at, without=without) == ["02 06:00"]


@pytest.mark.parametrize(
    ("cron", "every", "unit", "anchor", "expected"),
    [
        ("0 9 * * MON", 2, "weeks", "2026-12-07", ["11-23", "12-07", "12-21", "01-04", "01-18"]),
        ("0 9 * * MON", 2, "weeks", "2026-12-13", ["11-23", "12-07", "12-21", "01-04", "01-18"]),
        ("0 9 * * MON", 2, "weeks", "2026-12-14", ["11-16", "11-30", "12-14", "12-28", "01-11", "01-25"]),
        ("0 9 * * MON", 2, "weeks", "2036-12-01", ["11-16", "11-30", "12-14", "12-28", "01-11", "01-25"]),
        ("0 9 * * SUN,MON", 3, "weeks", "2026-12-07", ["11-16", "11-22", "12-07", "12-13", "12-28", "01-03", "01-18", "01-24"]),
        ("0 9 * * *", 20, "days", "2026-12-07", ["11-17", "12-07", "12-27", "01-16"]),
        ("0 9 * * *", 20, "days", "2020-12-08", ["11-27", "12-17", "01-06", "01-26"]),
        ("0 9 1 * *", 2, "months", "2026-01-31", ["01-01"]),
        ("0 9 1 * *", 2, "months", "2028-12-31", ["12-01"]),
        ("0 9 15W * *", 12, "months", "2000-11-01", ["11-16"]),
        ("0 9 * * MON", 1, "weeks", "2026-12-07", ["11-16", "11-23", "11-30", "12-07", "12-14", "12-21", "12-28", "01-04", "01-11", "01-18", "01-25"]),
    ],
)  # fmt: skip
def test_an_interval_keeps_every_nth_unit(
    cron: str, every: int, unit: str, anchor: str, expected: list[str]
) -> None:
    """Counted from its anchor in both directions; weeks begin on Monday."""
    interval = Interval(every=every, unit=IntervalUnit(unit), anchor=date.fromisoformat(anchor))
    recurrence = Recurrence(cron=(cron,), interval=interval)
    found = walls(recurrence, wall("2026-11-16T00:00"), wall("2027-01-31T00:00"), excluded=True)
    assert [f"{one.time:%m-%d}" for one in found] == expected


def test_an_interval_says_nothing_of_single_times() -> None:
    """They are what they are."""
    interval = Interval(every=2, unit=IntervalUnit.WEEKS, anchor=date(2026, 12, 7))
    recurrence = Recurrence(
        cron=("0 9 * * MON",), interval=interval, at=(wall("2026-12-14T10:00"),)
    )
    found = walls(recurrence, wall("2026-12-07T00:00"), wall("2026-12-22T00:00"), excluded=True)
    assert [f"{one.time:%m-%d %H}" for one in found] == ["12-07 09", "12-14 10", "12-21 09"]


@pytest.mark.parametrize(
    ("crons", "at", "first", "expected"),
    [
        ((), (), "2026-06-01", None),
        ((), ("2031-03-04T05:06",), "2026-06-01", "2031-03-04"),
        ((), ("2026-05-31T00:00", "2031-03-04T05:06"), "2026-06-01", "2031-03-04"),
        ((), ("2031-03-04T05:06",), "2031-03-04", "2031-03-04"),
        ((), ("2031-03-04T05:06",), "2031-03-05", None),
        (("0 0 29 2 *",), (), "2026-06-01", "2028-02-29"),
        (("0 0 29 2 *",), ("2028-02-01T00:00",), "2026-06-01", "2028-02-01"),
        (("0 0 29 2 *",), ("2027-11-30T00:00",), "2026-06-01", "2027-11-30"),
        (("0 0 1 12 *",), ("2026-06-30T00:00",), "2026-06-02", "2026-06-30"),
    ],
)
def test_the_first_day_is_found_across_years(
    crons: tuple[str, ...], at: tuple[str, ...], first: str, expected: str | None
) -> None:
    """Whether an expression or a single time gives it."""
    read = wall_times(Recurrence(cron=crons, at=tuple(map(wall, at))))
    day = date.fromisoformat(first)
    found = read.first_day(day, day + 9 * YEAR, excluded=True)
    assert found == (date.fromisoformat(expected) if expected else None)


@pytest.mark.parametrize("unit", list(IntervalUnit))
@given(
    every=st.integers(1, 9),
    anchor=st.dates(date(2025, 1, 1), date(2027, 1, 1)),
    days=st.integers(-900, 900),
)
def test_the_next_date_that_counts_is_the_first(
    unit: IntervalUnit, every: int, anchor: date, days: int
) -> None:
    """As if each date were looked at."""
    interval = Interval(every=every, unit=unit, anchor=anchor)
    day = anchor + timedelta(days=days)
    expected = next(one for n in range(400) if counts(interval, one := day + timedelta(days=n)))
    assert next_counted(interval, day) == expected


@pytest.mark.parametrize("step", [None, "next_working_day", "previous_working_day"])
@pytest.mark.parametrize("unit", list(IntervalUnit))
@pytest.mark.parametrize("cron", ["0 0 * * *", "0 0 1 * *", "0 0 31 1,3 *", "0 0 * * MON"])
def test_what_an_interval_leaves_out_is_passed_over(
    cron: str, unit: IntervalUnit, step: str | None
) -> None:
    """The first day is the same as where every day is looked at; so is a day moved there."""
    holidays = (
        Holidays(
            calendars=("bank",),
            days=packed([(date(2026, 1, 1), date(2026, 1, 20))]),
            policy=OnHoliday(step),
        )
        if step
        else None
    )
    interval = Interval(every=5, unit=unit, anchor=date(2026, 1, 5))
    read = wall_times(
        Recurrence(
            cron=(cron,), at=(wall("2026-02-07T03:00"),), interval=interval, holidays=holidays
        )
    )
    day, last = date(2025, 11, 1), date(2027, 12, 31)
    every = [day + timedelta(days=n) for n in range((last - day).days + 1)]
    due_days = [one for one in every if read.day(one).all]
    found: list[date] = []
    while first := read.first_day(day, last, excluded=True):
        found.append(first)
        day = first + timedelta(days=1)

    assert found == due_days
    assert found
