"""Jobs without a job manager task, and the tasks that are added to them, in the spelling of REST."""

from typing import cast

from azure.batch.models import BatchJob, BatchJobCreateOptions, BatchTask, BatchTaskCreateOptions

from tests.contract.conftest import Batch


def plain_job(job_id: str = "job", /, **properties: object) -> BatchJobCreateOptions:
    """Return what create_job takes: a job to which tasks are added."""
    return cast(
        "BatchJobCreateOptions", {"id": job_id, "poolInfo": {"poolId": "pool"}} | properties
    )


def task_body(
    task_id: str, command: str = "/bin/true", /, **properties: object
) -> BatchTaskCreateOptions:
    """Return what create_task takes."""
    body = {"id": task_id, "commandLine": command} | properties
    return cast("BatchTaskCreateOptions", body)


async def until_task(batch: Batch, task_id: str, state: str, job_id: str = "job") -> BatchTask:
    """Wait until a task is in a state."""
    return await batch.until(
        lambda: batch.client.get_task(job_id, task_id), lambda task: task.state == state
    )


async def settled(batch: Batch, task_id: str, job_id: str = "job") -> BatchTask:
    """Wait until a task is completed."""
    return await until_task(batch, task_id, "completed", job_id)


async def until_job(batch: Batch, state: str, job_id: str = "job") -> BatchJob:
    """Wait until a job is in a state."""
    return await batch.until(lambda: batch.client.get_job(job_id), lambda job: job.state == state)


def code_of(task: BatchTask) -> str | None:
    """Return the code with which a task failed."""
    assert task.execution_info is not None
    failure = task.execution_info.failure_info
    return failure.code if failure else None


def reason_of(job: BatchJob) -> str | None:
    """Return why a job ended."""
    assert job.execution_info is not None
    return job.execution_info.termination_reason
