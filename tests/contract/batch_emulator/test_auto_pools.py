"""Pools that are made for a job: from its creation to its end."""

from batch_emulator.wire import now
from tests.contract.conftest import Batch, Start, refusal
from tests.support.plain_jobs import plain_job, settled, task_body, until_job
from tests.support.prepared_jobs import own_pool, pool_of, pools


async def test_a_pool_lives_as_long_as_its_job(batch: Batch) -> None:
    """Tasks run on it, and it is deleted when the job is completed."""
    await batch.client.create_job(plain_job(**own_pool(autoPoolIdPrefix="mine")))
    job = await batch.client.get_job("job")
    name = pool_of(job)
    assert name.startswith("mine_")
    assert job.pool_info is not None
    assert job.pool_info.pool_id is None
    assert await pools(batch) == [name]
    await batch.client.create_task("job", task_body("main"))
    task = await settled(batch, "main")
    assert task.node_info is not None
    assert task.node_info.pool_id == name
    await batch.terminate("job", "enough")
    assert pool_of(await until_job(batch, "completed")) == name
    await batch.until(lambda: pools(batch), lambda seen: seen == [])


async def test_a_pool_that_is_kept_alive_stays(batch: Batch) -> None:
    """Only this can be changed of how the pool was made."""
    for job in ("kept", "deleted"):
        await batch.client.create_job(plain_job(job, **own_pool()))
    kept, deleted = [pool_of(await batch.client.get_job(job)) for job in ("kept", "deleted")]
    await batch.send("PATCH", "/jobs/kept", json=own_pool(keepAlive=True))
    for changed in (own_pool(autoPoolIdPrefix="x"), {"poolInfo": {"poolId": kept}}):
        patch = batch.send("PATCH", "/jobs/kept", json=changed)
        assert await refusal(patch) == (400, "PropertyCannotBeUpdated")
    await batch.send("DELETE", "/jobs/kept")
    await batch.send("DELETE", "/jobs/deleted")

    await batch.until(lambda: pools(batch), lambda seen: deleted not in seen)
    assert await pools(batch) == [kept]


async def test_a_job_whose_pool_cannot_be_made_is_completed(batch: Batch) -> None:
    """Its scheduling error says why; no task of it ever starts, and its id is taken all the same."""
    before = now()
    wrong = {"enableAutoScale": True, "autoScaleFormula": "$TargetDedicatedNodes = "}
    manager = {"jobManagerTask": {"id": "main", "commandLine": "/bin/true"}}
    await batch.client.create_job(plain_job(**own_pool(pool=wrong), **manager))
    missing = {"applicationPackageReferences": [{"applicationId": "nothing", "version": "1"}]}
    await batch.client.create_job(plain_job("other", **own_pool(pool=missing)))

    said = [(await until_job(batch, "completed", job)).execution_info for job in ("job", "other")]

    assert [info.scheduling_error.code for info in said if info and info.scheduling_error] == [
        "InvalidAutoScaleFormulaInAutoPool",
        "InvalidApplicationPackageReferencesInAutoPool",
    ]
    assert said[0] is not None
    assert said[0].termination_reason is None
    assert said[0].end_time is not None
    assert said[0].end_time >= before
    assert await pools(batch) == []
    assert [task async for task in batch.client.list_tasks("job")] == []
    assert await refusal(batch.client.create_job(plain_job())) == (409, "JobExists")


async def test_a_job_that_batch_forgets_takes_its_pool_with_it(start_batch: Start) -> None:
    """Nobody is left who would delete it; one that is kept alive stays."""
    batch = await start_batch(faults=True)
    for job, kept in (("lost", False), ("kept", True)):
        await batch.client.create_job(plain_job(job, **own_pool(keepAlive=kept)))
    stays = pool_of(await batch.client.get_job("kept"))

    for job in ("lost", "kept"):
        await batch.faults.forget_job(job)

    await batch.until(lambda: pools(batch), lambda seen: seen == [stays])
