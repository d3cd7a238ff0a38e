"""Tasks that wait for other tasks, and what the end of a task does to its job."""

import pytest

from tests.contract.conftest import Batch, pool_body, refusal
from tests.support.plain_jobs import (
    code_of,
    plain_job,
    reason_of,
    settled,
    task_body,
    until_job,
)

FAIL = "/bin/sh -c 'exit 3'"
SATISFY = {"dependencyAction": "satisfy"}


async def start(batch: Batch, **job: object) -> None:
    """Create one node with room for one task, and one job whose tasks can depend on others."""
    await batch.client.create_pool(pool_body(targetDedicatedNodes=1))
    await batch.client.create_job(plain_job(usesTaskDependencies=True, **job))


async def order(batch: Batch, *names: str) -> list[str]:
    """Wait until these tasks are completed and return them by the time at which they began."""
    starts = []
    for name in names:
        execution = (await settled(batch, name)).execution_info
        assert execution is not None
        assert execution.start_time is not None
        starts.append((execution.start_time, name))
    return [name for _, name in sorted(starts)]


async def test_a_task_waits_for_the_tasks_that_it_names(batch: Batch) -> None:
    """Also for one that is added later, in whatever case its id is written."""
    await start(batch)
    await batch.client.create_task("job", task_body("last", dependsOn={"taskIds": ["A", "b"]}))
    await batch.client.create_task("job", task_body("a"))
    await settled(batch, "a")
    assert (await batch.client.get_task("job", "last")).state == "active"
    await batch.client.create_task("job", task_body("B"))

    assert await order(batch, "last", "a", "B") == ["a", "B", "last"]


async def test_a_task_waits_for_ranges(batch: Batch) -> None:
    """Both ends belong to a range, and leading zeros do not count."""
    await start(batch)
    ranges = [{"start": 1, "end": 3}, {"start": 7, "end": 7}]
    merge = task_body("merge", dependsOn={"taskIdRanges": ranges, "taskIds": ["extra"]})
    await batch.client.create_task("job", merge)
    for name in ("extra", "1", "02", "3"):
        await batch.client.create_task("job", task_body(name))
        await settled(batch, name)
    assert (await batch.client.get_task("job", "merge")).state == "active"
    await batch.client.create_task("job", task_body("7"))

    assert (await order(batch, "merge", "extra", "1", "02", "3", "7"))[-1] == "merge"


async def test_a_task_whose_dependency_failed_never_starts(batch: Batch) -> None:
    """It stays active, and the pool's room is for others."""
    await start(batch)
    await batch.client.create_task("job", task_body("bad", FAIL))
    await batch.client.create_task("job", task_body("next", dependsOn={"taskIds": ["bad"]}))
    await settled(batch, "bad")
    await batch.client.create_task("job", task_body("other"))
    await settled(batch, "other")

    assert (await batch.client.get_task("job", "next")).state == "active"


@pytest.mark.parametrize(
    "conditions",
    [
        {"exitCodes": [{"code": 3, "exitOptions": SATISFY}]},
        {"exitCodeRanges": [{"start": 1, "end": 3, "exitOptions": SATISFY}]},
        {"default": SATISFY},
    ],
)
async def test_a_failure_can_satisfy(batch: Batch, conditions: dict[str, object]) -> None:
    """A task says for which of its exit codes others may go on."""
    await start(batch)
    await batch.client.create_task("job", task_body("bad", FAIL, exitConditions=conditions))
    await batch.client.create_task("job", task_body("next", dependsOn={"taskIds": ["bad"]}))

    assert await order(batch, "bad", "next") == ["bad", "next"]


async def test_a_task_that_cannot_start_can_satisfy(batch: Batch) -> None:
    """What goes wrong before the program runs has a condition of its own."""
    await start(batch)
    conditions = {"preProcessingError": SATISFY, "default": {"dependencyAction": "block"}}
    await batch.client.create_task(
        "job", task_body("bad", "/no/such/program", exitConditions=conditions)
    )
    await batch.client.create_task("job", task_body("next", dependsOn={"taskIds": ["bad"]}))

    assert code_of(await settled(batch, "bad")) == "CommandProgramNotFound"
    await settled(batch, "next")


