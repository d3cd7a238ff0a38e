"""A pool that gives no answer costs a tick one call, however many runs are on it."""

import asyncio
from dataclasses import replace

import pytest

from orchestrator.adapters.batch import open_batch
from orchestrator.errors import BatchUnavailable
from orchestrator.passes.pool_view import PoolView
from orchestrator.passes.services import AT_ONCE
from tests.contract.conftest import Start
from tests.support.world import World

TRIES = 3
"""Of one call: the client tries again twice."""


async def test_a_failure_is_raised_to_all_who_wait(
    world: World, start_batch: Start, caplog: pytest.LogCaptureFixture
) -> None:
    """Batch is asked about the pool once; whoever reads later in the tick is told at once."""
    batch = await start_batch(faults=True)
    await batch.faults.add("refusal", operation="get_pool", status=503)
    async with open_batch(replace(world.settings, batch_account_url=batch.url)) as account:
        pools = PoolView(account)

        reads = (pools.read("gpu") for _ in range(AT_ONCE))
        failures = await asyncio.gather(*reads, return_exceptions=True)
        answers = [await pools.read_if_told("gpu") for _ in range(AT_ONCE)]

    (failure,) = set(failures)
    assert isinstance(failure, BatchUnavailable)
    assert answers == [(None, ())] * AT_ONCE
    assert [one.operation for one in await batch.faults.seen()] == ["get_pool"] * TRIES
    assert caplog.text.count("records of this tick lack the pool's data") == 1


async def test_a_failure_is_that_of_one_pool(world: World, start_batch: Start) -> None:
    """Numbers of other pools are still asked for."""
    batch = await start_batch(faults=True)
    await batch.faults.add("refusal", path="/pools/gpu", status=503)
    async with open_batch(replace(world.settings, batch_account_url=batch.url)) as account:
        pools = PoolView(account)

        assert await pools.read_if_told("gpu") == (None, ())
        assert await pools.read_if_told("cpu") == (None, ())

    assert [one.path for one in await batch.faults.seen()] == [
        *["/pools/gpu"] * TRIES,
        "/pools/cpu",
        "/pools/cpu/nodes",
    ]
