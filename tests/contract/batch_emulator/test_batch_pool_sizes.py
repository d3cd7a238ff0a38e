"""Pools whose size is changed by the official client."""

from datetime import timedelta

import pytest
from azure.batch import models

from tests.contract.conftest import Batch, Start, job_body, pool_body, refusal
from tests.support.emulated_pools import TARGETS, idle, pool_of, steady


async def test_a_pool_is_resized_up_and_down(batch: Batch) -> None:
    """Both targets are reached; one that is absent stays; the timeout is echoed."""
    await batch.client.create_pool(pool_body())
    await steady(batch)
    poller = await batch.client.begin_resize_pool("pool", TARGETS, polling_interval=0)
    await poller.result()
    await idle(batch, 3)
    half = models.BatchPoolResizeOptions(
        target_low_priority_nodes=0, resize_timeout=timedelta(minutes=20)
    )
    await (await batch.client.begin_resize_pool("pool", half, polling_interval=0)).result()
    pool = await steady(batch)

    assert (pool.target_dedicated_nodes, pool.current_dedicated_nodes) == (1, 1)
    assert (pool.target_low_priority_nodes, pool.current_low_priority_nodes) == (0, 0)
    assert pool.resize_timeout == timedelta(minutes=20)
    assert pool.resize_errors is None


@pytest.mark.parametrize(
    ("option", "state", "requeues"),
    [("requeue", "active", 1), ("Terminate", "completed", 0), ("taskcompletion", "running", 0)],
)
async def test_a_resize_says_what_becomes_of_tasks(
    batch: Batch, option: str, state: str, requeues: int
) -> None:
    """A running task is killed and waits again, is over, or runs on while the node waits for it."""
    await batch.client.create_pool(pool_body(targetDedicatedNodes=1))
    await batch.client.create_job(job_body("job", "/bin/sleep 600"))
    await batch.running("job")
    body = {"targetDedicatedNodes": 0, "nodeDeallocationOption": option}
    await batch.send("POST", "/pools/pool/resize", json=body)
    task = await batch.until(
        lambda: batch.client.get_task("job", "main"), lambda task: task.state == state
    )

    assert task.execution_info is not None
    assert task.execution_info.requeue_count == requeues
    if state == "running":
        assert (await pool_of(batch)).allocation_state == "resizing"
        assert [(node.state, node.scheduling_state) for node in await batch.nodes()] == [
            ("running", "disabled")
        ]
    else:
        await batch.until(batch.nodes, lambda nodes: nodes == [])


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, (400, "MissingRequiredProperty")),
        ({"targetDedicatedNodes": -1}, (400, "InvalidPropertyValue")),
        ({"targetDedicatedNodes": 1, "resizeTimeout": "PT4M"}, (400, "InvalidPropertyValue")),
        (
            {"targetDedicatedNodes": 1, "nodeDeallocationOption": "never"},
            (400, "InvalidPropertyValue"),
        ),
        (
            {"targetDedicatedNodes": 1, "nodeDeallocationOption": "retaineddata"},
            (400, "NotSupportedByEmulator"),
        ),
        ({"targetDedicatedNodes": 1, "odd": 1}, (400, "NotSupportedByEmulator")),
    ],
)
async def test_a_resize_is_checked(
    batch: Batch, body: dict[str, object], expected: tuple[int, str]
) -> None:
    """Wrong bodies are refused as at a pool's creation, the deprecated option by its name."""
    await batch.client.create_pool(pool_body())
    assert await refusal(batch.send("POST", "/pools/pool/resize", json=body)) == expected


async def test_a_pool_that_is_not_steady_refuses_another_size(start_batch: Start) -> None:
    """Neither a resize nor the removal of nodes nor a formula comes between."""
    batch = await start_batch(pool_speed=0.05)
    await batch.client.create_pool(pool_body(targetDedicatedNodes=1))
    node = (await batch.until(batch.nodes, lambda nodes: len(nodes) == 1))[0]
    removal = models.BatchNodeRemoveOptions(node_ids=[node.id or ""])
    formula = models.BatchPoolEnableAutoScaleOptions(auto_scale_formula="$TargetDedicatedNodes=1;")

    busy = (409, "PoolBeingResized")
    assert await refusal(batch.client.begin_resize_pool("pool", TARGETS)) == busy
    assert await refusal(batch.client.begin_remove_nodes("pool", removal)) == busy
    assert await refusal(batch.client.enable_pool_auto_scale("pool", formula)) == busy


