"""Why a task does not start."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

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


def test_the_details_of_a_fault_are_said_in_the_same_line() -> None:
    """Where a formula is wrong stands in no other place."""
    details = "Line 1, Col 24: Undefined symbol: x.\n"
    wrong = replace(POOL, autoscale_error=replace(FORMULA, details=details))

    _, sentence = diagnose(wrong, (), NOON)

    assert sentence == (
        "Batch could not evaluate the pool's formula: undefined (AutoScalingFormulaEvaluationError): "
        "Line 1, Col 24: Undefined symbol: x."
    )


def test_a_pool_is_busy_when_it_runs_tasks_and_no_node_is_free() -> None:
    """A start timeout does not count while it waits for other runs alone."""
    running, idle = Node(id="a", state="running"), Node(id="b", state="idle")

    assert busy((running,))
    assert not busy((running, idle))
    assert not busy(())


def node(state: str, **keys: Any) -> Node:  # noqa: ANN401 - fields of a node
    return Node(id="n1", state=state, **keys)


@pytest.mark.parametrize(
    ("pool", "nodes", "sentence"),
    [
        (None, (), "The pool does not exist."),
        (POOL, (), "No node took the task: the pool has 0 of 1 nodes."),
        (
            replace(POOL, target=2, current=2),
            (node("starting"), node("offline")),
            "No node took the task: the pool has 2 of 2 nodes (offline, starting).",
        ),
        (
            POOL,
            (node("idle"), node("starttaskfailed")),
            "The start task of node n1 failed.",
        ),
        (
            POOL,
            (
                node(
                    "starttaskfailed",
                    start_task_exit_code=0,
                    start_task_failure=Fault(code="FailureExitCode", message="It failed."),
                ),
            ),
            "The start task of node n1 failed with exit code 0: It failed (FailureExitCode).",
        ),
        (POOL, (node("unusable"),), "Node n1 is unusable: no cause given."),
        (
            POOL,
            (node("running"), node("unusable", errors=(QUOTA, ALLOCATION))),
            "Node n1 is unusable: quota (AccountCoreQuotaReached); no capacity (AllocationFailed).",
        ),
        (
            replace(POOL, resize_errors=(QUOTA, ALLOCATION)),
            (),
            "The pool got no node: quota (AccountCoreQuotaReached).",
        ),
        (
            replace(POOL, autoscale_error=FORMULA),
            (),
            "Batch could not evaluate the pool's formula: undefined (AutoScalingFormulaEvaluationError).",
        ),
        (
            replace(POOL, interval=5 * MINUTE, evaluated=NOON - 16 * MINUTE),
            (),
            "The pool's formula was last evaluated 16 min ago.",
        ),
    ],
)
def test_a_cause_is_one_sentence(pool: Pool | None, nodes: tuple[Node, ...], sentence: str) -> None:
    """With what Batch said of it, and its code."""
    assert diagnose(pool, nodes, NOON)[1] == sentence


@pytest.mark.parametrize(
    ("age", "reason"),
    [
        (15 * MINUTE, Reason.NO_NODE),
        (15 * MINUTE + timedelta(seconds=1), Reason.AUTOSCALE_FAILED),
    ],
)
def test_a_formula_may_miss_three_evaluations(age: timedelta, reason: Reason) -> None:
    """A pool without a formula, or one that was never evaluated, has missed none."""
    pool = replace(POOL, interval=5 * MINUTE, evaluated=NOON - age)
    assert diagnose(pool, (), NOON)[0] is reason
    assert diagnose(replace(pool, interval=None), (), NOON)[0] is Reason.NO_NODE
    assert diagnose(replace(pool, evaluated=None), (), NOON)[0] is Reason.NO_NODE


@pytest.mark.parametrize(
    ("current", "target", "reason"),
    [
        (0, 1, Reason.RESIZE_FAILED),
        (1, 1, Reason.NO_NODE),
        (2, 1, Reason.NO_NODE),
    ],
)
def test_a_resize_error_counts_while_nodes_miss(current: int, target: int, reason: Reason) -> None:
    """A pool that has what it wants has got over it."""
    pool = replace(POOL, current=current, target=target, resize_errors=(ALLOCATION,))
    assert diagnose(pool, (), NOON)[0] is reason


def test_the_nearest_cause_is_told() -> None:
    """What is wrong with a node comes before the pool's resize, that before its formula."""
    every = (node("unusable"), node("starttaskfailed"))
    pool = replace(POOL, resize_errors=(ALLOCATION,), autoscale_error=FORMULA)

    assert diagnose(pool, every, NOON)[0] is Reason.START_TASK_FAILED
    assert diagnose(pool, every[:1], NOON)[0] is Reason.NODE_UNUSABLE
    assert diagnose(pool, (), NOON)[0] is Reason.RESIZE_FAILED
    assert diagnose(replace(pool, resize_errors=()), (), NOON)[0] is Reason.AUTOSCALE_FAILED


def test_a_pool_that_only_starts_nodes_is_not_busy() -> None:
    """Nor is one whose nodes are all free."""
    assert not busy((node("starting"),))
    assert not busy((node("idle"),))
    assert busy((node("running"), node("starting")))
