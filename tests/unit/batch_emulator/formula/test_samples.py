"""The sample store: what can be read of a metric, and how much of it is missing."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batch_emulator.formula import Metric, SampleStore, parse_formula
from tests.support.breadth import examples

START = datetime(2026, 11, 23, 5, 42, tzinfo=UTC)
PERIOD = timedelta(seconds=30)
PENDING = Metric.PENDING_TASKS


def filled(count: int, *, missing: frozenset[int] = frozenset(), speed: float = 1) -> SampleStore:
    """Return a store in which the sample of each period is its number."""
    store = SampleStore(period=PERIOD / speed, latency=2 * PERIOD / speed)
    for index in range(1, count + 1):
        values = {} if index in missing else {"$PendingTasks": float(index)}
        store.record(at=START + index * PERIOD / speed, values=values)
    return store


def percent(store: SampleStore, *, back: timedelta, now: datetime) -> float:
    return store.window(PENDING, start=now - back, end=now, now=now).percent


def test_a_sample_is_readable_after_the_latency() -> None:
    """Ten minutes hold 20 samples, of which the newest minute has not arrived: 90 %."""
    now = START + 20 * PERIOD
    window = filled(20).window(PENDING, start=START, end=now, now=now)

    assert window.values == tuple(range(1, 19))
    assert window.expected == 20
    assert window.percent == 90
    assert filled(20).newest(PENDING, 1, now=now) == (18,)
    assert filled(20).newest(PENDING, 1, now=now + PERIOD) == (19,)
    assert filled(20).count(PENDING, now=START + 2 * PERIOD) == 0
    assert filled(20).begin(PENDING, now=START + 2 * PERIOD) is None
    assert filled(20).begin(PENDING, now=START + 3 * PERIOD) == START + PERIOD


def test_two_minutes_hold_half_of_their_samples() -> None:
    """Why a formula that wants 70 % of two minutes never gets them."""
    assert percent(filled(20), back=4 * PERIOD, now=START + 20 * PERIOD) == 50


def test_samples_of_nothing_are_samples() -> None:
    """An idle pool is known to be idle."""
    store = SampleStore(latency=timedelta())
    for index in range(1, 7):
        store.record(at=START + index * PERIOD, values={"$PendingTasks": 0})

    assert percent(store, back=6 * PERIOD, now=START + 6 * PERIOD) == 100


def test_a_store_that_has_just_begun_knows_nothing() -> None:
    """The time before sampling began counts as missing."""
    store = SampleStore(since=START)

    assert store.newest(PENDING, 5, now=START + 9 * PERIOD) == ()
    assert store.begin(PENDING, now=START + 9 * PERIOD) is None
    assert percent(store, back=9 * PERIOD, now=START + 9 * PERIOD) == 0
    assert percent(filled(4), back=40 * PERIOD, now=START + 6 * PERIOD) == 10


def test_samples_are_kept_for_the_retention() -> None:
    """The oldest ones go when newer ones come, and the history begins later."""
    store = SampleStore(latency=timedelta(), retention=3 * PERIOD)
    for index in range(10):
        store.record(at=START + index * PERIOD, values={"$PendingTasks": index})
    now = START + 9 * PERIOD

    assert store.newest(PENDING, 99, now=now) == (6, 7, 8, 9)
    assert store.begin(PENDING, now=now) == START + 6 * PERIOD


def test_metrics_are_missing_one_by_one() -> None:
    """A sample without a metric is a gap for that metric alone."""
    store = SampleStore(latency=timedelta())
    store.record(at=START, values={"$PendingTasks": 1})
    store.record(at=START + PERIOD, values={"$ActiveTasks": 2, Metric.CPU_PERCENT: 0.5})
    now = START + PERIOD

    assert store.newest(PENDING, 2, now=now) == (1,)
    assert store.newest(Metric.ACTIVE_TASKS, 2, now=now) == (2,)
    assert store.begin(Metric.CPU_PERCENT, now=now) == now


def test_what_a_store_refuses() -> None:
    """Samples come in order, under names that exist, and times that can pass."""
    store = SampleStore(since=START)
    with pytest.raises(ValueError, match="not later"):
        store.record(at=START - PERIOD, values={})
    store.record(at=START, values={})
    with pytest.raises(ValueError, match="not later"):
        store.record(at=START, values={})
    with pytest.raises(ValueError, match="PendingTask"):
        store.record(at=START + PERIOD, values={"$PendingTask": 1})
    assert store.count(PENDING, now=START + 99 * PERIOD) == 0
    with pytest.raises(ValueError, match="period"):
        SampleStore(period=timedelta())


def test_sampling_begins_with_the_first_sample_unless_told() -> None:
    """Nothing can be recorded from before it."""
    told, untold = SampleStore(since=START), SampleStore()
    untold.record(at=START + PERIOD, values={})

    assert told.since == START
    assert untold.since == START + PERIOD


def test_the_insufficient_data_of_a_known_report() -> None:
    """
    The service's own words, with the place it points to.

    Reported as issue 138 of Azure/batch-shipyard: the last sample was there, though an old one,
    and nothing of the last ten minutes.
    """
    formula = parse_formula(
        "\n" * 6
        + "sli = TimeInterval_Second * 600.0;\n"
        + "lastsample = val($PendingTasks.GetSample(1), 0);\n"
        + "samplevecavg = avg($PendingTasks.GetSample(sli));\n"
    )

    result = formula.evaluate(now=START + timedelta(hours=2), samples=filled(20))

    assert result.error is not None
    assert result.error.code == "InsufficientSampleData"
    assert result.error.details == (
        "Line 9, Col 43: Insufficient data from data set: $PendingTasks wanted 70%, received 0%",
    )


GAPS = st.frozensets(st.integers(1, 40), max_size=40)


@given(missing=GAPS, back=st.integers(1, 50), late=st.integers(0, 29))
@examples(60)
def test_the_percent_is_what_is_there_of_what_could_be(
    missing: frozenset[int], back: int, late: int
) -> None:
    """For whole periods it is exact, wherever between two samples the evaluation falls."""
    now = START + 40 * PERIOD + timedelta(seconds=late)
    there = [
        i for i in range(1, 39) if i not in missing and START + i * PERIOD > now - back * PERIOD
    ]
    store = filled(40, missing=missing)

    window = store.window(PENDING, start=now - back * PERIOD, end=now, now=now)

    assert window.values == tuple(there)
    assert window.percent == pytest.approx(100 * len(there) / back)


@given(missing=GAPS, cut=st.integers(1, 39))
@examples(60)
def test_windows_add_up(missing: frozenset[int], cut: int) -> None:
    """Two windows that meet hold every sample of both once: nothing is lost at the border."""
    now = START + 42 * PERIOD
    store = filled(40, missing=missing)
    border = START + cut * PERIOD

    older = store.window(PENDING, start=START, end=border, now=now)
    newer = store.window(PENDING, start=border, end=now, now=now)
    both = store.window(PENDING, start=START, end=now, now=now)

    assert older.values + newer.values == both.values
    assert older.expected + newer.expected == both.expected
    assert both.values == store.newest(PENDING, 99, now=now)


@given(missing=GAPS, back=st.integers(1, 50), speed=st.sampled_from([1, 7, 13, 60, 999]))
@examples(60)
def test_the_speed_changes_no_percent(missing: frozenset[int], back: int, speed: int) -> None:
    """A store whose times are divided by the speed reads the same through divided intervals."""
    formula = parse_formula(
        f"x = $PendingTasks.GetSamplePercent({back} * 30 * TimeInterval_Second);"
    )

    # Between two samples, as real clocks are: divided times are rounded to microseconds.
    later = 40.3 * PERIOD

    fast = formula.evaluate(
        now=START + later / speed, samples=filled(40, missing=missing, speed=speed), speed=speed
    )
    slow = formula.evaluate(now=START + later, samples=filled(40, missing=missing))

    assert fast == slow
