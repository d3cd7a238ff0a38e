"""The account as clients see it: keys, versions, pages, filters, conditions and refusals."""

import asyncio
import base64
import datetime as dt
import re
from collections.abc import AsyncIterator
from typing import cast

import aiohttp
import pytest
from azure.batch import BatchClient
from azure.batch.models import BatchJobCreateOptions, BatchPoolCreateOptions
from azure.core import MatchConditions
from azure.core.credentials import AzureNamedKeyCredential
from azure.core.exceptions import HttpResponseError, ResourceModifiedError

from batch_emulator.dataplane.auth import sign, string_to_sign
from tests.contract.conftest import ACCOUNT, KEY, Batch, job_body, pool_body, refusal

WRONG_KEY = base64.b64encode(b"another key").decode()
VERSION = {"api-version": "2025-06-01"}


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def signed(  # noqa: PLR0913 - the parts of a request
    http: aiohttp.ClientSession,
    batch: Batch,
    target: str,
    *,
    at: dt.datetime | None = None,
    method: str = "GET",
    body: str = "",
) -> aiohttp.ClientResponse:
    """Send a request that we sign ourselves, at a time of our choice."""
    date = (at or dt.datetime.now(dt.UTC)).strftime("%a, %d %b %Y %H:%M:%S GMT")
    sent = {"ocp-date": date}
    if body:
        sent |= {"Content-Length": str(len(body)), "Content-Type": "application/json"}
    text = string_to_sign(ACCOUNT, method, target, sent)
    sent["Authorization"] = f"SharedKey {ACCOUNT}:{sign(KEY, text)}"
    return await http.request(method, batch.url + target, headers=sent, data=body or None)


def by_sync_client(url: str, account: str, key: str) -> list[str]:
    """List the jobs with the client that does not use asyncio."""
    credential = AzureNamedKeyCredential(account, key)
    with BatchClient(url, credential, retry_total=0) as client:
        return [job.id for job in client.list_jobs()]


async def test_the_sync_client_is_understood(batch: Batch) -> None:
    """Both clients of azure-batch sign alike, and the emulator agrees."""
    await batch.client.create_job(job_body("job", "/bin/true"))

    assert await asyncio.to_thread(by_sync_client, batch.url, ACCOUNT, KEY) == ["job"]


@pytest.mark.parametrize(
    ("account", "key"), [(ACCOUNT, WRONG_KEY), ("someone", KEY)], ids=["key", "account"]
)
async def test_a_wrong_key_is_refused(batch: Batch, account: str, key: str) -> None:
    """The refusal is the service's: 403, AuthenticationFailed, the text and the details."""
    with pytest.raises(HttpResponseError) as refused:
        await asyncio.to_thread(by_sync_client, batch.url, account, key)

    assert refused.value.status_code == 403
    assert refused.value.error is not None
    assert refused.value.error.code == "AuthenticationFailed"
    assert re.fullmatch(
        r"Server failed to authenticate the request\. .*\nRequestId:[0-9a-f-]{36}\nTime:.*Z",
        str(refused.value.error.message),
        re.DOTALL,
    )
    assert [item.code for item in refused.value.error.details] == ["AuthenticationErrorDetail"]


@pytest.mark.parametrize("minutes", [-16, 16])
async def test_an_old_or_future_date_is_refused(
    batch: Batch, http: aiohttp.ClientSession, minutes: int
) -> None:
    """A request counts for 15 minutes, however well it is signed."""
    target = "/jobs?api-version=2025-06-01"
    now = dt.datetime.now(dt.UTC)
    async with await signed(http, batch, target, at=now) as reply:
        assert reply.status == 200
    skewed = now + dt.timedelta(minutes=minutes)
    async with await signed(http, batch, target, at=skewed) as reply:
        assert reply.status == 403
        assert (await reply.json())["code"] == "AuthenticationFailed"


async def test_an_unsigned_request_is_refused(batch: Batch, http: aiohttp.ClientSession) -> None:
    """Nothing is answered without a signature, not even what does not exist."""
    for path in ("/jobs", "/nothing"):
        async with http.get(batch.url + path, params=VERSION) as reply:
            assert reply.status == 403


