"""The life of a job schedule: it makes one job after the other, until it ends."""

from datetime import datetime

from batch_emulator.errors import ServiceError
from batch_emulator.journal import tell
from batch_emulator.runtime import auto_pools, jobs
from batch_emulator.runtime.account import Account
from batch_emulator.runtime.enums import JobScheduleState, JobState
from batch_emulator.runtime.simulated_runs import refuse_real_task
from batch_emulator.runtime.state.job import Job
from batch_emulator.runtime.state.job_schedule import JobSchedule
from batch_emulator.wire import Json

_ENDED = "TerminateJobSchedule"


def create(account: Account, body: Json) -> JobSchedule:
    """
    Add a job schedule, which makes its first job as soon as that is due.

    Raises:
        ServiceError: JobScheduleExists, JobScheduleBeingDeleted, JobWithSameIdExists, packages
            that do not exist, or a job manager task that the account's simulation does not know.
    """
    if there := account.job_schedules.find(body["id"]):
        deleting = there.state is JobScheduleState.DELETING
        raise ServiceError("JobScheduleBeingDeleted" if deleting else "JobScheduleExists")
    if account.jobs.find(body["id"]):
        raise ServiceError("JobWithSameIdExists")
    _check_manager(account, f"{body['id']}:job-1", body)
    schedule = JobSchedule(body, account.clock)
    account.job_schedules.add(schedule.id, schedule)
    _step(account, schedule)
    live(account, schedule)
    return schedule


def _check_manager(account: Account, job: str, body: Json) -> None:
    if manager := body["jobSpecification"].get("jobManagerTask"):
        jobs.check_packages(account, manager)
        refuse_real_task(account, job, manager["id"])


def live(account: Account, schedule: JobSchedule) -> None:
    """Start the life of a job schedule that was created or loaded."""
    account.background.start(_live(account, schedule), name=f"job schedule {schedule.id}")


async def _live(account: Account, schedule: JobSchedule) -> None:
    while True:
        schedule.changed.clear()
        due = _step(account, schedule)
        if account.job_schedules.find(schedule.id) is not schedule:
            return
        await account.clock.wait_until(due, schedule.changed)


def jobs_of(account: Account, schedule: JobSchedule) -> list[Job]:
    """Return the jobs that a job schedule has made and that are still there."""
    return account.jobs.where(lambda job: job.schedule is schedule)


def _open_job(account: Account, schedule: JobSchedule) -> Job | None:
    job = account.jobs.find(schedule.recent_job or "")
    return None if job is None or job.state is JobState.COMPLETED else job


def _step(account: Account, schedule: JobSchedule) -> datetime | None:
    """Do what is due, and return when to look again if nothing changes before."""
    moment = account.clock.now()
    match schedule.state:
        case JobScheduleState.ACTIVE:
            return _make_jobs(account, schedule, moment)
        case JobScheduleState.TERMINATING if _open_job(account, schedule) is None:
            _complete(account, schedule)
        case JobScheduleState.DELETING if not jobs_of(account, schedule):
            account.job_schedules.remove(schedule.id)
            _give_up_pool(account, schedule)
            tell("job_schedule.removed", schedule=schedule.id)
        case _:
            pass
    return None


def _make_jobs(account: Account, schedule: JobSchedule, moment: datetime) -> datetime | None:
    recurrence = schedule.recurrence
    due = recurrence.pending(schedule.due, moment)
    busy = _open_job(account, schedule) is not None
    if due is not None and due <= moment and not busy:
        _make_job(account, schedule)
        due = recurrence.after(due)
        busy = _open_job(account, schedule) is not None
    if due != schedule.due:
        schedule.due = due
    if due is not None:
        return due if due > moment else recurrence.closes(due)
    if not busy:
        schedule.enter(JobScheduleState.TERMINATING)
        _complete(account, schedule)
    return None


def _next_id(schedule: JobSchedule) -> str:
    return f"{schedule.id}:job-{schedule.jobs_made + 1}"


