"""The life of a job, from its creation to its end."""

from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Final

from batch_emulator.errors import ServiceError, invalid_property
from batch_emulator.journal import tell
from batch_emulator.runtime import auto_pools, preparation
from batch_emulator.runtime.account import Account
from batch_emulator.runtime.enums import JobState, TaskStop
from batch_emulator.runtime.execution import Failure
from batch_emulator.runtime.node_packages import resolve_packages
from batch_emulator.runtime.nodes import wipe
from batch_emulator.runtime.scheduling import assign, disable, pool_of, stop_runs
from batch_emulator.runtime.simulated_runs import refuse_real_task
from batch_emulator.runtime.state.job import LIVING, Job
from batch_emulator.runtime.state.job_schedule import JobSchedule
from batch_emulator.runtime.state.task import Task
from batch_emulator.wire import UNLIMITED, Json, parse_duration

_EMPTY_SECONDS: Final = 3.0
"""How long a job that ends with its tasks waits for the first one. The service waits for some time,
as reported in Azure/azure-sdk-for-net#8764."""


def create(account: Account, body: Json, schedule: JobSchedule | None = None) -> Job:
    """
    Add a job, with its job manager task if it has one, which starts as soon as a node has room.

    The pool need not exist: the job then waits for it. A pool of the job's own is created here; if
    that fails, the job is completed without a task.

    Args:
        account: The account.
        body: The job's body, with its id.
        schedule: The job schedule that makes it.

    Raises:
        ServiceError: JobExists, JobBeingDeleted, JobScheduleWithSameIdExists, packages that do not
            exist, or a job manager task that the account's simulation does not know.
    """
    if there := account.jobs.find(body["id"]):
        deleting = there.state is JobState.DELETING
        raise ServiceError("JobBeingDeleted" if deleting else "JobExists")
    if account.job_schedules.find(body["id"]):
        raise ServiceError("JobScheduleWithSameIdExists")
    manager: Json | None = body.get("jobManagerTask")
    if manager is not None:
        check_packages(account, manager)
        refuse_real_task(account, body["id"], manager["id"])
    auto_pool, error = _own_pool(account, body, schedule)
    backlog = account.backlog(auto_pool or body["poolInfo"]["poolId"])
    job = Job(body, backlog, account.clock, schedule, auto_pool=auto_pool, scheduling_error=error)
    account.jobs.add(job.id, job)
    live(account, job)
    if error is not None:
        job.end(None)
    elif manager is not None:
        task = Task(job, manager, manages=True)
        job.add(task)
        if pool := pool_of(account, job):
            assign(account, pool, [task])
    return job


def _own_pool(
    account: Account, body: Json, schedule: JobSchedule | None
) -> tuple[str | None, Failure | None]:
    """Return the pool that was created for a job or its job schedule, if any; see ``auto_pools``."""
    specification: Json | None = body["poolInfo"].get("autoPoolSpecification")
    if specification is None:
        return None, None
    if schedule is not None and specification["poolLifetimeOption"] == "jobschedule":
        return auto_pools.share(account, schedule, specification)
    return auto_pools.create(account, body["id"], specification)


def check_packages(account: Account, task: Json) -> None:
    """
    Check that the packages of a task exist.

    Raises:
        ServiceError: InvalidApplicationPackageReferences.
    """
    resolve_packages(task.get("applicationPackageReferences", ()), account.applications.active())


def live(account: Account, job: Job) -> None:
    """Start the life of a job that was created or loaded and is not completed."""
    job.on_change = partial(_look_after, account, job)
    job.on_change()
    _end_when_done(account, job)


def _end_when_done(account: Account, job: Job) -> None:
    """End a job whose tasks are all completed, if it asks for that; wait a while for its first task."""
    if len(job.tasks):
        job.end_if_all_done()
    elif job.body["onAllTasksComplete"] == "terminatejob":
        account.background.start(
            _end_unless_filled(account, job), name=f"first tasks of job {job.id}"
        )


