"""What leaves submit.json: nothing that a tick needs, and all of it can be had again."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.decisions.due import due
from orchestrator.decisions.moving import Trimmed, is_older, join, reaches, trim
from orchestrator.decisions.pauses import failures, pause, resume
from orchestrator.decisions.timings import take_over
from orchestrator.ids import ScheduleId, run_id
from orchestrator.ledger.moved import (
    Moved,
    RemovedSchedule,
    dump_moved,
    dump_removed,
    load_moved,
    load_removed,
)
from orchestrator.ledger.request import Request, RequestKind
from orchestrator.ledger.results import ScheduleResults
from orchestrator.ledger.state import ScheduleState, SubmitState, dump_submit
from orchestrator.model import Schedule, Timing
from tests.support.hourly import HOUR, HOURLY, MINUTE, NOON
from tests.support.schedules import ID, schedule

FAILED = ScheduleResults(failed=tuple(run_id(ID, NOON + n * 7 * MINUTE) for n in range(1, 20)))
OTHER = ScheduleId("other")
STEPS = ("toggle", "change", "remove", "pause", "resume", "decide", "decide")


@dataclass(slots=True)
class Ledger:
    """A state that is made smaller again and again, and what it loses."""

    state: SubmitState
    moved: list[Moved] = field(default_factory=list)
    removed: dict[ScheduleId, ScheduleState] = field(default_factory=dict)

    def trim(self, excess_bytes: int) -> None:
        trimmed = trim(self.state, excess_bytes=excess_bytes)
        self.moved += trimmed.moved
        self.removed |= trimmed.removed
        self.state = trimmed.state

    def whole(self) -> ScheduleState:
        """Return the schedule with all that was moved out of it."""
        one = self.state.schedules.get(ID) or self.removed[ID]
        for moved in self.moved:
            one = join(one, moved.schedules[ID])
        return one


def applied(state: SubmitState, now: datetime, table: Schedule | None) -> SubmitState:
    tables = {ID: table} if table else {}
    return take_over(state, tables, frozenset(), document=str(now), modified=now)


def stepped(state: SubmitState, step: str, now: datetime, table: Schedule | None) -> SubmitState:
    """Return a state after what an operator or a tick did."""
    if step in {"toggle", "change", "remove"}:
        return applied(state, now, table)
    one = state.schedules[ID]
    if step == "decide":
        one = replace(one, decided_until=max(now, one.decided_until))
    elif not one.removed:
        request = Request(id=f"r{now:%H%M%d}", kind=RequestKind(step), by="me", schedule=ID)
        one = pause(one, request, now) if step == "pause" else resume(one, request, now, FAILED)
    return replace(state, schedules={ID: one})


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 3000)), max_size=40))
def test_a_tick_never_misses_what_was_moved(steps: list[tuple[str, int]]) -> None:
    """What is due, what has failed and the whole history are as if nothing had been moved."""
    table = schedule(recurrence=HOURLY)
    plain = applied(SubmitState(), NOON, table)
    ledger = Ledger(plain)
    for number, (step, excess) in enumerate(steps):
        now = NOON + (number + 1) * 17 * MINUTE
        if step == "toggle":
            table = replace(table, paused=not table.paused)
        if step == "change":
            cron = (f"{number} * * * *",)
            table = replace(table, recurrence=replace(table.recurrence, cron=cron))
        given_table = None if step == "remove" else table
        if ID not in ledger.state.schedules:
            assert ledger.state.departed
            ledger.state = replace(ledger.state, schedules={ID: ledger.removed.pop(ID)})
        plain = stepped(plain, step, now, given_table)
        ledger.state = stepped(ledger.state, step, now, given_table)
        ledger.trim(excess)

        expected, whole = plain.schedules[ID], ledger.whole()
        assert whole.timings == expected.timings
        assert whole.pauses == expected.pauses
        assert whole.begin == expected.begin
        kept = ledger.state.schedules.get(ID) or ledger.removed[ID]
        assert due(kept, now + 5 * HOUR) == due(expected, now + 5 * HOUR)
        assert failures(kept, FAILED) == failures(expected, FAILED)


def toggled(nights: int, *, decided: bool = True) -> ScheduleState:
    """Return a schedule that a document has paused and resumed by turns."""
    timings = tuple(
        Timing(since=NOON + n * HOUR, recurrence=HOURLY, paused=bool(n % 2)) for n in range(nights)
    )
    return ScheduleState(timings=timings, decided_until=NOON + nights * HOUR if decided else NOON)


def moved_from(state: SubmitState, excess_bytes: int) -> Trimmed:
    trimmed = trim(state, excess_bytes=excess_bytes)
    before, after = len(dump_submit(state)), len(dump_submit(trimmed.state))
    assert after < before
    return trimmed


@pytest.mark.parametrize("excess", [1, 1000, 10_000, 50_000])
def test_a_state_becomes_as_much_smaller_as_it_must(excess: int) -> None:
    """Or a little more; the newest timings of all schedules stay."""
    state = SubmitState(schedules={ID: toggled(300), OTHER: toggled(300)})
    trimmed = moved_from(state, excess)

    saved = len(dump_submit(state)) - len(dump_submit(trimmed.state))
    assert excess - 200 <= saved + 200 * len(state.schedules) <= excess + 1000
    lengths = [len(one.timings) for one in trimmed.state.schedules.values()]
    assert max(lengths) - min(lengths) <= 1


def test_what_is_undecided_keeps_its_timings() -> None:
    """They are needed, however many they are."""
    state = SubmitState(schedules={ID: toggled(50, decided=False)})
    assert trim(state, excess_bytes=100_000) == Trimmed(state=state)


def test_much_is_moved_into_several_blobs() -> None:
    """No write is larger than 4 MiB: not even the first one after years of an earlier version."""
    state = SubmitState(schedules={ScheduleId(f"s{n}"): toggled(400) for n in range(30)})
    trimmed = moved_from(state, 10_000_000)

    assert len(trimmed.moved) > 2
    assert max(len(dump_moved(one)) for one in trimmed.moved) < 2 << 20
    assert len(dump_submit(trimmed.state)) < 30 * 600
    names = [one.blob for one in trimmed.moved]
    assert names == sorted(names)


def test_the_same_content_has_the_same_name() -> None:
    """A tick that died before submit.json was written repeats the blob and doubles nothing."""
    state = SubmitState(schedules={ID: toggled(9)})
    (first,), (again,) = (trim(state, excess_bytes=500).moved for _ in range(2))
    (more,) = trim(state, excess_bytes=900).moved

    assert first.blob == again.blob != more.blob
    small = trim(state, excess_bytes=900).state.schedules[ID]
    for parts in (first, again, more):
        small = join(small, parts.schedules[ID])
    assert small.timings == toggled(9).timings


def test_what_was_moved_is_read_again() -> None:
    """Both blobs, with fields that this version does not know."""
    (moved,) = trim(SubmitState(schedules={ID: toggled(9)}), excess_bytes=500).moved
    assert load_moved(dump_moved(moved)) == moved
    removed = RemovedSchedule(state=toggled(3))
    assert load_removed(dump_removed(removed)) == removed


def removed(nights: int) -> SubmitState:
    one = toggled(nights)
    last = Timing(since=one.timings[-1].since + MINUTE, recurrence=None, removed=True)
    return SubmitState(schedules={ID: replace(one, timings=(*one.timings, last))})


def test_a_removed_schedule_leaves_when_it_is_decided() -> None:
    """Its removal must have been decided, or its occurrences would have no record."""
    state = removed(2)
    gone = trim(state, excess_bytes=100)
    assert gone.removed == state.schedules
    assert gone.state.schedules == {}
    assert gone.state.departed

    one = state.schedules[ID]
    undecided = replace(
        state, schedules={ID: replace(one, decided_until=one.timings[-1].since - MINUTE)}
    )
    assert not trim(undecided, excess_bytes=100).removed


def reached(names: Iterable[int], state: ScheduleState, after: datetime) -> list[int]:
    """Return which blobs a reader opens who looks back to ``after``; one timing in each."""
    opened = []
    for number in sorted(names, reverse=True):
        moved = Moved(newest=NOON + number * HOUR)
        if reaches(state, after) and is_older(moved.blob, state):
            break
        opened.append(number)
        one = Timing(since=NOON + number * HOUR, recurrence=HOURLY)
        state = replace(state, timings=(one, *state.timings))
    return opened


def test_a_reader_opens_no_more_than_it_needs() -> None:
    """The timing in force at the time asked for is enough, and one blob more tells that it is."""
    whole = toggled(20)
    state = replace(whole, timings=whole.timings[10:], earlier=NOON)

    assert reached(range(10), state, NOON + 10 * HOUR) == []
    assert reached(range(10), state, NOON + 7.5 * HOUR) == [9, 8, 7]
    assert reached(range(10), state, NOON - HOUR) == list(range(9, -1, -1))


def test_365_nights_of_pauses_fit() -> None:
    """The state stays below its limit night by night, whatever was toggled."""
    limit, tables = 10_000, {ScheduleId(f"s{n}"): schedule(recurrence=HOURLY) for n in range(7)}
    state = SubmitState()
    moved = 0
    for night in range(365 * 2):
        now = NOON + night * timedelta(hours=12)
        toggled_tables = {
            name: replace(one, paused=bool(night % 2)) for name, one in tables.items()
        }
        state = take_over(state, toggled_tables, frozenset(), document=str(night), modified=now)
        if (size := len(dump_submit(state))) > limit:
            trimmed = trim(state, excess_bytes=size - limit * 2 // 3)
            state, moved = trimmed.state, moved + len(trimmed.moved)
        assert len(dump_submit(state)) <= limit
        decided = {id_: replace(one, decided_until=now) for id_, one in state.schedules.items()}
        state = replace(state, schedules=decided)
    assert moved > 100
    for one in state.schedules.values():
        assert all(a.since < b.since for a, b in pairwise(one.timings))
