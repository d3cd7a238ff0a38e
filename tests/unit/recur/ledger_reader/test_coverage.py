"""Gaps are the planned occurrences without a record: no more, no less."""

from collections.abc import Set as AbstractSet
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.ledger.state import ScheduleState
from orchestrator.model import Recurrence, Timing
from recur.ledger_reader.coverage import Coverage, RangeRecord, Recorded, compare_coverage
from tests.support.records import NIGHTLY

BEGIN = datetime(2026, 11, 1, tzinfo=UTC)
HOURLY = Recurrence(cron=("0 * * * *",))
HOURS = 24


def at(hour: int) -> datetime:
    return BEGIN + timedelta(hours=hour)


def hours(*numbers: int) -> set[datetime]:
    return {at(number) for number in numbers}


def compared(  # noqa: PLR0913 - a comparison has that many sources
    single: AbstractSet[datetime],
    *spans: RangeRecord,
    decided: int = HOURS,
    now: int = HOURS,
    after: int = 0,
    twice: AbstractSet[datetime] = frozenset(),
    unlisted: AbstractSet[datetime] = frozenset(),
) -> Coverage:
    timing = Timing(since=BEGIN, recurrence=HOURLY)
    state = ScheduleState(timings=(timing,), decided_until=at(decided))
    recorded = Recorded(single=single, spans=spans, twice=twice, unlisted=unlisted)
    return compare_coverage(NIGHTLY, state, recorded, after=at(after), now=at(now))


def span(first: int, last: int, count: int | None = None) -> RangeRecord:
    return RangeRecord(first=at(first), last=at(last), count=count or last - first + 1, blob="x")


everything = hours(*range(1, HOURS + 1))


@given(st.sets(st.integers(1, HOURS)))
def test_what_is_removed_is_missing(lost: set[int]) -> None:
    """Each one, and nothing else."""
    found = compared(everything - hours(*lost))

    assert set(found.gaps) == hours(*lost)
    assert found.planned == HOURS
    assert found.whole == (not lost)


@given(st.integers(1, HOURS), st.integers(0, HOURS))
def test_a_range_stands_for_what_lies_in_it(first: int, length: int) -> None:
    """From its first to its last occurrence."""
    last = min(first + length, HOURS)
    others = everything - hours(*range(first, last + 1))

    assert compared(others, span(first, last)).whole


def test_a_record_of_its_own_overrides_a_range() -> None:
    """A backfill made it."""
    assert compared(everything - hours(3, 4, 6), span(3, 6, 4)).whole


def test_a_range_that_stands_for_fewer_hides_a_gap() -> None:
    """It is told with what lies in it."""
    found = compared(everything - hours(3, 4, 5, 6), span(3, 6, 3))

    assert not found.whole
    assert [(one.span.count, one.bare) for one in found.short] == [(3, 4)]


def test_two_ranges_over_one_occurrence_are_told() -> None:
    """And a run that is open and final at once."""
    found = compared(everything - hours(3, 4, 5), span(3, 4), span(4, 5), twice=hours(9))

    assert set(found.doubled) == hours(4, 9)


def test_what_ticks_leave_alone_is_told() -> None:
    """It is recorded, and not whole."""
    found = compared(everything, unlisted=hours(2, 9), after=5)

    assert set(found.unlisted) == hours(9)
    assert found.gaps == ()
    assert not found.whole


def test_what_is_due_and_undecided_is_overdue() -> None:
    """After five minutes, not before; it is no gap."""
    found = compared(everything, now=HOURS + 3)

    assert found.gaps == ()
    assert set(found.overdue) == hours(HOURS + 1, HOURS + 2)


def test_only_what_is_asked_for_is_looked_at() -> None:
    """Later than the beginning."""
    found = compared(hours(22, 23, 24), after=20)

    assert set(found.gaps) == hours(21)
    assert found.planned == 4


def test_records_of_no_occurrence_are_told() -> None:
    """They are no gap: the rules of a zone may have changed."""
    odd = at(3) + timedelta(minutes=7)
    found = compared(everything | {odd})

    assert found.unplanned == (odd,)
    assert found.whole
