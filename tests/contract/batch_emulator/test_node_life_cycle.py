"""The life cycle of nodes and of allocations: each step of the tables, by requests."""

from collections.abc import Awaitable, Callable
from enum import StrEnum
from pathlib import Path

import pytest

from batch_emulator.package import Package
from batch_emulator.runtime.enums import AllocationState, NodeState
from batch_emulator.runtime.life_cycles import ALLOCATION, NODE, LifeCycle
from tests.contract.conftest import Batch, Start, job_body, pool_body
from tests.support.emulated_pools import ask, in_state, only_node, zip_file

type Steps = list[tuple[StrEnum, StrEnum]]
type Lead = Callable[[Batch], Awaitable[None]]

FAST, SLOW, SLOWEST = 2000.0, 30.0, 0.05
"""At SLOW a node starts for 5 s and restarts for 2 s; at SLOWEST it is created for 20 s."""

SPOILED = (
    "/bin/sh -c 'cd ..; until test -e $AZ_BATCH_NODE_SHARED_DIR/go; do sleep 0.02; done; "
    "rm -r wd; touch wd; exit 1'"
)
"""A start task that fails, and leaves no folder to run again in: the node is unusable."""


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> Steps:
    """Return the steps that are taken, as they are checked against the tables."""
    taken: Steps = []
    require = LifeCycle.require

    def record(cycle: LifeCycle[StrEnum], before: StrEnum, after: StrEnum) -> None:
        require(cycle, before, after)
        taken.append((before, after))

    monkeypatch.setattr(LifeCycle, "require", record)
    return taken


async def make(batch: Batch, **properties: object) -> None:
    """Make a pool of one Spot node."""
    await batch.client.create_pool(pool_body(targetLowPriorityNodes=1, **properties))
    await batch.until(batch.nodes, lambda nodes: len(nodes) == 1)


async def plain(batch: Batch) -> None:
    """Bring a node to rest."""
    await make(batch)
    await in_state(batch, "idle")


async def on_node(batch: Batch, what: str) -> None:
    """Ask something of the one node."""
    await ask(batch, (await only_node(batch)).id, what)


async def preempt(batch: Batch) -> None:
    """Take the one node's machine away."""
    await batch.faults.preempt((await only_node(batch)).id, seconds=None)


async def restore(batch: Batch) -> None:
    """Give the one node another machine."""
    await batch.faults.restore((await only_node(batch)).id)


async def delete(batch: Batch) -> None:
    """Begin the removal of the pool."""
    await batch.send("DELETE", "/pools/pool")


async def run(batch: Batch) -> None:
    """Let a task run."""
    await batch.client.create_job(job_body("job", "/bin/sleep 600"))
    await batch.running("job")


async def end(batch: Batch) -> None:
    """End that task."""
    await batch.terminate("job", "enough")


async def spoil(batch: Batch) -> None:
    """Let the start task of ``SPOILED`` go on."""
    shared = batch.root / "pool" / (await only_node(batch)).id / "shared"

    async def there() -> bool:
        return shared.is_dir()

    await batch.until(there, bool)
    (shared / "go").touch()


def asking(what: str) -> Lead:
    """Return what asks something of the one node."""
    return lambda batch: on_node(batch, what)


def starting_with(command: str, **properties: object) -> Lead:
    """Return what makes a pool with a start task."""
    start = {"commandLine": command, **properties}
    return lambda batch: make(batch, startTask=start)


async def start_again(batch: Batch) -> None:
    """Deallocate the one node, and have it started."""
    await on_node(batch, "deallocate")
    await in_state(batch, "deallocated")
    await batch.send("POST", f"/pools/pool/nodes/{(await only_node(batch)).id}/start")


async def unusable(batch: Batch) -> None:
    """Make a pool whose package cannot be unzipped."""
    references = [{"applicationId": "bad", "version": "1"}]
    await make(batch, applicationPackageReferences=references)


BESIDE = starting_with(SPOILED, waitForSuccess=False, maxTaskRetryCount=1)
FIRST = starting_with(SPOILED, maxTaskRetryCount=1)
REBOOT, REIMAGE = asking("reboot"), asking("reimage")
SHUT, OPEN = asking("disablescheduling"), asking("enablescheduling")
DEALLOCATE = asking("deallocate")

S = NodeState
ARRIVALS: dict[NodeState, tuple[float, tuple[Lead, ...]]] = {
    S.CREATING: (SLOWEST, (make,)),
    S.STARTING: (SLOW, (make,)),
    S.WAITING_FOR_START_TASK: (FAST, (starting_with("/bin/sleep 600"),)),
    S.START_TASK_FAILED: (FAST, (starting_with("/bin/false"),)),
    S.UNUSABLE: (FAST, (unusable,)),
    S.IDLE: (FAST, (plain,)),
    S.RUNNING: (FAST, (plain, run)),
    S.OFFLINE: (FAST, (plain, SHUT)),
    S.REBOOTING: (SLOW, (plain, REBOOT)),
    S.REIMAGING: (SLOW, (plain, REIMAGE)),
    S.PREEMPTED: (FAST, (plain, preempt)),
    S.DEALLOCATING: (SLOW, (plain, DEALLOCATE)),
    S.DEALLOCATED: (FAST, (plain, DEALLOCATE)),
}
"""How a node comes into each state and stays there, and the speed at which it does."""

