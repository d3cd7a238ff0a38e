"""Handlers of jobs."""

from collections.abc import Iterable, Mapping
from datetime import timedelta

from aiohttp import web

from batch_emulator.dataplane.batch_call import BatchCall
from batch_emulator.dataplane.filter_fields import JOB_FIELDS, VISIT_FIELDS
from batch_emulator.dataplane.filters import Field
from batch_emulator.dataplane.job_bodies import (
    read_disabling,
    read_job,
    read_replacement,
    read_termination,
    read_update,
)
from batch_emulator.dataplane.query import Key
from batch_emulator.dataplane.statistics import job_statistics
from batch_emulator.dataplane.views import job_url, show_counts, show_job, show_visit
from batch_emulator.errors import ServiceError, invalid_query
from batch_emulator.runtime import jobs
from batch_emulator.runtime.state.job import Job
from batch_emulator.runtime.state.visit import Visit


def the_job(call: BatchCall) -> Job:
    """
    Return the job of the path.

    Raises:
        ServiceError: JobNotFound.
    """
    if job := call.account.jobs.find(call.part("jobId")):
        return job
    raise ServiceError("JobNotFound")


async def create_job(call: BatchCall) -> web.StreamResponse:
    """Answer POST /jobs."""
    any_vm_size = call.account.options.any_vm_size
    job = jobs.create(call.account, read_job(await call.body(), any_vm_size=any_vm_size))
    return call.created(job_url(call.base, job), job.modified)


async def get_job(call: BatchCall) -> web.StreamResponse:
    """Answer GET of a job."""
    job = the_job(call)
    call.check_conditions(job.modified)
    shown = show_job(job, call.base)
    return call.one(
        "jobs",
        shown,
        modified=job.modified,
        statistics=lambda: job_statistics(job, call.base),
    )


async def list_jobs(call: BatchCall) -> web.StreamResponse:
    """Answer GET /jobs."""
    return answer_jobs(call, call.account.jobs, JOB_FIELDS)


def answer_jobs(
    call: BatchCall, jobs: Iterable[Job], fields: Mapping[str, Field[Job]]
) -> web.StreamResponse:
    """Answer with one page of jobs, filtered by these fields."""
    key = Key[Job](lambda job: job.id, fields)
    return call.many(
        "jobs",
        jobs,
        lambda job: show_job(job, call.base),
        key,
        lambda job: job_statistics(job, call.base),
    )


def check_force(call: BatchCall) -> None:
    """
    Check the parameter ``force``, which adds nothing here: ending a job never fails.

    Raises:
        ServiceError: Its value is neither true nor false.
    """
    force = call.query.get("force", "false")
    if force.lower() not in {"true", "false"}:
        raise invalid_query("force", force, "The value is neither true nor false")


async def terminate_job(call: BatchCall) -> web.StreamResponse:
    """Answer POST of a job's termination."""
    job = the_job(call)
    call.check_conditions(job.modified)
    check_force(call)
    jobs.terminate(job, read_termination(await call.body()))
    return call.changing(job.modified)


async def delete_job(call: BatchCall) -> web.StreamResponse:
    """Answer DELETE of a job."""
    job = the_job(call)
    call.check_conditions(job.modified)
    check_force(call)
    jobs.delete(call.account, job)
    return call.deleting()


async def update_job(call: BatchCall) -> web.StreamResponse:
    """Answer PATCH of a job."""
    job = the_job(call)
    call.check_conditions(job.modified)
    any_vm_size = call.account.options.any_vm_size
    jobs.update(
        call.account, job, read_update(await call.body(), job.body, any_vm_size=any_vm_size)
    )
    return call.changed(job.modified)


async def replace_job(call: BatchCall) -> web.StreamResponse:
    """Answer PUT of a job."""
    job = the_job(call)
    call.check_conditions(job.modified)
    any_vm_size = call.account.options.any_vm_size
    jobs.update(
        call.account, job, read_replacement(await call.body(), job.body, any_vm_size=any_vm_size)
    )
    return call.changed(job.modified)


async def disable_job(call: BatchCall) -> web.StreamResponse:
    """Answer the POST that disables a job."""
    job = the_job(call)
    call.check_conditions(job.modified)
    jobs.disable_job(call.account, job, read_disabling(await call.body()))
    return call.changing(job.modified)


async def enable_job(call: BatchCall) -> web.StreamResponse:
    """Answer the POST that enables a job again."""
    job = the_job(call)
    call.check_conditions(job.modified)
    jobs.enable(call.account, job)
    return call.changing(job.modified)


async def list_job_preparation_and_release_task_status(call: BatchCall) -> web.StreamResponse:
    """Answer GET of the status of a job's preparation and release tasks."""
    job = the_job(call)
    if "jobPreparationTask" not in job.body:
        raise ServiceError("JobPreparationTaskOrReleaseTaskNotSpecified")
    key = Key[Visit](lambda visit: visit.node.id, VISIT_FIELDS)
    kind = "jobpreparationandreleasetaskstatuslist"
    return call.many(
        kind, job.visits.values(), lambda visit: show_visit(job, visit, call.base), key
    )


async def get_job_task_counts(call: BatchCall) -> web.StreamResponse:
    """Answer GET of the counts of a job's tasks."""
    delay = timedelta(seconds=call.account.options.counts_delay_seconds)
    return call.one("taskcountsresult", show_counts(the_job(call).tell_counts(delay)))
