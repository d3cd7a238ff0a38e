"""What an idle tick costs: requests, counted by the servers that get them."""

from collections import Counter
from collections.abc import AsyncIterator
from math import ceil

import pytest
from azure.storage.blob.aio import BlobServiceClient
from rich.console import Console

from bench.collect_many import collect, compare
from bench.counting import BatchCalls, StorageCalls, by_kind
from bench.idle_tick import count_idle_tick, put_history, settled
from bench.stage import Round, open_stage
from bench.submit_many import loop, submit
from local.azurite import Azurite
from orchestrator.adapters.blobs import Cache
from orchestrator.decisions.turns import ROTATION_TICKS
from tests.conftest import Containers
from tests.contract.conftest import ACCOUNT, KEY, TOKEN, Start
from tests.support.world import schedule, settings

THREE_READS = {"GET schedules.toml": 1, "GET submit.json": 1, "list open/": 1}


@pytest.fixture
async def round_(
    azurite: Azurite, containers: Containers, start_batch: Start
) -> AsyncIterator[Round]:
    batch = await start_batch(faults=True)
    async with BlobServiceClient.from_connection_string(containers.connection_string) as storage:
        ledger = storage.get_container_client(containers.ledger)
        outputs = storage.get_container_client(containers.outputs)
        yield Round(
            settings=settings(containers, batch.url, ACCOUNT, KEY),
            ledger=ledger,
            batch=batch.client,
            storage_calls=StorageCalls(azurite.log, ledger),
            outputs_calls=StorageCalls(azurite.log, outputs),
            batch_calls=BatchCalls(batch.url, TOKEN),
        )


@pytest.mark.parametrize(("schedules", "history"), [(1, 0), (1000, 50)])
async def test_an_idle_tick_makes_three_reads(round_: Round, schedules: int, history: int) -> None:
    """No write and no call to Batch, however many schedules and records there are."""
    await put_history(round_.ledger, history, Console(quiet=True))
    cache = await settled(round_, schedules)

    for _ in range(2):
        calls, batch_calls = await count_idle_tick(round_, cache)
        assert by_kind(calls) == THREE_READS
        assert {call.status for call in calls if call.kind.startswith("GET")} == {304}
        assert batch_calls == []


async def test_a_tick_with_something_to_do_is_seen_to_cost_more(round_: Round) -> None:
    """The counting itself: what a tick writes is among what it is seen to have asked."""
    cache = await settled(round_, 1)
    due = schedule("due", "exit 0")
    await round_.ledger.upload_blob("schedules.toml", due, overwrite=True)

    calls, batch_calls = await count_idle_tick(round_, cache)

    assert {"lease submit.json", "PUT open/..."} <= by_kind(calls).keys()
    assert [call.name for call in batch_calls] == ["get_pool"]  # which is not there


async def test_the_bare_loop_makes_the_calls_of_a_tick_that_submits() -> None:
    """What the benchmark compares the product with asks the servers for the same, and as often."""
    count = 70  # more than one plan holds
    async with open_stage() as stage:
        async with stage.round() as round_:
            product = await submit(round_, count)
        async with stage.round() as round_:
            loop_ = await loop(round_, product, count)

    assert by_kind(loop_.storage) == by_kind(product.storage)
    assert by_kind(loop_.batch) == by_kind(product.batch)
    assert len(product.created) == len(set(product.created)) == count


async def test_many_open_runs_cost_few_requests() -> None:
    """Batch lists the jobs that go on; the tasks of some are looked at, those of all within 19 ticks."""
    count = 120
    async with open_stage() as stage, stage.round() as round_:
        await submit(round_, count)
        seen = Counter[str]()
        cache = Cache()
        await collect(round_, cache)  # once an hour old jobs are looked for
        for _ in range(ROTATION_TICKS):
            tick = await collect(round_, cache)
            calls = by_kind(tick.batch)
            assert calls == {"GET list_jobs": 1, "GET get_task": ceil(count / ROTATION_TICKS)}
            seen.update(call.name for call in tick.ledger if call.kind == "GET open/...")

    assert len(seen) == count


async def test_finished_runs_cost_no_more_than_is_promised() -> None:
    """Two requests of Batch and twelve of storage for each, and one for each output that is read."""
    count = 20
    async with open_stage() as stage:
        ((product, bare),) = await compare(stage, count, rounds=1)

    once = {"list_jobs": 2, "get_pool": 1, "list_nodes": 1}  # of old jobs, and of those that go on
    of_a_tick = Counter(call.name for call in product.batch if call.name in once)
    assert of_a_tick <= Counter(once)
    assert len(product.batch) - of_a_tick.total() <= 2 * count
    assert product.hashed == 2 * count
    assert len(product.ledger) + len(product.outputs) - product.hashed <= 12 * count
    assert by_kind(bare.outputs) == by_kind(product.outputs)
    assert by_kind(bare.batch).keys() <= by_kind(product.batch).keys()
