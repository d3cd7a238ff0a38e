"""Incidents of pools: nodes that never come, never start, or cannot be had at will."""

from typing import Final

import pytest
from azure.core.exceptions import HttpResponseError

from orchestrator.enums import AttemptState, BlockedReason, Outcome, Reason
from orchestrator.ledger.record import How, Record
from tests.contract.conftest import job_body
from tests.contract.passes.conftest import BadDay
from tests.contract.passes.incidents import incident
from tests.support.alarms import mailed
from tests.support.snapshots import INFRA
from tests.support.world import POOL, schedule

SOON: Final = '"2s"'
"""A start timeout that a test can wait for."""

SENTENCE: Final = "It did not start within 2 s. "
HELLO: Final = schedule("hello", "echo done", minutes=1, start_timeout=SOON)
PRODUCT_ASKS: Final = {
    "create_job",
    "get_job",
    "get_pool",
    "get_task",
    "list_jobs",
    "list_nodes",
    "list_tasks",
    "terminate_job",
}
"""What the product ever asks Batch for, but for files."""


async def never_starts(day: BadDay, reason: Reason) -> Record:
    """Let the run be given up, and see that it left no job and says that it wrote nothing."""
    final = await day.final()
    assert (final.outcome, final.reason) == (Outcome.NEVER_STARTED, reason)
    assert (final.sentence or "").startswith(SENTENCE)
    assert {(one.path, one.how, one.why) for one in final.outputs} == {
        (name, How.MISSING, "the task never started") for name in ("stdout.txt", "stderr.txt")
    }
    assert await day.world.output(final) is None
    assert str((await day.world.batch.get_job(final.run_id))["state"]) == "completed"
    return final


async def has_an_old_error(day: BadDay) -> None:
    """Make a pool without nodes, with the error of a resize of long ago."""
    await day.world.pool(targetDedicatedNodes=0)
    await day.faults.withhold(POOL, code="AllocationTimedout")
    await day.faults.grant(POOL)


async def runs_in_the_end(day: BadDay) -> None:
    """Let the next run of the schedule succeed, now that the cause is gone."""
    await day.world.apply(schedule("later", "echo later", minutes=1))
    await day.submit()
    finals = await day.world.collect_until_finished(2)
    (later,) = [record for record in finals if record.schedule == "later"]
    assert later.outcome is Outcome.SUCCEEDED
    assert await day.world.output(later) == b"later\n"


@incident(6)
async def test_the_start_task_fails_on_every_node(day: BadDay) -> None:
    """Incident 6: tasks would wait for ever. The run ends at its start timeout, and says why."""
    await day.world.pool(
        startTask={"commandLine": "/bin/sh -c 'exit 7'", "waitForSuccess": True},
        targetDedicatedNodes=2,
    )
    await day.world.apply(HELLO)

    final = await never_starts(day, Reason.START_TASK_FAILED)

    assert "failed with exit code 7" in (final.sentence or "")
    assert await day.alerts() == {"run-failed": mailed(final), "start-task-failed": {("2",)}}


@incident(7)
async def test_a_package_is_missing(day: BadDay) -> None:
    """Incident 7: the pool is refused, so that the run waits for it; an operator is told."""
    packages = [{"applicationId": "absent", "version": "1"}]
    with pytest.raises(HttpResponseError, match="InvalidApplicationPackageReferences"):
        await day.world.pool(applicationPackageReferences=packages)
    await day.world.apply(schedule("hello", "echo done", minutes=1))
    await day.both()

    attempt = (await day.open()).attempt
    assert (attempt.state, attempt.blocked) == (
        AttemptState.CLAIMED,
        BlockedReason.POOL_MISSING,
    )
    ((function, name, reason, *_),) = (await day.alerts())["product-trouble"]
    assert (function, name, reason) == ("submit", "hello", "pool_missing")

    await day.world.pool()
    final = await day.final()
    assert final.outcome is Outcome.SUCCEEDED
    assert await day.world.output(final) == b"done\n"
    assert await day.alerts() == {}


@incident(7)
async def test_a_package_cannot_be_unpacked(day: BadDay) -> None:
    """Incident 7: the node is unusable, and the run says which and why."""
    packages = [{"applicationId": "bad", "version": "1"}]
    await day.world.pool(applicationPackageReferences=packages)
    await day.world.apply(HELLO)

    final = await never_starts(day, Reason.NODE_UNUSABLE)

    (node,) = await day.nodes()
    assert f"Node {node.id} is unusable: " in (final.sentence or "")
    assert await day.alerts() == {"run-failed": mailed(final), "node-unusable": {("1",)}}


@incident(8)
async def test_a_node_is_unusable_from_the_beginning(day: BadDay) -> None:
    """Incident 8: no way out of its network. The run never starts, and says what the node says."""
    await day.world.pool()
    node = await day.node_is("idle")
    words = "The node has no outbound connectivity"
    await day.faults.spoil(node.id, code="NodeNetworkUnavailable", message=words)
    await day.world.apply(HELLO)

    final = await never_starts(day, Reason.NODE_UNUSABLE)

    assert final.sentence == (
        f"{SENTENCE}Node {node.id} is unusable: {words} (NodeNetworkUnavailable)."
    )
    assert await day.alerts() == {"run-failed": mailed(final), "node-unusable": {("1",)}}


