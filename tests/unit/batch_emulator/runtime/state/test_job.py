"""The tasks of the jobs of a pool: in which order they start, and how many there are."""

from batch_emulator.clock import RealClock
from batch_emulator.runtime.backlog import Backlog, Progress, no_counts
from batch_emulator.runtime.enums import JobState
from batch_emulator.runtime.execution import Failure
from batch_emulator.runtime.state.job import Job
from batch_emulator.runtime.state.task import Task


def job(backlog: Backlog[Task], priority: int = 0) -> Job:
    """Return a job of a pool."""
    return Job(
        {"id": "job", "poolInfo": {"poolId": "pool"}, "priority": priority}, backlog, RealClock()
    )


def add(job: Job, name: str, **properties: object) -> Task:
    """Add a task to a job."""
    task = Task(job, {"id": name, "requiredSlots": 1, **properties})
    job.add(task)
    return task


def names(backlog: Backlog[Task]) -> list[str]:
    """Return the tasks that could start, the first one first."""
    return [task.id for task in backlog.waiting()]


def test_a_pool_serves_priorities_then_ages_then_the_order_of_addition() -> None:
    """The order of a pool's tasks, also when a priority changes or a job is disabled."""
    backlog: Backlog[Task] = Backlog()
    old, young, urgent = job(backlog), job(backlog), job(backlog, 9)
    add(young, "young")
    add(old, "old2")
    add(old, "old1")
    add(urgent, "urgent")
    assert names(backlog) == ["urgent", "old2", "old1", "young"]

    young.body["priority"] = 10
    young.refresh()
    assert names(backlog) == ["young", "urgent", "old2", "old1"]
    young.enter(JobState.DISABLING)
    assert names(backlog) == ["urgent", "old2", "old1"]
    assert backlog.ready == 3


def test_a_job_that_leaves_takes_its_counts_along() -> None:
    """What a pool has to do, and has done, is that of the jobs that are there."""
    here: Backlog[Task] = Backlog()
    there: Backlog[Task] = Backlog()
    moving, staying = job(here), job(here)
    done = add(moving, "done")
    add(moving, "open")
    add(staying, "stays")
    done.complete(None, Failure("TaskEnded", ""))
    moving.join(there)

    assert (names(here), here.ready) == (["stays"], 1)
    assert (names(there), there.ready) == (["open"], 1)
    assert here.counts == no_counts() | {Progress.ACTIVE: 1}
    assert there.counts == no_counts() | {Progress.ACTIVE: 1, Progress.FAILED: 1}


def test_tasks_that_wait_for_others_are_not_ready() -> None:
    """The autoscale metric of active tasks counts only what could start."""
    backlog: Backlog[Task] = Backlog()
    mine = job(backlog)
    first = add(mine, "first")
    add(mine, "second", dependsOn={"taskIds": ["FIRST"]})
    assert (names(backlog), backlog.ready) == (["first"], 1)
    first.complete(0, None)
    mine.satisfy("first")

    assert (names(backlog), backlog.ready) == (["second"], 1)
    assert mine.counts[Progress.ACTIVE] == 1