@pytest.mark.parametrize(
    ("version", "status", "code"),
    [
        ("2025-06-01", 200, None),
        ("2024-02-01.19.0", 200, None),
        ("2022-10-01.16.0", 200, None),
        ("2099-01-01", 400, "UnsupportedRequestVersion"),
        ("latest", 400, "UnsupportedRequestVersion"),
        ("", 400, "MissingRequiredQueryParameter"),
    ],
)
async def test_versions(
    batch: Batch, http: aiohttp.ClientSession, version: str, status: int, code: str | None
) -> None:
    """The newest version and older ones are answered, unknown ones are not."""
    async with await signed(http, batch, f"/jobs?api-version={version}") as reply:
        assert reply.status == status
        assert (await reply.json()).get("code") == code


async def test_a_list_comes_in_pages(batch: Batch) -> None:
    """The client follows the links, and each item comes once whatever the size of the page."""
    names = [f"job-{number}" for number in range(7)]
    for name in reversed(names):
        await batch.client.create_job(job_body(name, "/bin/true"))

    jobs = batch.client.list_jobs(max_results=3, filter="startswith(id,'JOB-')", select=["id"])
    pages = [[job async for job in page] async for page in jobs.by_page()]
    assert [[job.id for job in page] for page in pages] == [names[:3], names[3:6], names[6:]]
    assert dict(pages[0][0]) == {"id": "job-0"}


async def test_conditions(batch: Batch) -> None:
    """A tag that has changed is refused; one that has not spares the reply."""
    await batch.client.create_job(job_body("job", "/bin/true"))
    job = await batch.client.get_job("job")
    same = await batch.client.get_job(
        "job", etag=job.etag, match_condition=MatchConditions.IfNotModified
    )
    assert same.etag == job.etag
    assert await refusal(
        batch.client.get_job("job", etag=job.etag, match_condition=MatchConditions.IfModified)
    ) == (304, None)
    await batch.terminate("job", "not needed")
    with pytest.raises(ResourceModifiedError) as changed:
        await batch.client.begin_delete_job(
            "job", etag=job.etag, match_condition=MatchConditions.IfNotModified
        )
    assert changed.value.status_code == 412


def _job(**properties: object) -> BatchJobCreateOptions:
    return job_body("job", "/bin/true", properties)


OUTPUT = {
    "filePattern": "*",
    "destination": {
        "container": {"containerUrl": "http://h/c", "uploadHeaders": [{"name": "X-MS-Lease-Id"}]}
    },
    "uploadOptions": {"uploadCondition": "taskcompletion"},
}


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (_job(allowTaskPreemption=True), "allowTaskPreemption"),
        (_job(networkConfiguration={}), "networkConfiguration"),
        (
            _job(jobPreparationTask={"commandLine": "x", "containerSettings": {"imageName": "u"}}),
            "jobPreparationTask.containerSettings",
        ),
        (_job(invented=1), "invented"),
        (job_body("job", "x", resourceFiles=[{"filePath": "/x"}]), "resourceFiles[0].filePath"),
        (job_body("job", "x", outputFiles=[OUTPUT]), "X-MS-Lease-Id"),
    ],
)
async def test_unsupported_properties_are_refused_by_name(
    batch: Batch, body: BatchJobCreateOptions, named: str
) -> None:
    """What the emulator would have to ignore it refuses, naming it."""
    with pytest.raises(HttpResponseError) as refused:
        await batch.client.create_job(body)

    assert refused.value.status_code == 400
    assert named in str(refused.value)
    assert [job async for job in batch.client.list_jobs()] == []


@pytest.mark.parametrize(
    ("method", "path", "query"),
    [
        ("GET", "/poolusagemetrics", {}),
        ("GET", "/certificates", {}),
        ("PUT", "/pools", {}),
        ("GET", "/jobs", {"$orderby": "id"}),
    ],
)
async def test_unsupported_requests_are_refused_as_such(
    batch: Batch, method: str, path: str, query: dict[str, str]
) -> None:
    """It is the emulator that refuses, with a status that no client retries."""
    expected = (400, "NotSupportedByEmulator")
    assert await refusal(batch.send(method, path, **query)) == expected


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"id": "a b"}, "InvalidPropertyValue"),
        ({"id": "x" * 65}, "InvalidPropertyValue"),
        ({"id": None}, "MissingRequiredProperty"),
        ({"poolInfo": None}, "MissingRequiredProperty"),
        ({"priority": 1001}, "InvalidPropertyValue"),
        ({"constraints": {"maxWallClockTime": "5 minutes"}}, "InvalidPropertyValue"),
        ({"jobManagerTask": {"id": "m", "commandLine": " "}}, "InvalidPropertyValue"),
        ({"jobManagerTask": {"id": "m", "commandLine": "sh -c 'x"}}, "InvalidPropertyValue"),
    ],
)
async def test_wrong_bodies_are_refused(batch: Batch, body: dict[str, object], code: str) -> None:
    """A body is checked before anything is made of it."""
    assert await refusal(batch.client.create_job(_job(**body))) == (400, code)


