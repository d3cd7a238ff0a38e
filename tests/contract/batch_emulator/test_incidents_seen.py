"""Incidents of nodes and formulas: what the official client sees while one lasts, and afterwards."""

import asyncio
from typing import Final

import pytest
from azure.batch.models import BatchPoolEnableAutoScaleOptions

from tests.contract.conftest import Batch, Start, job_body, pool_body, refusal
from tests.contract.passes.incidents import incident
from tests.support.emulated_pools import idle, in_state, only_node, pool_of, scaled, steady
from tests.support.faults import BadFaultError
from tests.support.plain_jobs import plain_job, task_body

ENABLED_EVERY_SECONDS: Final = 30.5
"""So often automatic scaling can be enabled, and a little more."""

GROWS: Final = """
$known = $PendingTasks.GetSamplePercent(TimeInterval_Minute * 5);
$TargetDedicatedNodes = $known < 1 ? 0 : max($PendingTasks.GetSample(TimeInterval_Minute * 5, 1));
"""
"""A node for each pending task of the last five minutes."""


@incident(1)
async def test_files_go_with_their_node(start_batch: Start) -> None:
    """Incident 1: not ready while the node leaves, not found afterwards; the task has succeeded."""
    batch = await start_batch(faults=True, pool_speed=100)
    await batch.client.create_pool(pool_body(targetDedicatedNodes=1))
    await batch.client.create_job(job_body("job", "/bin/echo hello"))
    await batch.completed("job")
    await batch.faults.shrink("pool")
    await in_state(batch, "leavingpool")

    files = "/jobs/job/tasks/main/files"
    assert await refusal(batch.send("GET", files)) == (409, "NodeNotReady")
    assert await refusal(batch.send("GET", f"{files}/stdout.txt")) == (409, "NodeNotReady")
    await batch.until(batch.nodes, lambda nodes: not nodes)
    assert await refusal(batch.send("GET", files)) == (404, "NodeNotFound")
    assert await refusal(batch.send("GET", f"{files}/stdout.txt")) == (404, "NodeNotFound")
    info = (await batch.client.get_task("job", "main")).execution_info
    assert info is not None
    assert (info.result, info.exit_code) == ("success", 0)


@incident(1)
async def test_files_go_with_the_disk_of_their_node(batch: Batch) -> None:
    """Incident 1: a reboot keeps them, a new image does not; the task has succeeded all the same."""
    await batch.client.create_pool(pool_body(targetDedicatedNodes=1))
    await batch.client.create_job(job_body("job", "/bin/echo hello"))
    await batch.completed("job")
    (node,) = await idle(batch, 1)
    files = "/jobs/job/tasks/main/files"
    for change in ("reboot", "reimage"):
        await batch.send("POST", f"/pools/pool/nodes/{node}/{change}")
        await idle(batch, 1)
        if change == "reboot":
            assert await batch.content("stdout.txt") == b"hello\n"

    for path in (files, f"{files}/stdout.txt"):
        assert await refusal(batch.send("GET", path)) == (409, "TaskFilesCleanedup")
    info = (await batch.client.get_task("job", "main")).execution_info
    assert info is not None
    assert (info.result, info.exit_code) == ("success", 0)


@incident(4)
async def test_a_preemption_is_counted_where_a_test_wants_it(start_batch: Start) -> None:
    """Incident 4: some report that requeueCount rises, and that the node was unusable first."""
    batch = await start_batch(faults=True)
    await batch.client.create_pool(pool_body(targetLowPriorityNodes=1))
    await batch.client.create_job(job_body("job", "/bin/sleep 600"))
    await batch.running("job")
    node = (await only_node(batch)).id
    with pytest.raises(BadFaultError, match="counted must be true or false"):
        await batch.faults.preempt(node, counted=1)

    await batch.faults.preempt(node, seconds=None, counted=True)
    task = await batch.until(
        lambda: batch.client.get_task("job", "main"), lambda task: task.state == "active"
    )
    assert task.execution_info is not None
    assert (task.execution_info.requeue_count, task.execution_info.retry_count) == (1, 0)
    assert task.execution_info.last_requeue_time is not None
    await batch.faults.restore(node)
    await batch.running("job")
    assert (await only_node(batch)).id == node
    await batch.faults.spoil(node)
    await batch.faults.preempt(node, seconds=0)
    await batch.running("job")
    info = (await batch.client.get_task("job", "main")).execution_info
    assert info is not None
    assert (info.requeue_count, info.retry_count) == (1, 0)


