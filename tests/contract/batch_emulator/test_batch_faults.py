"""Faults on demand: each is what the official client would see, and leaves the account consistent."""

import asyncio
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest
from azure.batch.aio import BatchClient
from azure.core.credentials import AzureNamedKeyCredential
from azure.core.exceptions import (
    HttpResponseError,
    ServiceRequestError,
    ServiceResponseTimeoutError,
)
from azure.storage.blob import ContainerClient

from tests.conftest import Containers
from tests.contract.conftest import (
    ACCOUNT,
    KEY,
    TOKEN,
    Batch,
    Start,
    job_body,
    pool_body,
    refusal,
)
from tests.support.faults import BadFaultError, Seen

SLEEP = "/bin/sleep 600"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
NO_TIME = 0.2
"""Seconds; a client that gives up."""


@pytest.fixture
async def faulty(start_batch: Start) -> Batch:
    return await start_batch(faults=True)


async def create(batch: Batch, job_id: str, **options: Any) -> None:  # noqa: ANN401 - the client's
    """Create a job; no pool, so that nothing runs."""
    await batch.client.create_job(job_body(job_id, "/bin/true"), **options)


async def jobs(batch: Batch) -> list[str]:
    return [job.id async for job in batch.client.list_jobs()]


def told(seen: tuple[Seen, ...]) -> list[tuple[str | None, str | None, int | None, bool]]:
    """Return of each request what a test minds."""
    return [(item.operation, item.job, item.status, item.effect) for item in seen]


@pytest.mark.parametrize("effect", [False, True])
async def test_a_reset_is_before_the_effect_or_after_it(faulty: Batch, effect: bool) -> None:
    """The client hears nothing; whether the job is there is what the rule says."""
    await faulty.faults.add("reset", operation="create_job", times=1, after_effect=effect)

    with pytest.raises(ServiceRequestError):
        await create(faulty, "job")

    assert told(await faulty.faults.seen()) == [("create_job", "job", None, effect)]
    assert await jobs(faulty) == (["job"] if effect else [])
    if effect:
        assert await refusal(create(faulty, "job")) == (409, "JobExists")
    else:
        await create(faulty, "job")
    assert await faulty.faults.created() == ["job"]


