"""Pools that follow other formulas and change their properties; counts of nodes; images."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import cast

from azure.batch import models
from azure.core import MatchConditions

from batch_emulator.dataplane.supported_images import SUPPORTED_IMAGES
from batch_emulator.package import Package
from tests.contract.conftest import Batch, Start, pool_body, refusal
from tests.support.emulated_pools import TARGETS, idle, pool_of, scaled, steady, zip_file


async def test_automatic_scaling_is_enabled_evaluated_and_disabled(batch: Batch) -> None:
    """A pool takes a formula, tries another without effect, and keeps its size without one."""
    await batch.client.create_pool(pool_body())
    await steady(batch)
    tried = models.BatchPoolEvaluateAutoScaleOptions(
        auto_scale_formula="$TargetDedicatedNodes=3; x = 1.5"
    )
    evaluate = batch.client.evaluate_pool_auto_scale
    assert await refusal(evaluate("pool", tried)) == (409, "OperationNotValidOnPool")
    enabling = models.BatchPoolEnableAutoScaleOptions(
        auto_scale_formula="$TargetLowPriorityNodes = 1",
        auto_scale_evaluation_interval=timedelta(minutes=6),
    )
    await batch.client.enable_pool_auto_scale("pool", enabling)
    await idle(batch, 1)
    pool = await pool_of(batch)
    assert (pool.enable_auto_scale, pool.auto_scale_formula) == (
        True,
        "$TargetLowPriorityNodes = 1",
    )
    assert pool.auto_scale_evaluation_interval == timedelta(minutes=6)
    assert pool.resize_timeout is None
    expected = (409, "OperationNotValidOnPool")
    assert await refusal(batch.client.begin_resize_pool("pool", TARGETS)) == expected

    run = await evaluate("pool", tried)
    assert run.error is None
    assert run.results == (
        "$TargetDedicatedNodes=3;$TargetLowPriorityNodes=1;$NodeDeallocationOption=requeue;x=1.5"
    )
    broken = models.BatchPoolEvaluateAutoScaleOptions(auto_scale_formula="$x = y;")
    run = await evaluate("pool", broken)
    assert run.error is not None
    assert run.error.code == "AutoScalingFormulaEvaluationError"
    wrong = models.BatchPoolEvaluateAutoScaleOptions(auto_scale_formula="(")
    assert await refusal(evaluate("pool", wrong)) == (400, "AutoScalingFormulaSyntaxError")

    await batch.client.disable_pool_auto_scale("pool")
    pool = await pool_of(batch)
    assert pool.enable_auto_scale is False
    assert (pool.auto_scale_formula, pool.auto_scale_run) == (None, None)
    assert (pool.target_low_priority_nodes, pool.target_dedicated_nodes) == (1, 0)
    assert pool.resize_timeout == timedelta(minutes=15)
    await (await batch.client.begin_resize_pool("pool", TARGETS, polling_interval=0)).result()
    await idle(batch, 3)


async def test_a_new_interval_begins_a_new_schedule_of_evaluations(start_batch: Start) -> None:
    """A formula alone waits for its turn, and may not come every moment; then an interval counts."""
    batch = await start_batch(pool_speed=100)
    await batch.client.create_pool(
        pool_body(**scaled("$TargetDedicatedNodes = 0;", autoScaleEvaluationInterval="PT168H"))
    )
    client = batch.client
    await batch.until(lambda: client.get_pool("pool"), lambda pool: bool(pool.auto_scale_run))
    other = models.BatchPoolEnableAutoScaleOptions(auto_scale_formula="$TargetDedicatedNodes = 1;")
    await client.enable_pool_auto_scale("pool", other)
    assert (await pool_of(batch)).target_dedicated_nodes == 0
    again = models.BatchPoolEnableAutoScaleOptions(
        auto_scale_evaluation_interval=timedelta(minutes=5)
    )
    expected = (503, "TooManyEnableAutoScaleRequests")
    assert await refusal(client.enable_pool_auto_scale("pool", again, retry_total=0)) == expected

    await asyncio.sleep(30 / 100)
    await client.enable_pool_auto_scale("pool", again)
    await batch.until(
        lambda: client.get_pool("pool"), lambda pool: pool.target_dedicated_nodes == 1
    )


async def test_a_formula_is_needed_and_checked(batch: Batch) -> None:
    """A pool of fixed size cannot follow nothing, nor what does not parse."""
    await batch.client.create_pool(pool_body())
    await steady(batch)
    enable = batch.client.enable_pool_auto_scale
    nothing = models.BatchPoolEnableAutoScaleOptions()
    assert await refusal(enable("pool", nothing)) == (400, "MissingRequiredProperty")
    wrong = models.BatchPoolEnableAutoScaleOptions(auto_scale_formula="(")
    assert await refusal(enable("pool", wrong)) == (400, "AutoScalingFormulaSyntaxError")
    assert (await pool_of(batch)).enable_auto_scale is False


async def test_properties_are_patched(start_batch: Start, tmp_path: Path) -> None:
    """What is named is replaced with the service's defaults, an empty list removes, the rest stays."""
    package = Package("app", "1", zip_file(tmp_path / "a.zip", ("run.sh", 0o755)))
    batch = await start_batch(applications=(package,))
    await batch.client.create_pool(
        pool_body(targetDedicatedNodes=1, metadata=[{"name": "a", "value": "b"}])
    )
    await idle(batch, 1)
    before = await pool_of(batch)
    start = models.BatchStartTask(command_line="/bin/true")
    reference = models.BatchApplicationPackageReference(application_id="app", version="1")
    patch = models.BatchPoolUpdateOptions(
        start_task=start, application_package_references=[reference]
    )
    await batch.client.update_pool("pool", patch)
    pool = await pool_of(batch)

    assert pool.etag != before.etag
    assert pool.start_task is not None
    assert (pool.start_task.wait_for_success, pool.start_task.max_task_retry_count) == (True, 0)
    assert pool.metadata is not None
    assert (pool.target_dedicated_nodes, pool.allocation_state) == (1, "steady")
    await batch.client.update_pool("pool", models.BatchPoolUpdateOptions(metadata=[]))
    assert (await pool_of(batch)).metadata is None

    same = models.BatchPoolUpdateOptions(vm_size="STANDARD_D2ds_v5")
    await batch.client.update_pool("pool", same)
    other = models.BatchPoolUpdateOptions(vm_size="standard_d4ds_v5")
    assert await refusal(batch.client.update_pool("pool", other)) == (
        400,
        "PropertyCannotBeUpdated",
    )
    size = batch.send("PATCH", "/pools/pool", json={"targetDedicatedNodes": 3})
    assert await refusal(size) == (400, "PropertyCannotBeUpdated")
    missing = {"applicationPackageReferences": [{"applicationId": "does-not-exist"}]}
    expected = (409, "InvalidApplicationPackageReferences")
    assert await refusal(batch.send("PATCH", "/pools/pool", json=missing)) == expected
    stale = batch.client.update_pool(
        "pool", patch, etag=before.etag, match_condition=MatchConditions.IfNotModified
    )
    assert (await refusal(stale))[0] == 412


