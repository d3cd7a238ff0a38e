"""Answers that no emulator gives: of a proxy in between, and refusals that are none of ours."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace

import pytest
from aiohttp import web

from orchestrator.adapters.blobs import Cache
from orchestrator.errors import BatchRefused, BatchUnavailable, LedgerUnavailable
from orchestrator.passes import open_services
from tests.conftest import Containers
from tests.contract.conftest import ACCOUNT, KEY
from tests.support.records import RECORD
from tests.support.world import settings

type Answering = Callable[[web.Response], Awaitable[str]]


@pytest.fixture
async def answering() -> AsyncIterator[Answering]:
    """Start a server that gives one answer to everything; returns its address."""
    async with AsyncExitStack() as stack:

        async def start(answer: web.Response) -> str:
            async def handle(request: web.Request) -> web.Response:
                await request.read()
                return web.Response(status=answer.status, headers=answer.headers, body=answer.body)

            app = web.Application()
            app.router.add_route("*", "/{path:.*}", handle)
            runner = web.AppRunner(app)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            return f"http://127.0.0.1:{runner.addresses[0][1]}"

        yield start


@pytest.mark.parametrize(
    "code", ["SnapshotsPresent", "ContainerBeingDeleted", "AccountBeingCreated"]
)
async def test_a_refusal_of_storage_is_no_blob_that_exists(
    answering: Answering, containers: Containers, code: str
) -> None:
    """Taken for one, the claim would be gone without a word."""
    url = await answering(web.Response(status=409, headers={"x-ms-error-code": code}))
    here = settings(containers, "http://127.0.0.1:9", ACCOUNT, KEY)
    connection = f"BlobEndpoint={url}/a;AccountName=a;AccountKey=YQ=="
    there = replace(here, data_storage_connection_string=connection)

    async with open_services(there, Cache()) as services:
        with pytest.raises(LedgerUnavailable, match=code):
            await services.ledger.claim(RECORD)


async def test_a_reply_without_a_date_has_no_clock(
    answering: Answering, containers: Containers
) -> None:
    """The tick ends, by name, rather than by a clock that is not there."""
    url = await answering(web.Response(status=404, headers={"Date": "yesterday"}))
    here = settings(containers, "http://127.0.0.1:9", ACCOUNT, KEY)
    connection = f"BlobEndpoint={url}/a;AccountName=a;AccountKey=YQ=="

    async with open_services(
        replace(here, data_storage_connection_string=connection), Cache()
    ) as services:
        with pytest.raises(LedgerUnavailable, match="Date"):
            await services.ledger.read("schedules.toml")


@pytest.mark.parametrize(
    "answer",
    [
        web.Response(status=200, text="<html>sign in</html>", content_type="text/html"),
        web.Response(status=400, text="<html>bad gateway</html>", content_type="text/html"),
        web.Response(status=409),
        web.Response(status=418),
        web.Response(status=429),
    ],
    ids=["page", "bad-request-page", "empty-conflict", "teapot", "throttled"],
)
async def test_an_answer_without_batchs_code_says_nothing(
    answering: Answering, containers: Containers, answer: web.Response
) -> None:
    """No run is rejected for good by a proxy."""
    there = settings(containers, await answering(answer), ACCOUNT, KEY)

    async with open_services(there, Cache()) as services:
        with pytest.raises(BatchUnavailable):
            await services.batch.create_job({"id": "job", "poolInfo": {"poolId": "recur"}})


async def test_a_refusal_of_access_needs_no_code(
    answering: Answering, containers: Containers
) -> None:
    """A gateway in front of the account may refuse it before Batch is asked."""
    there = settings(containers, await answering(web.Response(status=403)), ACCOUNT, KEY)

    async with open_services(there, Cache()) as services:
        with pytest.raises(BatchRefused) as error:
            await services.batch.create_job({"id": "job", "poolInfo": {"poolId": "recur"}})
    assert error.value.status == 403
