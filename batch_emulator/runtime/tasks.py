"""What clients do to tasks: add, end, run again, change and delete them."""

from collections.abc import Sequence

from batch_emulator.errors import ServiceError, invalid_property
from batch_emulator.journal import tell
from batch_emulator.runtime.account import Account
from batch_emulator.runtime.command_line import ENDED
from batch_emulator.runtime.enums import TaskState, TaskStop
from batch_emulator.runtime.jobs import check_packages, refuse_unless_living
from batch_emulator.runtime.nodes import wipe
from batch_emulator.runtime.scheduling import assign, follow_up, pool_of, stop_runs
from batch_emulator.runtime.simulated_runs import refuse_real_task
from batch_emulator.runtime.state.job import Job
from batch_emulator.runtime.state.task import Task
from batch_emulator.wire import Json


def create(account: Account, job: Job, body: Json) -> Task:
    """
    Add a task, which starts as soon as a node has room and its dependencies allow.

    Raises:
        ServiceError: The job's end has begun, the task exists, it asks for what its job forbids, or
            the account's simulation does not know it.
    """
    refuse_unless_living(job)
    if job.tasks.find(body["id"]):
        raise ServiceError("TaskExists")
    _check_dependencies(job, body)
    _check_job_actions(job, body)
    check_packages(account, body)
    refuse_real_task(account, job.id, body["id"])
    task = Task(job, body)
    job.add(task)
    start_new(account, job, [task])
    return task


def start_new(account: Account, job: Job, tasks: Sequence[Task]) -> None:
    """Start as many of these new tasks as there is room for."""
    if pool := pool_of(account, job):
        assign(account, pool, tasks)


def _check_dependencies(job: Job, body: Json) -> None:
    if "dependsOn" in body and not job.body["usesTaskDependencies"]:
        raise ServiceError("TaskDependenciesNotSpecifiedOnJob")


def _check_job_actions(job: Job, body: Json) -> None:
    if job.body["onTaskFailure"] != "noaction":
        return
    conditions = body.get("exitConditions", {})
    listed = [
        (name, item["exitOptions"])
        for name in ("exitCodes", "exitCodeRanges")
        for item in conditions.get(name, ())
    ]
    single = [
        (name, conditions[name])
        for name in ("preProcessingError", "fileUploadError", "default")
        if name in conditions
    ]
    for name, options in (*listed, *single):
        if "jobAction" in options:
            reason = "A job action needs a job whose onTaskFailure is performExitOptionsJobAction"
            raise invalid_property(f"exitConditions.{name}.jobAction", options["jobAction"], reason)


def terminate(account: Account, task: Task) -> None:
    """
    Begin the end of a task; one that has not started is completed at once.

    Raises:
        ServiceError: TaskCompleted.
    """
    if task.state is TaskState.COMPLETED:
        raise ServiceError("TaskCompleted")
    task.modified = task.job.clock.now()
    if run := task.job.runs.get(task):
        run.ask_to_stop(TaskStop.TERMINATE)
        return
    _complete_unstarted(account, task)
    task.modified = task.state_since


def skip(account: Account, task: Task) -> None:
    """
    Complete a task that waits, as if it had ended without ever having run.

    Raises:
        ValueError: It does not wait.
    """
    if task.state is not TaskState.ACTIVE:
        raise ValueError(f"the task is {task.state}")
    _complete_unstarted(account, task)


def expire(task: Task) -> None:
    """
    End the run of a task as at its time limit.

    Raises:
        ValueError: It does not run.
    """
    run = task.job.runs.get(task)
    if run is None or task.state is not TaskState.RUNNING:
        raise ValueError(f"the task is {task.state}")
    run.ending.set()


def _complete_unstarted(account: Account, task: Task) -> None:
    task.complete(None, ENDED)
    tell("task.ended", job=task.job.id, task=task.id, state=task.state, code=None)
    follow_up(account, task)
    if pool := pool_of(account, task.job):
        assign(account, pool)


def reactivate(account: Account, task: Task) -> None:
    """
    Let a failed task run again.

    Raises:
        ServiceError: The job's end has begun, or the task is not completed, has succeeded or is
            being deleted.
    """
    refuse_unless_living(task.job)
    if task.leaving:
        raise ServiceError("TaskNotFound")
    if task.state is not TaskState.COMPLETED:
        raise ServiceError("TaskNotCompleted")
    if task.execution.failure is None:
        raise ServiceError("TaskSucceeded")
    task.reactivate()
    tell("task.reactivated", job=task.job.id, task=task.id)
    start_new(account, task.job, [task])


def update(task: Task, constraints: Json) -> None:
    """Change the constraints of a task; a current run keeps its own."""
    task.body = {**task.body, "constraints": constraints}
    task.modified = task.job.clock.now()


async def delete(task: Task) -> None:
    """Remove a task with its folder; its program, if it runs, is ended first."""
    job, node = task.job, task.node
    task.leaving = True
    if run := job.runs.get(task):
        # A requeued task that leaves does not start again, and uploads no outputs.
        await stop_runs([run], TaskStop.REQUEUE)
    if node is not None and (folder := node.root / task.root).exists():
        await job.clock.in_thread(wipe, folder)
    if job.tasks.find(task.id) is task:  # and was not deleted meanwhile, by another request
        job.remove(task)
        tell("task.deleted", job=job.id, task=task.id)
        job.end_if_all_done()