async def test_an_empty_pool_takes_another_size_of_machine(batch: Batch) -> None:
    """Without nodes everything that a patch may name can be changed."""
    await batch.client.create_pool(pool_body())
    await steady(batch)
    patch = models.BatchPoolUpdateOptions(vm_size="standard_d4ds_v5", task_slots_per_node=2)
    await batch.client.update_pool("pool", patch)
    pool = await pool_of(batch)

    assert (pool.vm_size, pool.task_slots_per_node) == ("standard_d4ds_v5", 2)


async def test_properties_are_replaced(batch: Batch) -> None:
    """What is not named is removed; both lists must be there, and certificates must not."""
    start = {"commandLine": "/bin/true"}
    await batch.client.create_pool(pool_body(startTask=start))
    metadata = models.BatchMetadataItem(name="a", value="b")
    replacement = models.BatchPoolReplaceOptions(
        application_package_references=[], metadata=[metadata]
    )
    await batch.client.replace_pool_properties("pool", replacement)
    pool = await pool_of(batch)

    assert pool.start_task is None
    assert pool.application_package_references is None
    assert pool.metadata is not None
    path = "/pools/pool/updateproperties"
    half = batch.send("POST", path, json={"metadata": []})
    assert await refusal(half) == (400, "MissingRequiredProperty")
    lists: dict[str, object] = {"metadata": [], "applicationPackageReferences": []}
    old = await batch.send("POST", path, json={**lists, "certificateReferences": []})
    assert (old.status_code, old.headers["Content-Length"]) == (204, "0")
    certificate = {"certificateReferences": [{"thumbprint": "x"}]}
    expected = (400, "NotSupportedByEmulator")
    assert await refusal(batch.send("POST", path, json={**lists, **certificate})) == expected
    assert await refusal(batch.send("POST", path, json={**lists, "vmSize": "x"})) == expected


