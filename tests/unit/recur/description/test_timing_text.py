"""A timing in words: what is said, and that it is what happens."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from orchestrator.enums import IntervalUnit, OnHoliday, Weekday
from orchestrator.errors import ScheduleSyntaxError
from orchestrator.model import Holidays, Interval, Recurrence
from orchestrator.timing.cron import parse_cron
from orchestrator.timing.placement import placements
from orchestrator.timing.wall_times import wall_times
from recur.description.timing_text import timing_text
from tests.support.timing_reader import read_timing

BEGIN, END = date(2027, 12, 1), date(2028, 3, 31)
"""Around a leap day; four months, of 29, 30 and 31 days."""

DAYS = [BEGIN + n * timedelta(days=1) for n in range((END - BEGIN).days + 1)]


def happens(recurrence: Recurrence) -> dict[date, int]:
    """Return the minutes of each day that the product has, as bits: the clock of UTC is steady."""
    if recurrence.every is None:
        read = wall_times(recurrence)
        return {day: read.day(day).running for day in DAYS}
    found = dict.fromkeys(DAYS, 0)
    begin = datetime.combine(BEGIN, time(), UTC)
    until = datetime.combine(END, time(23, 59, 59), UTC)
    for one in placements(recurrence, after=begin - timedelta(seconds=1), until=until):
        found[one.nominal.date()] |= 1 << one.nominal.hour * 60 + one.nominal.minute
    return found


@pytest.mark.parametrize(
    ("crons", "text"),
    [
        (["0 2 * * MON-FRI"], "at 02:00, Monday to Friday"),
        (["0 2 * * *"], "at 02:00, every day"),
        (["0 2 * * *", "30 4 * * *"], "at 02:00 and 04:30, every day"),
        (["0 2 * * MON-FRI", "0 4 * * SAT"], "at 02:00, Monday to Friday; also at 04:00, on Saturday"),
        (["0 2,6,14 * * SAT,SUN"], "at 02:00, 06:00 and 14:00, on Saturday and Sunday"),
        (["* * * * *"], "every minute"),
        (["*/15 * * * *"], "every 15 min"),
        (["0 * * * *"], "every hour"),
        (["17 * * * MON"], "every hour at :17, on Monday"),
        (["0 */2 * * *"], "every 2 h"),
        (["30 */2 * * *"], "every 2 h from 00:30 to 22:30, every day"),
        (["0 9-17 * * *"], "every hour from 09:00 to 17:00, every day"),
        (["*/15 9-17 * * MON-FRI"], "every 15 min from 09:00 to 17:45, Monday to Friday"),
        (["*/7 * * * *"], "every 7 min from :00 to :56 of every hour, every day"),
        (["0,30 8-11,14-18 * * *"], "at :00 and :30 of the hours 8 to 11 and 14 to 18, every day"),
        (["* 1,3,5 * * *"], "every minute of the hours 1, 3 and 5, every day"),
        (["*/7 3 * * *", "1,4,9 4,8 * * *"], (
            "every 7 min from 03:00 to 03:56, every day; "
            "also at 04:01, 04:04, 04:09, 08:01, 08:04 and 08:09, every day")),
        (["0 0 1,15 * *"], "at 00:00, on days 1 and 15 of the month"),
        (["0 0 1-7 * *"], "at 00:00, on days 1 to 7 of the month"),
        (["0 0 */2 * *"], "at 00:00, on every 2nd day from 1 to 31 of the month"),
        (["0 2 25 12 *"], "at 02:00, on 25 December"),
        (["0 0 1 1,7 *"], "at 00:00, on 1 January and 1 July"),
        (["0 0 L 12 *"], "at 00:00, on the last day of December"),
        (["0 0 L 1-3 *"], "at 00:00, on the last day of the month, from January to March"),
        (["0 0 1,15W,L-3W,LW * *"], (
            "at 00:00, on day 1, the weekday nearest to day 15, the weekday nearest to the 3rd day "
            "before the last and the last weekday of the month")),
        (["0 0 * 7 *"], "at 00:00, every day, in July"),
        (["0 0 * * MON#1,5L"],
         "at 00:00, on the first Monday of the month and the last Friday of the month"),
        (["0 0 13 * FRI"], "at 00:00, on day 13 of the month and also on Friday"),
        (["0 0 */2 * MON"], "at 00:00, on Monday, only on every 2nd day from 1 to 31 of the month"),
        (["0 0 13 * 0-6"], "at 00:00, every day"),
        (["0 0 L-3,31 2 *"], "at 00:00, on day 31 and the 3rd day before the last of February"),
    ],
)  # fmt: skip
def test_expressions_in_words(crons: list[str], text: str) -> None:
    """One phrase for all expressions of the same days, where there is one."""
    recurrence = Recurrence(cron=tuple(crons))

    assert timing_text(recurrence) == f"{text}, UTC"
    assert read_timing(timing_text(recurrence), DAYS) == happens(recurrence)


@pytest.mark.parametrize(
    ("recurrence", "text"),
    [
        (Recurrence(every=timedelta(hours=1)), "every hour counted from 2000-01-01T00:00:00Z, UTC"),
        (
            Recurrence(
                every=timedelta(days=1, hours=1, minutes=30),
                anchor=datetime(2026, 12, 1, 5, tzinfo=UTC),
                time_zone="Europe/Paris",
            ),
            "every 1 d 1 h 30 min counted from 2026-12-01T05:00:00Z, Europe/Paris",
        ),
        (
            Recurrence(
                cron=("0 9 * * MON",),
                interval=Interval(every=2, unit=IntervalUnit.WEEKS, anchor=date(2026, 1, 7)),
                at=(datetime.fromisoformat("2026-12-24T18:00"),),
            ),
            (
                "at 09:00, on Monday; only every 2nd week counted from that of 2026-01-07; "
                "also at 2026-12-24 18:00, UTC"
            ),
        ),
        (
            Recurrence(cron=("0 2 * * *",), except_=("2026-12-25", "0 2 * * WED", "* * * 8 *")),
            "at 02:00, every day, UTC; not on 2026-12-25; not at 02:00, on Wednesday; not in August",
        ),
        (
            Recurrence(cron=("0 2 * * *",), end=datetime(2027, 1, 1, 5, tzinfo=UTC)),
            "at 02:00, every day, UTC; before 2027-01-01 05:00Z",
        ),
    ],
)
def test_other_keys_in_words(recurrence: Recurrence, text: str) -> None:
    """Intervals, single times, what is left out, and the end."""
    assert timing_text(recurrence) == text


def test_a_start_is_on_the_wall_clock_of_the_zone() -> None:
    """As all wall times of the sentence."""
    recurrence = Recurrence(cron=("0 2 * * MON-FRI",), time_zone="America/Montreal")
    start = datetime(2026, 12, 1, 5, tzinfo=UTC)

    assert timing_text(recurrence, start) == (
        "at 02:00, Monday to Friday, America/Montreal; from 2026-12-01 00:00-05:00 on"
    )


@pytest.mark.parametrize(
    ("policy", "weekend", "text"),
    [
        (OnHoliday.SKIP, (Weekday.SAT, Weekday.SUN), "not on holidays of bank and school"),
        (
            OnHoliday.NEXT_WORKING_DAY,
            (Weekday.SAT, Weekday.SUN),
            "on holidays of bank and school it moves to the next working day",
        ),
        (
            OnHoliday.PREVIOUS_WORKING_DAY,
            (Weekday.FRI,),
            "on holidays of bank and school it moves to the working day before (weekend: FRI)",
        ),
        (
            OnHoliday.NEXT_WORKING_DAY,
            (),
            "on holidays of bank and school it moves to the next working day (weekend: none)",
        ),
    ],
)
def test_holidays_in_words(policy: OnHoliday, weekend: tuple[Weekday, ...], text: str) -> None:
    """By the names of their calendars."""
    holidays = Holidays(
        calendars=("bank", "school"), days=("2026 0101",), policy=policy, weekend=weekend
    )

    said = timing_text(Recurrence(cron=("0 2 * * *",), holidays=holidays))

    assert said == f"at 02:00, every day, UTC; {text}"


def test_long_lists_are_counted() -> None:
    """A schedule may have thousands of dates: the TOML has them."""
    days = tuple(f"2026-12-{day:02}" for day in range(1, 31))
    crons = tuple(f"{n} {n} {n} * *" for n in range(1, 11))
    single = tuple(datetime.fromisoformat(f"{day}T18:00") for day in days)

    assert timing_text(Recurrence(cron=("0 2 * * *",), except_=days)).endswith(
        "; not on 30 dates from 2026-12-01 to 2026-12-30"
    )
    assert timing_text(Recurrence(cron=crons)).endswith(
        "also at 06:06, on day 6 of the month; also 4 more, UTC"
    )
    assert timing_text(Recurrence(cron=("0 2 * * *",), except_=crons)).endswith("; not at 4 more")
    assert timing_text(Recurrence(at=single)) == (
        "at 30 times from 2026-12-01 18:00 to 2026-12-30 18:00, UTC"
    )
    assert timing_text(Recurrence(cron=("0 2 * * *",), except_=("* * * * *",))).endswith(
        "; at no time"
    )


def terms(low: int, high: int) -> st.SearchStrategy[str]:
    numbers = st.integers(low, high)
    spans = st.tuples(numbers, numbers).map(sorted)
    return st.one_of(
        numbers.map(str),
        spans.map(lambda two: f"{two[0]}-{two[1]}"),
        st.tuples(spans, st.integers(1, high)).map(lambda one: f"{one[0][0]}-{one[0][1]}/{one[1]}"),
    )


def fields(low: int, high: int, special: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    listed = st.lists(st.one_of(terms(low, high), special), min_size=1, max_size=3).map(",".join)
    stepped = st.integers(1, high).map("*/{}".format)
    return st.one_of(st.just("*"), stepped, listed)


nothing: st.SearchStrategy[str] = st.nothing()
month_days = st.one_of(
    st.sampled_from(["L", "LW"]),
    st.integers(1, 31).map("{}W".format),
    st.tuples(st.integers(1, 30), st.sampled_from(["", "W"])).map(
        lambda one: f"L-{one[0]}{one[1]}"
    ),
)
weekdays = st.one_of(
    st.integers(0, 7).map("{}L".format),
    st.tuples(st.integers(0, 7), st.integers(1, 5)).map(lambda one: f"{one[0]}#{one[1]}"),
)
crons = st.tuples(
    fields(0, 59, nothing),
    fields(0, 23, nothing),
    fields(1, 31, month_days),
    fields(1, 12, nothing),
    fields(0, 7, weekdays),
).map(" ".join)
dates = st.dates(BEGIN, END)
intervals = st.builds(
    Interval, every=st.integers(1, 5), unit=st.sampled_from(IntervalUnit), anchor=dates
)


def valid(cron: str) -> bool:
    try:
        parse_cron(cron)
    except ScheduleSyntaxError:
        return False
    return True


@given(crons)
@settings(max_examples=400)
def test_the_words_of_an_expression_say_when_it_is_due(cron: str) -> None:
    """Read back without looking at the expression, they name the same wall times."""
    assume(valid(cron))
    recurrence = Recurrence(cron=(cron,))

    assert read_timing(timing_text(recurrence), DAYS) == happens(recurrence)


@given(
    st.lists(crons, min_size=1, max_size=3),
    st.none() | intervals,
    st.lists(dates, max_size=5),
    st.lists(crons, max_size=2),
    st.lists(st.tuples(dates, st.times()), max_size=4),
)
@settings(max_examples=150)
def test_the_words_of_a_timing_say_when_it_is_due(
    given_crons: list[str],
    interval: Interval | None,
    days: list[date],
    left_out: list[str],
    single: list[tuple[date, time]],
) -> None:
    """Several expressions, an interval, single times, dates and expressions that are left out."""
    assume(all(map(valid, [*given_crons, *left_out])))
    recurrence = Recurrence(
        cron=tuple(given_crons),
        interval=interval,
        except_=(*map(str, days), *left_out),
        at=tuple(datetime.combine(day, at).replace(second=0, microsecond=0) for day, at in single),
    )

    assert read_timing(timing_text(recurrence), DAYS) == happens(recurrence)


@given(st.integers(7, 60 * 24 * 40), st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)))  # noqa: DTZ001 - hypothesis wants naive bounds
def test_the_words_of_an_interval_say_when_it_is_due(minutes: int, anchor: datetime) -> None:
    """To the minute: no unit is left out."""
    whole = anchor.replace(second=0, microsecond=0, tzinfo=UTC)
    recurrence = Recurrence(every=timedelta(minutes=minutes), anchor=whole)

    assert read_timing(timing_text(recurrence), DAYS) == happens(recurrence)
    changed = replace(recurrence, every=timedelta(minutes=minutes + 1))
    assert timing_text(changed) != timing_text(recurrence)
