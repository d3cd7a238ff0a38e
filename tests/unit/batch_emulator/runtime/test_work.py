"""What a pool has to do and in which order; what follows from the end of a task."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batch_emulator.clock import RealClock
from batch_emulator.runtime.backlog import Backlog, Progress, no_counts
from batch_emulator.runtime.collection import Collection
from batch_emulator.runtime.dependencies import Dependencies
from batch_emulator.runtime.enums import JobState
from batch_emulator.runtime.execution import Execution, Failure
from batch_emulator.runtime.exit_conditions import exit_options
from batch_emulator.runtime.state.job import Job
from batch_emulator.runtime.state.task import Task
from batch_emulator.wire import Json

FAILED = Failure("FailureExitCode", "")
UPLOAD = Failure("FileUploadMiscError", "")
MISSING = Failure("CommandProgramNotFound", "")
ENDED = Failure("TaskEnded", "")

STOP = {"jobAction": "terminate"}
HOLD = {"jobAction": "disable"}
GO = {"dependencyAction": "satisfy"}
LISTED: Json = {
    "exitCodes": [{"code": 0, "exitOptions": STOP}, {"code": 3, "exitOptions": GO}],
    "exitCodeRanges": [{"start": 3, "end": 5, "exitOptions": HOLD}],
}
APART: Json = {"preProcessingError": GO, "fileUploadError": HOLD, "default": {"jobAction": "none"}}


@pytest.mark.parametrize(
    ("conditions", "code", "failure", "job_action", "dependency_action"),
    [
        ({}, 0, None, "none", "satisfy"),
        ({}, 1, FAILED, "terminate", "block"),
        ({}, None, MISSING, "terminate", "block"),
        ({}, 0, UPLOAD, "terminate", "block"),
        (LISTED, 0, None, "terminate", "satisfy"),
        (LISTED, 0, UPLOAD, "terminate", "block"),
        (LISTED, 2, FAILED, "terminate", "block"),
        (LISTED, 3, FAILED, "terminate", "satisfy"),
        (LISTED, 4, FAILED, "disable", "block"),
        (LISTED, 5, FAILED, "disable", "block"),
        (LISTED, 6, FAILED, "terminate", "block"),
        (APART, 0, None, "none", "satisfy"),
        (APART, 1, FAILED, "none", "block"),
        (APART, None, MISSING, "terminate", "satisfy"),
        (APART, None, ENDED, "none", "block"),
        ({}, None, ENDED, "none", "block"),
        (APART, 0, UPLOAD, "disable", "block"),
        ({"default": GO}, 0, UPLOAD, "terminate", "satisfy"),
        ({"default": GO}, None, MISSING, "terminate", "satisfy"),
        ({"fileUploadError": GO}, None, MISSING, "terminate", "block"),
    ],
)
def test_exit_options(
    conditions: Json,
    code: int | None,
    failure: Failure | None,
    job_action: str,
    dependency_action: str,
) -> None:
    """An exit code that is listed goes first, then the kind of failure, then the default."""
    found = exit_options(conditions, Execution(exit_code=code, failure=failure))

    assert found == {"jobAction": job_action, "dependencyAction": dependency_action}


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
    done.complete(None, ENDED)
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


spans = st.tuples(st.integers(0, 12), st.integers(0, 12)).map(lambda ends: tuple(sorted(ends)))


@given(
    st.lists(st.integers(0, 12).map(str), max_size=6),
    st.lists(spans, max_size=4),
    st.permutations(range(13)),
    st.integers(0, 13),
)
def test_a_task_goes_on_when_all_that_it_names_is_satisfied(
    ids: list[str], ranges: list[tuple[int, int]], order: list[int], before: int
) -> None:
    """Whether what it depends on ended before or after it was added, and in any order."""
    dependencies: Dependencies[str] = Dependencies()
    for number in order[:before]:
        dependencies.satisfy(str(number))
    depends_on = {
        "taskIds": ids,
        "taskIdRanges": [{"start": start, "end": end} for start, end in ranges],
    }
    conditions = dependencies.add("task", depends_on)
    needed = {int(name) for name in ids}
    for start, end in ranges:
        needed |= set(range(start, end + 1))

    assert (conditions == 0) == (needed <= set(order[:before]))
    for count, number in enumerate(order[before:], start=before + 1):
        conditions -= len(dependencies.satisfy(str(number)))
        assert (conditions == 0) == (needed <= set(order[:count]))


@given(st.lists(st.tuples(st.booleans(), st.text("abAB1", min_size=1, max_size=3))), st.text("ab1"))
def test_a_collection_is_in_the_order_of_its_ids(steps: list[tuple[bool, str]], after: str) -> None:
    """After any additions and removals, and from any place on."""
    held: Collection[str] = Collection()
    there: set[str] = set()
    for adds, name in steps:
        folded = name.lower()
        if adds and folded not in there:
            held.add(name, folded)
            there.add(folded)
        elif not adds and folded in there:
            held.remove(name)
            there.remove(folded)

    assert list(held.after(after)) == sorted(name for name in there if name > after)
    assert set(held) == there
    assert len(held) == len(there)
