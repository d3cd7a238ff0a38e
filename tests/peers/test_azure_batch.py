"""azure-batch 15.1, blocking and not, on one scenario: what one client can do, the other can."""

import inspect
from collections.abc import AsyncIterable, AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from azure.batch import BatchClient, models
from azure.batch.aio import BatchClient as AsyncBatchClient
from azure.core.credentials import AzureNamedKeyCredential

from local.azurite import Azurite
from tests.contract.conftest import job_body, pool_body
from tests.peers.emulated_account import NAME, EmulatedAccount
from tests.recordings.stage import package

CLIENTS: dict[str, Any] = {"sync": BatchClient, "aio": AsyncBatchClient}


class Either:
    """A client of either kind, awaited in the same way."""

    def __init__(self, client: Any) -> None:  # noqa: ANN401 - of either kind
        self.client = client

    async def call(self, name: str, *words: object, **options: object) -> Any:  # noqa: ANN401
        """Call an operation; a list is read to its end, and a poller waited for."""
        if name.startswith("begin_"):
            options["polling_interval"] = 0.05
        found = await _awaited(getattr(self.client, name)(*words, **options))
        if name.startswith("begin_"):
            return await _awaited(found.result())
        if isinstance(found, AsyncIterable):
            return [item async for item in found]
        return list(found) if name.startswith(("list_", "download_")) else found

    async def until(self, wanted: Callable[[Any], object], name: str, *words: object) -> Any:  # noqa: ANN401
        """Call an operation again and again, until it returns what is wanted."""
        for _ in range(3000):
            if wanted(found := await self.call(name, *words)):
                return found
        raise AssertionError(f"{name} does not come to it: {found}")


async def _awaited(value: Any) -> Any:  # noqa: ANN401 - of any kind
    return await value if inspect.isawaitable(value) else value


@pytest.fixture(params=CLIENTS)
async def either(
    request: pytest.FixtureRequest,
    azurite: Azurite,
    tmp_path: Path,
) -> AsyncIterator[Either]:
    """Return a client of an account of its own."""
    packages = (package(tmp_path),)
    with EmulatedAccount(tmp_path / "nodes", azurite.connection_string, packages) as account:
        credential = AzureNamedKeyCredential(NAME, account.key)
        client = CLIENTS[request.param](account.url, credential, retry_total=0)
        yield Either(client)
        await _awaited(client.close())


async def test_pools_and_nodes(either: Either) -> None:
    """From making a pool to its end: sizes, formulas, properties, nodes."""
    call, until = either.call, either.until
    images = await call("list_supported_images", filter="verificationType eq 'verified'")
    assert images
    await call("create_pool", pool_body(targetDedicatedNodes=1))
    assert await call("pool_exists", "pool")
    await until(lambda pool: pool.allocation_state == "steady", "get_pool", "pool")

    await call("begin_resize_pool", "pool", models.BatchPoolResizeOptions(target_dedicated_nodes=2))
    nodes = await until(
        lambda nodes: [node.state for node in nodes] == ["idle"] * 2, "list_nodes", "pool"
    )
    (counts,) = await call("list_pool_node_counts")
    assert counts.dedicated.idle == 2
    node = nodes[0].id
    requeue = models.BatchNodeDisableSchedulingOptions(node_disable_scheduling_option="requeue")
    await call("disable_node_scheduling", "pool", node, requeue)
    assert (await call("get_node", "pool", node)).scheduling_state == "disabled"
    await call("enable_node_scheduling", "pool", node)
    await call("begin_reboot_node", "pool", node, {"nodeRebootOption": "requeue"})
    await until(lambda node: node.state == "idle", "get_node", "pool", node)
    await call("begin_remove_nodes", "pool", models.BatchNodeRemoveOptions(node_ids=[node]))
    assert len(await call("list_nodes", "pool")) == 1

    formula = "$TargetDedicatedNodes=0"
    scale = models.BatchPoolEnableAutoScaleOptions(auto_scale_formula=formula)
    await call("enable_pool_auto_scale", "pool", scale)
    question = models.BatchPoolEvaluateAutoScaleOptions(auto_scale_formula=formula)
    run = await call("evaluate_pool_auto_scale", "pool", question)
    assert run.results.startswith("$TargetDedicatedNodes=0;")
    await until(lambda pool: pool.allocation_state == "steady", "get_pool", "pool")
    await call("disable_pool_auto_scale", "pool")
    metadata = [models.BatchMetadataItem(name="a", value="b")]
    await call("update_pool", "pool", models.BatchPoolUpdateOptions(metadata=metadata))
    replaced = models.BatchPoolReplaceOptions(application_package_references=[], metadata=[])
    await call("replace_pool_properties", "pool", replaced)
    await call("begin_delete_pool", "pool")
    assert await call("list_pools") == []


async def test_jobs_tasks_and_files(either: Either) -> None:
    """From making a job to its end: tasks by one and by many, their files, their counts."""
    call, until = either.call, either.until
    await call("create_pool", pool_body(targetDedicatedNodes=1, taskSlotsPerNode=4))
    pool = models.BatchPoolInfo(pool_id="pool")
    await call(
        "create_job",
        models.BatchJobCreateOptions(id="job", pool_info=pool, uses_task_dependencies=True),
    )
    new = models.BatchTaskCreateOptions
    await call("create_task", "job", new(id="one", command_line="/bin/sh -c 'echo hello'"))
    after_one = models.BatchTaskDependencies(task_ids=["one"])
    many = [
        new(id="fails", command_line="/bin/sh -c 'exit 3'", depends_on=after_one),
        new(id="waits", command_line="/bin/sleep 600"),
        *(new(id=f"many-{number}", command_line="/bin/true") for number in range(150)),
    ]
    added = await call("create_tasks", "job", many)
    assert len(added.result_values) == len(many)
    for name in ("one", "fails"):
        await until(lambda task: task.state == "completed", "get_task", "job", name)

    counts = await until(
        lambda counts: counts.task_counts.completed == 152, "get_job_task_counts", "job"
    )
    assert counts.task_counts.failed == 1
    assert len(await call("list_tasks", "job", filter="state eq 'running'")) == 1
    assert b"".join(await call("download_task_file", "job", "one", "stdout.txt")) == b"hello\n"
    assert (await call("get_task_file_properties", "job", "one", "stdout.txt")).content_length == 6
    assert len(await call("list_task_files", "job", "one", recursive=True)) >= 2
    constraints = models.BatchTaskConstraints(max_task_retry_count=2)
    await call("replace_task", "job", "waits", models.BatchTask(constraints=constraints))
    await call("terminate_task", "job", "waits")
    await call("reactivate_task", "job", "fails")
    await call("delete_task", "job", "one")

    await call("update_job", "job", models.BatchJobUpdateOptions(priority=5))
    await call("replace_job", "job", models.BatchJob(pool_info=pool, priority=7))
    disable = models.BatchJobDisableOptions(disable_tasks="requeue")
    await call("begin_disable_job", "job", disable)
    await call("begin_enable_job", "job")
    assert (await call("get_job", "job")).priority == 7
    await call("begin_terminate_job", "job", {"terminateReason": "enough"})
    await call("begin_delete_job", "job")
    await call("create_job", job_body("job", "/bin/true"))
    await until(lambda job: job.state == "completed", "get_job", "job")
    assert [application.id for application in await call("list_applications")] == ["application_id"]
