"""What an attempt took, and how often its node was taken away."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest

from orchestrator.batch_state import Node, Pool
from orchestrator.decisions.measures import is_interrupted, measured, with_preemption
from orchestrator.ledger.attempt import Attempt
from tests.support.records import SUBMITTED
from tests.support.verdicts import DONE, MINUTE, NODE, NOON, WAITING

POOL = Pool(state="active", packages={}, image=None, target=1, current=1, slots_per_node=4)
SPOT = Node(id=NODE, state="running", dedicated=False, allocated=NOON - MINUTE)
ENDED = replace(SUBMITTED, started=NOON + MINUTE, finished=NOON + 4 * MINUTE, node=NODE)


def test_an_ended_attempt_has_its_numbers() -> None:
    """Times in seconds, the part of a node, and the allocation of that node."""
    task = replace(DONE, finished=NOON + 4 * MINUTE, slots=1)

    assert measured(ENDED, task, POOL, (replace(SPOT, id="other"), SPOT)) == replace(
        ENDED,
        queue_seconds=60.0,
        task_seconds=180.0,
        slot_share=0.25,
        node_allocated=NOON - MINUTE,
    )


@pytest.mark.parametrize(("slots", "per_node", "share"), [(1, 1, 1.0), (3, 4, 0.75), (9, 4, 1.0)])
def test_a_task_takes_its_part_of_a_node(slots: int, per_node: int, share: float) -> None:
    """Never more than all of it."""
    pool = replace(POOL, slots_per_node=per_node)
    assert measured(ENDED, replace(DONE, slots=slots), pool, ()).slot_share == share


def test_what_nobody_tells_stays_as_it_was() -> None:
    """An attempt that never began took nothing; a pool that is gone tells nothing."""
    known = replace(SUBMITTED, slot_share=0.5, node_allocated=NOON)

    assert measured(known, WAITING, None, ()) == known
    assert measured(known, None, POOL, ()) == known
    assert measured(replace(ENDED, submitted=None), DONE, None, ()).queue_seconds is None
    assert measured(replace(ENDED, finished=None), None, None, ()).task_seconds is None


def test_a_node_that_came_back_is_another_machine() -> None:
    """It was allocated after the task began; one whose time is unknown says nothing."""
    for allocated in (NOON + 2 * MINUTE, None):
        node = replace(SPOT, allocated=allocated)
        assert measured(ENDED, DONE, POOL, (node,)).node_allocated is None
    at_once = replace(SPOT, allocated=NOON + MINUTE)
    assert measured(ENDED, DONE, POOL, (at_once,)).node_allocated == NOON + MINUTE


def test_a_task_that_waited_for_another_node_did_not_run_meanwhile() -> None:
    """Its seconds end when it was seen back in the queue; its own end counts before that."""
    lost = replace(ENDED, waiting_since=NOON + 3 * MINUTE, finished=NOON + 90 * MINUTE)

    for task in (WAITING, None):
        assert measured(lost, task, POOL, ()).task_seconds == 120.0
    again = replace(DONE, finished=NOON + 90 * MINUTE)
    assert measured(lost, again, POOL, ()).task_seconds == timedelta(minutes=89).total_seconds()
    before = replace(lost, waiting_since=NOON)
    assert measured(before, WAITING, POOL, ()).task_seconds == 89 * 60.0


@pytest.mark.parametrize(
    ("node", "counted"),
    [
        (replace(SPOT, state="preempted"), 1),
        (replace(SPOT, allocated=NOON + 2 * MINUTE), 1),
        (SPOT, 0),
        (replace(SPOT, state="preempted", dedicated=True), 0),
        (replace(SPOT, dedicated=True, allocated=NOON + 2 * MINUTE), 0),
        (replace(SPOT, id="other", state="preempted"), 0),
    ],
)
def test_an_interruption_is_a_preemption_if_the_spot_node_was_taken(
    node: Node, counted: int
) -> None:
    """A reboot, or the loss of a dedicated node, is none; nor is what goes on."""
    before = replace(SUBMITTED, started=NOON + MINUTE, node=NODE, preemptions=1)
    after = replace(before, waiting_since=NOON + 3 * MINUTE)

    assert with_preemption(before, after, (node,)) == replace(after, preemptions=1 + counted)
    assert with_preemption(before, before, (node,)) == before


@pytest.mark.parametrize(
    ("before", "after", "interrupted"),
    [
        ({}, {"waiting_since": 3}, True),
        ({}, {"started": 3}, True),
        ({"waiting_since": 0}, {"waiting_since": 3}, True),
        ({"waiting_since": 2}, {"started": 3}, False),
        ({"waiting_since": 2}, {"waiting_since": 5}, False),
        ({"started": None}, {"started": 3}, False),
        ({"started": None}, {"waiting_since": 3}, False),
    ],
)
def test_each_interruption_is_seen_once(
    before: dict[str, int | None], after: dict[str, int], interrupted: bool
) -> None:
    """When the task is seen back in the queue, or when it has begun again unseen."""

    def attempt(known: Attempt, minutes: Mapping[str, int | None]) -> Attempt:
        times = {name: None if at is None else NOON + at * MINUTE for name, at in minutes.items()}
        return replace(known, **times)  # type: ignore[arg-type] # only times are given

    known = attempt(replace(SUBMITTED, started=NOON + MINUTE, node=NODE), before)

    assert is_interrupted(known, attempt(known, after)) is interrupted
    assert not is_interrupted(known, known)
