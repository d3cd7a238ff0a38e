"""Batch jobs of long ago are deleted; real ticks against the emulator and Azurite."""

from dataclasses import replace
from datetime import timedelta

from aiohttp import web
from aiohttp.test_utils import TestServer
from azure.batch.models import BatchJobCreateOptions

from orchestrator import ids
from orchestrator.batch_state import EndedJob
from orchestrator.ids import HOUSEKEEPING, RunId
from orchestrator.passes import open_services
from tests.support.world import POOL, World, schedule

AT_ONCE = timedelta(minutes=-1)
"""The Date of a reply is whole seconds: what has just ended is older than in a minute."""


async def a_finished_run(world: World) -> str:
    """Let a run end, and return the id of its job."""
    await world.pool()
    await world.apply(schedule("job", "true"))
    await world.submit()
    (record,) = await world.collect_until_finished()
    return record.attempt.job_id


async def an_hour_passes(world: World) -> None:
    """Let the next tick look for old jobs: the last one did not come to the end."""
    await world.ledger.upload_blob(HOUSEKEEPING, b"{}", metadata={"after": "0"}, overwrite=True)


async def test_a_job_is_kept_for_a_week(world: World) -> None:
    """An hour later it is looked for, and stays; the tick after that has nothing to do."""
    job = await a_finished_run(world)
    assert "deleted" not in await world.collect()

    await an_hour_passes(world)
    assert (await world.collect())["deleted"] == 0

    assert job in await world.jobs()
    assert "deleted" not in await world.collect()


async def test_a_job_of_long_ago_is_deleted(world: World) -> None:
    """Its record is final and stays; nothing else of the account is touched."""
    job = await a_finished_run(world)
    body = {"id": "somebody-elses", "poolInfo": {"poolId": POOL}}
    await world.batch.create_job(BatchJobCreateOptions(body))
    async with open_services(world.settings, world.cache) as services:
        await services.batch.terminate_job("somebody-elses", "enough")
    await world.job_is("somebody-elses", "completed")
    before = await world.final()
    later = replace(world, jobs_kept=AT_ONCE)

    await an_hour_passes(later)
    assert (await later.collect())["deleted"] == 1

    await world.until(lambda: gone(world, job))
    assert set(await world.jobs()) == {"somebody-elses"}
    assert await world.final() == before
    assert "deleted" not in await later.collect()


async def gone(world: World, job: str) -> bool:
    return job not in await world.jobs()


async def test_a_job_without_a_final_record_stays(world: World) -> None:
    """Somebody removed the record; the job is what is left to tell of the run."""
    job = await a_finished_run(world)
    await world.ledger.delete_blob(ids.blob_of(RunId(job)))
    later = replace(world, jobs_kept=AT_ONCE)

    await an_hour_passes(later)
    assert (await later.collect())["deleted"] == 0
    assert job in await world.jobs()


async def test_a_job_that_has_changed_since_it_was_listed_stays(world: World) -> None:
    """It is deleted by its ETag; one that is gone is as good as deleted."""
    job = await a_finished_run(world)
    async with open_services(world.settings, world.cache) as services:
        now = (await services.ledger.open_list()).now
        pages = [page async for page in services.batch.ended_jobs(now - AT_ONCE)]
        (([listed], _),) = pages
        assert not await services.batch.delete_job(replace(listed, etag="0x8DEADBEEF"))
        assert job in await world.jobs()

        assert await services.batch.delete_job(listed)
        await world.until(lambda: gone(world, job))
        assert not await services.batch.delete_job(EndedJob(id=job, etag="*", job=listed.job))


async def test_jobs_of_others_do_not_hide_ours(world: World) -> None:
    """A tick lists 20,000 jobs; what lies behind them is looked at an hour later."""
    job = await a_finished_run(world)
    ours = (await world.batch.get_job(job)).as_dict()
    pages = [
        [{"id": f"other-{page}-{one}", "state": "completed"} for one in range(1000)]
        for page in range(25)
    ]
    pages.append([ours])
    deleted: list[str] = []

    async def list_jobs(request: web.Request) -> web.Response:
        number = int(request.query.get("$skiptoken", "0"))
        body: dict[str, object] = {"value": pages[number]}
        if number + 1 < len(pages):
            body["odata.nextLink"] = str(request.url.update_query({"$skiptoken": number + 1}))
        return web.json_response(body)

    async def delete_job(request: web.Request) -> web.Response:
        deleted.append(request.match_info["job"])
        return web.Response(status=202)

    app = web.Application()
    app.router.add_get("/jobs", list_jobs)
    app.router.add_delete("/jobs/{job}", delete_job)
    async with TestServer(app) as server:
        there = world.elsewhere(batch_account_url=str(server.make_url("")).rstrip("/"))
        await there.set_state(replace(await there.state(), owner=there.settings.place.account))
        counts: list[int | str] = []
        for _ in range(2):
            await an_hour_passes(there)
            counts.append((await there.collect())["deleted"])

    assert (counts, deleted) == ([0, 1], [job])