@incident(10)
@incident(11)
async def test_a_pool_stays_without_its_node_when_there_is_room_again(start_batch: Start) -> None:
    """Incidents 10 and 11: its formula asks for what it has asked for already, which is no resize."""
    batch = await start_batch(faults=True)
    await batch.client.create_pool(pool_body(**scaled("$TargetDedicatedNodes = 0;")))
    await steady(batch)
    await batch.faults.withhold("pool", code="AccountCoreQuotaReached")
    await batch.faults.shrink("pool", dedicated=0)
    formula = BatchPoolEnableAutoScaleOptions(auto_scale_formula="$TargetDedicatedNodes = 1;")
    await batch.client.enable_pool_auto_scale("pool", formula)
    pool = await batch.until(
        lambda: batch.client.get_pool("pool"), lambda pool: bool(pool.resize_errors)
    )
    assert (pool.target_dedicated_nodes, pool.current_dedicated_nodes) == (1, 0)

    await batch.faults.grant("pool")
    first = (await pool_of(batch)).auto_scale_run
    pool = await batch.until(
        lambda: batch.client.get_pool("pool"), lambda pool: pool.auto_scale_run != first
    )
    assert (pool.target_dedicated_nodes, pool.current_dedicated_nodes) == (1, 0)
    assert [error.code for error in pool.resize_errors or ()] == ["AccountCoreQuotaReached"]
    await batch.faults.shrink("pool", dedicated=1)
    await idle(batch, 1)


@incident(12)
async def test_a_pool_whose_formula_fails_keeps_its_size(start_batch: Start) -> None:
    """Incident 12: its last evaluation says why; when it is mended it follows its formula again."""
    batch = await start_batch(faults=True)
    await batch.client.create_pool(pool_body(**scaled("$TargetDedicatedNodes = 1;")))
    await idle(batch, 1)
    await batch.faults.break_formula("pool")
    shut = BatchPoolEnableAutoScaleOptions(auto_scale_formula="$TargetDedicatedNodes = 0;")
    await batch.client.enable_pool_auto_scale("pool", shut)

    pool = await batch.until(
        lambda: batch.client.get_pool("pool"),
        lambda pool: pool.auto_scale_run is not None and pool.auto_scale_run.error is not None,
    )

    assert pool.auto_scale_run is not None
    assert pool.auto_scale_run.error is not None
    assert pool.auto_scale_run.error.code == "InsufficientSampleData"
    assert (pool.target_dedicated_nodes, pool.current_dedicated_nodes) == (1, 1)
    await batch.faults.mend_pool("pool")
    await batch.until(batch.nodes, lambda nodes: not nodes)


@incident(20)
async def test_a_pool_grows_for_a_task_that_fits_on_no_node(start_batch: Start) -> None:
    """Incident 20: the node is idle, the task stays active, and evaluations keep the node."""
    batch = await start_batch(faults=True)
    await batch.client.create_pool(pool_body(**scaled(GROWS), taskSlotsPerNode=1))
    await batch.client.create_job(plain_job())
    await batch.client.create_task("job", task_body("one", "/bin/true", requiredSlots=2))

    await idle(batch, 1)
    first = (await pool_of(batch)).auto_scale_run
    pool = await batch.until(
        lambda: batch.client.get_pool("pool"), lambda pool: pool.auto_scale_run != first
    )

    assert (pool.target_dedicated_nodes, pool.current_dedicated_nodes) == (1, 1)
    await idle(batch, 1)
    assert (await batch.client.get_task("job", "one")).state == "active"


@incident(23)
async def test_no_way_of_enabling_forces_an_evaluation(start_batch: Start) -> None:
    """Incident 23: neither the first time, nor with another interval, nor anew."""
    speed = 300
    batch = await start_batch(pool_speed=speed)
    await batch.client.create_pool(pool_body())
    await steady(batch)
    often = {"autoScaleEvaluationInterval": "PT5M"}
    rarely = ("PT168H", "PT100H", "PT168H")
    for number, interval in enumerate(rarely):
        if number == len(rarely) - 1:
            await batch.send("POST", "/pools/pool/disableautoscale")
        body = {"autoScaleFormula": "$TargetDedicatedNodes = 1;"}
        await batch.send(
            "POST",
            "/pools/pool/enableautoscale",
            json={**body, "autoScaleEvaluationInterval": interval},
        )
        await asyncio.sleep(ENABLED_EVERY_SECONDS / speed)
        pool = await pool_of(batch)
        assert (pool.enable_auto_scale, pool.auto_scale_run) == (True, None)
    await batch.send("POST", "/pools/pool/enableautoscale", json=often)
    await idle(batch, 1)
