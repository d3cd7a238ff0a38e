"""Pools and their nodes: size, start task, packages, and what happens to tasks on the way."""

import asyncio
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest

from batch_emulator.clock import RealClock
from batch_emulator.package import Package
from batch_emulator.wire import now
from recur.publishing.packaging import version_in
from tests.contract.conftest import Batch, Start, job_body, pool_body, refusal
from tests.support.emulated_pools import scaled, zip_file

FOLLOW = """
$TargetDedicatedNodes = 0;
$TargetLowPriorityNodes = max(0, $PendingTasks.GetSample(1)) > 0 ? 1 : 0;
$NodeDeallocationOption = {option};
"""


async def test_a_pool_is_created_listed_and_deleted(batch: Batch) -> None:
    """A pool keeps its id's case, is found in any, and is gone when its deletion has ended."""
    await batch.client.create_pool(pool_body("Pool-1", metadata=[{"name": "a", "value": "b"}]))
    assert [pool.id async for pool in batch.client.list_pools()] == ["Pool-1"]
    pool = await batch.client.get_pool("pOOL-1")
    assert pool.id == "Pool-1"
    assert pool.vm_size == "standard_d2ds_v5"
    assert pool.resize_timeout == timedelta(minutes=15)
    assert pool.allocation_state == "steady"
    assert await batch.client.pool_exists("pool-1")
    assert await refusal(batch.client.create_pool(pool_body("POOL-1"))) == (409, "PoolExists")

    poller = await batch.client.begin_delete_pool("pool-1", polling_interval=0)
    await poller.result()
    assert await refusal(batch.client.get_pool("Pool-1")) == (404, "PoolNotFound")
    assert [pool async for pool in batch.client.list_pools()] == []


async def test_the_nodes_of_a_fixed_pool(batch: Batch) -> None:
    """Dedicated and Spot nodes come up under ids that tell them apart, and steady the pool."""
    await batch.client.create_pool(pool_body(targetDedicatedNodes=1, targetLowPriorityNodes=2))
    nodes = await batch.until(
        batch.nodes, lambda nodes: [node.state for node in nodes] == ["idle"] * 3
    )

    assert sorted((node.id[-2:], node.is_dedicated) for node in nodes) == [
        ("_d", True),
        ("_p", False),
        ("_p", False),
    ]
    for node in nodes:
        assert len(node.id) == len("tvmps_") + 64 + len("_d")
        assert (await batch.client.get_node("pool", node.id)).affinity_id == f"TVM:{node.id}"
    pool = await batch.client.get_pool("pool")
    assert (pool.current_dedicated_nodes, pool.current_low_priority_nodes) == (1, 2)
    assert pool.allocation_state == "steady"


async def test_a_node_takes_its_time(start_batch: Start) -> None:
    """A new node is still being made after its pool's creation: here for 20 seconds."""
    batch = await start_batch(pool_speed=0.05)
    await batch.client.create_pool(pool_body(targetDedicatedNodes=1))
    nodes = await batch.until(batch.nodes, lambda nodes: len(nodes) == 1)

    assert nodes[0].state == "creating"
    assert (await batch.client.get_pool("pool")).allocation_state == "resizing"
    await batch.client.create_job(job_body("job", "/bin/true"))
    assert (await batch.client.get_task("job", "main")).state == "active"


async def test_a_start_task_runs_before_tasks(batch: Batch) -> None:
    """Tasks wait for the start task, and find what it left in the shared folder."""
    command = "/bin/sh -c 'sleep 0.2; pwd > $AZ_BATCH_NODE_SHARED_DIR/where; echo up'"
    await batch.client.create_job(
        job_body("job", "/bin/sh -c 'cat $AZ_BATCH_NODE_SHARED_DIR/where'")
    )
    await batch.client.create_pool(
        pool_body(targetDedicatedNodes=1, startTask={"commandLine": command})
    )
    await batch.until(
        batch.nodes, lambda nodes: [node.state for node in nodes] == ["waitingforstarttask"]
    )
    await batch.completed("job")
    node = (await batch.nodes())[0]

    assert node.start_task_info is not None
    assert node.start_task_info.result == "success"
    assert (await batch.content("stdout.txt")).endswith(b"/startup/wd\n")
    parts = await batch.client.download_node_file("pool", node.id, "startup/stdout.txt")
    assert b"".join([part async for part in parts]) == b"up\n"