async def test_a_reset_is_one_of_tcp(faulty: Batch) -> None:
    """The peer's connection is reset, and not closed in order."""
    await faulty.faults.add("reset")
    address = urlsplit(faulty.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    writer.write(f"GET /jobs HTTP/1.1\r\nHost: {address.netloc}\r\n\r\n".encode())

    with pytest.raises(ConnectionResetError):
        await reader.read()
    writer.close()


@pytest.mark.parametrize("effect", [False, True])
async def test_silence_lasts_until_the_client_gives_up(faulty: Batch, effect: bool) -> None:
    """No answer comes, and the job is there or not as the rule says."""
    await faulty.faults.add("silence", operation="create_job", times=1, after_effect=effect)

    with pytest.raises(ServiceResponseTimeoutError):
        await create(faulty, "job", read_timeout=NO_TIME)

    assert told(await faulty.faults.seen()) == [("create_job", "job", None, effect)]
    assert await jobs(faulty) == (["job"] if effect else [])


async def test_latency_does_not_undo_the_effect(faulty: Batch) -> None:
    """A slow request is carried out, also when its client has given up."""
    await faulty.faults.add("latency", job="impatient", milliseconds=2000)
    await faulty.faults.add("latency", job="patient", milliseconds=50)

    with pytest.raises(ServiceResponseTimeoutError):
        await create(faulty, "impatient", read_timeout=NO_TIME)
    assert await jobs(faulty) == []
    await create(faulty, "patient")
    await faulty.until(lambda: jobs(faulty), lambda found: len(found) == 2)

    assert await jobs(faulty) == ["impatient", "patient"]
    assert [item.status for item in await faulty.faults.seen() if item.job] == [201, 201]


async def test_latency_comes_before_other_faults(faulty: Batch) -> None:
    """Latencies add up, and the request still meets the rule that follows."""
    slow = await faulty.faults.add("latency", milliseconds=1)
    slower = await faulty.faults.add("latency", milliseconds=2)
    full = await faulty.faults.add("quota")

    assert await refusal(create(faulty, "job")) == (409, "ActiveJobAndScheduleQuotaReached")
    assert await faulty.faults.hits() == {slow: 1, slower: 1, full: 1}
    assert [item.fault for item in await faulty.faults.seen()] == [full]


@pytest.mark.parametrize("effect", [False, True])
@pytest.mark.parametrize(
    ("status", "code"),
    [
        (403, "AuthenticationFailed"),
        (429, "TooManyRequests"),
        (500, "OperationTimedOut"),
        (503, "ServerBusy"),
    ],
)
async def test_a_refusal_has_batchs_body(
    faulty: Batch, status: int, code: str, effect: bool
) -> None:
    """The status comes with the code that Batch gives it, before the effect or after it."""
    await faulty.faults.add(
        "refusal", operation="create_job", times=1, status=status, after_effect=effect
    )

    with pytest.raises(HttpResponseError) as refused:
        await create(faulty, "job")

    assert refused.value.error is not None
    assert (refused.value.status_code, refused.value.error.code) == (status, code)
    response: Any = refused.value.response
    assert "Retry-After" not in response.headers
    assert told(await faulty.faults.seen()) == [("create_job", "job", status, effect)]
    assert await jobs(faulty) == (["job"] if effect else [])


async def test_a_refusal_without_a_body_is_a_gateways(faulty: Batch) -> None:
    """Status and Retry-After alone: there is no code to read."""
    await faulty.faults.add("refusal", status=503, retry_after=7, body=False)

    with pytest.raises(HttpResponseError) as refused:
        await create(faulty, "job")

    assert refused.value.error is None
    response: Any = refused.value.response
    assert (response.status_code, response.headers["Retry-After"]) == (503, "7")
    assert response.content_type is None
    assert response.headers["Content-Length"] == "0"


@pytest.mark.parametrize(
    ("status", "retry_after", "effect", "outcome"),
    [
        (503, None, False, "created"),
        (503, None, True, "JobExists"),  # what the client's own retry makes of a lost answer
        (429, 0, False, "created"),
        (429, None, False, "TooManyRequests"),  # a POST is not tried again unless it is asked for
    ],
)
async def test_the_clients_own_retry(
    faulty: Batch, status: int, retry_after: int | None, effect: bool, outcome: str
) -> None:
    """What the official client makes of one refusal by trying again."""
    await faulty.faults.add(
        "refusal", times=1, status=status, retry_after=retry_after, after_effect=effect
    )
    key = AzureNamedKeyCredential(ACCOUNT, KEY)
    async with BatchClient(faulty.url, key, retry_total=1, retry_backoff_factor=0) as client:
        creating = client.create_job(job_body("job", "/bin/true"))
        if outcome == "created":
            await creating
        else:
            assert (await refusal(creating))[1] == outcome

    assert await faulty.faults.created() == ([] if outcome == "TooManyRequests" else ["job"])


async def test_the_quota_keeps_jobs_from_being_created_and_nothing_else(faulty: Batch) -> None:
    """What is there can be read and ended; when the quota is free again jobs are created."""
    await create(faulty, "before")
    full = await faulty.faults.add("quota")

    for _ in range(2):
        assert await refusal(create(faulty, "job")) == (409, "ActiveJobAndScheduleQuotaReached")
    assert await refusal(create(faulty, "before")) == (409, "ActiveJobAndScheduleQuotaReached")
    assert await jobs(faulty) == ["before"]
    await faulty.terminate("before", "enough")
    await faulty.completed("before")
    await faulty.faults.remove(full)
    await create(faulty, "job")
    assert await jobs(faulty) == ["before", "job"]


async def test_a_job_that_is_forgotten_never_was(faulty: Batch, containers: Containers) -> None:
    """Its task is killed, nothing is left of it, and its id is free."""
    output: dict[str, Any] = {
        "filePattern": "../std*.txt",
        "destination": {
            "container": {
                "containerUrl": f"{containers.account_url}/{containers.outputs}",
                "path": "old",
                "identityReference": {"resourceId": "/subscriptions/0/x"},
            }
        },
        "uploadOptions": {"uploadCondition": "taskcompletion"},
    }
    await faulty.client.create_pool(pool_body(targetDedicatedNodes=1))
    await faulty.client.create_job(job_body("job", SLEEP, outputFiles=[output]))
    await faulty.running("job")
    [node] = await faulty.nodes()
    folder = faulty.root / "pool" / node.id / "workitems" / "job"
    assert folder.exists()

    await faulty.faults.forget_job("JOB")

    assert await refusal(faulty.client.get_job("job")) == (404, "JobNotFound")
    assert await refusal(faulty.client.get_task("job", "main")) == (404, "JobNotFound")
    assert await jobs(faulty) == []
    assert not folder.exists()
    output["destination"]["container"]["path"] = "new"
    await faulty.client.create_job(job_body("job", "/bin/echo new", outputFiles=[output]))
    await faulty.completed("job")
    assert await faulty.content("stdout.txt") == b"new\n"
    with ContainerClient.from_connection_string(
        containers.connection_string, containers.outputs
    ) as container:
        assert {name.partition("/")[0] for name in container.list_blob_names()} == {"new"}
    await faulty.faults.forget_job("job")
    assert await jobs(faulty) == []


async def test_a_job_being_deleted_stays_so_until_it_is_forgotten(faulty: Batch) -> None:
    """Its state says so, its task has been ended, and everything that would change it is refused."""
    await faulty.client.create_pool(pool_body(targetDedicatedNodes=1))
    await faulty.client.create_job(job_body("job", SLEEP))
    await faulty.running("job")

    await faulty.faults.keep_deleting_job("job")
    await faulty.faults.keep_deleting_job("job")

    assert (await faulty.client.get_job("job")).state == "deleting"
    assert (await faulty.client.get_task("job", "main")).state == "completed"
    assert await refusal(create(faulty, "job")) == (409, "JobBeingDeleted")
    assert await refusal(faulty.client.begin_delete_job("job")) == (409, "JobBeingDeleted")
    assert await refusal(faulty.terminate("job", "too late")) == (409, "JobBeingDeleted")
    await faulty.faults.forget_job("job")
    assert await refusal(faulty.client.get_job("job")) == (404, "JobNotFound")
    await faulty.client.create_job(job_body("job", "/bin/true"))
    await faulty.completed("job")


async def test_what_is_forgotten_while_it_is_deleted_leaves_its_successor_alone(
    faulty: Batch, caplog: pytest.LogCaptureFixture
) -> None:
    """The removal that was under way removes nothing of the job that bears the id next."""
    await faulty.client.create_pool(pool_body(targetDedicatedNodes=1))
    await faulty.client.create_job(job_body("job", "/bin/sh -c 'trap \"\" TERM; sleep 600'"))
    await faulty.running("job")
    await faulty.send("DELETE", "/jobs/job")  # its task has a while to end
    await faulty.faults.forget_job("job")
    await faulty.client.create_job(job_body("job", SLEEP))
    await faulty.running("job")

    await faulty.terminate("job", "seen")
    assert (await faulty.completed("job")).state == "completed"
    assert not [record.message for record in caplog.records if record.levelname == "ERROR"]


async def test_the_same_rules_bring_about_the_same_again(faulty: Batch) -> None:
    """Rules count requests, and nothing else decides: two rounds are alike to the last answer."""

    async def ended(number: int) -> str:
        try:
            await create(faulty, f"job-{number}")
        except ServiceRequestError:
            return "reset"
        except HttpResponseError as error:
            return f"{error.status_code}"
        return "created"

    rounds = []
    for _ in range(2):
        await faulty.faults.clear()
        await faulty.faults.add("reset", job="job-[0-3]", after=1, times=2, id="first")
        await faulty.faults.add("refusal", status=429, path="/jobs", after=1, times=1, id="second")
        await faulty.faults.add("quota", job="JOB-5", id="third")
        await faulty.faults.add("silence", method="DELETE", id="never")
        rounds.append(
            (
                [await ended(number) for number in range(7)],
                told(await faulty.faults.seen()),
                await faulty.faults.hits(),
            )
        )
        for number in range(7):
            if f"job-{number}" in await jobs(faulty):
                await faulty.faults.forget_job(f"job-{number}")

    assert rounds[0] == rounds[1]
    # The second rule does not count what the first one hit.
    assert rounds[0][0] == ["created", "reset", "reset", "429", "created", "409", "created"]
    assert rounds[0][2] == {"first": 2, "second": 1, "third": 1, "never": 0}


async def test_faults_concern_the_account_and_not_its_other_side(faulty: Batch) -> None:
    """Azure Resource Manager and the faults' own paths are answered whatever the rules say."""
    await faulty.faults.add("refusal", status=500)
    place = "subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/recur"
    url = f"{faulty.url}/{place}/providers/Microsoft.Batch/batchAccounts/{ACCOUNT}"

    async with aiohttp.ClientSession(headers=BEARER) as session:
        reply = await session.get(url, params={"api-version": "2025-06-01"})
        assert reply.status == 200
    assert await faulty.faults.seen() == ()
    assert await refusal(faulty.client.get_job("job")) == (500, "OperationTimedOut")
    await faulty.faults.clear()
    assert await refusal(faulty.client.get_job("job")) == (404, "JobNotFound")


@pytest.mark.parametrize(
    ("rule", "fields"),
    [
        ("[", ["body"]),
        ("[]", ["body"]),
        ("{}", ["kind"]),
        ('{"kind": "earthquake"}', ["kind"]),
        ('{"kind": "latency"}', ["milliseconds"]),
        ('{"kind": "latency", "milliseconds": "5"}', ["milliseconds"]),
        ('{"kind": "refusal", "status": 418, "retry_after": -1}', ["status", "retry_after"]),
        ('{"kind": "reset", "times": 0, "after": true}', ["after", "times"]),
        ('{"kind": "reset", "probability": 0.5}', ["probability"]),
        ('{"kind": "reset", "match": {"path": "("}}', ["match.path"]),
        ('{"kind": "reset", "match": {"operation": "bake"}}', ["match.operation"]),
        ('{"kind": "reset", "match": {"method": "get"}}', ["match.method"]),
        ('{"kind": "reset", "match": {"method": "GET"}, "after_effect": true}', ["after_effect"]),
        ('{"kind": "quota", "match": {"operation": "get_job"}}', ["match"]),
        ('{"kind": "silence", "id": "a b"}', ["id"]),
        ('{"kind": "silence", "id": "taken"}', ["id"]),
    ],
)
async def test_a_rule_that_cannot_be_used_is_refused_by_field(
    faulty: Batch, rule: str, fields: list[str]
) -> None:
    """Every field that is wrong is named, and nothing is put in force."""
    await faulty.faults.add("latency", milliseconds=0, id="taken")
    async with aiohttp.ClientSession(headers=BEARER) as session:
        reply = await session.post(f"{faulty.url}/emulator/faults", data=rule)
        errors = (await reply.json())["errors"]

    assert reply.status == 400
    assert sorted(error["field"] for error in errors) == sorted(fields)
    assert all(error["message"] for error in errors)
    assert await faulty.faults.hits() == {"taken": 0}


async def test_what_is_not_there_cannot_be_removed(faulty: Batch) -> None:
    """A rule or a job that does not exist, and a path that means nothing, are said to be missing."""
    with pytest.raises(BadFaultError, match="no rule other"):
        await faulty.faults.remove("other")
    with pytest.raises(BadFaultError, match="no job job"):
        await faulty.faults.forget_job("job")
    with pytest.raises(BadFaultError, match="no job job"):
        await faulty.faults.keep_deleting_job("job")
    async with aiohttp.ClientSession(headers=BEARER) as session:
        reply = await session.put(f"{faulty.url}/emulator/weather")
        assert (reply.status, (await reply.json())["errors"][0]["field"]) == (404, "path")


@pytest.mark.parametrize(
    "request_line", ["POST /{}/faults", "GET /{}/faults", "POST /{}/jobs/job/forget"]
)
async def test_faults_are_off_unless_they_are_enabled(batch: Batch, request_line: str) -> None:
    """Without the option the paths are unknown ones, with a signature and without."""
    await create(batch, "job")
    method, _, path = request_line.partition(" ")
    answers = []
    for word in ("emulator", "unheard-of"):
        signed = await refusal(batch.send(method, path.format(word), json={"kind": "reset"}))
        async with aiohttp.ClientSession() as session:
            unsigned = await session.request(method, f"{batch.url}{path.format(word)}")
            answers.append((signed, unsigned.status, (await unsigned.json())["code"]))

    assert answers[0] == answers[1]
    assert answers[0][0] == (400, "NotSupportedByEmulator")
    assert await jobs(batch) == ["job"]
