"""The tables of the life cycles of jobs and tasks: each step is reached, and there is no other."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum

import pytest

from batch_emulator.clock import RealClock
from batch_emulator.runtime.backlog import Backlog
from batch_emulator.runtime.enums import JobState, TaskState
from batch_emulator.runtime.life_cycles import JOB, TASK, LifeCycle
from batch_emulator.runtime.state.job import Job
from batch_emulator.runtime.state.task import Task
from tests.contract.conftest import Batch, Start, pool_body
from tests.support.plain_jobs import plain_job, settled, task_body, until_job, until_task
from tests.support.prepared_jobs import prepared

STUBBORN = "/bin/sh -c 'trap : TERM; while :; do sleep 0.02; done'"
"""Ends only by force, so that what waits for its end can be seen."""


def steps_of[State: StrEnum](
    table: LifeCycle[State], states: type[State]
) -> Iterator[tuple[State, State]]:
    """Return the steps that a table allows."""
    return (pair for pair in itertools.product(states, states) if table.allows(*pair))


@dataclass(slots=True)
class Witness:
    """The steps that one job or task has taken, by its states at certain times."""

    batch: Batch
    path: str
    steps: set[tuple[str, str]] = field(default_factory=set)
    last: str | None = None

    async def look(self) -> None:
        """Note how the thing came to the state that it is in now."""
        thing = (await self.batch.send("GET", self.path)).json()
        before, now = thing.get("previousState"), thing["state"]
        if self.last is not None and now != self.last:
            if before != self.last:
                self.steps.add((self.last, before))  # it has been there since the last look
            self.steps.add((before, now))
        self.last = now

    async def ask(self, what: str, **body: str) -> None:
        """Look, send a request about the thing, and look again."""
        await self.look()
        await self.batch.send("POST", f"{self.path}/{what}", json=body)
        await self.look()


async def test_requests_lead_a_job_through_every_step_of_its_table(start_batch: Start) -> None:
    """Whatever the table allows is what some request does."""
    batch = await start_batch(faults=True, kill_grace_seconds=3)  # for as long a job terminates
    client = batch.client
    await client.create_pool(pool_body(targetDedicatedNodes=1, taskSlotsPerNode=8))
    seen: set[tuple[str, str]] = set()

    async def job(name: str, *, busy: bool = False) -> Witness:
        await client.create_job(plain_job(name))
        if busy:
            await client.create_task(name, task_body("task", STUBBORN))
            await until_task(batch, "task", "running", name)
        return Witness(batch, f"/jobs/{name}", seen)

    first = await job("first", busy=True)
    await first.ask("disable", disableTasks="wait")
    await first.ask("terminate")
    await until_job(batch, "completed", "first")
    await first.look()
    second = await job("second")
    await second.ask("disable", disableTasks="requeue")
    await second.ask("enable")
    await second.ask("terminate")
    third = await job("third")
    await third.ask("disable", disableTasks="requeue")
    await third.ask("terminate")
    for name, ways in (
        ("active", ()),
        ("disabling", (("disable", {"disableTasks": "wait"}),)),
        ("disabled", (("disable", {"disableTasks": "terminate"}),)),
        ("terminating", (("terminate", {}),)),
        ("completed", (("terminate", {}),)),
    ):
        deleted = await job(name, busy=name != "completed")
        for what, body in ways:
            await deleted.ask(what, **body)
        await until_job(batch, name, name)
        await deleted.look()
        await batch.faults.keep_deleting_job(name)
        await deleted.look()

    assert seen == {(str(before), str(after)) for before, after in steps_of(JOB, JobState)}


async def test_requests_lead_a_task_through_every_step_of_its_table(batch: Batch) -> None:
    """Whatever the table allows is what some request does."""
    await batch.client.create_pool(pool_body(targetDedicatedNodes=1))
    await batch.client.create_job(plain_job())
    await batch.client.create_task("job", task_body("one", "/bin/sleep 600"))
    one = Witness(batch, "/jobs/job/tasks/one")
    await one.look()
    await until_task(batch, "one", "running")
    await one.look()
    await batch.send("POST", "/jobs/job/disable", json={"disableTasks": "requeue"})
    await until_job(batch, "disabled")
    await one.look()
    await one.ask("terminate")
    await one.ask("reactivate")
    await batch.send("POST", "/jobs/job/enable")
    await until_task(batch, "one", "running")
    await one.look()
    await one.ask("terminate")
    await settled(batch, "one")
    await one.look()
    await lead_through_preparation(batch, one.steps)

    assert one.steps == {(str(before), str(after)) for before, after in steps_of(TASK, TaskState)}


async def lead_through_preparation(batch: Batch, steps: set[tuple[str, str]]) -> None:
    """Let a task wait for the job preparation task, and leave that state in each way."""
    gate = "/bin/sh -c 'until [ -e $AZ_BATCH_NODE_SHARED_DIR/go ]; do sleep 0.02; done'"
    await batch.client.create_job(plain_job("waits", **prepared(gate)))
    await batch.client.create_task("waits", task_body("one", "/bin/sleep 600"))
    one = Witness(batch, "/jobs/waits/tasks/one", steps)

    async def until(state: str) -> None:
        await until_task(batch, "one", state, "waits")
        await one.look()

    await until("preparing")
    await batch.send("POST", "/jobs/waits/disable", json={"disableTasks": "requeue"})
    await until_job(batch, "disabled", "waits")
    await until("active")
    await batch.send("POST", "/jobs/waits/enable")
    await until("preparing")
    await one.ask("terminate")
    await until("completed")
    await one.ask("reactivate")
    await until("preparing")
    (node,) = await batch.nodes()
    (batch.root / "pool" / str(node.id) / "shared/go").touch()
    await until("running")


def job_in(state: JobState) -> Job:
    """Return a job in a state."""
    job = Job({"id": "job", "poolInfo": {"poolId": "pool"}, "priority": 0}, Backlog(), RealClock())
    job.state = state
    return job


@pytest.mark.parametrize(("before", "after"), [*itertools.product(JobState, JobState)])
def test_a_job_takes_no_other_step(before: JobState, after: JobState) -> None:
    """A step that is not in the table is refused, and the job stays where it is."""
    job = job_in(before)
    _attempt(lambda: job.enter(after), allowed=JOB.allows(before, after))

    assert job.state is (after if JOB.allows(before, after) else before)


@pytest.mark.parametrize(("before", "after"), [*itertools.product(TaskState, TaskState)])
def test_a_task_takes_no_other_step(before: TaskState, after: TaskState) -> None:
    """A step that is not in the table is refused, and the task stays where it is."""
    task = Task(job_in(JobState.ACTIVE), {"id": "task", "requiredSlots": 1})
    task.state = before
    _attempt(lambda: task.enter(after), allowed=TASK.allows(before, after))

    assert task.state is (after if TASK.allows(before, after) else before)


def _attempt(step: Callable[[], None], *, allowed: bool) -> None:
    if allowed:
        step()
    else:
        with pytest.raises(RuntimeError, match="cannot follow"):
            step()