async def _end_unless_filled(account: Account, job: Job) -> None:
    await account.clock.sleep(_EMPTY_SECONDS)
    job.end_if_all_done()


def _look_after(account: Account, job: Job) -> None:
    """Complete the end of a job once it has begun; until then watch its time limit."""
    job.set_limit(None)
    if job.state not in LIVING:
        job.on_change = _nothing
        account.background.start(_end_job(account, job), name=f"end of job {job.id}")
        return
    limit = parse_duration(job.body["constraints"]["maxWallClockTime"])
    if limit < UNLIMITED:
        left = (limit - (job.clock.now() - job.created)).total_seconds()
        end = partial(job.end, "MaxWallClockTimeExpiry")
        job.set_limit(job.clock.call_later(left, end))


def _nothing() -> None:
    """Do nothing about a change: the job's end has begun."""


def stop_clocks(account: Account) -> None:
    """Stop watching the time limits of jobs, since the emulator ends."""
    for job in account.jobs:
        job.set_limit(None)


async def _end_job(account: Account, job: Job) -> None:
    await stop_runs([*job.runs.values()], TaskStop.TERMINATE)
    await preparation.release(account, job)
    job.complete()
    _expire_own_pool(account, job)
    tell("job.ended", job=job.id, state=job.state, reason=job.reason)
    if job.state is JobState.DELETING and not job.stuck:
        await _remove(account, job)


def _expire_own_pool(account: Account, job: Job) -> None:
    if job.auto_pool is None:
        return
    specification = job.body["poolInfo"]["autoPoolSpecification"]
    if specification["poolLifetimeOption"] == "job" and not specification["keepAlive"]:
        auto_pools.expire(account, job.auto_pool)


def terminate(job: Job, reason: str | None) -> None:
    """
    Begin the end of a job that a client asked for.

    Raises:
        ServiceError: The job's end has begun.
    """
    refuse_unless_living(job)
    job.modified = job.clock.now()
    job.end(reason or "UserTerminate")


def delete(account: Account, job: Job) -> None:
    """
    Begin the removal of a job and of its tasks' folders.

    Raises:
        ServiceError: It has begun already.
    """
    refuse_unless_here(job)
    lives = job.state in LIVING or job.state is JobState.TERMINATING
    job.enter(JobState.DELETING)
    job.on_change()
    if not lives:
        account.background.start(_remove(account, job), name=f"removal of job {job.id}")


def refuse_unless_here(job: Job) -> None:
    """
    Refuse to change a job that is being deleted.

    Raises:
        ServiceError: JobBeingDeleted.
    """
    if job.state is JobState.DELETING:
        raise ServiceError("JobBeingDeleted")


def refuse_unless_living(job: Job) -> None:
    """
    Refuse to change a job whose end has begun.

    Raises:
        ServiceError: JobBeingDeleted, JobBeingTerminated or JobCompleted.
    """
    refuse_unless_here(job)
    if job.state is JobState.TERMINATING:
        raise ServiceError("JobBeingTerminated")
    if job.state is JobState.COMPLETED:
        raise ServiceError("JobCompleted")


def disable_job(account: Account, job: Job, how: TaskStop | None) -> None:
    """
    Disable a job: see ``scheduling.disable``.

    Raises:
        ServiceError: The job's end has begun, or it is being enabled.
    """
    refuse_unless_living(job)
    job.modified = job.clock.now()
    disable(account, job, how)


def enable(account: Account, job: Job) -> None:
    """
    Let the tasks of a disabled job start again.

    Raises:
        ServiceError: The job is not disabled.
    """
    refuse_unless_living(job)
    if job.state is not JobState.DISABLED:
        raise ServiceError("OperationInvalidForCurrentState")
    job.modified = job.clock.now()
    job.enter(JobState.ENABLING)
    job.enter(JobState.ACTIVE)
    tell("job.enabled", job=job.id)
    _assign_all(account, job)


