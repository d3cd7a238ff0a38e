"""Whose turn it is, from tick to tick."""

from math import ceil

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.decisions.turns import AT_A_TIME, in_turn, parts
from orchestrator.ids import RunId

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
