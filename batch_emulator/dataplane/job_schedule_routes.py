"""Handlers of job schedules."""

from aiohttp import web

from batch_emulator.dataplane.batch_call import BatchCall
from batch_emulator.dataplane.filter_fields import JOB_SCHEDULE_FIELDS, SCHEDULED_JOB_FIELDS
from batch_emulator.dataplane.job_routes import answer_jobs, check_force
from batch_emulator.dataplane.job_schedule_bodies import (
    read_job_schedule,
    read_replacement,
    read_update,
)
from batch_emulator.dataplane.job_schedule_views import job_schedule_url, show_job_schedule
from batch_emulator.dataplane.query import Key
from batch_emulator.dataplane.statistics import job_schedule_statistics
from batch_emulator.errors import ServiceError
from batch_emulator.runtime import job_schedules
from batch_emulator.runtime.state.job_schedule import JobSchedule
from batch_emulator.wire import Json


def the_job_schedule(call: BatchCall) -> JobSchedule:
    """
    Return the job schedule of the path.

    Raises:
        ServiceError: JobScheduleNotFound.
    """
    if schedule := call.account.job_schedules.find(call.part("jobScheduleId")):
        return schedule
    raise ServiceError("JobScheduleNotFound")


def _to_change(call: BatchCall) -> JobSchedule:
    schedule = the_job_schedule(call)
    call.check_conditions(schedule.modified)
    return schedule


async def create_job_schedule(call: BatchCall) -> web.StreamResponse:
    """Answer POST /jobschedules."""
    any_vm_size = call.account.options.any_vm_size
    body = read_job_schedule(await call.body(), any_vm_size=any_vm_size)
    schedule = job_schedules.create(call.account, body)
    return call.created(job_schedule_url(call.base, schedule), schedule.modified)


async def get_job_schedule(call: BatchCall) -> web.StreamResponse:
    """Answer GET and HEAD of a job schedule."""
    schedule = _to_change(call)
    return call.one(
        "jobschedules",
        show_job_schedule(schedule, call.base),
        modified=schedule.modified,
        statistics=lambda: _statistics(call, schedule),
    )


def _statistics(call: BatchCall, schedule: JobSchedule) -> Json:
    made = job_schedules.jobs_of(call.account, schedule)
    return job_schedule_statistics(schedule, made, call.base)


async def list_job_schedules(call: BatchCall) -> web.StreamResponse:
    """Answer GET /jobschedules."""
    key = Key[JobSchedule](lambda schedule: schedule.id, JOB_SCHEDULE_FIELDS)
    return call.many(
        "jobschedules",
        call.account.job_schedules,
        lambda schedule: show_job_schedule(schedule, call.base),
        key,
        lambda schedule: _statistics(call, schedule),
    )


async def update_job_schedule(call: BatchCall) -> web.StreamResponse:
    """Answer PATCH of a job schedule."""
    schedule = _to_change(call)
    any_vm_size = call.account.options.any_vm_size
    body = read_update(await call.body(), schedule.body, any_vm_size=any_vm_size)
    job_schedules.update(call.account, schedule, body)
    return call.changed(schedule.modified)


async def replace_job_schedule(call: BatchCall) -> web.StreamResponse:
    """Answer PUT of a job schedule."""
    schedule = _to_change(call)
    any_vm_size = call.account.options.any_vm_size
    body = read_replacement(await call.body(), schedule.body, any_vm_size=any_vm_size)
    job_schedules.update(call.account, schedule, body)
    return call.changed(schedule.modified)


async def disable_job_schedule(call: BatchCall) -> web.StreamResponse:
    """Answer the POST that disables a job schedule."""
    schedule = _to_change(call)
    job_schedules.disable(schedule)
    return call.changed(schedule.modified, status=204)


async def enable_job_schedule(call: BatchCall) -> web.StreamResponse:
    """Answer the POST that enables a job schedule again."""
    schedule = _to_change(call)
    job_schedules.enable(schedule)
    return call.changed(schedule.modified, status=204)


async def terminate_job_schedule(call: BatchCall) -> web.StreamResponse:
    """Answer POST of a job schedule's termination."""
    schedule = _to_change(call)
    check_force(call)
    job_schedules.terminate(call.account, schedule)
    return call.changing(schedule.modified)


async def delete_job_schedule(call: BatchCall) -> web.StreamResponse:
    """Answer DELETE of a job schedule."""
    schedule = _to_change(call)
    check_force(call)
    job_schedules.delete(call.account, schedule)
    return call.deleting()


async def list_jobs_from_schedule(call: BatchCall) -> web.StreamResponse:
    """Answer GET of the jobs that a job schedule has made."""
    made = job_schedules.jobs_of(call.account, the_job_schedule(call))
    return answer_jobs(call, made, SCHEDULED_JOB_FIELDS)
