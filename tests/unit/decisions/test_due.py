"""Thousands of occurrences that catch-up does not reach: counted as if each had been looked at."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.decisions import due as module
from orchestrator.decisions.decide import decide
from orchestrator.decisions.decision import Decision, Missed, Skip, Submit
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
        decisions += decide(ID, None if state.removed else table, part, now=now)
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
def test_each_minute_since_the_year_2000_is_decided_in_two_goes() -> None:
    """Thirteen million of one cause are one decision; the last day is looked at."""
    begin = datetime(1999, 12, 31, 23, 59, 59, tzinfo=UTC)
    timing = Timing(since=begin, recurrence=Recurrence(cron=("* * * * *",)))
    state = ScheduleState(timings=(timing,), decided_until=begin)
    now = datetime(2026, 1, 1, tzinfo=UTC)

    first = due(state, now, lost=LostTime.of(CatchUp(), now))
    (one,) = first.written_off
    second = due(replace(state, decided_until=first.until), now, lost=LostTime.of(CatchUp(), now))

    assert isinstance(one, Missed)
    assert one.span
    assert one.span.count + len(second.occurrences) == (now - begin) // timedelta(minutes=1) + 1
    assert len(second.occurrences) < 20_000


@pytest.mark.usefixtures("_many_are_many")
def test_a_pause_parts_what_is_written_off() -> None:
    """Each side of it is a decision of its own."""
    begin = datetime(2020, 1, 1, tzinfo=UTC)
    timing = Timing(since=begin, recurrence=Recurrence(cron=("* * * * *",)))
    pause = Pause(since=begin + 100 * DAY, until=begin + 200 * DAY, by="eva")
    state = ScheduleState(timings=(timing,), decided_until=begin, pauses=(pause,))

    now = begin + 400 * DAY
    part = due(state, now, lost=LostTime.of(CatchUp(), now))

    assert [type(one) is Skip for one in part.written_off] == [False, True, False]
    spans = [one.span for one in part.written_off]
    assert [span.count if span else 0 for span in spans][:2] == [144_000, 143_999]
    assert [one.occurrence.nominal for one in part.written_off][1] == begin + 100 * DAY + timedelta(
        minutes=1
    )
