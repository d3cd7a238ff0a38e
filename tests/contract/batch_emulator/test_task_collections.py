"""Adding many tasks with one request."""

from typing import cast

import pytest
from azure.batch.models import BatchTaskCreateOptions, BatchTaskGroup, CreateTasksError

from tests.contract.conftest import Batch, Start, pool_body, refusal
from tests.support.plain_jobs import plain_job, settled, task_body

LARGE = {"environmentSettings": [{"name": "LARGE", "value": "x" * 40_000}]}
"""Of such tasks 26 have more than 1 MiB, and 25 have less."""


def group(*tasks: object) -> BatchTaskGroup:
    return cast("BatchTaskGroup", {"value": list(tasks)})


async def test_a_collection_is_added_and_runs(batch: Batch) -> None:
    """Each task has a result in the order of the request, and all of them run."""
    await batch.client.create_pool(pool_body(targetDedicatedNodes=1, taskSlotsPerNode=4))
    await batch.client.create_job(plain_job())
    names = [f"task{number}" for number in range(10)]
    results = await batch.client.create_task_collection("job", group(*map(task_body, names)))

    assert results.result_values is not None
    assert [item.task_id for item in results.result_values] == names
    for item in results.result_values:
        task = await settled(batch, item.task_id)
        assert item.location == task.url
        assert item.etag == task.etag
        assert item.last_modified == task.last_modified


async def test_each_task_is_refused_for_itself(batch: Batch) -> None:
    """A wrong task keeps no other out, and its result says what is wrong with it."""
    await batch.client.create_job(plain_job())
    await batch.client.create_task("job", task_body("there"))
    tasks = [task_body("there"), task_body("wrong", requiredSlots=0), task_body("right")]
    reply = await batch.send("POST", "/jobs/job/addtaskcollection", json={"value": tasks})
    there, wrong, right = reply.json()["value"]

    assert reply.status_code == 200
    assert (there["status"], there["error"]["code"]) == ("ClientError", "TaskExists")
    assert (wrong["status"], wrong["error"]["code"]) == ("ClientError", "InvalidPropertyValue")
    assert wrong["error"]["values"][0] == {"key": "PropertyName", "value": "requiredSlots"}
    assert wrong["error@odata.navigationLinkUrl"] == f"{batch.url}/jobs/job/tasks/wrong/error"
    assert right["status"] == "Success"
    assert "error" not in right
    assert [task.id async for task in batch.client.list_tasks("job")] == ["right", "there"]


async def test_the_status_can_be_in_lower_case(start_batch: Start) -> None:
    """The service says ``Success``; azure-batch 15.1 notices refusals only in lower case."""
    batch = await start_batch(lower_case_status=True)
    await batch.client.create_job(plain_job())
    await batch.client.create_tasks("job", [task_body("one"), task_body("two")])

    with pytest.raises(CreateTasksError) as refused:
        await batch.client.create_tasks("job", [task_body("wrong", requiredSlots=0)])
    assert [item.task_id for item in refused.value.failure_tasks] == ["wrong"]


async def test_what_is_not_supported_keeps_all_out(batch: Batch) -> None:
    """A request that holds such a task is refused by the property's name, and adds nothing."""
    await batch.client.create_job(plain_job())
    tasks = group(
        task_body("right"), task_body("wrong", authenticationTokenSettings={"access": ["job"]})
    )
    call = batch.client.create_task_collection("job", tasks)

    assert await refusal(call) == (400, "NotSupportedByEmulator")
    assert [task.id async for task in batch.client.list_tasks("job")] == []


async def test_at_most_100_tasks_are_added_at_once(batch: Batch) -> None:
    """One hundred are, one more is refused."""
    await batch.client.create_job(plain_job())
    bodies = [task_body(f"{number:03}") for number in range(101)]
    add = batch.client.create_task_collection

    assert await refusal(add("job", group(*bodies))) == (400, "InvalidPropertyValue")
    await add("job", group(*bodies[:100]))
    assert len([task async for task in batch.client.list_tasks("job")]) == 100


@pytest.mark.filterwarnings("ignore:Sending a large body")  # aiohttp's advice to the client
async def test_the_official_client_splits_what_is_too_large(batch: Batch) -> None:
    """More than 1 MiB is refused with the code that makes the client send less at once."""
    await batch.client.create_job(plain_job())
    names = [f"{number:02}" for number in range(60)]
    bodies = [task_body(name, **LARGE) for name in names]

    refused = batch.client.create_task_collection("job", group(*bodies))
    assert await refusal(refused) == (413, "RequestBodyTooLarge")
    await batch.client.create_tasks("job", bodies)
    assert [task.id async for task in batch.client.list_tasks("job")] == names


@pytest.mark.filterwarnings("ignore:Sending a large body")  # aiohttp's advice to the client
async def test_one_task_can_be_too_large(batch: Batch) -> None:
    """What cannot be split is refused in the same way, also without a collection."""
    await batch.client.create_job(plain_job())
    files = [{"name": f"N{number}", "value": "x" * 2**16} for number in range(17)]
    body = task_body("large", environmentSettings=files)

    created = batch.client.create_task("job", body)
    assert await refusal(created) == (413, "RequestBodyTooLarge")
    with pytest.raises(CreateTasksError, match="RequestBodyTooLarge"):
        await batch.client.create_tasks("job", [BatchTaskCreateOptions(body)])
