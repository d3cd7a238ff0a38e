"""Azure Batch: the one place that speaks to it."""

from collections.abc import AsyncGenerator, Awaitable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from azure.batch.aio import BatchClient
from azure.batch.models import (
    BatchJobCreateOptions,
)
from azure.core.credentials import AzureNamedKeyCredential
from azure.core.exceptions import HttpResponseError
from azure.core.rest import HttpRequest
from azure.identity.aio import DefaultAzureCredential

from orchestrator.adapters.batch_replies import read_job, read_node, read_pool, read_task
from orchestrator.adapters.calls import (
    RETRIES,
    environment_options,
    reply_of_batch,
    says_nothing,
)
from orchestrator.adapters.node_files import NodeFiles
from orchestrator.adapters.settings import Settings
from orchestrator.batch_state import (
    TASK_ID,
    EndedJob,
    Job,
    Node,
    Pool,
    Task,
)
from orchestrator.errors import BatchRefused, BatchUnavailable

_JSON = "application/json; odata=minimalmetadata"
_API_VERSION = "2025-06-01"
_UNAUTHORIZED = 401
_READ_OF_JOBS = [
    "id",
    "state",
    "stateTransitionTime",
    "metadata",
    "creationTime",
    "executionInfo",
]
"""What `read_job` reads."""

_LONGEST_REASON = 200  # characters; what the service takes is not documented
_ACCESS = {_UNAUTHORIZED, 403}


class Batch:
    """
    The Batch account, its pools and the jobs of our runs.

    Attributes:
        files: What tasks leave on their nodes.

    Every method raises ``BatchUnavailable`` when there is no answer that says anything, and
    ``BatchRefused`` when there is one that says no.
    """

    def __init__(self, client: BatchClient, pool_id: str) -> None:
        self.files = NodeFiles(client)
        self._client = client
        self._pool_id = pool_id

    async def create_job(self, body: dict[str, Any]) -> None:
        """Create a job from its body in REST spelling."""
        await _ask_batch(self._client.create_job(BatchJobCreateOptions(body)))

    async def job(self, job_id: str) -> Job | None:
        """Return a job, or None if Batch has none by this id."""
        try:
            return read_job(await _ask_batch(self._client.get_job(job_id)))
        except BatchRefused as error:
            if error.code == "JobNotFound":
                return None
            raise

    async def jobs_that_go_on(self) -> dict[str, Job]:
        """
        Return every job of the account that is not completed, by its id in lower case.

        A request for each thousand jobs. That ``state`` can be compared with ``ne`` is documented:
        learn.microsoft.com/rest/api/batchservice/odata-filters-in-batch, "List jobs".
        """
        return await _ask_batch(self._list_jobs())

    async def _list_jobs(self) -> dict[str, Job]:
        jobs = self._client.list_jobs(filter="state ne 'completed'", select=_READ_OF_JOBS)
        return {job.id.lower(): read_job(job) async for job in jobs}

    async def ended_jobs(
        self, before: datetime, link: str | None = None
    ) -> AsyncGenerator[tuple[list[EndedJob], str | None]]:
        """
        Yield jobs of runs that were completed before a time, a page of the account's jobs each.

        A request for each thousand jobs of the account. That the time can be compared with ``lt``
        is documented: learn.microsoft.com/rest/api/batchservice/odata-filters-in-batch,
        "List jobs".

        Args:
            before: The time.
            link: Where an earlier listing stopped; it goes on there, with its own time.

        Yields:
            The jobs that have the id of a run, and the link of the next page.
        """
        time = before.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        old = f"state eq 'completed' and executionInfo/endTime lt DateTime'{time}'"
        listing: Any = self._client.list_jobs(filter=old, select=[*_READ_OF_JOBS, "eTag"])
        pages = listing.by_page(continuation_token=link)  # its pages have no type
        while True:
            try:
                found = await _ask_batch(_next_jobs(pages))
            except StopAsyncIteration:
                return
            yield found, pages.continuation_token

    async def delete_job(self, ended: EndedJob) -> bool:
        """
        Ask Batch to delete a job that has not changed since it was listed.

        Sent by hand, as `terminate_job` is.

        Returns:
            False if the job has changed, or is gone or being deleted already.
        """
        request = HttpRequest(
            "DELETE",
            f"/jobs/{ended.id}",
            params={"api-version": _API_VERSION},
            headers={"If-Match": ended.etag},
        )
        try:
            response = await _ask_batch(self._client.send_request(request))
        except BatchRefused as error:
            if error.code in {"JobNotFound", "JobBeingDeleted", "ConditionNotMet"}:
                return False
            raise
        await response.close()
        return True

    async def task(self, job_id: str) -> Task | None:
        """
        Return the task ``main`` of a job.

        Returns:
            None if the job or the task is missing, or if the job's removal has taken its tasks.
        """
        try:
            return read_task(await _ask_batch(self._client.get_task(job_id, TASK_ID)))
        except BatchRefused as error:
            if error.code in {"JobNotFound", "TaskNotFound", "JobBeingDeleted"}:
                return None
            raise

    async def terminate_job(self, job_id: str, reason: str) -> None:
        """
        Ask Batch to end a job; its end is seen later in its state.

        Sent by hand: the client's own method starts a thread that polls for the end.
        """
        request = HttpRequest(
            "POST",
            f"/jobs/{job_id}/terminate",
            params={"api-version": _API_VERSION},
            headers={"Content-Type": _JSON},
            json={"terminateReason": reason[:_LONGEST_REASON]},
        )
        try:
            response = await _ask_batch(self._client.send_request(request))
        except BatchRefused as error:
            if error.code in {"JobCompleted", "JobBeingTerminated", "JobBeingDeleted"}:
                return
            raise
        await response.close()

    async def pool(self, pool_id: str | None = None) -> Pool | None:
        """Return a pool, by default that of the settings, or None if there is none by its id."""
        try:
            return read_pool(await _ask_batch(self._client.get_pool(pool_id or self._pool_id)))
        except BatchRefused as error:
            if error.code == "PoolNotFound":
                return None
            raise

    async def nodes(self, pool_id: str | None = None) -> tuple[Node, ...]:
        """Return the nodes of a pool, by default that of the settings; none if it is missing."""
        try:
            return await _ask_batch(self._list_nodes(pool_id or self._pool_id))
        except BatchRefused as error:
            if error.code == "PoolNotFound":
                return ()
            raise

    async def _list_nodes(self, pool_id: str) -> tuple[Node, ...]:
        return tuple([read_node(node) async for node in self._client.list_nodes(pool_id)])


