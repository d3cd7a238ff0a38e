"""The data folder: dependencies, disabled jobs, and nodes in states of their own go on after SIGKILL."""

import json
from pathlib import Path

from azure.batch.models import BatchPoolResizeOptions

from tests.contract.conftest import Batch, pool_body
from tests.support.faults import Faults
from tests.support.kept_account import account, idle, kill
from tests.support.plain_jobs import code_of, plain_job, settled, task_body


async def states(batch: Batch) -> dict[str, str | None]:
    """Return the states of the job's tasks."""
    return {str(task.id): task.state async for task in batch.client.list_tasks("job")}


async def test_dependencies_that_were_satisfied_stay_so(tmp_path: Path) -> None:
    """Also those on tasks that have been deleted, or that are active again."""
    async with account(tmp_path) as (batch, emulator):
        client = batch.client
        await client.create_pool(pool_body(targetDedicatedNodes=1))
        await client.create_job(plain_job(usesTaskDependencies=True))
        failing = {"exitConditions": {"default": {"dependencyAction": "satisfy"}}}
        for name, command in (("kept", "/bin/true"), ("deleted", "/bin/true")):
            await client.create_task("job", task_body(name, command))
        await client.create_task("job", task_body("again", "/bin/false", **failing))
        for name in ("kept", "deleted", "again"):
            await settled(batch, name)
        await client.begin_delete_pool("pool", polling_interval=0)
        await client.delete_task("job", "deleted")
        await client.reactivate_task("job", "again")
        for name, others in (
            ("free", ["kept", "deleted", "again"]),
            ("waits", ["kept", "never"]),
        ):
            await client.create_task("job", task_body(name, dependsOn={"taskIds": others}))
        kill(emulator)

    async with account(tmp_path) as (batch, _):
        client = batch.client
        counts = (await client.get_job_task_counts("job")).task_counts
        assert (counts.active, counts.succeeded, counts.failed) == (3, 1, 0)

        async def pools() -> list[str]:
            return [str(pool.id) async for pool in client.list_pools()]

        await batch.until(pools, lambda seen: seen == [])
        await client.create_pool(pool_body(targetDedicatedNodes=1))
        await settled(batch, "free")
        await settled(batch, "again")
        assert (await states(batch))["waits"] == "active"
        await client.create_task("job", task_body("never"))
        await settled(batch, "waits")


async def test_a_disabled_job_stays_disabled(tmp_path: Path) -> None:
    """Its tasks start when it is enabled, in the order of their coming."""
    async with account(tmp_path) as (batch, emulator):
        await batch.client.create_pool(pool_body(targetDedicatedNodes=1))
        await batch.client.create_job(plain_job())
        await batch.send("POST", "/jobs/job/disable", json={"disableTasks": "requeue"})
        for name in ("one", "two"):
            await batch.client.create_task("job", task_body(name))
        kill(emulator)

    async with account(tmp_path) as (batch, _):
        await idle(batch, 1)
        assert (await batch.client.get_job("job")).state == "disabled"
        assert await states(batch) == {"one": "active", "two": "active"}
        await batch.send("POST", "/jobs/job/enable")
        ended = [(await settled(batch, name)).execution_info for name in ("one", "two")]
        assert ended[0] is not None
        assert ended[1] is not None
        assert ended[0].end_time is not None
        assert ended[1].start_time is not None
        assert ended[0].end_time <= ended[1].start_time


async def test_nodes_go_on_in_their_states(tmp_path: Path) -> None:
    """One that is shut to tasks stays so; one that reboots comes up; a preempted one comes back."""
    async with account(tmp_path, "--faults", "--pool-speed", "50") as (batch, emulator):
        body = pool_body(targetDedicatedNodes=2, targetLowPriorityNodes=1)
        await batch.client.create_pool(body)
        await idle(batch, 3)
        nodes = {str(node.id): node async for node in batch.client.list_nodes("pool")}
        spot = next(name for name, node in nodes.items() if not node.is_dedicated)
        shut, rebooted = (name for name, node in nodes.items() if node.is_dedicated)
        await batch.send("POST", f"/pools/pool/nodes/{shut}/disablescheduling")
        await batch.send("POST", f"/pools/pool/nodes/{rebooted}/reboot")
        await Faults(batch.url, emulator.token).preempt(spot, seconds=30)
        kill(emulator)

    async with account(tmp_path) as (batch, _):

        async def look() -> dict[str, str | None]:
            return {str(node.id): node.state async for node in batch.client.list_nodes("pool")}

        await batch.until(
            look, lambda seen: seen == {shut: "offline", rebooted: "idle", spot: "idle"}
        )


async def test_a_task_that_was_being_ended_is_completed(tmp_path: Path) -> None:
    """What a client has ended does not run again; what waits for it goes on as it would have."""
    async with account(tmp_path) as (batch, emulator):
        await batch.client.create_pool(pool_body(targetDedicatedNodes=1))
        await batch.client.create_job(plain_job(usesTaskDependencies=True))
        deaf = "/bin/sh -c 'trap \"\" TERM; touch on; sleep 600'"
        satisfying = {"exitConditions": {"default": {"dependencyAction": "satisfy"}}}
        await batch.client.create_task("job", task_body("one", deaf, **satisfying))
        await batch.client.create_task("job", task_body("two", dependsOn={"taskIds": ["one"]}))

        async def runs() -> bool:
            return any(batch.root.rglob("one/wd/on"))

        await batch.until(runs, bool)
        await batch.client.terminate_task("job", "one")
        kill(emulator)

    async with account(tmp_path) as (batch, _):
        assert code_of(await settled(batch, "one")) == "TaskEnded"
        await settled(batch, "two")


async def test_simulated_nodes_go_on_as_before(tmp_path: Path) -> None:
    """New ones have ids of their own, and Spot nodes are preempted."""
    lots = {"boot_seconds": 60, "preemptions_per_hour": 1, "preempted_seconds": 1200}
    file = tmp_path / "simulation.json"
    file.write_text(json.dumps({"seed": 3, "nodes": lots}))
    options = ("--simulation", str(file))
    async with account(tmp_path, *options) as (batch, emulator):
        await batch.client.create_pool(pool_body(targetLowPriorityNodes=2))
        nodes = await batch.until(batch.nodes, lambda nodes: len(nodes) == 2)
        before = {node.id for node in nodes}
        kill(emulator)
    async with account(tmp_path, *options) as (batch, _):
        three = BatchPoolResizeOptions(target_low_priority_nodes=3)
        await batch.client.begin_resize_pool("pool", three, polling_interval=0)
        nodes = await batch.until(batch.nodes, lambda nodes: len(nodes) == 3)
        after = {node.id for node in nodes}
        preempted = set[str]()

        async def seen() -> set[str]:
            nodes = await batch.nodes()
            preempted.update(str(node.id) for node in nodes if node.state == "preempted")
            return preempted

        await batch.until(seen, lambda preempted: preempted == after)

    assert before < after