async def test_a_start_task_that_fails_keeps_the_node_from_tasks(batch: Batch) -> None:
    """After its retries the node says why, stays in the pool, and its tasks wait for ever."""
    start = {"commandLine": "/bin/sh -c 'echo x >> tries; exit 7'", "maxTaskRetryCount": 2}
    await batch.client.create_job(job_body("job", "/bin/true"))
    await batch.client.create_pool(pool_body(targetDedicatedNodes=1, startTask=start))
    nodes = await batch.until(
        batch.nodes, lambda nodes: [node.state for node in nodes] == ["starttaskfailed"]
    )

    info = nodes[0].start_task_info
    assert info is not None
    assert (info.state, info.result, info.exit_code) == ("completed", "failure", 7)
    assert info.retry_count == 2
    assert info.failure_info is not None
    assert info.failure_info.code == "FailureExitCode"
    tries = batch.root / "pool" / nodes[0].id / "startup/wd/tries"
    assert tries.read_text() == "x\nx\nx\n"
    assert (await batch.client.get_task("job", "main")).state == "active"


async def test_a_start_task_that_nothing_waits_for(batch: Batch) -> None:
    """Without waitForSuccess tasks run beside the start task, whatever becomes of it."""
    start = {"commandLine": "/bin/sh -c 'sleep 0.3; exit 7'", "waitForSuccess": False}
    await batch.client.create_pool(pool_body(targetDedicatedNodes=1, startTask=start))
    await batch.client.create_job(job_body("job", "/bin/true"))
    await batch.completed("job")
    nodes = await batch.until(
        batch.nodes,
        lambda nodes: bool(nodes[0].start_task_info and nodes[0].start_task_info.result),
    )

    assert nodes[0].state == "idle"


async def test_a_pool_follows_its_formula(batch: Batch) -> None:
    """0 -> 1 -> 0: a node comes for a pending task, and leaves with its files."""
    await batch.client.create_pool(pool_body(**scaled(FOLLOW.format(option="taskcompletion"))))
    assert await batch.nodes() == []
    pool = await batch.client.get_pool("pool")
    assert pool.auto_scale_run is not None
    assert pool.auto_scale_run.error is None
    await batch.client.create_job(job_body("job", "/bin/echo here"))
    task = await batch.until(
        lambda: batch.client.get_task("job", "main"), lambda task: task.state == "completed"
    )
    assert task.node_info is not None
    assert task.node_info.node_id is not None
    assert task.node_info.node_id.endswith("_p")
    await batch.until(batch.nodes, lambda nodes: nodes == [])

    pool = await batch.client.get_pool("pool")
    assert (pool.target_low_priority_nodes, pool.current_low_priority_nodes) == (0, 0)
    assert pool.auto_scale_run is not None
    assert pool.auto_scale_run.error is None
    assert pool.auto_scale_run.results == (
        "$TargetDedicatedNodes=0;$TargetLowPriorityNodes=0;$NodeDeallocationOption=taskcompletion"
    )
    assert await refusal(batch.content("stdout.txt")) == (404, None)
    files = batch.client.list_task_files("job", "main")
    assert await refusal(anext(files)) == (404, "NodeNotFound")
    node = batch.client.get_node("pool", task.node_info.node_id)
    assert await refusal(node) == (404, "NodeNotFound")

    async def folders() -> list[Path]:
        return [*(batch.root / "pool").iterdir()]

    await batch.until(folders, lambda left: left == [])


