"""The calls of a tick that submits, and nothing else: the same clients, the same bytes, eight at once."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import batched
from typing import Any, Final

from azure.batch.aio import BatchClient
from azure.batch.models import BatchJobCreateOptions
from azure.core import MatchConditions
from azure.core.credentials import AzureNamedKeyCredential
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob import ContentSettings
from azure.storage.blob.aio import ContainerClient

from bench.stage import ACCOUNT, KEY, POOL, Round, open_bench_storage
from orchestrator import ids
from orchestrator.adapters.calls import RETRIES
from orchestrator.adapters.time_limits import LEASE_SECONDS
from orchestrator.batch_state import Pool
from orchestrator.decisions.job_body import job
from orchestrator.decisions.plan import CHUNK
from orchestrator.ledger.record import Record, dump, metadata
from orchestrator.ledger.state import SubmitState, dump_submit
from orchestrator.passes.services import AT_ONCE

_JSON: Final = ContentSettings(content_type="application/json")
_NO_POOL: Final = Pool(state="active", packages={}, image=None, target=0, current=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """
    What one run's calls send.

    Attributes:
        open_name: Of its open blob.
        final_name: Of its final record, which is not there.
        data: Of the open blob.
        metadata: The same.
        job: The body of the job's creation.
    """

    open_name: str
    final_name: str
    data: bytes
    metadata: dict[str, str]
    job: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """
    Everything that is sent, made ready before the clock runs.

    Attributes:
        chunks: The runs, as many to a plan as the product takes.
        plans: The content of submit.json with each plan.
        cleared: Its content when a plan has been carried out.
    """

    chunks: tuple[tuple[Prepared, ...], ...]
    plans: tuple[bytes, ...]
    cleared: bytes


def script(state: SubmitState, records: Sequence[Record], round_: Round) -> Script:
    """Return what a tick sends that submits these runs, as the product left them and its state."""
    chunks = tuple(batched(records, CHUNK, strict=False))
    return Script(
        chunks=tuple(tuple(_prepared(record, round_) for record in chunk) for chunk in chunks),
        plans=tuple(dump_submit(replace(state, plan=chunk)) for chunk in chunks),
        cleared=dump_submit(state),
    )


def _prepared(record: Record, round_: Round) -> Prepared:
    return Prepared(
        open_name=ids.open_blob(record.run_id),
        final_name=record.blob,
        data=dump(record),
        metadata=metadata(record),
        job=job(record, round_.settings.place, _NO_POOL),
    )


async def run(round_: Round, sent: Script) -> None:
    """Make the calls: look, lease, look; a plan and its claims, chunk by chunk, then the jobs."""
    key = AzureNamedKeyCredential(ACCOUNT, KEY)
    async with (
        open_bench_storage(round_.settings) as storage,
        BatchClient(round_.settings.batch_account_url, key, **RETRIES) as batch,
    ):
        ledger = storage.get_container_client(round_.settings.ledger_container)
        await _look(ledger)
        async for _ in ledger.list_blobs(name_starts_with=ids.FINAL_PREFIX, results_per_page=1):
            break
        await _read_results(ledger)
        state = ledger.get_blob_client(ids.SUBMIT_STATE)
        with contextlib.suppress(ResourceNotFoundError):  # as in the first tick of all
            await state.acquire_lease(LEASE_SECONDS)
        await state.upload_blob(sent.cleared, content_settings=_JSON)
        lease = await state.acquire_lease(LEASE_SECONDS)
        await _look(ledger)
        await ledger.get_blob_client(ids.version_blob(1)).get_blob_properties()
        await _read_results(ledger)
        for chunk, plan in zip(sent.chunks, sent.plans, strict=True):
            await state.upload_blob(plan, overwrite=True, lease=lease, content_settings=_JSON)
            await _each(chunk, lambda one: _claim(ledger, one))
            await state.upload_blob(
                sent.cleared, overwrite=True, lease=lease, content_settings=_JSON
            )
        await _list(ledger)
        await batch.get_pool(POOL)
        runs = [one for chunk in sent.chunks for one in chunk]
        await _each(runs, lambda one: _submit(ledger, batch, one))
        await lease.release()


async def _look(ledger: ContainerClient) -> None:
    await _read(ledger, ids.DOCUMENT)
    await _read(ledger, ids.SUBMIT_STATE)
    await _list(ledger)


async def _read(ledger: ContainerClient, name: str) -> None:
    with contextlib.suppress(ResourceNotFoundError):
        await (await ledger.download_blob(name)).readall()


async def _read_results(ledger: ContainerClient) -> None:
    """Read them; as long as there are none, look which schedules have records."""
    try:
        await (await ledger.download_blob(ids.COLLECT_STATE)).readall()
    except ResourceNotFoundError:
        async for _ in ledger.walk_blobs(name_starts_with=ids.FINAL_PREFIX):
            pass


async def _list(ledger: ContainerClient) -> None:
    async for _ in ledger.list_blobs(name_starts_with=ids.OPEN_PREFIX, include=["metadata"]):
        pass


async def _claim(ledger: ContainerClient, one: Prepared) -> None:
    await ledger.upload_blob(
        one.open_name, one.data, overwrite=False, metadata=one.metadata, content_settings=_JSON
    )


async def _submit(ledger: ContainerClient, batch: BatchClient, one: Prepared) -> None:
    stream = await ledger.download_blob(one.open_name)
    await stream.readall()
    await ledger.get_blob_client(one.final_name).exists()
    await batch.create_job(BatchJobCreateOptions(one.job))
    await ledger.upload_blob(
        one.open_name,
        one.data,
        overwrite=True,
        etag=stream.properties.etag,
        match_condition=MatchConditions.IfNotModified,
        metadata=one.metadata,
        content_settings=_JSON,
    )


async def _each[T](items: Iterable[T], work: Callable[[T], Awaitable[None]]) -> None:
    waiting = iter(items)

    async def worker() -> None:
        for item in waiting:
            await work(item)

    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(worker())