async def test_a_resize_is_stopped(start_batch: Start) -> None:
    """Nodes that were not there yet never come; the targets stay, and the pool says why."""
    batch = await start_batch(pool_speed=0.2)
    await batch.client.create_pool(pool_body())
    await steady(batch)
    before = await pool_of(batch)
    await batch.client.begin_resize_pool("pool", TARGETS, polling_interval=600)
    reply = await batch.send("POST", "/pools/pool/stopresize")
    stopping = await pool_of(batch)
    pool = await steady(batch)

    assert reply.status_code == 202
    assert reply.headers["ETag"] == stopping.etag != before.etag
    assert reply.headers["DataServiceId"] == f"{batch.url}/pools/pool/stopresize"
    assert (stopping.allocation_state, stopping.resize_errors) == ("stopping", None)
    assert (pool.target_dedicated_nodes, pool.target_low_priority_nodes) == (1, 2)
    assert (pool.current_dedicated_nodes, pool.current_low_priority_nodes) == (0, 0)
    assert pool.resize_errors is not None
    assert [(error.code, error.message) for error in pool.resize_errors] == [
        (
            "ResizeStopped",
            f"Desired number of {kind} nodes could not be allocated due to a stop resize operation",
        )
        for kind in ("dedicated", "low priority")
    ]
    again = models.BatchPoolResizeOptions(target_dedicated_nodes=0, target_low_priority_nodes=0)
    await batch.client.begin_resize_pool("pool", again, polling_interval=600)
    assert (await steady(batch)).resize_errors is None


async def test_a_stop_keeps_nodes_that_wait_for_their_tasks(batch: Batch) -> None:
    """A removal that is stopped lets the node take tasks again; steady pools have nothing to stop."""
    await batch.client.create_pool(pool_body(targetDedicatedNodes=1))
    await batch.client.create_job(job_body("job", "/bin/sleep 600"))
    await batch.running("job")
    body = {"targetDedicatedNodes": 0, "nodeDeallocationOption": "taskcompletion"}
    await batch.send("POST", "/pools/pool/resize", json=body)
    poller = await batch.client.begin_stop_pool_resize("pool", polling_interval=0)
    await poller.result()
    pool = await steady(batch)

    assert (pool.target_dedicated_nodes, pool.current_dedicated_nodes) == (0, 1)
    assert pool.resize_errors is not None
    assert "could not be removed" in str(pool.resize_errors[0].message)
    await batch.terminate("job", "enough")
    await batch.client.create_job(job_body("next", "/bin/true"))
    await batch.completed("next")
    await batch.send("POST", "/pools/pool/stopresize")
    assert (await pool_of(batch)).allocation_state == "steady"


async def test_nodes_are_removed_by_their_ids(batch: Batch) -> None:
    """These nodes go and the targets fall, also twice named; an unknown one removes nothing."""
    await batch.client.create_pool(pool_body(targetDedicatedNodes=2, targetLowPriorityNodes=1))
    nodes = await idle(batch, 3)
    wrong = models.BatchNodeRemoveOptions(node_ids=[nodes[0], "none"])
    assert await refusal(batch.client.begin_remove_nodes("pool", wrong)) == (404, "NodeNotFound")
    chosen = sorted(nodes, key=lambda name: name[-1])[1:]
    removal = models.BatchNodeRemoveOptions(node_ids=[*chosen, chosen[0]])
    await (await batch.client.begin_remove_nodes("pool", removal, polling_interval=0)).result()
    pool = await steady(batch)

    assert await idle(batch, 1) == [name for name in nodes if name not in chosen]
    assert (pool.target_dedicated_nodes, pool.target_low_priority_nodes) == (1, 0)
    none = models.BatchNodeRemoveOptions(node_ids=[])
    expected = (400, "InvalidPropertyValue")
    assert await refusal(batch.client.begin_remove_nodes("pool", none)) == expected
    many = models.BatchNodeRemoveOptions(node_ids=["x"] * 101)
    assert await refusal(batch.client.begin_remove_nodes("pool", many)) == expected


async def test_the_deletion_of_a_pool_waits_for_no_task(batch: Batch) -> None:
    """Also where a resize before it has let its nodes wait for their tasks."""
    await batch.client.create_pool(pool_body(targetDedicatedNodes=1))
    await batch.client.create_job(job_body("job", "/bin/sleep 600"))
    await batch.running("job")
    body = {"targetDedicatedNodes": 0, "nodeDeallocationOption": "taskcompletion"}
    await batch.send("POST", "/pools/pool/resize", json=body)
    await batch.send("DELETE", "/pools/pool")

    async def pools() -> list[str]:
        return [str(pool.id) async for pool in batch.client.list_pools()]

    await batch.until(pools, lambda seen: seen == [])
    assert (await batch.client.get_task("job", "main")).state == "active"