async def test_a_pool_follows_its_formula_when_the_clock_is_set_back(start_batch: Start) -> None:
    """It does not wait until the clock is where it was."""
    back = timedelta()
    batch = await start_batch(clock=RealClock(read=lambda: now() - back))
    await batch.client.create_pool(pool_body(**scaled(FOLLOW.format(option="taskcompletion"))))
    await asyncio.sleep(0.2)
    back = timedelta(hours=1)
    await batch.client.create_job(job_body("job", "/bin/true"))

    await batch.completed("job")


async def test_files_of_a_leaving_node_are_out_of_reach(start_batch: Start) -> None:
    """While a node leaves its pool, the files of its tasks cannot be read."""
    batch = await start_batch(pool_speed=100)
    await batch.client.create_pool(pool_body(targetDedicatedNodes=1))
    await batch.client.create_job(job_body("job", "/bin/echo here"))
    await batch.completed("job")
    assert await batch.content("stdout.txt") == b"here\n"
    await batch.send("DELETE", "/pools/pool")

    assert [node.state for node in await batch.nodes()] == ["leavingpool"]
    files = batch.client.list_task_files("job", "main")
    assert await refusal(anext(files)) == (409, "NodeNotReady")


async def test_taskcompletion_waits_for_the_running_task(batch: Batch) -> None:
    """A node that is to go lets its task finish, and takes no other."""
    formula = FOLLOW.format(option="taskcompletion").replace(
        "max(0, $PendingTasks.GetSample(1)) > 0 ? 1 : 0",
        "max(0, $RunningTasks.GetSample(1)) > 0 ? 0 : max(0, $PendingTasks.GetSample(1))",
    )
    await batch.client.create_pool(pool_body(**scaled(formula)))
    await batch.client.create_job(job_body("job", "/bin/sleep 0.6"))
    await batch.running("job")
    await batch.until(
        lambda: batch.client.get_pool("pool"), lambda pool: pool.target_low_priority_nodes == 0
    )
    await batch.completed("job")
    task = await batch.client.get_task("job", "main")

    assert task.execution_info is not None
    assert (task.execution_info.exit_code, task.execution_info.requeue_count) == (0, 0)
    await batch.until(batch.nodes, lambda nodes: nodes == [])


@pytest.mark.parametrize(("option", "state"), [("requeue", "active"), ("terminate", "completed")])
async def test_deallocation_without_waiting(batch: Batch, option: str, state: str) -> None:
    """A task on a node that is to go is killed: it waits again, or it is over."""
    formula = "$TargetDedicatedNodes = max(0, $RunningTasks.GetSample(1)) > 0 ? 0 : 1;"
    formula += f"$NodeDeallocationOption = {option};"
    await batch.client.create_job(job_body("job", "/bin/sleep 600"))
    await batch.client.create_pool(pool_body(**scaled(formula)))
    await batch.running("job")
    task = await batch.until(
        lambda: batch.client.get_task("job", "main"), lambda task: task.state != "running"
    )

    assert task.state == state
    assert task.execution_info is not None
    assert task.execution_info.requeue_count == (state == "active")
    assert task.execution_info.retry_count == 0
    if task.execution_info.failure_info is not None:
        assert task.execution_info.failure_info.code == "TaskEnded"


async def test_a_task_survives_its_pool(batch: Batch) -> None:
    """When a pool is deleted its task waits again, and runs on the next pool of that name."""
    await batch.client.create_pool(pool_body(targetDedicatedNodes=1))
    await batch.client.create_job(job_body("job", "/bin/sh -c 'test -e ../../../x || sleep 600'"))
    await batch.running("job")
    await batch.send("DELETE", "/pools/pool")
    assert await refusal(batch.send("DELETE", "/pools/pool")) in {
        (409, "PoolBeingDeleted"),
        (404, "PoolNotFound"),
    }
    await batch.until(
        lambda: batch.client.get_task("job", "main"), lambda task: task.state == "active"
    )
    task = await batch.client.get_task("job", "main")

    assert task.execution_info is not None
    assert task.execution_info.requeue_count == 1
    assert task.node_info is None
    assert (await batch.client.get_job("job")).state == "active"