def update(account: Account, job: Job, body: Json) -> None:
    """
    Change the properties of a job.

    Raises:
        ServiceError: The job's end has begun, its pool cannot change now, or
            ``onAllTasksComplete`` cannot be taken back.
    """
    refuse_unless_living(job)
    _check_auto_pool(job.body["poolInfo"], body["poolInfo"])
    pool_id = job.auto_pool or str(body["poolInfo"]["poolId"])
    moves = pool_id.lower() != job.pool_id.lower()
    if moves and job.state is not JobState.DISABLED:
        raise ServiceError("OperationInvalidForCurrentState")
    if body["onAllTasksComplete"] != job.body["onAllTasksComplete"] != "noaction":
        reason = "The value cannot be changed from terminatejob to noaction"
        raise invalid_property("onAllTasksComplete", body["onAllTasksComplete"], reason)
    job.body, job.modified = body, job.clock.now()
    if moves:
        job.join(account.backlog(pool_id))
    job.refresh()
    job.on_change()
    tell("job.updated", job=job.id)
    _end_when_done(account, job)
    _assign_all(account, job)


def _check_auto_pool(before: Json, after: Json) -> None:
    """
    Refuse to change the specification of a job's own pool, except for ``keepAlive``.

    Raises:
        ServiceError: PropertyCannotBeUpdated.
    """
    old, new = before.get("autoPoolSpecification"), after.get("autoPoolSpecification")
    if old is None and new is None:
        return
    if old is None or new is None or {**old, "keepAlive": new["keepAlive"]} != new:
        reason = "Only keepAlive of an auto pool can be updated"
        values = (("PropertyName", "poolInfo.autoPoolSpecification"), ("Reason", reason))
        raise ServiceError("PropertyCannotBeUpdated", values=values)


def _assign_all(account: Account, job: Job) -> None:
    if pool := pool_of(account, job):
        assign(account, pool)


async def _remove(account: Account, job: Job) -> None:
    await _wipe(job, _folders(job))
    if account.jobs.find(job.id) is job:  # and was not forgotten meanwhile
        account.remove_job(job)
    tell("job.removed", job=job.id)


async def forget(account: Account, job: Job) -> None:
    """
    Remove a job without a trace, as when Batch no longer knows it.

    Its id is free at once; its task is killed and leaves neither outputs nor a folder.
    """
    account.remove_job(job)
    folders = _folders(job)
    visits = [*job.visits.values()]
    job.visits.clear()  # nothing of the job runs now, not even its job release task
    job.forget()  # and not deleted, so that nothing is removed a second time
    # A requeued task of a job that is gone does not start again, and uploads no outputs.
    for task in job.runs:
        task.leaving = True  # or its run would be ended, and not requeued, with the job
    await stop_runs([*job.runs.values()], TaskStop.REQUEUE)
    await preparation.stop(account.clock, visits)
    await _wipe(job, folders)
    _expire_own_pool(account, job)
    tell("job.forgotten", job=job.id)


async def keep_deleting(job: Job, ago: timedelta = timedelta()) -> None:
    """
    Begin a removal that does not end: the job stays in its state until it is forgotten.

    Args:
        job: The job.
        ago: How long ago the removal is said to have begun.
    """
    job.stuck = True
    if job.state is not JobState.DELETING:
        job.enter(JobState.DELETING)
    job.state_since -= ago
    await stop_runs([*job.runs.values()], TaskStop.TERMINATE)
    await preparation.stop(job.clock, [*job.visits.values()])


def _folders(job: Job) -> list[Path]:
    """Return the folders of a job on its nodes."""
    nodes = {task.node for task in job.tasks if task.node is not None}
    nodes |= {visit.node for visit in job.visits.values()}
    return sorted(node.root / job.folder for node in nodes)


async def _wipe(job: Job, folders: list[Path]) -> None:
    for folder in folders:
        if folder.exists():
            await job.clock.in_thread(wipe, folder)
