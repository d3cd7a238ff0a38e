"""Faults of pools, nodes, files and reads: what Batch does on the days of known incidents."""

import aiohttp
import pytest
from azure.core.exceptions import IncompleteReadError

from tests.contract.conftest import TOKEN, Batch, Start, job_body, pool_body, refusal
from tests.contract.passes.incidents import incident
from tests.support.emulated_pools import idle, in_state, only_node, pool_of, steady
from tests.support.faults import BadFaultError

SLEEP = "/bin/sleep 600"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
async def faulty(start_batch: Start) -> Batch:
    return await start_batch(faults=True)


async def resize(batch: Batch, nodes: int) -> None:
    """Ask for another size of the pool, and wait until it is steady."""
    body = {"targetDedicatedNodes": nodes}
    await steady(batch)
    await batch.send("POST", "/pools/pool/resize", json=body)
    await steady(batch)


async def errors(batch: Batch) -> list[str | None]:
    """Return the codes of the pool's resize errors."""
    return [error.code for error in (await pool_of(batch)).resize_errors or ()]


async def test_a_job_is_not_found_right_after_its_creation(faulty: Batch) -> None:
    """By those who read it; the creation itself, and other jobs, are not concerned."""
    await faulty.faults.add("absence", job="job", times=2)
    await faulty.client.create_job(job_body("other", SLEEP))
    await faulty.client.create_job(job_body("job", SLEEP))

    assert (await faulty.client.get_job("other")).id == "other"
    assert await refusal(faulty.client.get_job("job")) == (404, "JobNotFound")
    assert await refusal(faulty.client.get_task("job", "main")) == (404, "JobNotFound")
    assert (await faulty.client.get_task("job", "main")).state == "active"
    assert await faulty.faults.created() == ["other", "job"]


@pytest.mark.parametrize("length", [0, 1, 70_000])
async def test_a_file_is_cut_in_the_middle(faulty: Batch, length: int) -> None:
    """The client gets so many bytes of it, and then no end; the next time it gets all of them."""
    content = b"0123456789" * 10_000
    await faulty.client.create_pool(pool_body(targetDedicatedNodes=1))
    command = "/bin/sh -c 'i=0; while [ $i -lt 10000 ]; do printf 0123456789; i=$((i+1)); done'"
    await faulty.client.create_job(job_body("job", command))
    await faulty.completed("job")
    await faulty.faults.add("cut", bytes=length, times=1)

    found = bytearray()

    async def read() -> None:
        async for part in await faulty.client.download_task_file("job", "main", "stdout.txt"):
            found.extend(part)

    with pytest.raises(IncompleteReadError):
        await read()

    assert bytes(found) == content[:length]
    assert await faulty.content("stdout.txt") == content


async def test_a_cut_beyond_the_end_of_what_is_asked_for_breaks_nothing(faulty: Batch) -> None:
    """It counts the bytes of the part, and not those of the file."""
    await faulty.client.create_pool(pool_body(targetDedicatedNodes=1))
    await faulty.client.create_job(job_body("job", "/bin/echo 0123456789"))
    await faulty.completed("job")
    await faulty.faults.add("cut", bytes=3)

    part = await faulty.client.download_task_file(
        "job", "main", "stdout.txt", ocp_range="bytes=2-4"
    )

    assert b"".join([piece async for piece in part]) == b"234"
    seen = (await faulty.faults.seen())[-1]
    assert (seen.operation, seen.status) == ("download_task_file", 200)


async def test_a_pool_gets_no_nodes_and_says_why(faulty: Batch) -> None:
    """What is there stays, each resize that needs a node fails, and the error is the one given."""
    await faulty.client.create_pool(pool_body(targetDedicatedNodes=1))
    (node,) = await idle(faulty, 1)

    await faulty.faults.withhold("pool", code="AccountCoreQuotaReached", message="No more cores")
    await resize(faulty, 2)

    pool = await pool_of(faulty)
    assert (pool.target_dedicated_nodes, pool.current_dedicated_nodes) == (2, 1)
    assert await errors(faulty) == ["AccountCoreQuotaReached"]
    assert [one.id for one in await faulty.nodes()] == [node]


async def test_an_error_of_a_resize_outlives_its_cause(faulty: Batch) -> None:
    """A pool that needs no node shows it until it is resized; then it gets its nodes."""
    await faulty.client.create_pool(pool_body())
    await faulty.faults.withhold("pool", code="AllocationTimedout")
    await faulty.faults.grant("pool")
    await steady(faulty)

    assert await errors(faulty) == ["AllocationTimedout"]
    await resize(faulty, 1)
    await idle(faulty, 1)
    assert await errors(faulty) == []
    await resize(faulty, 0)
    assert await faulty.nodes() == []
    assert await errors(faulty) == []


@incident(7)
@incident(8)
@pytest.mark.parametrize("code", ["ApplicationPackageError", "DiskFull"])
async def test_a_node_that_breaks_gives_its_task_back(faulty: Batch, code: str) -> None:
    """Incidents 7 and 8: the task waits again, the node says why, and nothing of it can be read."""
    await faulty.client.create_pool(pool_body(targetDedicatedNodes=1))
    await faulty.client.create_job(job_body("job", SLEEP))
    await faulty.running("job")
    node = await only_node(faulty)
    assert node.id is not None

    await faulty.faults.spoil(node.id, code=code, message="There is no space left")

    broken = await in_state(faulty, "unusable")
    assert [(error.code, error.message) for error in broken.errors or ()] == [
        (code, "There is no space left")
    ]
    await faulty.until(
        lambda: faulty.client.get_task("job", "main"), lambda task: task.state == "active"
    )
    files = faulty.client.list_node_files("pool", node.id)
    assert await refusal(anext(aiter(files))) == (409, "NodeNotReady")
    with pytest.raises(BadFaultError, match="the node is unusable"):
        await faulty.faults.spoil(node.id)


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("pools/pool/withhold", {"code": ""}, "code"),
        ("pools/pool/withhold", {"code": "A", "message": 5}, "message"),
        ("pools/pool/withhold", {"seconds": 5}, "body"),
        ("pools/pool/grant", None, "pool"),
        ("pools/other/grant", None, "pool"),
        ("nodes/other/spoil", None, "node"),
        ("faults", {"kind": "absence", "match": {"operation": "create_job"}}, "match"),
        ("faults", {"kind": "absence", "match": {"method": "POST"}}, "match"),
        ("faults", {"kind": "cut", "bytes": -1}, "bytes"),
        ("faults", {"kind": "cut", "bytes": 1, "match": {"operation": "get_job"}}, "match"),
    ],
)
async def test_what_cannot_be_brought_about_is_refused_by_field(
    faulty: Batch, path: str, body: object, field: str
) -> None:
    """The answer names the field, and nothing is in force."""
    await faulty.client.create_pool(pool_body())
    async with aiohttp.ClientSession(headers=BEARER) as session:
        reply = await session.post(f"{faulty.url}/emulator/{path}", json=body)
        told = (await reply.json())["errors"]

    assert reply.status in {400, 404, 409}
    assert [error["field"] for error in told] == [field]
    assert await faulty.faults.hits() == {}
    assert await errors(faulty) == []
