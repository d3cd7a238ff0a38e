"""Blob storage: the ledger and the outputs; the one place that speaks to it."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from azure.core import MatchConditions
from azure.core.pipeline import PipelineResponse
from azure.identity.aio import DefaultAzureCredential
from azure.storage.blob import ContentSettings
from azure.storage.blob.aio import (
    BlobLeaseClient,
    BlobServiceClient,
    ContainerClient,
    ExponentialRetry,
    StorageStreamDownloader,
)

from orchestrator import naming
from orchestrator.adapters.calls import (
    BlobMissing,
    BlobUnchanged,
    ask_storage,
    reply_date,
)
from orchestrator.adapters.outputs import Outputs
from orchestrator.adapters.settings import Settings
from orchestrator.adapters.telemetry import trouble
from orchestrator.errors import LeaseTaken, LedgerConflict, LedgerUnavailable, RecordUnreadable
from orchestrator.ledger import OpenRun, open_run
from orchestrator.record import Record, dump, load, metadata
from orchestrator.words import RunId

LEASE_SECONDS: Final = 60
_JSON: Final = ContentSettings(content_type="application/json")
_TRANSPORT: Final[dict[str, Any]] = {"connection_timeout": 3, "read_timeout": 8}


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """
    What a conditional read brought.

    Attributes:
        data: The content; None if there is no such blob.
        etag: Of the content; None if there is none.
        modified: Last-Modified of the content.
        now: The Date of this reply: the tick's only clock.
    """

    data: bytes | None
    etag: str | None
    modified: datetime | None
    now: datetime


@dataclass(slots=True)
class Cache:
    """
    What this process remembers from one tick to the next; losing it costs a read and a report.

    Attributes:
        texts: What was read, by blob name, for reads by If-None-Match.
        reported: The quarter of an hour in which the schedules were last reported.
    """

    texts: dict[str, Text] = field(default_factory=dict[str, Text])
    reported: int | None = None


@dataclass(frozen=True, slots=True)
class Lease:
    """A lease that is held."""

    client: BlobLeaseClient


class Ledger:
    """
    The container of the ledger.

    Every method raises ``LedgerUnavailable`` when storage does not answer or refuses, and
    ``LedgerConflict`` when a condition of a write does not hold.
    """

    def __init__(self, container: ContainerClient, cache: Cache) -> None:
        self._container = container
        self._cache = cache

    async def read(self, name: str) -> Text:
        """Read a blob, by If-None-Match when it was read before."""
        known = self._cache.texts.get(name)
        condition: dict[str, Any] = (
            {"etag": known.etag, "match_condition": MatchConditions.IfModified}
            if known and known.etag
            else {}
        )
        try:
            text = await ask_storage(self._download(name, condition))
        except BlobMissing as missing:
            self._cache.texts.pop(name, None)
            return Text(data=None, etag=None, modified=None, now=missing.now)
        except BlobUnchanged as unchanged:
            if known is None:
                raise LedgerUnavailable(
                    f"{name}: not modified since a read that was none"
                ) from None
            return Text(
                data=known.data, etag=known.etag, modified=known.modified, now=unchanged.now
            )
        self._cache.texts[name] = text
        return text

    async def open_runs(self) -> tuple[tuple[OpenRun, ...], datetime]:
        """
        List ``open/``: the whole work list, and the Date of the reply.

        One request up to 5,000 runs. Anything there that is no open record is left alone.
        """
        return await ask_storage(self._list_open())

    @asynccontextmanager
    async def lease(self, name: str, *, empty: bytes) -> AsyncGenerator[Lease]:
        """
        Hold the lease of a blob for 60 s at most; the blob is created with ``empty`` if missing.

        Raises:
            LeaseTaken: Another tick holds it.
        """
        try:
            client = await self._acquire(name)
        except BlobMissing:
            await self._create(name, empty)
            client = await self._acquire(name)
        try:
            yield Lease(client)
        finally:
            await self._release(client)

    async def write(self, name: str, data: bytes, lease: Lease, etag: str) -> str:
        """Replace a leased blob if it is still the one that was read; return its new ETag."""
        blob = self._container.get_blob_client(name)
        reply = await ask_storage(
            blob.upload_blob(
                data,
                overwrite=True,
                lease=lease.client,
                etag=etag,
                match_condition=MatchConditions.IfNotModified,
                content_settings=_JSON,
            )
        )
        self._cache.texts.pop(name, None)
        return str(reply["etag"])

    async def claim(self, record: Record) -> bool:
        """Create an open record; False if there is one already."""
        name = naming.open_blob(record.run_id)
        return await self._create(name, dump(record), metadata(record))

    async def read_open(self, run_id: RunId) -> tuple[Record, str] | None:
        """Return an open record and its ETag; None if it is gone."""
        try:
            text = await ask_storage(self._download(naming.open_blob(run_id), {}))
        except BlobMissing:
            return None
        return load(text.data or b""), text.etag or ""

    async def write_open(self, record: Record, etag: str) -> str:
        """Replace an open record if it is still the one that was read; return its new ETag."""
        blob = self._container.get_blob_client(naming.open_blob(record.run_id))
        reply = await ask_storage(
            blob.upload_blob(
                dump(record),
                overwrite=True,
                etag=etag,
                match_condition=MatchConditions.IfNotModified,
                metadata=metadata(record),
                content_settings=_JSON,
            )
        )
        return str(reply["etag"])

    async def remove_open(self, run_id: RunId, etag: str) -> None:
        """Remove an open record if it is still the one that was read; gone already is as good."""
        blob = self._container.get_blob_client(naming.open_blob(run_id))
        try:
            await ask_storage(
                blob.delete_blob(etag=etag, match_condition=MatchConditions.IfNotModified)
            )
        except BlobMissing:
            return

    async def finalise(self, record: Record) -> bool:
        """Create a final record; False if there is one already."""
        return await self._create(record.blob, dump(record))

    async def is_final(self, record: Record) -> bool:
        """Tell whether the run of this record has a final one."""
        return bool(await ask_storage(self._container.get_blob_client(record.blob).exists()))

    async def _download(self, name: str, condition: Mapping[str, Any]) -> Text:
        dates = _Dates()
        download: Any = self._container.download_blob  # its overloads leave the type open
        stream: StorageStreamDownloader[bytes] = await download(
            name, raw_response_hook=dates, **condition
        )
        data = await stream.readall()
        properties = stream.properties
        return Text(
            data=data, etag=properties.etag, modified=properties.last_modified, now=dates.first
        )

    async def _list_open(self) -> tuple[tuple[OpenRun, ...], datetime]:
        dates = _Dates()
        listing = self._container.list_blobs(
            name_starts_with=naming.OPEN_PREFIX,
            include=["metadata"],
            raw_response_hook=dates,
        )
        runs: list[OpenRun] = []
        async for blob in listing:
            try:
                run = open_run(blob.name, blob.metadata or {})
            except RecordUnreadable as error:
                trouble(f"{blob.name} is left alone", error)
            else:
                runs += [run] if run else []
        return tuple(sorted(runs, key=lambda run: (run.nominal, run.run_id))), dates.first

    async def _create(self, name: str, data: bytes, values: dict[str, str] | None = None) -> bool:
        blob = self._container.get_blob_client(name)
        try:
            await ask_storage(
                blob.upload_blob(data, overwrite=False, metadata=values, content_settings=_JSON)
            )
        except LedgerConflict:
            return False
        return True

    async def _acquire(self, name: str) -> BlobLeaseClient:
        try:
            blob = self._container.get_blob_client(name)
            return await ask_storage(blob.acquire_lease(LEASE_SECONDS))
        except LedgerConflict as error:
            raise LeaseTaken(name) from error

    @staticmethod
    async def _release(client: BlobLeaseClient) -> None:
        """Give the lease back; where that fails it runs out by itself."""
        try:
            await ask_storage(client.release())
        except (LedgerUnavailable, LedgerConflict, BlobMissing):
            return


class _Dates:
    """Notes the Date of the first reply to a request."""

    def __init__(self) -> None:
        self._first: datetime | None = None

    def __call__(self, reply: PipelineResponse[Any, Any]) -> None:
        self._first = self._first or reply_date(reply)

    @property
    def first(self) -> datetime:
        if self._first is None:
            raise LedgerUnavailable("blob storage gave a reply without a Date")
        return self._first


@asynccontextmanager
async def open_storage(settings: Settings, cache: Cache) -> AsyncGenerator[tuple[Ledger, Outputs]]:
    """Open both containers, by connection string where one is set, else by the identity."""
    retry = ExponentialRetry(initial_backoff=1, increment_base=1, retry_total=2)
    options: dict[str, Any] = {"retry_policy": retry, **_TRANSPORT}
    if settings.data_storage_connection_string:
        service = BlobServiceClient.from_connection_string(
            settings.data_storage_connection_string, **options
        )
        async with service:
            yield _containers(service, settings, cache)
        return
    async with (
        DefaultAzureCredential(managed_identity_client_id=settings.client_id) as credential,
        BlobServiceClient(settings.data_storage_url, credential, **options) as service,
    ):
        yield _containers(service, settings, cache)


def _containers(
    service: BlobServiceClient, settings: Settings, cache: Cache
) -> tuple[Ledger, Outputs]:
    ledger = Ledger(service.get_container_client(settings.ledger_container), cache)
    return ledger, Outputs(service.get_container_client(settings.outputs_container))