async def test_packages_are_unzipped_and_announced(start_batch: Start, tmp_path: Path) -> None:
    """A package of a version has one variable, lower case and flattened, and the zip's modes."""
    path = zip_file(tmp_path / "a.zip", ("run.sh", 0o755), ("bin/windows.sh", None))
    package = Package.parse(f"My-App=v1.0={path}")
    batch = await start_batch(applications=(package,))
    references = [{"applicationId": "my-app", "version": "V1.0"}]
    await batch.client.create_pool(
        pool_body(targetDedicatedNodes=1, applicationPackageReferences=references)
    )
    variable = "$AZ_BATCH_APP_PACKAGE_my_app_v1_0"
    command = (
        f'cd {variable} && ./run.sh && test ! -x bin/windows.sh && env | grep -c "_APP_PACKAGE_"'
    )
    await batch.client.create_job(job_body("job", f"/bin/sh -c '{command}'"))
    await batch.completed("job")

    assert await batch.content("stdout.txt") == b"run.sh\n1\n"
    applications = [item async for item in batch.client.list_applications()]
    assert [(item.id, item.versions) for item in applications] == [("My-App", ["v1.0"])]
    assert (await batch.client.get_application("MY-APP")).id == "My-App"
    assert await refusal(batch.client.get_application("x")) == (404, "ApplicationNotFound")


@pytest.mark.parametrize("reference", [{"version": "2"}, {}])
async def test_a_package_that_does_not_exist_is_refused(
    start_batch: Start, tmp_path: Path, reference: dict[str, str]
) -> None:
    """A pool cannot refer to another version, nor to a default version, which no one has set."""
    path = zip_file(tmp_path / "a.zip", ("run.sh", 0o755))
    batch = await start_batch(applications=(Package("app", "1", path),))
    body = pool_body(applicationPackageReferences=[{"applicationId": "app", **reference}])

    expected = (409, "InvalidApplicationPackageReferences")
    assert await refusal(batch.client.create_pool(body)) == expected


async def test_a_package_that_leads_out_of_its_folder_spoils_the_node(
    start_batch: Start, tmp_path: Path
) -> None:
    """Nothing is written beside the package's folder; the node is unusable and says why."""
    path = zip_file(tmp_path / "a.zip", ("../../escaped", 0o644))
    batch = await start_batch(applications=(Package("app", "1", path),))
    references = [{"applicationId": "app", "version": "1"}]
    await batch.client.create_pool(
        pool_body(targetDedicatedNodes=1, applicationPackageReferences=references)
    )
    nodes = await batch.until(
        batch.nodes, lambda nodes: [node.state for node in nodes] == ["unusable"]
    )

    assert nodes[0].errors is not None
    assert nodes[0].errors[0].code == "ApplicationPackageError"
    assert not list(batch.root.rglob("escaped"))


def _damage(path: Path, kind: str) -> None:
    content = bytearray(path.read_bytes())
    entry = content.index(b"PK\x01\x02")  # of the list of files at the end, which has it all again
    match kind:
        case "bytes":
            content[40:60] = b"\xff" * 20
        case "encrypted":
            content[6] |= 1
            content[entry + 8] |= 1
        case _:
            content[8] = content[entry + 10] = 99
    path.write_bytes(content)


@pytest.mark.parametrize("kind", ["bytes", "encrypted", "method"])
async def test_a_damaged_package_spoils_the_node(
    start_batch: Start, tmp_path: Path, kind: str
) -> None:
    """It has no version, and the node is not starting for ever."""
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("run.sh", "".join(f"echo {number}\n" for number in range(100)))
    assert version_in(path) is not None
    _damage(path, kind)
    batch = await start_batch(applications=(Package.parse(f"app=1={path}"),))
    references = [{"applicationId": "app", "version": "1"}]
    await batch.client.create_pool(
        pool_body(targetDedicatedNodes=1, applicationPackageReferences=references)
    )
    nodes = await batch.until(
        batch.nodes, lambda nodes: [node.state for node in nodes] == ["unusable"]
    )

    assert nodes[0].errors is not None
    assert nodes[0].errors[0].code == "ApplicationPackageError"
    assert version_in(path) is None


