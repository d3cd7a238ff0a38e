"""`recur doctor` names every job schedule of Batch's own kind: Recur makes none."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from azure.batch.models import (
    BatchJobSchedule,
    BatchJobScheduleConfiguration,
    BatchJobScheduleCreateOptions,
    BatchJobScheduleExecutionInfo,
    BatchJobSpecification,
    BatchPoolInfo,
)
from azure.core.exceptions import HttpResponseError

from recur.checks.batch import check_job_schedules
from recur.checks.findings import Finding, Grade
from recur.target import Target
from tests.contract.conftest import ACCOUNT, KEY
from tests.support.arm_stub import made, wire
from tests.support.deployment import doctor
from tests.support.world import World

type Serve = Callable[..., Awaitable[list[Finding]]]


def job_schedule(name: str, state: str) -> dict[str, Any]:
    """Return a job schedule as the service sends it: all that its model requires, and no more."""
    then = datetime(2026, 11, 1, tzinfo=UTC)
    specification = made(BatchJobSpecification, pool_info=made(BatchPoolInfo, pool_id="recur"))
    return wire(
        made(
            BatchJobSchedule,
            id=name,
            url=f"https://account.example/jobschedules/{name}",
            etag="0x1",
            last_modified=then,
            creation_time=then,
            state=state,
            state_transition_time=then,
            schedule=made(BatchJobScheduleConfiguration, do_not_run_until=then),
            job_specification=specification,
            execution_info=made(BatchJobScheduleExecutionInfo, next_run_time=then),
        )
    )


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Examine an account that lists job schedules, one on each page, or refuses."""
    async with AsyncExitStack() as stack:

        async def serve(*schedules: dict[str, Any], status: int = 200) -> list[Finding]:
            async def answer(request: web.Request) -> web.Response:
                if status != 200:
                    code = {403: "AuthorizationPermissionMismatch"}.get(status, "InvalidRequest")
                    message = {"lang": "en-US", "value": "Refused."}
                    return web.json_response({"code": code, "message": message}, status=status)
                at = int(request.query.get("$skiptoken", "0"))
                body: dict[str, Any] = {"value": list(schedules[at : at + 1])}
                if at + 1 < len(schedules):
                    link = request.url.update_query({"$skiptoken": str(at + 1)})
                    body["odata.nextLink"] = str(link)
                return web.json_response(body)

            app = web.Application()
            app.router.add_get("/jobschedules", answer)
            runner = web.AppRunner(app, shutdown_timeout=0.1)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            host, port = runner.addresses[0][:2]
            target = Target(
                source="this test",
                values={
                    "BATCH_ACCOUNT_URL": f"http://{host}:{port}",
                    "BATCH_ACCOUNT_NAME": ACCOUNT,
                    "BATCH_ACCOUNT_KEY": KEY,
                },
            )
            return await asyncio.to_thread(lambda: list(check_job_schedules(target)))

        yield serve


async def test_each_job_schedule_is_a_note(serve: Serve) -> None:
    """With its name, its state and the command that shows it, over all pages."""
    found = await serve(job_schedule("theirs", "active"), job_schedule("old", "disabled"))

    assert [(one.grade, one.check) for one in found] == [
        (Grade.NOTE, "job schedule old"),
        (Grade.NOTE, "job schedule theirs"),
    ]
    assert [one.what for one in found] == [
        "it is disabled, and Recur did not make it",
        "it is active, and Recur did not make it",
    ]
    assert "with the pool's identities" in found[1].why
    assert found[1].fix == "az batch job-schedule show --job-schedule-id theirs"


async def test_an_account_without_any_is_good(serve: Serve) -> None:
    """As Recur leaves it."""
    (one,) = await serve()

    assert (one.grade, one.what) == (Grade.GOOD, "none")


async def test_who_may_not_list_them_reads_that(serve: Serve) -> None:
    """It is not good, and no problem of the deployment."""
    (one,) = await serve(status=403)

    assert one.grade is Grade.UNCHECKED
    assert "Forbidden" in one.what


async def test_another_refusal_is_not_hidden(serve: Serve) -> None:
    """It says nothing of what there is."""
    with pytest.raises(HttpResponseError):
        await serve(status=400)


async def test_on_a_laptop_they_are_listed(world: World, tmp_path: Path) -> None:
    """The emulator has them as well."""
    await world.batch.create_job_schedule(
        BatchJobScheduleCreateOptions(
            id="theirs",
            schedule=BatchJobScheduleConfiguration(
                do_not_run_until=datetime(2100, 1, 1, tzinfo=UTC)
            ),
            job_specification=BatchJobSpecification(pool_info=BatchPoolInfo(pool_id="pool")),
        )
    )
    told = await doctor(world, tmp_path)

    (one,) = [one for one in told.json["findings"] if one["check"].startswith("job schedule")]
    assert (one["grade"], one["check"]) == ("note", "job schedule theirs")