@incident(10)
async def test_the_error_of_a_resize_of_long_ago(day: BadDay) -> None:
    """Incident 10: it blocks nothing and explains nothing; the run waits, and runs."""
    await has_an_old_error(day)
    pool = await day.pool()
    assert pool is not None
    assert [error.code for error in pool.resize_errors or ()] == ["AllocationTimedout"]
    await day.world.apply(schedule("hello", "echo done", minutes=1))
    await day.both()
    assert (await day.open()).attempt.state is AttemptState.SUBMITTED

    await day.resize(1)
    final = await day.final()

    assert (final.outcome, final.reason) == (Outcome.SUCCEEDED, Reason.EXIT_ZERO)
    assert await day.world.output(final) == b"done\n"
    assert await day.alerts() == {}


@incident(10)
async def test_the_error_of_a_resize_of_long_ago_is_no_cause(day: BadDay) -> None:
    """Incident 10: the pool has what it wants; that is said of a run that no node took."""
    await has_an_old_error(day)
    await day.world.apply(HELLO)

    final = await never_starts(day, Reason.NO_NODE)

    assert final.sentence == f"{SENTENCE}No node took the task: the pool has 0 of 0 nodes."


@incident(11)
@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("AccountCoreQuotaReached", Reason.CORE_QUOTA),
        ("AllocationFailed", Reason.RESIZE_FAILED),
    ],
)
async def test_no_node_is_to_be_had(day: BadDay, code: str, reason: Reason) -> None:
    """Incident 11: no quota of cores, or no capacity. The run ends with Batch's words."""
    words = "There is nothing left to give"
    await day.world.pool(targetDedicatedNodes=0)
    await day.faults.withhold(POOL, code=code, message=words)
    await day.resize(1)
    await day.world.apply(HELLO)

    final = await never_starts(day, reason)

    assert final.sentence == f"{SENTENCE}The pool got no node: {words} ({code})."
    assert await day.alerts() == {
        "run-failed": mailed(final),
        "pool-trouble": {(POOL, "resize", code, words)},
    }

    await day.faults.grant(POOL)
    await day.resize(0)
    await day.resize(1)
    await runs_in_the_end(day)


@incident(12)
async def test_the_formula_cannot_be_evaluated(day: BadDay) -> None:
    """Incident 12: the pool keeps its size, and the run says what the formula lacks."""
    await day.world.pool(
        targetDedicatedNodes=None,
        enableAutoScale=True,
        autoScaleEvaluationInterval="PT5M",
        autoScaleFormula="$TargetDedicatedNodes = unheardOf;",
    )
    await day.world.apply(HELLO)

    final = await never_starts(day, Reason.AUTOSCALE_FAILED)

    assert "could not evaluate the pool's formula" in (final.sentence or "")
    assert "unheardOf" in (final.sentence or "")
    alerts = await day.alerts()
    assert alerts.keys() == {"run-failed", "pool-trouble"}
    assert alerts["run-failed"] == mailed(final)
    assert {(pool, trouble) for pool, trouble, *_ in alerts["pool-trouble"]} == {(POOL, "formula")}


@incident(20)
async def test_a_task_that_fits_on_no_node(day: BadDay) -> None:
    """Incident 20: somebody else's task waits for ever; ours ask for one slot, and run beside it."""
    await day.world.pool(taskSlotsPerNode=1)
    greedy = job_body("greedy", "/bin/true", {"poolInfo": {"poolId": POOL}}, requiredSlots=2)
    await day.world.batch.create_job(greedy)
    await day.world.apply(schedule("hello", "echo done", minutes=1))

    final = await day.final()

    assert final.outcome is Outcome.SUCCEEDED
    assert await day.world.output(final) == b"done\n"
    assert (await day.world.batch.get_task("greedy", "main")).state == "active"
    task = await day.world.batch.get_task(final.run_id, "main")
    assert task.required_slots == 1
    assert await day.alerts() == {}


@incident(23)
@pytest.mark.parametrize("account_options", [{"pool_speed": 200.0}], indirect=True)
async def test_an_evaluation_cannot_be_forced(day: BadDay) -> None:
    """Incident 23: the product asks for none. The run waits for the pool's own, and runs."""
    await day.world.pool(
        targetDedicatedNodes=None,
        enableAutoScale=True,
        autoScaleEvaluationInterval="PT5M",
        autoScaleFormula=(INFRA / "pool/autoscale.formula").read_text(),
        taskSlotsPerNode=1,
    )
    await day.faults.clear()
    await day.world.apply(schedule("hello", "echo done", minutes=1))
    await day.submit()
    assert await day.nodes() == [], "nothing is there before the pool looks"

    final = await day.final()

    assert final.outcome is Outcome.SUCCEEDED
    assert await day.world.output(final) == b"done\n"
    asked = {one.operation for one in await day.faults.seen() if one.operation}
    assert asked <= PRODUCT_ASKS, asked - PRODUCT_ASKS
    assert await day.alerts() == {}