async def test_a_node_that_cannot_be_started_is_unusable(batch: Batch) -> None:
    """Whatever goes wrong; here its folder cannot be made."""
    (batch.root / "pool").touch()
    await batch.client.create_pool(pool_body(targetDedicatedNodes=1))
    nodes = await batch.until(
        batch.nodes, lambda nodes: [node.state for node in nodes] == ["unusable"]
    )

    assert nodes[0].errors is not None
    assert nodes[0].errors[0].code == "Unknown"


async def test_task_slots(batch: Batch) -> None:
    """Tasks that are not exclusive share a node as far as its slots go."""
    await batch.client.create_pool(pool_body(targetDedicatedNodes=1, taskSlotsPerNode=3))
    for name, slots in (("one", 1), ("two", 2), ("three", 3)):
        manager: dict[str, object] = {"runExclusive": False, "requiredSlots": slots}
        await batch.client.create_job(job_body(name, "/bin/sleep 600", **manager))
    await batch.running("one")
    await batch.running("two")

    assert (await batch.client.get_task("three", "main")).state == "active"
    node = (await batch.nodes())[0]
    assert (node.running_tasks_count, node.running_task_slots_count) == (2, 3)
    await batch.terminate("one", "enough")
    await batch.terminate("two", "enough")
    await batch.running("three")


async def test_a_pool_has_a_quota(start_batch: Start) -> None:
    """A size that no laptop can hold is not reached, and the pool says why."""
    batch = await start_batch(pool_speed=1)
    await batch.client.create_pool(pool_body(targetLowPriorityNodes=100_000))
    pool = await batch.until(
        lambda: batch.client.get_pool("pool"), lambda pool: pool.current_low_priority_nodes > 0
    )

    assert (pool.target_low_priority_nodes, pool.current_low_priority_nodes) == (100_000, 64)
    assert pool.resize_errors is not None
    assert pool.resize_errors[0].code == "AccountSpotCoreQuotaReached"


async def test_an_evaluation_that_fails_keeps_the_size(batch: Batch) -> None:
    """An error is on the pool with its place, and its nodes stay."""
    formula = "$TargetDedicatedNodes = $PendingTasks.Count() > 3 ? nothing : 1;"
    await batch.client.create_pool(pool_body(**scaled(formula)))
    pool = await batch.until(
        lambda: batch.client.get_pool("pool"),
        lambda pool: bool(pool.auto_scale_run and pool.auto_scale_run.error),
    )

    assert pool.auto_scale_run is not None
    error = pool.auto_scale_run.error
    assert error is not None
    assert error.code == "AutoScalingFormulaEvaluationError"
    place = {"name": "Message", "value": "Line 1, Col 53: Undefined symbol: nothing"}
    assert error["values"] == [place]
    assert pool.target_dedicated_nodes == 1
    await batch.until(batch.nodes, lambda nodes: len(nodes) == 1)


async def test_a_formula_is_checked_when_its_pool_is_created(batch: Batch) -> None:
    """A formula that does not parse, and an interval below 5 minutes, are refused."""
    wrong = pool_body(**scaled("$TargetDedicatedNodes = (1;"))
    assert await refusal(batch.client.create_pool(wrong)) == (400, "AutoScalingFormulaSyntaxError")
    hasty = pool_body(**scaled("$TargetDedicatedNodes = 0;", autoScaleEvaluationInterval="PT4M"))
    assert await refusal(batch.client.create_pool(hasty)) == (400, "InvalidPropertyValue")
