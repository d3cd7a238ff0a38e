"""What is in no table of states is refused."""

from itertools import product

import pytest

from batch_emulator.runtime.enums import AllocationState, NodeState
from batch_emulator.runtime.life_cycles import ALLOCATION, NODE

OTHER_NODE_STEPS = [pair for pair in product(NodeState, repeat=2) if pair not in NODE.steps()]
OTHER_ALLOCATION_STEPS = [
    pair for pair in product(AllocationState, repeat=2) if pair not in ALLOCATION.steps()
]


@pytest.mark.parametrize(("before", "after"), OTHER_NODE_STEPS)
def test_other_steps_of_a_node_are_refused(before: NodeState, after: NodeState) -> None:
    """A node takes no step that its table does not hold; the error names both states."""
    with pytest.raises(RuntimeError, match=f"{after} cannot follow {before}"):
        NODE.require(before, after)


@pytest.mark.parametrize(("before", "after"), OTHER_ALLOCATION_STEPS)
def test_other_steps_of_an_allocation_are_refused(
    before: AllocationState, after: AllocationState
) -> None:
    """The same of a pool's allocation."""
    with pytest.raises(RuntimeError, match=f"{after} cannot follow {before}"):
        ALLOCATION.require(before, after)


@pytest.mark.parametrize("state", NodeState)
def test_a_node_that_leaves_stays_away(state: NodeState) -> None:
    """Nothing follows the last state."""
    assert not NODE.allows(NodeState.LEAVING_POOL, state)
