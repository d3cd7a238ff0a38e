"""Nodes that are restarted, shut to tasks and preempted, by the official client and by faults."""

from collections.abc import Awaitable
from pathlib import Path

import pytest
from azure.batch.models import BatchNode

from tests.contract.conftest import Batch, Start, job_body, pool_body, refusal
from tests.support.emulated_pools import ask, idle, in_state, only_node
from tests.support.faults import BadFaultError

FOLLOWS_TASKS = """
$TargetLowPriorityNodes = $PreemptedNodeCount > 0 ? 2 : 1;
$NodeDeallocationOption = taskcompletion;
"""
COUNT = "/bin/sh -c 'echo x >> $AZ_BATCH_NODE_SHARED_DIR/starts'"


def starts(batch: Batch, node: str) -> int:
    """Return how often the start task has run since the node's folder was made."""
    path = batch.root / "pool" / node / "shared/starts"
    return len(path.read_text().splitlines()) if path.exists() else 0


async def run_once(batch: Batch) -> None:
    """Start a job whose task runs for ever, and would end at once if it ran again."""
    place = "$AZ_BATCH_NODE_ROOT_DIR/../.."
    command = f"test -e {place}/once || {{ touch {place}/once; exec sleep 600; }}"
    await batch.client.create_job(job_body("job", f"/bin/sh -c '{command}'"))

    async def begun() -> bool:
        return (batch.root / "once").exists()

    await batch.until(begun, bool)


@pytest.mark.parametrize(("what", "count"), [("reboot", 2), ("reimage", 1)])
async def test_a_node_is_restarted(batch: Batch, what: str, count: int) -> None:
    """The start task runs again; files stay at a reboot and are gone after a new image."""
    await batch.client.create_pool(
        pool_body(targetDedicatedNodes=1, startTask={"commandLine": COUNT})
    )
    await batch.client.create_job(job_body("job", "/bin/true"))
    await batch.completed("job")
    (node,) = await idle(batch, 1)
    before = await batch.client.get_node("pool", node)
    reply = await batch.send("POST", f"/pools/pool/nodes/{node}/{what}", json=None)
    after = await batch.until(
        lambda: batch.client.get_node("pool", node), lambda seen: seen.state == "idle"
    )

    assert reply.status_code == 202
    assert reply.headers["DataServiceId"] == f"{batch.url}/pools/pool/nodes/{node}/{what}"
    assert "ETag" not in reply.headers
    assert before.last_boot_time is not None
    assert after.last_boot_time is not None
    assert after.last_boot_time > before.last_boot_time
    assert starts(batch, node) == count
    assert (batch.root / "pool" / node / "workitems/job").exists() == (what == "reboot")
    await batch.client.create_job(job_body("next", "/bin/true"))
    await batch.completed("next")


async def test_a_restart_takes_its_time(start_batch: Start) -> None:
    """Meanwhile the node says so, its files are out of reach, and nothing else can be asked of it."""
    batch = await start_batch(pool_speed=20)
    await batch.client.create_pool(pool_body(targetDedicatedNodes=1))
    (node,) = await idle(batch, 1)
    await ask(batch, node, "reboot", nodeRebootOption="terminate")

    assert (await only_node(batch)).state == "rebooting"
    busy = (409, "NodeBeingRebooted")
    for what in ("reboot", "reimage", "disablescheduling", "enablescheduling"):
        assert await refusal(ask(batch, node, what)) == busy
    files = batch.client.list_node_files("pool", node)
    assert await refusal(anext(files)) == (409, "NodeNotReady")
    await in_state(batch, "idle")
    await ask(batch, node, "reimage", nodeReimageOption="requeue")
    assert await refusal(ask(batch, node, "reboot")) == (409, "NodeBeingReimaged")


@pytest.mark.parametrize("what", ["reboot", "reimage"])
@pytest.mark.parametrize(
    ("option", "requeues", "result"), [("requeue", 1, "success"), ("terminate", 0, "failure")]
)
async def test_a_restart_says_what_becomes_of_tasks(
    batch: Batch, what: str, option: str, requeues: int, result: str
) -> None:
    """A running task waits for the node and runs again, or it is over."""
    await batch.client.create_pool(pool_body(targetDedicatedNodes=1))
    await run_once(batch)
    (node,) = await batch.nodes()
    await ask(batch, node.id, what, **{f"node{what.capitalize()}Option": option})
    await batch.completed("job")
    task = await batch.client.get_task("job", "main")

    assert task.execution_info is not None
    assert task.execution_info.requeue_count == requeues
    assert task.execution_info.result == result
    await in_state(batch, "idle")