async def test_broken_json_is_refused(batch: Batch, http: aiohttp.ClientSession) -> None:
    """A body that is not JSON is refused as such."""
    target = "/jobs?api-version=2025-06-01"
    async with await signed(http, batch, target, method="POST", body="{") as reply:
        assert reply.status == 400
        assert (await reply.json())["code"] == "InvalidRequestBody"


async def test_ids_are_taken_in_any_case(batch: Batch) -> None:
    """An id is kept as given and found in any case, and is taken until its job is gone."""
    await batch.client.create_job(job_body("Job", "/bin/true"))
    assert await refusal(batch.client.create_job(job_body("jOB", "x"))) == (409, "JobExists")
    assert (await batch.client.get_job("JOB")).id == "Job"
    assert (await batch.client.get_task("job", "MAIN")).id == "main"
    assert await refusal(batch.client.get_task("job", "x")) == (404, "TaskNotFound")
    await batch.terminate("job", "not needed")
    await batch.completed("job")
    assert await refusal(batch.client.create_job(job_body("job", "x"))) == (409, "JobExists")


async def test_nothing_is_there(batch: Batch) -> None:
    """What does not exist is refused by the code of what is missing."""
    client = batch.client
    assert await refusal(client.get_job("x")) == (404, "JobNotFound")
    assert await refusal(batch.terminate("x", "r")) == (404, "JobNotFound")
    assert await refusal(client.get_task("x", "main")) == (404, "JobNotFound")
    assert await refusal(client.get_pool("x")) == (404, "PoolNotFound")
    assert await refusal(client.get_node("x", "n")) == (404, "PoolNotFound")
    assert await refusal(anext(client.list_nodes("x"))) == (404, "PoolNotFound")
    await client.create_pool(pool_body())
    assert await refusal(client.get_node("pool", "n")) == (404, "NodeNotFound")
    await client.create_job(job_body("job", "/bin/true"))
    active = (409, "OperationInvalidForCurrentState")
    assert await refusal(anext(client.list_task_files("job", "main"))) == active


async def test_models_are_understood(batch: Batch) -> None:
    """What the client's own models serialise to is accepted, defaults and all."""
    from azure.batch import models  # noqa: PLC0415 - the names are used here alone

    image = models.BatchVmImageReference(
        publisher="canonical", offer="ubuntu-24_04-lts", sku="server"
    )
    pool = BatchPoolCreateOptions(
        id="pool",
        vm_size="STANDARD_D2DS_V5",
        virtual_machine_configuration=models.VirtualMachineConfiguration(
            image_reference=image, node_agent_sku_id="batch.node.ubuntu 24.04"
        ),
        target_dedicated_nodes=1,
        task_scheduling_policy=models.BatchTaskSchedulingPolicy(node_fill_type="pack"),
    )
    await batch.client.create_pool(pool)
    manager = models.BatchJobManagerTask(
        id="main",
        command_line="/bin/true",
        kill_job_on_completion=True,
        constraints=models.BatchTaskConstraints(
            max_wall_clock_time=dt.timedelta(minutes=90), max_task_retry_count=0
        ),
        environment_settings=[models.EnvironmentSetting(name="A", value="1")],
    )
    await batch.client.create_job(
        BatchJobCreateOptions(
            id="job",
            pool_info=models.BatchPoolInfo(pool_id="pool"),
            job_manager_task=manager,
            metadata=[models.BatchMetadataItem(name="run", value="x")],
        )
    )
    job = await batch.completed("job")

    assert job.job_manager_task is not None
    assert job.job_manager_task.constraints is not None
    assert job.job_manager_task.constraints.max_wall_clock_time == dt.timedelta(minutes=90)
    assert job.metadata is not None
    assert dict(job.metadata[0]) == {"name": "run", "value": "x"}
    shown = cast("dict[str, dict[str, dict[str, str]]]", job.as_dict())
    assert shown["jobManagerTask"]["constraints"]["maxWallClockTime"] == "PT1H30M"