DEPARTURES: dict[NodeState, Lead] = {
    S.LEAVING_POOL: delete,
    S.PREEMPTED: preempt,
    S.REBOOTING: REBOOT,
    S.REIMAGING: REIMAGE,
    S.RUNNING: run,
    S.DEALLOCATING: DEALLOCATE,
}
"""What brings a node from any state that allows it into each of these."""

OTHERS: dict[tuple[NodeState, NodeState], tuple[Lead, ...]] = {
    (S.CREATING, S.STARTING): (plain,),
    (S.STARTING, S.IDLE): (plain,),
    (S.STARTING, S.OFFLINE): (plain, SHUT, REBOOT),
    (S.STARTING, S.UNUSABLE): (unusable,),
    (S.STARTING, S.WAITING_FOR_START_TASK): (starting_with("/bin/true"),),
    (S.WAITING_FOR_START_TASK, S.IDLE): (starting_with("/bin/true"),),
    (S.WAITING_FOR_START_TASK, S.START_TASK_FAILED): (starting_with("/bin/false"),),
    (S.WAITING_FOR_START_TASK, S.UNUSABLE): (FIRST, spoil),
    (S.IDLE, S.OFFLINE): (plain, SHUT),
    (S.IDLE, S.UNUSABLE): (BESIDE, spoil),
    (S.RUNNING, S.IDLE): (plain, run, end),
    (S.RUNNING, S.OFFLINE): (plain, run, SHUT),
    (S.RUNNING, S.UNUSABLE): (BESIDE, run, spoil),
    (S.OFFLINE, S.IDLE): (plain, SHUT, OPEN),
    (S.REBOOTING, S.STARTING): (plain, REBOOT),
    (S.REIMAGING, S.STARTING): (plain, REIMAGE),
    (S.PREEMPTED, S.CREATING): (plain, preempt, restore),
    (S.DEALLOCATING, S.DEALLOCATED): (plain, DEALLOCATE),
    (S.DEALLOCATED, S.STARTING): (plain, start_again),
}
"""The other steps, at full speed."""


async def beside_and_shut(batch: Batch) -> None:
    """Shut a node whose start task runs beside tasks."""
    await BESIDE(batch)
    await in_state(batch, "idle")
    await SHUT(batch)


async def shut_with_start_task(batch: Batch) -> None:
    """Shut a node that will run its start task again."""
    await starting_with("/bin/true")(batch)
    await in_state(batch, "idle")
    await SHUT(batch)


OTHERS |= {
    (S.OFFLINE, S.UNUSABLE): (beside_and_shut, spoil),
    (S.WAITING_FOR_START_TASK, S.OFFLINE): (shut_with_start_task, REBOOT),
}


@pytest.mark.parametrize("step", sorted(NODE.steps()), ids="-".join)
async def test_each_step_of_a_node(
    start_batch: Start, steps: Steps, tmp_path: Path, step: tuple[NodeState, NodeState]
) -> None:
    """A node takes each step of the table; a step that nothing brings about has no place in it."""
    before, after = step
    if step in OTHERS:
        speed, leads = FAST, OTHERS[step]
    else:
        speed, leads = ARRIVALS[before]
    package = Package("bad", "1", zip_file(tmp_path / "bad.zip", ("../out", 0o644)))
    batch = await start_batch(pool_speed=speed, faults=True, applications=(package,))
    for lead in leads:
        await lead(batch)
    if step not in OTHERS:
        await in_state(batch, before)
        await DEPARTURES[after](batch)

    async def taken() -> Steps:
        return steps

    await batch.until(taken, lambda seen: step in seen)


async def test_each_step_of_an_allocation(start_batch: Start, steps: Steps) -> None:
    """A pool is resized, stopped, left as it is, and deleted while it stops."""
    batch = await start_batch(pool_speed=0.5)
    await batch.client.create_pool(pool_body())
    resize = {"targetDedicatedNodes": 1}
    for _ in range(2):
        await batch.until(
            lambda: batch.client.get_pool("pool"), lambda pool: pool.allocation_state == "steady"
        )
        await batch.send("POST", "/pools/pool/resize", json=resize)
        await batch.until(batch.nodes, lambda nodes: len(nodes) == 1)
        await batch.send("POST", "/pools/pool/stopresize")
    await delete(batch)

    assert {step for step in steps if isinstance(step[0], AllocationState)} == ALLOCATION.steps()