async def test_a_restart_waits_for_its_tasks(batch: Batch) -> None:
    """Under taskcompletion the task ends by itself, no other starts before the restart."""
    await batch.client.create_pool(
        pool_body(targetDedicatedNodes=1, taskSlotsPerNode=2, startTask={"commandLine": COUNT})
    )
    wait = "/bin/sh -c 'until test -e $AZ_BATCH_NODE_SHARED_DIR/go; do sleep 0.02; done'"
    see = "/bin/sh -c 'wc -l < $AZ_BATCH_NODE_SHARED_DIR/starts'"
    await batch.client.create_job(job_body("job", wait, runExclusive=False))
    await batch.running("job")
    node = (await only_node(batch)).id
    await ask(batch, node, "reboot", nodeRebootOption="TaskCompletion")
    await batch.client.create_job(job_body("next", see, runExclusive=False))

    assert await refusal(ask(batch, node, "reboot")) == (409, "NodeBeingRebooted")
    assert (await batch.client.get_task("next", "main")).state == "active"
    assert (await only_node(batch)).state == "running"
    (batch.root / "pool" / node / "shared/go").touch()
    await batch.completed("next")
    assert (await batch.content("stdout.txt", "next")).strip() == b"2"


async def test_a_restart_takes_what_the_pool_has_by_now(start_batch: Start) -> None:
    """A start task that failed is mended in the pool, and the node is rebooted."""
    batch = await start_batch()
    wrong = {"commandLine": "/bin/false"}
    await batch.client.create_pool(pool_body(targetDedicatedNodes=1, startTask=wrong))
    node = (await in_state(batch, "starttaskfailed")).id
    expected = (409, "NodeStateUnusable")
    assert await refusal(ask(batch, node, "disablescheduling")) == expected
    await batch.send("PATCH", "/pools/pool", json={"startTask": {"commandLine": "/bin/true"}})
    await ask(batch, node, "reboot")
    mended = await in_state(batch, "idle")

    assert mended.start_task_info is not None
    assert mended.start_task_info.result == "success"


async def test_options_and_nodes_are_checked(batch: Batch) -> None:
    """An unknown option, the deprecated one, another's option and an unknown node are refused."""
    await batch.client.create_pool(pool_body(targetDedicatedNodes=1))
    (node,) = await idle(batch, 1)
    for option, expected in (
        ("never", (400, "InvalidPropertyValue")),
        ("retaineddata", (400, "NotSupportedByEmulator")),
    ):
        assert await refusal(ask(batch, node, "reboot", nodeRebootOption=option)) == expected
    other = ask(batch, node, "reboot", nodeReimageOption="requeue")
    assert await refusal(other) == (400, "NotSupportedByEmulator")
    retained = ask(batch, node, "disablescheduling", nodeDisableSchedulingOption="retaineddata")
    assert await refusal(retained) == (400, "InvalidPropertyValue")
    assert await refusal(ask(batch, "none", "reboot")) == (404, "NodeNotFound")


async def test_a_node_is_shut_to_tasks_and_opened(batch: Batch) -> None:
    """It is offline, also after a reboot; when it is opened, what waits runs."""
    await batch.client.create_pool(pool_body(targetDedicatedNodes=1))
    (node,) = await idle(batch, 1)
    already = (409, "NodeAlreadyInTargetSchedulingState")
    assert await refusal(ask(batch, node, "enablescheduling")) == already
    await ask(batch, node, "disablescheduling")
    assert await refusal(ask(batch, node, "disablescheduling")) == already
    await batch.client.create_job(job_body("job", "/bin/true"))
    shut = await only_node(batch)
    assert (shut.state, shut.scheduling_state) == ("offline", "disabled")
    await ask(batch, node, "reboot")
    await in_state(batch, "offline")
    assert (await batch.client.get_task("job", "main")).state == "active"
    await batch.client.enable_node_scheduling("pool", node)

    await batch.completed("job")
    assert (await only_node(batch)).scheduling_state == "enabled"


@pytest.mark.parametrize(
    ("option", "state"),
    [("requeue", "active"), ("terminate", "completed"), ("taskcompletion", "running")],
)
async def test_shutting_a_node_says_what_becomes_of_tasks(
    batch: Batch, option: str, state: str
) -> None:
    """A running task waits for another node, is over, or ends by itself."""
    await batch.client.create_pool(pool_body(targetDedicatedNodes=1))
    await batch.client.create_job(job_body("job", "/bin/sleep 600"))
    await batch.running("job")
    node = (await only_node(batch)).id
    await ask(batch, node, "disablescheduling", nodeDisableSchedulingOption=option)
    await batch.until(
        lambda: batch.client.get_task("job", "main"), lambda task: task.state == state
    )

    if state == "running":
        assert (await only_node(batch)).state == "running"
        await batch.terminate("job", "enough")
    await in_state(batch, "offline")


@pytest.fixture
async def faulty(start_batch: Start) -> Batch:
    return await start_batch(faults=True)


async def spot(batch: Batch, **properties: object) -> str:
    """Make a pool of one Spot node; return the node's id."""
    await batch.client.create_pool(pool_body(targetLowPriorityNodes=1, **properties))
    (node,) = await idle(batch, 1)
    return node


