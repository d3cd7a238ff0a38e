"""Why a task does not start."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from orchestrator.batch_state import Fault, Node, Pool
from orchestrator.decisions.diagnose import busy, diagnose
from orchestrator.enums import Reason

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
POOL = Pool(state="active", packages={}, image=None, target=1, current=0)
QUOTA = Fault(code="AccountCoreQuotaReached", message="quota")
ALLOCATION = Fault(code="AllocationFailed", message="no capacity")
FORMULA = Fault(code="AutoScalingFormulaEvaluationError", message="undefined")


@pytest.mark.parametrize(
    ("pool", "nodes", "reason"),
    [
        (None, (), Reason.POOL_MISSING),
        (POOL, (Node(id="n", state="starttaskfailed"),), Reason.START_TASK_FAILED),
        (POOL, (Node(id="n", state="unusable"),), Reason.NODE_UNUSABLE),
        (replace(POOL, resize_errors=(QUOTA,)), (), Reason.CORE_QUOTA),
        (replace(POOL, resize_errors=(ALLOCATION,)), (), Reason.RESIZE_FAILED),
        (replace(POOL, target=0, resize_errors=(ALLOCATION,)), (), Reason.NO_NODE),
        (replace(POOL, autoscale_error=FORMULA), (), Reason.AUTOSCALE_FAILED),
        (
            replace(POOL, interval=5 * MINUTE, evaluated=NOON - 16 * MINUTE),
            (),
            Reason.AUTOSCALE_FAILED,
        ),
        (replace(POOL, interval=5 * MINUTE, evaluated=NOON), (), Reason.NO_NODE),
        (POOL, (Node(id="n", state="starting"),), Reason.NO_NODE),
    ],
)
def test_one_reason_for_a_task_that_does_not_start(
    pool: Pool | None, nodes: tuple[Node, ...], reason: Reason
) -> None:
    """The nearest cause; a resize error of long ago on a pool that wants no node is none."""
    found, sentence = diagnose(pool, nodes, NOON)

    assert found is reason
    assert sentence.endswith(".")


def test_a_pool_is_busy_when_it_runs_tasks_and_no_node_is_free() -> None:
    """A start timeout does not count while it waits for other runs alone."""
    running, idle = Node(id="a", state="running"), Node(id="b", state="idle")

    assert busy((running,))
    assert not busy((running, idle))
    assert not busy(())
