"""``$filter``, ``$select`` and ``$expand``: the lists and gets of the account."""

import datetime as dt

import pytest
from azure.core.exceptions import HttpResponseError
from azure.core.rest import AsyncHttpResponse

from tests.contract.conftest import Batch, job_body, pool_body, refusal
from tests.support.emulated_pools import idle
from tests.support.plain_jobs import plain_job, settled, task_body


async def ids(batch: Batch, path: str, text: str) -> list[str]:
    """Return the ids or names of what a list has for a filter."""
    items = (await batch.send("GET", path, **{"$filter": text})).json()["value"]
    return [item.get("id", item.get("name")) for item in items]


async def values(batch: Batch, path: str, **query: str) -> dict[str, str]:
    """Return the values of a refusal of a query parameter."""
    with pytest.raises(HttpResponseError) as caught:
        await batch.send("GET", path, **query)
    assert isinstance(caught.value.response, AsyncHttpResponse)
    body = caught.value.response.json()
    assert (caught.value.status_code, body["code"]) == (400, "InvalidQueryParameterValue")
    return {pair["key"]: pair["value"] for pair in body["values"]}


async def test_jobs_are_filtered(batch: Batch) -> None:
    """By all that is documented: texts in any case, times, conditions of every form."""
    for name in ("one", "two", "done"):
        await batch.client.create_job(job_body(name, "/bin/true"))
    await batch.terminate("done", "not needed")
    await batch.completed("done")
    execution = (await batch.client.get_job("done")).execution_info
    assert execution
    assert execution.end_time
    end = execution.end_time
    answers = {
        "state eq 'Active'": ["one", "two"],
        "state ne 'completed' and id ne 'one'": ["two"],
        "startswith(id, 'T') or state eq 'completed'": ["done", "two"],
        "not (state eq 'active' or startswith(id, 'x'))": ["done"],
        "id gt 'DONE' and id lt 'two'": ["one"],
        "executionInfo/poolId eq 'pool' and executionInfo/endTime eq null": ["one", "two"],
        f"executionInfo/endTime lt DateTime'{end:%Y-%m-%dT%H:%M:%S.%fZ}'": [],
        f"executionInfo/endTime le DateTime'{end:%Y-%m-%dT%H:%M:%S.%fZ}'": ["done"],
        "executionInfo/endTime lt DateTime'Tue, 01 Jan 2199 00:00:00 GMT'": ["done"],
        f"creationTime gt DateTime'{end + dt.timedelta(days=1):%Y-%m-%d}'": [],
    }

    assert {text: await ids(batch, "/jobs", text) for text in answers} == answers


async def test_tasks_nodes_pools_and_files_are_filtered(batch: Batch) -> None:
    """Each by its own properties, also those inside of another."""
    await batch.client.create_pool(
        pool_body(targetDedicatedNodes=1, startTask={"commandLine": "/bin/true"})
    )
    await batch.client.create_job(plain_job())
    for name, code in (("good", 0), ("bad", 3)):
        await batch.client.create_task("job", task_body(name, f"/bin/sh -c 'exit {code}'"))
        await settled(batch, name)
    (node,) = await idle(batch, 1)
    tasks, nodes = "/jobs/job/tasks", "/pools/pool/nodes"

    failed = "executionInfo/exitCode ne 0 and state eq 'Completed'"
    assert await ids(batch, tasks, failed) == ["bad"]
    assert await ids(batch, tasks, "executionInfo/result eq 'Success'") == ["good"]
    assert await ids(batch, nodes, "startTaskInfo/exitCode eq 0 and state eq 'idle'") == [node]
    assert await ids(batch, nodes, "startTaskInfo/result eq 'failure'") == []
    assert await ids(batch, "/pools", "enableAutoScale eq false and id ge 'P'") == ["pool"]
    assert await ids(batch, "/pools", "allocationState eq 'steady'") == ["pool"]
    files = f"{tasks}/good/files"
    assert await ids(batch, files, "startswith(name, 'std')") == ["stderr.txt", "stdout.txt"]
    assert await ids(batch, f"{nodes}/{node}/files", "startswith(name, 'work')") == ["workitems"]


