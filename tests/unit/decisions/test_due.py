"""Thousands of occurrences that catch-up does not reach: counted as if each had been looked at."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.decisions import due as module
from orchestrator.decisions.decide import decide
from orchestrator.decisions.decision import Decision, Submit
from orchestrator.decisions.due import LostTime, due
from orchestrator.enums import CatchUpMode
from orchestrator.ids import ScheduleId
from orchestrator.ledger.state import ScheduleState
from orchestrator.model import CatchUp, Pause, Recurrence, Timing
from orchestrator.timing.occurrences import occurrences_of
from tests.support import schedules
from tests.support.breadth import examples

BEGIN = datetime(2026, 3, 1, 0, 0, 7, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ID = ScheduleId("one")


def counted(decisions: Iterable[Decision]) -> Counter[str]:
    """Return how many occurrences have which fate."""
    found: Counter[str] = Counter()
    for one in decisions:
        if isinstance(one, Submit):
            found["submit"] += 1
            continue
        span = one.span
        also = span.also if span else {}
        found[str(one.reason)] += (span.count if span else 1) - sum(also.values())
        found.update({str(reason): times for reason, times in also.items()})
    return +found


def _share_a_cause(one: Decision, other: Decision) -> bool:
    """Tell whether two neighbours stand for several each, and could be one decision."""
    if isinstance(one, Submit) or isinstance(other, Submit) or not (one.span and other.span):
        return False
    return (one.reason, one.because) == (other.reason, other.because)


def all_decisions(
    state: ScheduleState, catch_up: CatchUp, now: datetime, *, write_off: bool
) -> tuple[list[Decision], int]:
    """Decide as the ticks do, go by go; also tell how many goes wrote off."""
    table = replace(schedules.schedule(), catch_up=catch_up)
    lost = LostTime.of(catch_up, now) if write_off else None
    decisions: list[Decision] = []
    written_off = 0
    for _ in count():
        part = due(state, now, 50 if write_off else 10**6, lost=lost)
        written_off += bool(part.written_off)
        decided = decide(ID, None if state.removed else table, part, now=now)
        assert not any(_share_a_cause(one, other) for one, other in pairwise(decided))
        decisions += decided
        if not part.any:
            return decisions, written_off
        state = replace(state, decided_until=part.until)
    raise AssertionError


pauses = st.lists(st.tuples(st.integers(0, 900), st.integers(1, 400)), max_size=3).map(
    lambda spans: tuple(
        Pause(since=BEGIN + begin * HOUR, until=BEGIN + (begin + length) * HOUR, by="eva")
        for begin, length in sorted(spans)
    )
)


@pytest.fixture(autouse=True)
def _few_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MANY", 40)
    monkeypatch.setattr(module, "_COUNTED", 10)


@examples(60)
@given(
    minutes=st.sampled_from(["0", "*/20", "7,9"]),
    left_out=st.sampled_from([(), ("* 0-5 * * *",), ("* * * * SAT", "2026-03-08"), ("* * * 3 *",)]),
    paused=st.sampled_from([False, True]),
    removed=st.booleans(),
    pauses=pauses,
    catch_up=st.builds(
        CatchUp,
        mode=st.sampled_from(CatchUpMode),
        window=st.sampled_from([timedelta(minutes=1), 6 * HOUR, 5 * DAY]),
        max=st.just(2),
    ),
)
def test_what_is_counted_is_what_there_is(  # noqa: PLR0913 - a schedule has that many sides
    *,
    minutes: str,
    left_out: tuple[str, ...],
    paused: bool,
    removed: bool,
    pauses: tuple[Pause, ...],
    catch_up: CatchUp,
) -> None:
    """The same number for each reason, in ranges that lie one behind the other."""
    zone = "America/New_York"
    first = Recurrence(cron=(f"{minutes} * * * *",), except_=left_out, time_zone=zone)
    timings = [
        Timing(since=BEGIN, recurrence=first),
        Timing(since=BEGIN + 9 * DAY, recurrence=replace(first, except_=()), paused=paused),
    ]
    if removed:
        timings.append(Timing(since=BEGIN + 39 * DAY, recurrence=None, removed=True))
    state = ScheduleState(timings=tuple(timings), decided_until=BEGIN, pauses=pauses)
    now = BEGIN + 40 * DAY

    fast, written_off = all_decisions(state, catch_up, now, write_off=True)
    slow, _ = all_decisions(state, catch_up, now, write_off=False)

    assert written_off
    assert counted(fast) == counted(slow)
    times = [
        time
        for one in fast
        for time in (one.occurrence.nominal, getattr(one, "span", None) and one.span.last)  # type: ignore[union-attr] # of those that do not run
        if time
    ]
    assert times == sorted(times)
    ends = {times[0], times[-1]}
    every = [one.nominal for one in occurrences_of(state.timings, after=BEGIN, until=now)]
    assert ends == {every[0], every[-1]}


@pytest.fixture
def _many_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()


@pytest.mark.usefixtures("_many_are_many")
@pytest.mark.parametrize("mode", CatchUpMode)
def test_each_minute_since_the_year_2000_is_decided_in_one_go(mode: CatchUpMode) -> None:
    """Thirteen million of one cause are one decision; the newest have decisions of their own."""
    begin = datetime(1999, 12, 31, 23, 59, 59, tzinfo=UTC)
    timing = Timing(since=begin, recurrence=Recurrence(cron=("* * * * *",)))
    state = ScheduleState(timings=(timing,), decided_until=begin)
    now = datetime(2026, 1, 1, tzinfo=UTC)
    table = replace(schedules.schedule(), catch_up=CatchUp(mode=mode))

    part = due(state, now, lost=LostTime.of(table.catch_up, now))
    decisions = decide(ID, table, part, now=now)

    assert part.until == now
    assert sum(counted(decisions).values()) == (now - begin) // timedelta(minutes=1) + 1
    ranges = [one.span for one in decisions if not isinstance(one, Submit) and one.span]
    causes = [one.reason for one in decisions if not isinstance(one, Submit) and one.span]
    assert len(causes) == len(set(causes))
    assert ranges[0].count > 13_000_000
    assert len(decisions) - len(ranges) <= 2 * CatchUp().max + 2