async def test_a_spot_node_is_preempted_and_restored(faulty: Batch) -> None:
    """Its task waits, uncounted; the node counts as current, and comes back by its id and empty."""
    batch = faulty
    node = await spot(batch, startTask={"commandLine": COUNT})
    await batch.client.create_job(job_body("before", "/bin/true"))
    await batch.completed("before")
    first = await batch.client.get_node("pool", node)
    await run_once(batch)
    await batch.faults.preempt(node, seconds=None)
    task = await batch.until(
        lambda: batch.client.get_task("job", "main"), lambda task: task.state == "active"
    )

    assert task.execution_info is not None
    assert (task.execution_info.requeue_count, task.execution_info.retry_count) == (0, 0)
    pool = await batch.client.get_pool("pool")
    assert (pool.current_low_priority_nodes, pool.allocation_state) == (1, "steady")
    counts = [item async for item in batch.client.list_pool_node_counts()]
    assert counts[0].low_priority is not None
    assert counts[0].low_priority.preempted == 1
    assert (await only_node(batch)).state == "preempted"
    files = batch.client.list_task_files("before", "main")
    assert await refusal(anext(files)) == (409, "NodeNotReady")
    assert await refusal(ask(batch, node, "reboot")) == (409, "NodeNotReady")

    await batch.faults.restore(node)
    await batch.completed("job")
    restored = await only_node(batch)
    assert restored.id == node
    assert restored.allocation_time is not None
    assert first.allocation_time is not None
    assert restored.allocation_time > first.allocation_time
    assert restored.total_tasks_run == 1
    assert starts(batch, node) == 1
    assert not (batch.root / "pool" / node / "workitems/before").exists()


async def test_a_preempted_node_comes_back_by_itself(faulty: Batch) -> None:
    """After the time that was asked for, at the pool's speed."""
    node = await spot(faulty)
    await faulty.faults.preempt(node, seconds=100)
    await faulty.faults.preempt(await spot_of_another_pool(faulty))
    restored = await faulty.until(
        lambda: faulty.client.get_node("pool", node), lambda seen: seen.state == "idle"
    )

    assert restored.id == node


async def spot_of_another_pool(batch: Batch) -> str:
    """Make another pool of one Spot node, which still starts; return the node's id."""
    await batch.client.create_pool(pool_body("other", targetLowPriorityNodes=1))

    async def look() -> list[BatchNode]:
        return [node async for node in batch.client.list_nodes("other")]

    return (await batch.until(look, lambda nodes: len(nodes) == 1))[0].id


async def test_a_preempted_node_can_leave(faulty: Batch) -> None:
    """A pool that shrinks lets it go first, and nothing of it is left."""
    await faulty.client.create_pool(pool_body(targetLowPriorityNodes=2))
    nodes = await idle(faulty, 2)
    await faulty.faults.preempt(nodes[1], seconds=None)
    await faulty.send("POST", "/pools/pool/resize", json={"targetLowPriorityNodes": 1})

    await faulty.until(faulty.nodes, lambda left: [node.id for node in left] == [nodes[0]])

    async def folders() -> list[Path]:
        return [*(faulty.root / "pool").iterdir()]

    await faulty.until(folders, lambda left: left == [faulty.root / "pool" / nodes[0]])


async def test_a_formula_sees_preempted_nodes(faulty: Batch) -> None:
    """A pool can ask for another node while one is away."""
    scaled = {
        "enableAutoScale": True,
        "autoScaleFormula": FOLLOWS_TASKS,
        "autoScaleEvaluationInterval": "PT5M",
    }
    await faulty.client.create_pool(pool_body(**scaled))
    (node,) = await idle(faulty, 1)
    await faulty.faults.preempt(node, seconds=None)

    nodes = await faulty.until(faulty.nodes, lambda nodes: len(nodes) == 2)
    assert {item.id == node: item.state for item in nodes}[True] == "preempted"


async def test_what_cannot_be_preempted(faulty: Batch) -> None:
    """A dedicated or unknown node, one that is away already, and nonsense are refused."""
    await faulty.client.create_pool(pool_body(targetDedicatedNodes=1, targetLowPriorityNodes=1))
    nodes = await idle(faulty, 2)
    dedicated, low = sorted(nodes, key=lambda name: name[-1])

    async def refused(call: Awaitable[None], *words: str) -> None:
        with pytest.raises(BadFaultError) as error:
            await call
        assert all(word in str(error.value) for word in words)

    await refused(faulty.faults.preempt(dedicated), "node", "dedicated")
    await refused(faulty.faults.restore(low), "node", "idle")
    await refused(faulty.faults.preempt("none"), "node", "none")
    for seconds in (-1, 1e9, True):
        await refused(faulty.faults.preempt(low, seconds=seconds), "seconds")
    await refused(faulty.faults.preempt(low, seconds=float("inf")), "body", "JSON")
    await refused(faulty.faults.preempt(low, minutes=1), "body")
    await faulty.faults.preempt(low, seconds=None)
    await refused(faulty.faults.preempt(low), "node", "preempted")