@pytest.mark.parametrize(
    ("path", "text", "reason"),
    [
        ("/jobs", "state", "A comparison expected, the end found (at position 5)"),
        ("/jobs", "colour eq 'red'", "The list cannot be filtered by the property colour"),
        ("/jobs", "id startswith 'dev'", "A comparison expected, startswith found"),
        ("/jobs", "state gt 'a'", "state takes eq, ne, not gt"),
        ("/pools", "vmSize eq 5", "vmSize is of type String"),
        ("/nodecounts", "poolId ne 'a'", "poolId takes eq, not ne"),
        ("/supportedimages", "startswith(osType, 'l')", "osType takes eq, ne, not startswith"),
    ],
)
async def test_a_wrong_filter_is_refused(batch: Batch, path: str, text: str, reason: str) -> None:
    """In the service's form for query parameters; the reason is worded by the emulator."""
    refused = await values(batch, path, **{"$filter": text})

    assert refused["QueryParameterName"] == "$filter"
    assert refused["QueryParameterValue"] == text
    assert refused["Reason"].startswith(reason)


async def test_select_names_properties(batch: Batch) -> None:
    """Also parts of properties; a name that no job has is refused, one that this job lacks is not."""
    await batch.client.create_job(plain_job(metadata=[{"name": "a", "value": "b"}]))
    wanted = "id,displayName,state,executionInfo/poolId,executionInfo/endTime,metadata/name"
    some = (await batch.send("GET", "/jobs/job", **{"$select": wanted})).json()

    assert some == {
        "odata.metadata": f"{batch.url}/$metadata#jobs/@Element",
        "id": "job",
        "state": "active",
        "executionInfo": {"poolId": "pool"},
        "metadata": [{"name": "a"}],
    }
    for name in ("colour", "executionInfo/colour", "id/colour"):
        refused = await values(batch, "/jobs", **{"$select": f"id,{name}"})
        assert refused["Reason"] == f"Not a property of the resource: {name}"


async def test_statistics_are_there_where_they_are_asked_for(batch: Batch) -> None:
    """By ``$expand``, or by name where ``$select`` names what is wanted; as Microsoft's client reads them."""
    await batch.client.create_pool(pool_body(targetDedicatedNodes=1))
    await batch.client.create_job(plain_job())
    await batch.client.create_task("job", task_body("good", "/bin/sleep 0.2"))
    await batch.client.create_task("job", task_body("bad", "/bin/false"))
    await settled(batch, "good")
    await settled(batch, "bad")

    task = (await batch.client.get_task("job", "good", expand=["stats"])).task_statistics
    (job,) = [job async for job in batch.client.list_jobs(expand=["stats"])]
    pool = (await batch.client.get_pool("pool", select=["id", "stats"])).pool_statistics
    without = await batch.client.get_pool("pool", select=["id", "state"], expand=["stats"])

    assert task is not None
    assert task.wall_clock_time >= dt.timedelta(seconds=0.2)
    assert task.last_update_time > task.start_time
    stats = job.job_statistics
    assert stats is not None
    assert (stats.succeeded_tasks_count, stats.failed_tasks_count) == (1, 1)
    assert stats.wall_clock_time > task.wall_clock_time
    assert stats.wait_time >= task.wait_time
    assert pool is not None
    assert pool.usage_statistics is not None
    assert pool.usage_statistics.dedicated_core_time == dt.timedelta()
    assert without.pool_statistics is None
    assert (await batch.client.get_job("job")).job_statistics is None
    nothing = {"$filter": "id eq 'none'"}
    for path, query in (("/pools/pool", {}), ("/pools", nothing), ("/jobs/job/tasks", nothing)):
        other = batch.send("GET", path, **{"$expand": "everything", **query})
        assert await refusal(other) == (400, "InvalidQueryParameterValue")
    elsewhere = batch.send("GET", "/pools/pool/nodes", **{"$expand": "stats"})
    assert await refusal(elsewhere) == (400, "UnsupportedQueryParameter")
