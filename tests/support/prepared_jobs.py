"""Jobs with a job preparation task or a pool of their own, in the spelling of REST."""

from collections.abc import Mapping
from typing import Any

from azure.batch.models import BatchJob, BatchJobPreparationAndReleaseTaskStatus

from tests.contract.conftest import Batch, pool_body

type Status = BatchJobPreparationAndReleaseTaskStatus


def prepared(command: str = "/bin/true", /, **properties: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return the property of a job that has a job preparation task."""
    return {"jobPreparationTask": {"commandLine": command, **properties}}


async def statuses(batch: Batch, job_id: str = "job") -> list[Status]:
    """Return what the job has done on its nodes besides its tasks."""
    client = batch.client
    return [one async for one in client.list_job_preparation_and_release_task_status(job_id)]


def own_pool(*, pool: Mapping[str, object] | None = None, **properties: object) -> dict[str, Any]:
    """Return the property of a job that asks for a pool of its own."""
    made = {name: value for name, value in dict(pool_body()).items() if name != "id"}
    given = {"poolLifetimeOption": "job", "pool": made | dict(pool or {"targetDedicatedNodes": 1})}
    return {"poolInfo": {"autoPoolSpecification": given | properties}}


async def pools(batch: Batch) -> list[str]:
    """Return the ids of the account's pools."""
    return [str(pool.id) async for pool in batch.client.list_pools()]


def pool_of(job: BatchJob) -> str:
    """Return the pool that a job says it runs on."""
    assert job.execution_info is not None
    assert job.execution_info.pool_id is not None
    return job.execution_info.pool_id