async def test_a_pool_that_is_being_deleted_takes_no_change(start_batch: Start) -> None:
    """Every change is refused with the reason."""
    batch = await start_batch(pool_speed=0.5)
    await batch.client.create_pool(pool_body(targetDedicatedNodes=1))
    await batch.until(batch.nodes, lambda nodes: len(nodes) == 1)
    await batch.send("DELETE", "/pools/pool")
    lists: dict[str, object] = {"metadata": [], "applicationPackageReferences": []}
    requests: dict[str, dict[str, object]] = {
        "resize": {"targetDedicatedNodes": 1},
        "stopresize": {},
        "removenodes": {"nodeList": ["x"]},
        "updateproperties": lists,
        "enableautoscale": {"autoScaleFormula": "$TargetDedicatedNodes=1;"},
        "disableautoscale": {},
    }
    for path, body in requests.items():
        call = batch.send("POST", f"/pools/pool/{path}", json=body)
        assert await refusal(call) == (409, "PoolBeingDeleted"), path


async def test_nodes_are_counted_by_pool_and_state(batch: Batch) -> None:
    """Ten pools a page, and every state of the client is there."""
    for number in range(11):
        await batch.client.create_pool(pool_body(f"pool{number}"))
    await batch.client.create_pool(pool_body(targetDedicatedNodes=1, targetLowPriorityNodes=2))
    await idle(batch, 3)
    counts = [item async for item in batch.client.list_pool_node_counts()]
    page = (await batch.send("GET", "/nodecounts")).json()

    assert [item.pool_id for item in counts] == sorted(item.pool_id for item in counts)
    assert len(counts) == 12
    assert len(page["value"]) == 10
    assert "odata.nextLink" in page
    filtered = batch.client.list_pool_node_counts(filter="poolId eq 'POOL'")
    (mine,) = [item async for item in filtered]
    assert mine.dedicated is not None
    assert mine.low_priority is not None
    for name in models.BatchNodeCounts.__annotations__:
        assert isinstance(getattr(mine.dedicated, name), int), name
    assert (mine.dedicated.idle, mine.dedicated.total) == (1, 1)
    assert (mine.low_priority.idle, mine.low_priority.total) == (2, 2)
    by_state = batch.send("GET", "/nodecounts", **{"$filter": "state eq 'active'"})
    assert await refusal(by_state) == (400, "InvalidQueryParameterValue")
    large = batch.send("GET", "/nodecounts", maxresults="11")
    assert await refusal(large) == (400, "InvalidQueryParameterValue")


async def test_supported_images_are_listed(batch: Batch) -> None:
    """Images come with what the client needs to make a pool of them, and can be filtered."""
    images = [image async for image in batch.client.list_supported_images()]
    assert len(images) == len(SUPPORTED_IMAGES)
    agent = cast("str", pool_body()["virtualMachineConfiguration"]["nodeAgentSKUId"])
    text = f"nodeAgentSKUId eq '{agent}' and verificationType eq 'verified'"
    found = [image async for image in batch.client.list_supported_images(filter=text)]

    offers = {image.image_reference.offer for image in found}
    assert offers == {"ubuntu-24_04-lts", "ubuntu-hpc"}
    assert {image.os_type for image in found} == {"linux"}
    jammy = next(image for image in images if image.node_agent_sku_id == "batch.node.ubuntu 22.04")
    assert jammy.batch_support_end_of_life is not None
    assert jammy.batch_support_end_of_life.year == 2027
