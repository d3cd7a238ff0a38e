"""An emulator as a process on a data folder, to be killed and started again."""

import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from azure.batch.aio import BatchClient
from azure.core.credentials import AzureNamedKeyCredential

from batch_emulator.testing import RunningEmulator, running_emulator
from tests.contract.conftest import KEY, Batch

SPEED = "2000"


@asynccontextmanager
async def account(folder: Path, *options: str) -> AsyncIterator[tuple[Batch, RunningEmulator]]:
    """Run an emulator on a data folder."""
    data = folder / "data"
    words = ("--data", str(data), *options)
    if "--pool-speed" not in options:
        words += ("--pool-speed", SPEED)
    with running_emulator(folder, *words, key=KEY) as emulator:
        credential = AzureNamedKeyCredential(emulator.account, KEY)
        async with BatchClient(emulator.url, credential, retry_total=0) as client:
            yield Batch(emulator.url, client, data / "nodes"), emulator


def kill(emulator: RunningEmulator) -> None:
    """End an emulator by SIGKILL."""
    emulator.process.kill()
    assert emulator.process.wait() == -signal.SIGKILL


async def idle(batch: Batch, count: int) -> list[str]:
    """Wait until the pool has nodes that are idle, and return their ids."""
    nodes = await batch.until(
        batch.nodes, lambda nodes: [node.state for node in nodes] == ["idle"] * count
    )
    return [str(node.id) for node in nodes]
