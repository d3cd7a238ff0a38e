"""Azure Batch: the one place that speaks to it."""

from collections.abc import AsyncGenerator, Awaitable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from enum import Enum
from typing import Any

from azure.batch.aio import BatchClient
from azure.batch.models import (
    BatchJob,
    BatchJobCreateOptions,
    BatchNode,
    BatchPool,
    BatchTask,
)
from azure.core.credentials import AzureNamedKeyCredential
from azure.core.exceptions import HttpResponseError
from azure.core.rest import HttpRequest
from azure.identity.aio import DefaultAzureCredential

from orchestrator.adapters.calls import (
    RETRIES,
    enum_word,
    environment_options,
    reply_of_batch,
    says_nothing,
)
from orchestrator.adapters.node_files import NodeFiles
from orchestrator.adapters.settings import Settings
from orchestrator.batch_state import (
    ATTEMPT_KEY,
    CLAIM_KEY,
    JOB_CLIENT_ID_KEY,
    LEDGER_KEY,
    RUN_ID_KEY,
    TASK_ID,
    EndedJob,
    Fault,
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
"""What `_job` reads."""

_LONGEST_REASON = 200  # characters; what the service takes is not documented
_ACCESS = {_UNAUTHORIZED, 403}
_DETAILS = ("details", "error_details", "error_values")
"""Names of the same thing in the client's five models of errors."""


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
            return _job(await _ask_batch(self._client.get_job(job_id)))
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
        return {job.id.lower(): _job(job) async for job in jobs}

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
            return _read_task(await _ask_batch(self._client.get_task(job_id, TASK_ID)))
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
            return _read_pool(await _ask_batch(self._client.get_pool(pool_id or self._pool_id)))
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
        return tuple([_read_node(node) async for node in self._client.list_nodes(pool_id)])


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
    listed = [(one, _job(one)) async for one in await anext(pages)]
    return [
        EndedJob(id=one.id, etag=one.etag or "", job=job)
        for one, job in listed
        if job.run_id is not None
    ]


def _job(job: BatchJob) -> Job:
    ours = {item.name: item.value for item in job.metadata or ()}
    attempt = ours.get(ATTEMPT_KEY, "")
    info = job.execution_info
    error = info.scheduling_error if info else None
    return Job(
        state=_lower_word(job.state),
        run_id=ours.get(RUN_ID_KEY),
        attempt=int(attempt) if attempt.isdigit() else None,
        created=job.creation_time,
        since=job.state_transition_time,
        ledger=ours.get(LEDGER_KEY),
        claim=ours.get(CLAIM_KEY),
        finished=info.end_time if info else None,
        terminate_reason=info.termination_reason if info else None,
        scheduling_error=_fault(error),
    )


def _read_task(task: BatchTask) -> Task:
    info = task.execution_info
    node = task.node_info.node_id if task.node_info else None
    slots = task.required_slots or 1
    if info is None:
        return Task(state=_lower_word(task.state), node=node, slots=slots)
    return Task(
        state=_lower_word(task.state),
        succeeded=_lower_word(info.result) == "success" if info.result else None,
        exit_code=info.exit_code,
        failure=_fault(info.failure_info),
        started=info.start_time,
        finished=info.end_time,
        requeues=info.requeue_count or 0,
        node=node,
        slots=slots,
    )


def _read_pool(pool: BatchPool) -> Pool:
    machine = pool.virtual_machine_configuration
    image = machine.image_reference if machine else None
    parts = [image.publisher, image.offer, image.sku, image.version] if image else []
    metadata = {item.name: item.value for item in pool.metadata or ()}
    run = pool.auto_scale_run
    return Pool(
        state=_lower_word(pool.state),
        # By the service's newest versions an application's id is its whole ARM id.
        packages={
            reference.application_id.rpartition("/")[2]: reference.version or ""
            for reference in pool.application_package_references or ()
        },
        image=":".join(part for part in parts if part) or None,
        windows=bool(machine and "windows" in machine.node_agent_sku_id.lower()),
        job_client_id=metadata.get(JOB_CLIENT_ID_KEY) or None,
        target=(pool.target_dedicated_nodes or 0) + (pool.target_low_priority_nodes or 0),
        current=(pool.current_dedicated_nodes or 0) + (pool.current_low_priority_nodes or 0),
        slots_per_node=pool.task_slots_per_node or 1,
        resize_errors=tuple(
            fault for error in pool.resize_errors or () if (fault := _fault(error))
        ),
        autoscale_error=_fault(run.error) if run else None,
        evaluated=run.timestamp if run else None,
        interval=pool.auto_scale_evaluation_interval,
    )


def _read_node(node: BatchNode) -> Node:
    start = node.start_task_info
    return Node(
        id=node.id,
        state=_lower_word(node.state),
        start_task_exit_code=start.exit_code if start else None,
        start_task_failure=_fault(start.failure_info) if start else None,
        errors=tuple(fault for error in node.errors or () if (fault := _fault(error))),
        dedicated=bool(node.is_dedicated),
        allocated=node.allocation_time,
    )


def _fault(error: Any) -> Fault | None:  # noqa: ANN401 - five models of the client, one shape
    if error is None:
        return None
    named = (getattr(error, name, None) for name in _DETAILS)
    values = [str(one.value) for several in named for one in several or () if one.value]
    return Fault(
        code=error.code or "Unknown",
        message=(error.message or "").strip(),
        details=": ".join(values),
    )


def _lower_word(value: str | Enum | None) -> str:
    """Return an enum's word in lower case: the service's own casing is not uniform."""
    return (enum_word(value) or "").lower()