def _make_job(account: Account, schedule: JobSchedule) -> None:
    body = {"id": _next_id(schedule), **schedule.body["jobSpecification"]}
    schedule.jobs_made += 1
    try:
        job = jobs.create(account, body, schedule)
    except ServiceError as error:  # a package that is gone: there was no way to make the job
        tell("job_schedule.job_refused", schedule=schedule.id, job=body["id"], code=error.code)
        return
    schedule.recent_job = job.id
    tell("job_schedule.job_made", schedule=schedule.id, job=job.id)


def _complete(account: Account, schedule: JobSchedule) -> None:
    schedule.enter(JobScheduleState.COMPLETED)
    schedule.ended, schedule.due = schedule.state_since, None
    _give_up_pool(account, schedule)
    tell("job_schedule.ended", schedule=schedule.id)


def _give_up_pool(account: Account, schedule: JobSchedule) -> None:
    """Delete the pool that was made for a job schedule that has ended, unless it is kept alive."""
    pool_info = schedule.body["jobSpecification"]["poolInfo"]
    kept = pool_info.get("autoPoolSpecification", {}).get("keepAlive", False)
    if schedule.auto_pool is not None and not kept:
        auto_pools.expire(account, schedule.auto_pool)


def update(account: Account, schedule: JobSchedule, body: Json) -> None:
    """
    Change the properties of a job schedule; its active job keeps its own.

    Raises:
        ServiceError: Its end has begun, or its jobs could not be made.
    """
    _refuse_unless_living(schedule)
    _check_manager(account, _next_id(schedule), body)
    schedule.revise(body)
    tell("job_schedule.updated", schedule=schedule.id)


def disable(schedule: JobSchedule) -> None:
    """
    Stop a job schedule from making jobs; its active job goes on.

    Raises:
        ServiceError: It is disabled, or its end has begun.
    """
    _refuse_unless_living(schedule)
    if schedule.state is JobScheduleState.DISABLED:
        raise ServiceError("JobScheduleDisabled")
    _change(schedule, JobScheduleState.DISABLED)


def enable(schedule: JobSchedule) -> None:
    """
    Enable a job schedule; a job that came due meanwhile is made if its window is still open.

    Raises:
        ServiceError: It is not disabled.
    """
    _refuse_unless_living(schedule)
    if schedule.state is not JobScheduleState.DISABLED:
        raise ServiceError("OperationInvalidForCurrentState")
    _change(schedule, JobScheduleState.ACTIVE)


def terminate(account: Account, schedule: JobSchedule) -> None:
    """
    Begin the end of a job schedule and of its active job.

    Raises:
        ServiceError: It has begun already.
    """
    _refuse_unless_living(schedule)
    _change(schedule, JobScheduleState.TERMINATING)
    if job := _open_job(account, schedule):
        job.end(_ENDED)


def delete(account: Account, schedule: JobSchedule) -> None:
    """
    Begin the removal of a job schedule and of all its jobs.

    Raises:
        ServiceError: It has begun already.
    """
    if schedule.state is JobScheduleState.DELETING:
        raise ServiceError("JobScheduleBeingDeleted")
    _change(schedule, JobScheduleState.DELETING)
    for job in jobs_of(account, schedule):
        if job.state is not JobState.DELETING:
            jobs.delete(account, job)


def _change(schedule: JobSchedule, state: JobScheduleState) -> None:
    schedule.enter(state)
    schedule.modified = schedule.state_since
    tell(f"job_schedule.{state}", schedule=schedule.id)


def _refuse_unless_living(schedule: JobSchedule) -> None:
    match schedule.state:
        case JobScheduleState.DELETING:
            raise ServiceError("JobScheduleBeingDeleted")
        case JobScheduleState.TERMINATING:
            raise ServiceError("JobScheduleBeingTerminated")
        case JobScheduleState.COMPLETED:
            raise ServiceError("JobScheduleCompleted")
        case _:
            pass