async def test_a_job_ends_when_all_its_tasks_are_completed(batch: Batch) -> None:
    """Failed ones are completed as well."""
    await start(batch)
    for body in (task_body("one"), task_body("two", FAIL)):
        await batch.client.create_task("job", body)
    await settled(batch, "two")
    assert (await batch.client.get_job("job")).state == "active"
    await batch.send("PATCH", "/jobs/job", json={"onAllTasksComplete": "terminatejob"})

    assert reason_of(await batch.completed("job")) == "AllTasksComplete"


async def test_an_empty_job_is_complete(batch: Batch) -> None:
    """It waits a while for its first task, and no longer; a task in time makes it wait."""
    for name in ("empty", "job"):
        await batch.client.create_job(plain_job(name, onAllTasksComplete="terminatejob"))
    await batch.client.create_task("job", task_body("waits"))

    assert reason_of(await batch.completed("empty")) == "AllTasksComplete"
    assert (await batch.client.get_job("job")).state == "active"


async def test_the_end_of_all_tasks_goes_before_disabling(batch: Batch) -> None:
    """A job that its last task disables ends all the same, if it is to end with its tasks."""
    await start(batch, onTaskFailure="performexitoptionsjobaction")
    disable = {"default": {"jobAction": "disable"}}
    bad = task_body("bad", "/bin/sh -c 'sleep 0.3; exit 1'", exitConditions=disable)
    await batch.client.create_task("job", bad)
    await batch.send("PATCH", "/jobs/job", json={"onAllTasksComplete": "terminatejob"})

    assert reason_of(await batch.completed("job")) == "AllTasksComplete"


@pytest.mark.parametrize("command", [FAIL, "/no/such/program"])
async def test_a_failed_task_can_end_its_job(batch: Batch, command: str) -> None:
    """The job that asks for it ends with a task that fails in whatever way."""
    await start(batch, onTaskFailure="performExitOptionsJobAction")
    await batch.client.create_task("job", task_body("good"))
    await settled(batch, "good")
    assert (await batch.client.get_job("job")).state == "active"
    await batch.client.create_task("job", task_body("bad", command))

    assert reason_of(await batch.completed("job")) == "TaskFailed"


async def test_exit_options_say_what_becomes_of_the_job(batch: Batch) -> None:
    """One exit code is nothing to the job, another one disables it, and its tasks wait."""
    await start(batch, onTaskFailure="performexitoptionsjobaction")
    conditions = {
        "exitCodes": [{"code": 3, "exitOptions": {"jobAction": "none"}}],
        "exitCodeRanges": [{"start": 4, "end": 9, "exitOptions": {"jobAction": "disable"}}],
    }
    await batch.client.create_task("job", task_body("three", FAIL, exitConditions=conditions))
    await settled(batch, "three")
    assert (await batch.client.get_job("job")).state == "active"
    four = task_body("four", "/bin/sh -c 'exit 4'", exitConditions=conditions)
    await batch.client.create_task("job", four)
    await until_job(batch, "disabled")
    await batch.client.create_task("job", task_body("later"))

    assert (await batch.client.get_task("job", "later")).state == "active"


async def test_dependencies_need_a_job_that_uses_them(batch: Batch) -> None:
    """Otherwise the task is refused; and so are ranges that end before they start."""
    await batch.client.create_job(plain_job("plain"))
    await batch.client.create_job(plain_job(usesTaskDependencies=True))
    create = batch.client.create_task
    body = task_body("next", dependsOn={"taskIds": ["one"]})
    backwards = task_body("next", dependsOn={"taskIdRanges": [{"start": 2, "end": 1}]})
    long = task_body("next", dependsOn={"taskIds": ["x" * 64] * 1001})

    assert await refusal(create("plain", body)) == (400, "TaskDependenciesNotSpecifiedOnJob")
    assert await refusal(create("job", backwards)) == (400, "InvalidPropertyValue")
    assert await refusal(create("job", long)) == (400, "TaskDependencyListTooLong")