@asynccontextmanager
async def open_batch(settings: Settings) -> AsyncGenerator[Batch]:
    """Open the Batch account, by its key where one is set, else by the app's identity."""
    options = {**RETRIES, **environment_options()}
    if settings.batch_account_name and settings.batch_account_key:
        key = AzureNamedKeyCredential(settings.batch_account_name, settings.batch_account_key)
        async with BatchClient(settings.batch_account_url, key, **options) as client:
            yield Batch(client, settings.place.pool_id)
        return
    async with (
        DefaultAzureCredential(managed_identity_client_id=settings.client_id) as credential,
        BatchClient(settings.batch_account_url, credential, **options) as client,
    ):
        yield Batch(client, settings.place.pool_id)


async def _ask_batch[T](call: Awaitable[T]) -> T:
    """Await one call and put its failure into our words; the code decides, never the class."""
    try:
        return await reply_of_batch(call)
    except HttpResponseError as error:
        code = getattr(error.error, "code", None)
        if says_nothing(error) or (code is None and error.status_code not in _ACCESS):
            # A refusal of Batch bears its code; what bears none comes from something in between.
            raise BatchUnavailable(f"{code or error.reason} ({error.status_code})") from error
        detail = (getattr(error.error, "message", None) or error.message).partition("\n")[0]
        raise BatchRefused(
            status=error.status_code or 0,
            code=str(code or error.reason),
            detail=detail.strip(),
        ) from error


async def _next_jobs(pages: Any) -> list[EndedJob]:  # noqa: ANN401 - the client's, untyped
    listed = [(one, read_job(one)) async for one in await anext(pages)]
    return [
        EndedJob(id=one.id, etag=one.etag or "", job=job)
        for one, job in listed
        if job.run_id is not None
    ]
