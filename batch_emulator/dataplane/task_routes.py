"""Handlers of tasks."""

from http import HTTPStatus

from aiohttp import web

from batch_emulator.dataplane.batch_call import BatchCall, error_body
from batch_emulator.dataplane.filter_fields import TASK_FIELDS
from batch_emulator.dataplane.job_routes import the_job
from batch_emulator.dataplane.preparation_bodies import refuse_id
from batch_emulator.dataplane.query import Key
from batch_emulator.dataplane.statistics import task_statistics
from batch_emulator.dataplane.task_bodies import (
    MOST_COLLECTION_BYTES,
    read_collection,
    read_task,
    read_task_change,
)
from batch_emulator.dataplane.views import job_url, show_task, task_url
from batch_emulator.errors import ServiceError
from batch_emulator.runtime import jobs, tasks
from batch_emulator.runtime.state.job import Job
from batch_emulator.runtime.state.task import Task
from batch_emulator.wire import Json, print_etag, print_time


def the_task(call: BatchCall) -> Task:
    """
    Return the task of the path.

    Raises:
        ServiceError: JobNotFound or TaskNotFound.
    """
    if task := the_job(call).tasks.find(call.part("taskId")):
        return task
    raise ServiceError("TaskNotFound")


async def create_task(call: BatchCall) -> web.StreamResponse:
    """Answer POST of a job's task."""
    job = the_job(call)
    body = read_task(await call.body(MOST_COLLECTION_BYTES), job.body["constraints"])
    refuse_id(body["id"], job.body)
    task = tasks.create(call.account, job, body)
    return call.created(task_url(call.base, task), task.modified)


async def create_task_collection(call: BatchCall) -> web.StreamResponse:
    """Answer POST of several tasks of a job: each is added or refused on its own."""
    job = the_job(call)
    jobs.refuse_unless_living(job)
    given = read_collection(await call.body(MOST_COLLECTION_BYTES))
    # What the emulator does not support is refused before any task is added.
    read = [_read_or_refuse(body, job) for body in given]
    return call.several("taskaddresult", [_add(call, job, *item) for item in read])


def _read_or_refuse(body: Json, job: Job) -> tuple[str, Json | ServiceError]:
    try:
        return body["id"], read_task(body, job.body["constraints"])
    except ServiceError as error:
        if error.code == "NotSupportedByEmulator":
            raise
        return body["id"], error


def _add(call: BatchCall, job: Job, name: str, read: Json | ServiceError) -> Json:
    try:
        if isinstance(read, ServiceError):
            raise read
        refuse_id(name, job.body)
        task = tasks.create(call.account, job, read)
    except ServiceError as error:
        return {
            "status": _status(call, "ClientError"),
            "taskId": name,
            "error@odata.navigationLinkUrl": f"{job_url(call.base, job)}/tasks/{name}/error",
            "error": error_body(call.request, error),
        }
    return {
        "status": _status(call, "Success"),
        "taskId": task.id,
        "eTag": print_etag(task.modified),
        "lastModified": print_time(task.modified),
        "location": task_url(call.base, task),
    }


def _status(call: BatchCall, word: str) -> str:
    return word.lower() if call.account.options.lower_case_status else word


async def get_task(call: BatchCall) -> web.StreamResponse:
    """Answer GET of a task."""
    task = the_task(call)
    call.check_conditions(task.modified)
    shown = show_task(task, call.base)
    return call.one(
        "tasks",
        shown,
        modified=task.modified,
        statistics=lambda: task_statistics(task, call.base),
    )


async def list_tasks(call: BatchCall) -> web.StreamResponse:
    """Answer GET of a job's tasks."""
    key = Key[Task](lambda task: task.id, TASK_FIELDS)
    return call.many(
        "tasks",
        the_job(call).tasks,
        lambda task: show_task(task, call.base),
        key,
        lambda task: task_statistics(task, call.base),
    )


async def terminate_task(call: BatchCall) -> web.StreamResponse:
    """Answer POST of a task's termination."""
    task = the_task(call)
    call.check_conditions(task.modified)
    tasks.terminate(call.account, task)
    return call.changed(task.modified, status=HTTPStatus.NO_CONTENT)


async def reactivate_task(call: BatchCall) -> web.StreamResponse:
    """Answer POST of a task's reactivation."""
    task = the_task(call)
    call.check_conditions(task.modified)
    tasks.reactivate(call.account, task)
    return call.changed(task.modified, status=HTTPStatus.NO_CONTENT, named=False)


async def replace_task(call: BatchCall) -> web.StreamResponse:
    """Answer PUT of a task."""
    task = the_task(call)
    call.check_conditions(task.modified)
    tasks.update(task, read_task_change(await call.body(), task.job.body["constraints"]))
    return call.changed(task.modified)


async def list_subtasks(call: BatchCall) -> web.StreamResponse:
    """Answer GET of a task's subtasks: there are none, since tasks run on one node here."""
    the_task(call)
    return call.several("subtaskinfo", [])


async def delete_task(call: BatchCall) -> web.StreamResponse:
    """Answer DELETE of a task."""
    task = the_task(call)
    call.check_conditions(task.modified)
    await tasks.delete(task)
    return call.deleted()
