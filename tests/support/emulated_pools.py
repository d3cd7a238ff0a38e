"""What the tests of the emulator's pools and nodes share."""

import stat
import zipfile
from pathlib import Path

from azure.batch import models
from azure.batch.models import BatchNode, BatchPool

from tests.contract.conftest import Batch

TARGETS = models.BatchPoolResizeOptions(target_dedicated_nodes=1, target_low_priority_nodes=2)


async def pool_of(batch: Batch) -> BatchPool:
    """Return the pool ``pool``."""
    return await batch.client.get_pool("pool")


async def steady(batch: Batch) -> BatchPool:
    """Wait until the pool's size does not change any more."""
    return await batch.until(
        lambda: batch.client.get_pool("pool"), lambda pool: pool.allocation_state == "steady"
    )


async def idle(batch: Batch, count: int) -> list[str]:
    """Wait until this number of nodes is there and idle; return their ids."""
    nodes = await batch.until(
        batch.nodes, lambda nodes: [node.state for node in nodes] == ["idle"] * count
    )
    return [node.id for node in nodes if node.id]


def scaled(formula: str, **properties: object) -> dict[str, object]:
    """Return the properties of a pool that follows a formula as often as one may."""
    interval = {"autoScaleEvaluationInterval": "PT5M"}
    return {"enableAutoScale": True, "autoScaleFormula": formula, **interval, **properties}


def zip_file(path: Path, *entries: tuple[str, int | None]) -> Path:
    """Write a zip of scripts with these names and modes; without a mode, as Windows makes it."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, mode in entries:
            info = zipfile.ZipInfo(name)
            info.create_system = 0 if mode is None else 3
            info.external_attr = ((mode or 0) | stat.S_IFREG) << 16 if mode else 0
            archive.writestr(info, f"#!/bin/sh\necho {name}\n")
    return path


async def only_node(batch: Batch) -> BatchNode:
    """Return the one node of the pool ``pool``."""
    (node,) = await batch.nodes()
    return node


async def in_state(batch: Batch, *states: str) -> BatchNode:
    """Wait until the one node is in one of these states."""
    return await batch.until(lambda: only_node(batch), lambda node: node.state in states)


async def ask(batch: Batch, node: str, what: str, **body: str) -> None:
    """Send what changes a node of the pool ``pool``."""
    await batch.send("POST", f"/pools/pool/nodes/{node}/{what}", json=body or None)
