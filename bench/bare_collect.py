"""The calls of ticks that finish runs, and nothing else: the same clients, names and order, eight at once."""

import asyncio
import contextlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

from azure.batch.aio import BatchClient
from azure.core import MatchConditions
from azure.core.credentials import AzureNamedKeyCredential
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob import ContentSettings
from azure.storage.blob.aio import ContainerClient

from bench.counting import Call
from bench.stage import ACCOUNT, KEY, Round, open_bench_storage
from orchestrator import ids
from orchestrator.adapters.calls import RETRIES
from orchestrator.adapters.time_limits import LEASE_SECONDS
from orchestrator.ledger.results import CollectState, dump_collect
from orchestrator.passes.services import AT_ONCE

_JSON: Final = ContentSettings(content_type="application/json")
_RUN: Final = re.compile(rf"{ids.SCHEDULE_ID.pattern}-\d{{8}}T\d{{6}}Z")


@dataclass(slots=True)
class RunCalls:
    """
    What is asked about one run.

    Attributes:
        run: Its id, and that of its job.
        ledger: About its records, in order.
        outputs: About its outputs, in order.
    """

    run: str
    ledger: list[Call] = field(default_factory=list[Call])
    outputs: list[Call] = field(default_factory=list[Call])


@dataclass(frozen=True, slots=True)
class Script:
    """
    All calls of the ticks.

    Attributes:
        shared: About no single run.
        runs: About each run.
    """

    shared: tuple[Call, ...]
    runs: tuple[RunCalls, ...]


def script(ledger: Sequence[Call], outputs: Sequence[Call]) -> Script:
    """Return what was asked, by run."""
    runs: dict[str, RunCalls] = {}
    shared = []
    for call in ledger:
        if found := _RUN.search(call.name):
            runs.setdefault(found[0], RunCalls(found[0])).ledger.append(call)
        else:
            shared.append(call)
    for call in outputs:
        if found := _RUN.search(call.name or call.query.get("prefix", "")):
            runs[found[0]].outputs.append(call)
    return Script(tuple(shared), tuple(runs.values()))


async def run(round_: Round, sent: Script) -> None:
    """Make the calls: those of no run first, then run by run."""
    key = AzureNamedKeyCredential(ACCOUNT, KEY)
    async with (
        open_bench_storage(round_.settings) as storage,
        BatchClient(round_.settings.batch_account_url, key, **RETRIES) as batch,
    ):
        ledger = storage.get_container_client(round_.settings.ledger_container)
        outputs = storage.get_container_client(round_.settings.outputs_container)
        await _shared(ledger, sent.shared)
        waiting = iter(sent.runs)

        async def worker() -> None:
            for one in waiting:
                await _about(one, ledger, outputs, batch)

        async with asyncio.TaskGroup() as group:
            for _ in range(AT_ONCE):
                group.create_task(worker())


async def _shared(ledger: ContainerClient, calls: Iterable[Call]) -> None:
    state = ledger.get_blob_client(ids.COLLECT_STATE)
    content = dump_collect(CollectState())
    held: dict[str, Any] = {}
    for call in calls:
        match call.method, call.query.get("comp"), call.status:
            case "GET", "list", _:
                await _list(ledger, call)
            case "GET", _, _:
                with contextlib.suppress(ResourceNotFoundError):
                    await (await ledger.download_blob(call.name)).readall()
            case "PUT", "lease", HTTPStatus.NOT_FOUND:  # as in the first tick of all
                with contextlib.suppress(ResourceNotFoundError):
                    await state.acquire_lease(LEASE_SECONDS)
            case "PUT", "lease", HTTPStatus.CREATED:
                held["lease"] = await state.acquire_lease(LEASE_SECONDS)
            case "PUT", "lease", _:
                await held.pop("lease").release()
            case _ if call.name == ids.COLLECT_STATE:
                await state.upload_blob(content, overwrite=True, content_settings=_JSON, **held)
            case _:
                summary = ledger.get_blob_client(call.name)
                await summary.upload_blob(content, overwrite=True, content_settings=_JSON)


async def _about(
    one: RunCalls, ledger: ContainerClient, outputs: ContainerClient, batch: BatchClient
) -> None:
    data, tag, metadata = b"", "", dict[str, str]()
    asked, read = False, False
    for call in one.ledger:
        blob = ledger.get_blob_client(call.name)
        if call.method == "GET":
            stream = await blob.download_blob()
            data, metadata = await stream.readall(), stream.properties.metadata
            tag = str(stream.properties.etag)
            if not asked:
                asked = True
                await batch.get_job(one.run)
                await batch.get_task(one.run, "main")
        elif call.method == "PUT" and call.name.startswith(ids.OPEN_PREFIX):
            reply = await blob.upload_blob(
                data,
                overwrite=True,
                etag=tag,
                match_condition=MatchConditions.IfNotModified,
                metadata=metadata,
                content_settings=_JSON,
            )
            tag = str(reply["etag"])
        elif call.method == "PUT":
            if not read:
                read = True
                await _read(outputs, one.outputs)
            await blob.upload_blob(data, overwrite=False, content_settings=_JSON)
        elif call.method == "DELETE":
            await blob.delete_blob(etag=tag, match_condition=MatchConditions.IfNotModified)


async def _read(outputs: ContainerClient, calls: Iterable[Call]) -> None:
    for call in calls:
        if call.query.get("comp") == "list":
            await _list(outputs, call)
        elif call.method == "HEAD":
            await outputs.get_blob_client(call.name).exists()
        else:
            await (await outputs.download_blob(call.name)).readall()


async def _list(container: ContainerClient, call: Call) -> None:
    if "delimiter" in call.query:
        async for _ in container.walk_blobs(name_starts_with=call.query["prefix"]):
            pass
        return
    async for _ in container.list_blobs(
        name_starts_with=call.query["prefix"], include=["metadata"]
    ):
        pass
