"""Counting occurrences beside looking at each of them."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.enums import Fold, Gap, OnHoliday
from orchestrator.model import Holidays, Recurrence
from orchestrator.timing.counting import Tally, tally
from orchestrator.timing.placement import placements
from tests.support.breadth import examples

ZONES = [
    "UTC",
    "America/New_York",
    "Europe/London",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Asia/Kathmandu",
    "Africa/Casablanca",
    "Pacific/Kiritimati",
]
CRONS = [
    "* * * * *",
    "*/7 2-3 * * *",
    "30 2 * * *",
    "0 0 29 2 *",
    "15 1,2,3 * * MON-FRI",
    "0 12 L * *",
    "5 */6 15W * *",
]
EXCEPTIONS = ["2011-12-30", "2026-03-08", "* 0-2 * * *", "*/5 * * * SUN", "* * * 8 *"]

HOLIDAYS = [("2011 1224-20120101", "2026 0302 0306-0310 0320"), ("2026 0301-0331",)]

recurrences = st.one_of(
    st.builds(
        Recurrence,
        cron=st.lists(st.sampled_from(CRONS), min_size=1, max_size=2).map(tuple),
        time_zone=st.sampled_from(ZONES),
        gap=st.sampled_from(Gap),
        fold=st.sampled_from(Fold),
        except_=st.lists(st.sampled_from(EXCEPTIONS), max_size=2).map(tuple),
        holidays=st.none()
        | st.builds(
            Holidays,
            calendars=st.just(("x",)),
            days=st.sampled_from(HOLIDAYS),
            policy=st.sampled_from(OnHoliday),
        ),
        end=st.sampled_from([None, datetime(2026, 3, 20, tzinfo=UTC)]),
    ),
    st.builds(
        Recurrence,
        every=st.sampled_from([timedelta(minutes=11), timedelta(seconds=61), timedelta(hours=26)]),
        anchor=st.sampled_from([None, datetime(2026, 1, 1, 0, 0, 30, tzinfo=UTC)]),
        time_zone=st.sampled_from(ZONES),
        except_=st.lists(st.sampled_from(EXCEPTIONS), max_size=2).map(tuple),
    ),
)
begins = st.sampled_from([datetime(2011, 12, 20, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)])


def seen(recurrence: Recurrence, after: datetime, until: datetime) -> Tally | None:
    """Look at each occurrence."""
    found = [*placements(recurrence, after=after, until=until)]
    if not found:
        return None
    return Tally(
        first=found[0].nominal,
        last=found[-1].nominal,
        count=len(found),
        excluded=sum(one.exists and one.excluded for one in found),
        holiday=sum(one.exists and one.holiday for one in found),
        nonexistent=sum(not one.exists for one in found),
    )


@examples(60)
@given(recurrences, begins, st.integers(0, 86_400), st.integers(0, 40 * 86_400))
def test_it_counts_what_there_is(
    recurrence: Recurrence, begin: datetime, offset: int, length: int
) -> None:
    """Across changes of the clock, and a day that a zone has left out."""
    after = begin + timedelta(seconds=offset)
    until = after + timedelta(seconds=length)
    counted = tally(recurrence, after=after, until=until)

    expected = seen(recurrence, after, until)
    assert (counted is None) == (expected is None)
    if counted and expected:
        assert counted == Tally(
            first=expected.first,
            last=expected.last,
            count=expected.count,
            excluded=expected.excluded,
            holiday=expected.holiday,
            nonexistent=expected.nonexistent,
            looks=counted.looks,
        )


@pytest.mark.parametrize(
    "recurrence",
    [
        Recurrence(cron=("* * * * *",), time_zone="America/New_York"),
        Recurrence(every=timedelta(minutes=1), except_=("*/5 * * * *",)),
    ],
)
def test_millions_are_counted_by_the_day(recurrence: Recurrence) -> None:
    """Each minute of seven years."""
    after, until = datetime(2019, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)
    counted = tally(recurrence, after=after, until=until)

    assert counted
    assert counted.count == (until - after) // timedelta(minutes=1)
    assert counted.excluded == (counted.count // 5 if recurrence.except_ else 0)
    assert counted.last == until
    assert counted.looks < counted.count / 50


def test_nothing_is_none() -> None:
    """An empty time, and one behind the end."""
    end = datetime(2026, 1, 1, tzinfo=UTC)
    recurrence = Recurrence(cron=("* * * * *",), end=end)
    assert tally(recurrence, after=end, until=end + timedelta(days=3)) is None
    assert tally(recurrence, after=end, until=end) is None
