"""Handlers of tasks."""

from aiohttp import web

from batch_emulator.dataplane.batch_call import BatchCall
from batch_emulator.dataplane.job_routes import the_job
from batch_emulator.dataplane.query import Key
from batch_emulator.dataplane.views import show_task
from batch_emulator.errors import ServiceError
from batch_emulator.runtime.state import Task


def the_task(call: BatchCall) -> Task:
    """
    Return the task of the path.

    Raises:
        ServiceError: JobNotFound or TaskNotFound.
    """
    if task := the_job(call).tasks.get(call.part("taskId").lower()):
        return task
    raise ServiceError("TaskNotFound")


async def get_task(call: BatchCall) -> web.StreamResponse:
    """Answer GET of a task."""
    task = the_task(call)
    call.check_conditions(task.created)
    return call.one("tasks", show_task(task, call.base), modified=task.created)


async def list_tasks(call: BatchCall) -> web.StreamResponse:
    """Answer GET of a job's tasks."""
    tasks = the_job(call).tasks.values()
    key = Key[Task](lambda task: task.id, lambda task: task.state)
    return call.many("tasks", tasks, lambda task: show_task(task, call.base), key)
