"""Handlers of tasks."""

from aiohttp import web

from batch_emulator.dataplane.batch_call import BatchCall
from batch_emulator.dataplane.job_routes import the_job
from batch_emulator.dataplane.query import Key
from batch_emulator.dataplane.task_bodies import MOST_COLLECTION_BYTES, read_task
from batch_emulator.dataplane.views import show_task, task_url
from batch_emulator.errors import ServiceError
from batch_emulator.runtime import tasks
from batch_emulator.runtime.state import Task


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
    task = tasks.create(call.account, job, body)
    return call.created(task_url(call.base, task), task.modified)


async def get_task(call: BatchCall) -> web.StreamResponse:
    """Answer GET of a task."""
    task = the_task(call)
    call.check_conditions(task.modified)
    return call.one("tasks", show_task(task, call.base), modified=task.modified)


async def list_tasks(call: BatchCall) -> web.StreamResponse:
    """Answer GET of a job's tasks."""
    key = Key[Task](lambda task: task.id, lambda task: task.state)
    return call.many("tasks", the_job(call).tasks, lambda task: show_task(task, call.base), key)
