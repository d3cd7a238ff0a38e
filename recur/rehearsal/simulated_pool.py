"""
The pool on which a document is rehearsed: the emulator's own, in virtual time.

The only module of the command line that knows the emulator, and of it nothing but its rehearsals.
"""

import asyncio
import gc
import re
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from batch_emulator.rehearsal.rehearse import Rehearsal, rehearsal
from batch_emulator.rehearsal.values import (
    Chance,
    PlannedPool,
    PlannedRun,
    RehearsedNode,
    RehearsedRun,
)
from batch_emulator.simulation import LogNormal, Nodes, StartTasks, Uniform
from batch_emulator.virtual_clock import IdleLoop
from recur.checkout import formula_file

__all__ = ["PlannedRun", "Rehearsal", "RehearsedNode", "RehearsedRun", "play_on_pool"]

_COLLECTION_THRESHOLDS: Final = (50_000, 20, 1000)
_BOOT: Final = LogNormal(median=140, sigma=0.25)
_SETUP: Final = Uniform(least=20, most=60)
"""How long the start task takes that installs Python's packages: an assumption."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolShape:
    """
    What a pool is like.

    Attributes:
        nodes: So many at most.
        spot: Whether they are Spot nodes.
        slots: Task slots of each node.
        preemptions_per_hour: How often a Spot node is preempted, on average.
        seed: Of all that is left to chance.
    """

    nodes: int = 1
    spot: bool = False
    slots: int = 1
    preemptions_per_hour: float = 0.0
    seed: int = 0


def play_on_pool[T](
    shape: PoolShape, begin: datetime, play: Callable[[Rehearsal], Awaitable[T]]
) -> T:
    """
    Play something on a new pool that follows the deployed formula, and return what comes of it.

    Args:
        shape: Of the pool.
        begin: When it is created, in virtual time.
        play: Submits runs and lets time pass.
    """

    async def work() -> T:
        async with rehearsal(begin, _chance(shape)) as stage:
            stage.add_pool(PlannedPool(formula=_formula(shape), slots=shape.slots))
            result = await play(stage)
            stage.close()
            return result

    with _few_collections():
        return asyncio.run(work(), loop_factory=IdleLoop)


@contextmanager
def _few_collections() -> Iterator[None]:
    """Collect garbage rarely: what a rehearsal makes stays, and looking through it takes long."""
    usual = gc.get_threshold()
    gc.set_threshold(*_COLLECTION_THRESHOLDS)
    try:
        yield
    finally:
        gc.set_threshold(*usual)


def _chance(shape: PoolShape) -> Chance:
    nodes = Nodes(
        boot_seconds=_BOOT,
        start_task=StartTasks(seconds=_SETUP),
        preemptions_per_hour=shape.preemptions_per_hour,
    )
    return Chance(seed=shape.seed, nodes=nodes)


def _formula(shape: PoolShape) -> str:
    """Return the deployed formula with the two values that a deployment replaces."""
    text = formula_file().read_text(encoding="utf-8")
    for name, value in (("maxNodes", shape.nodes), ("spot", int(shape.spot))):
        text, count = re.subn(rf"^{name} = \d+;$", f"{name} = {value};", text, flags=re.MULTILINE)
        if count != 1:
            raise RuntimeError(f"{formula_file()} has no line {name}")
    return text
