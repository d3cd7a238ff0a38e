"""Whose turn it is, from tick to tick."""

from datetime import UTC, datetime, timedelta
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.decisions.turns import (
    AT_A_TIME,
    in_turn,
    last_in_turn,
    parts,
    tasks_to_look_at,
)
from orchestrator.enums import AttemptState
from orchestrator.ids import RunId, ScheduleId, run_id
from orchestrator.ledger.record import Kind
from orchestrator.ledger.state import OpenRun

ID = ScheduleId("job")
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)

names = st.text("abc-0123", min_size=1, max_size=6).map(RunId)
run_sets = st.sets(names, min_size=1, max_size=40)


@given(run_sets, names)
def test_all_runs_have_a_turn_and_those_behind_the_position_come_first(
    runs: set[RunId], position: RunId
) -> None:
    """The run at the position comes last, wherever it is."""
    order = in_turn(runs, position)

    assert sorted(order) == sorted(runs)
    behind = [run for run in order if run > position]
    assert order[: len(behind)] == sorted(behind)
    assert position not in runs or order[-1] == position


def test_without_a_position_the_first_run_comes_first() -> None:
    """As in the first tick of all."""
    assert in_turn(map(RunId, ["b", "a", "c"]), None) == ["a", "b", "c"]


@given(run_sets, st.booleans(), st.integers(1, 9))
def test_parts_hold_each_run_once_in_order(runs: set[RunId], wary: bool, size: int) -> None:
    """Whatever the size of a part."""
    order = sorted(runs)

    found = list(parts(order, wary=wary, size=size))

    assert [run for part in found for run in part] == order
    assert all(1 <= len(part) <= size for part in found)
    if wary:
        assert all(len(part) == 1 for part in found[-min(size, len(order)) :])


@given(run_sets, st.integers(1, 40), st.data())
def test_each_run_is_looked_at_within_the_promised_ticks(
    runs: set[RunId], looked_at: int, data: st.DataObject
) -> None:
    """With N runs and K looked at per tick: within ceil(N/K) + 1 ticks, also where others come and go."""
    position: RunId | None = data.draw(st.none() | names)
    seen = set[RunId]()
    for _ in range(ceil(len(runs) / looked_at) + 1):
        tick = in_turn(runs, position)[:looked_at]
        seen.update(tick)
        position = tick[-1]

    assert seen == runs


@given(st.integers(1, 3 * AT_A_TIME), st.integers(1, 3 * AT_A_TIME), st.data())
def test_parts_that_are_not_wholly_begun_keep_the_promise(
    count: int, begun: int, data: st.DataObject
) -> None:
    """Within ceil(N/K) + 1 ticks, also if K is less than a part and N no more than one."""
    runs = [RunId(f"r-{number:03}") for number in range(count)]
    position = data.draw(st.none() | st.sampled_from(runs))
    seen = set[RunId]()
    for _ in range(ceil(count / begun) + 1):
        had = set[RunId]()
        taken: list[RunId] = []
        begun_with = position
        for part in parts(in_turn(runs, position), wary=data.draw(st.booleans())):
            if len(had) == begun:
                break
            taken += part
            had.update(part[: begun - len(had)])
        seen |= had
        position = last_in_turn(begun_with, taken, had)

    assert seen == set(runs)


@given(run_sets, st.none() | names)
def test_a_tick_that_begins_nothing_leaves_its_position(
    runs: set[RunId], position: RunId | None
) -> None:
    """None, where there was none."""
    assert last_in_turn(position, sorted(runs), ()) == position


@given(st.integers(AT_A_TIME + 1, 3 * AT_A_TIME), st.data())
def test_ticks_that_are_cut_off_reach_all_runs(count: int, data: st.DataObject) -> None:
    """Each is cut off in its first part, which has eight at most: they were all begun."""
    runs = [RunId(f"r-{number:03}") for number in range(count)]
    position = data.draw(st.none() | st.sampled_from(runs))
    seen = set[RunId]()
    for _ in range(count):
        part = next(parts(in_turn(runs, position), wary=True))
        seen.update(part[:8])
        position = part[-1]

    assert seen == set(runs)


@given(st.integers(1, 3 * AT_A_TIME), st.integers(1, 8), st.data())
def test_a_run_that_ends_the_process_holds_up_no_other(
    count: int, at_once: int, data: st.DataObject
) -> None:
    """Each other run is looked at in each tick but the first two that die."""
    runs = [RunId(f"r-{number:03}") for number in range(count)]
    deadly = data.draw(st.sampled_from(runs))
    position, clean = data.draw(st.none() | st.sampled_from(runs)), True
    ticks = list[set[RunId]]()
    for _ in range(4):
        seen = set[RunId]()
        for part in parts(in_turn(runs, position), wary=not clean):
            position, clean = part[-1], False
            if deadly in part:  # those that began with it end with it
                begun = part.index(deadly) // at_once * at_once
                seen.update(part[:begun])
                break
            seen.update(part)
        ticks.append(seen)

    others = set(runs) - {deadly}
    assert all(seen == others for seen in ticks[2:])


def open_run(number: int, *, start_by: datetime | None = None) -> OpenRun:
    """Return a line of the work list whose job goes on."""
    nominal = NOON + timedelta(minutes=number)
    return OpenRun(
        run_id=run_id(ID, nominal),
        schedule=ID,
        nominal=nominal,
        kind=Kind.SCHEDULED,
        forced=False,
        state=AttemptState.SUBMITTED,
        attempt=1,
        not_before=None,
        after=None,
        untried=False,
        blocked=False,
        stop=False,
        start_by=start_by,
    )


@given(st.integers(0, 1200), st.integers(0, 1200))
def test_the_tasks_of_all_are_looked_at_within_20_ticks(count: int, first: int) -> None:
    """So a start is seen within 20 minutes; of 1,000 runs at most 73 are looked at in one tick."""
    runs = [open_run(number) for number in range(count)]
    position: RunId | None = open_run(first).run_id
    seen = set[RunId]()
    for _ in range(20):
        urgent, others = tasks_to_look_at(runs, position, NOON)
        assert not urgent
        assert len(others) <= max(1, ceil(count / 19))
        seen.update(run.run_id for run in others)
        position = others[-1].run_id if others else position

    assert seen == {run.run_id for run in runs}


@pytest.mark.parametrize(
    ("start_by", "urgent"),
    [
        (NOON - timedelta(hours=1), True),
        (NOON + timedelta(minutes=1), True),
        (NOON + timedelta(minutes=1, seconds=1), False),
        (None, False),
    ],
)
def test_a_task_near_its_start_timeout_does_not_wait_for_its_turn(
    start_by: datetime | None, *, urgent: bool
) -> None:
    """Whoever else has waited longer."""
    runs = [*map(open_run, range(50)), open_run(50, start_by=start_by)]

    first, others = tasks_to_look_at(runs, None, NOON)

    assert first == (runs[50:] if urgent else [])
    assert others == runs[:3]


def test_only_some_tasks_are_urgent_at_a_time() -> None:
    """Where all start timeouts end together, the next ticks go on; no run is chosen twice."""
    runs = [open_run(number, start_by=NOON) for number in range(1000)]

    urgent, others = tasks_to_look_at(runs, runs[499].run_id, NOON)

    assert urgent == runs[500:520]
    assert others == runs[520:573]
