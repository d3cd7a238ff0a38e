"""One container of blob storage: single calls, their conditions and what their answers mean."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from azure.core import MatchConditions
from azure.core.pipeline import PipelineResponse
from azure.storage.blob import BlobProperties, ContentSettings
from azure.storage.blob.aio import (
    BlobLeaseClient,
    BlobPrefix,
    ContainerClient,
    StorageStreamDownloader,
)

from orchestrator.adapters.calls import BlobMissing, ask_storage, reply_date
from orchestrator.adapters.time_limits import LEASE_SECONDS
from orchestrator.errors import LeaseTaken, LedgerConflict, LedgerUnavailable

LARGEST_BLOB_BYTES: Final = 8 << 20
"""Nothing of the ledger is half as large: of a larger blob, such as a document put there by hand, no more is read."""

_JSON: Final = ContentSettings(content_type="application/json")
_TOML: Final = ContentSettings(content_type="application/toml")


@dataclass(frozen=True, slots=True, kw_only=True)
class BlobText:
    """
    What a conditional read brought.

    Attributes:
        data: The content; None if there is no such blob.
        etag: Of the content; None if there is none.
        modified: Last-Modified of the content.
        now: The Date of this reply: the tick's only clock.
        metadata: Of the content.
    """

    data: bytes | None
    etag: str | None
    modified: datetime | None
    now: datetime
    metadata: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Lease:
    """A lease that is held."""

    client: BlobLeaseClient


class Container:
    """
    The blobs of one container.

    Every method raises ``LedgerUnavailable`` when storage does not answer or refuses.
    """

    def __init__(self, client: ContainerClient) -> None:
        self._client = client

    async def download(self, name: str, *, unless: str | None = None) -> BlobText:
        """
        Return a blob.

        Raises:
            BlobMissing: There is none.
            BlobUnchanged: Its ETag is ``unless``.
        """
        condition: dict[str, Any] = (
            {"etag": unless, "match_condition": MatchConditions.IfModified} if unless else {}
        )
        return await ask_storage(self._download(name, condition))

    async def create(self, name: str, data: bytes, values: dict[str, str] | None = None) -> bool:
        """Create a blob with its metadata; False if there is one already."""
        blob = self._client.get_blob_client(name)
        try:
            await ask_storage(
                blob.upload_blob(
                    data, overwrite=False, metadata=values, content_settings=_content(name)
                )
            )
        except LedgerConflict:
            return False
        return True

    async def put(
        self,
        name: str,
        data: bytes,
        etag: str,
        values: dict[str, str] | None = None,
        *,
        lease: Lease | None = None,
    ) -> str:
        """
        Replace a blob and its metadata, and return its new ETag.

        Raises:
            LedgerConflict: Its ETag is not ``etag`` any more, or its lease is not ours.
        """
        blob = self._client.get_blob_client(name)
        held: dict[str, Any] = {"lease": lease.client} if lease else {}
        reply = await ask_storage(
            blob.upload_blob(
                data,
                overwrite=True,
                etag=etag,
                match_condition=MatchConditions.IfNotModified,
                metadata=values,
                content_settings=_content(name),
                **held,
            )
        )
        return str(reply["etag"])

    async def remove(self, name: str, etag: str) -> None:
        """
        Remove a blob; gone already is as good.

        Raises:
            LedgerConflict: Its ETag is not ``etag`` any more.
        """
        blob = self._client.get_blob_client(name)
        try:
            await ask_storage(
                blob.delete_blob(etag=etag, match_condition=MatchConditions.IfNotModified)
            )
        except BlobMissing:
            return

    async def etag(self, name: str) -> str | None:
        """Return the ETag of a blob; None if there is none."""
        properties = await self._properties(name)
        return str(properties.etag) if properties else None

    async def metadata(self, name: str) -> Mapping[str, str] | None:
        """Return the metadata of a blob; None if there is none."""
        properties = await self._properties(name)
        return (properties.metadata or {}) if properties else None

    async def listing(self, prefix: str) -> tuple[list[BlobProperties], datetime]:
        """List the blobs below a prefix with their metadata, and the Date of the reply."""
        return await ask_storage(self._list(prefix))

    async def holds(self, prefix: str) -> bool:
        """Tell whether there is any blob below a prefix."""
        return await ask_storage(self._holds(prefix))

    async def _holds(self, prefix: str) -> bool:
        async for _ in self._client.list_blobs(name_starts_with=prefix, results_per_page=1):
            return True
        return False

    async def page(
        self, prefix: str, marker: str | None, size: int
    ) -> tuple[list[BlobProperties], str | None]:
        """
        Return a page of the blobs below a prefix with their metadata.

        Args:
            prefix: What their names begin with.
            marker: Where the page begins, as the page before it said; None: the first page.
            size: How many blobs a page holds at most.

        Returns:
            The blobs, and the marker of the next page; None: there is none.
        """
        listing = self._client.list_blobs(
            name_starts_with=prefix, include=["metadata"], results_per_page=size
        )
        pages: Any = listing.by_page(continuation_token=marker)  # its marker has no type
        try:
            found = await ask_storage(_read_page(pages))
        except StopAsyncIteration:
            return [], None
        token: str | None = pages.continuation_token
        return found, token or None

    async def folders(self, prefix: str) -> list[str]:
        """Return the names of the folders right below a prefix, in their order."""
        return await ask_storage(self._folders(prefix))

    @asynccontextmanager
    async def lease(self, name: str, *, empty: bytes | None) -> AsyncGenerator[Lease]:
        """
        Hold the lease of a blob for 60 s at most; the blob is created with ``empty`` if missing.

        Raises:
            LeaseTaken: Another tick holds it.
            LedgerConflict: The blob is missing, and ``empty`` is None.
        """
        try:
            client = await self._acquire(name)
        except BlobMissing as error:
            if empty is None:
                raise LedgerConflict(f"{name} was removed at the same time") from error
            await self.create(name, empty)
            client = await self._acquire(name)
        try:
            yield Lease(client)
        finally:
            await self._release(client)

    async def _download(self, name: str, condition: Mapping[str, Any]) -> BlobText:
        dates = Dates()
        download: Any = self._client.download_blob  # its overloads leave the type open
        stream: StorageStreamDownloader[bytes] = await download(
            name, raw_response_hook=dates, **condition
        )
        whole = stream.size <= LARGEST_BLOB_BYTES
        data = await (stream.readall() if whole else stream.read(LARGEST_BLOB_BYTES + 1))
        properties = stream.properties
        return BlobText(
            data=data,
            etag=properties.etag,
            modified=properties.last_modified,
            now=dates.first,
            metadata=properties.metadata or {},
        )

    async def _properties(self, name: str) -> BlobProperties | None:
        blob = self._client.get_blob_client(name)
        try:
            return await ask_storage(blob.get_blob_properties())
        except BlobMissing:
            return None

    async def _list(self, prefix: str) -> tuple[list[BlobProperties], datetime]:
        dates = Dates()
        listing: AsyncIterator[BlobProperties] = self._client.list_blobs(
            name_starts_with=prefix, include=["metadata"], raw_response_hook=dates
        )
        return [blob async for blob in listing], dates.first

    async def _folders(self, prefix: str) -> list[str]:
        found = self._client.walk_blobs(name_starts_with=prefix)
        return sorted([one.name async for one in found if isinstance(one, BlobPrefix)])

    async def _acquire(self, name: str) -> BlobLeaseClient:
        try:
            blob = self._client.get_blob_client(name)
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


def _content(name: str) -> ContentSettings:
    return _TOML if name.endswith(".toml") else _JSON


async def _read_page(pages: AsyncIterator[AsyncIterator[BlobProperties]]) -> list[BlobProperties]:
    return [blob async for blob in await anext(pages)]


class Dates:
    """Notes the Date of the first reply to a request."""

    def __init__(self) -> None:
        self._first: datetime | None = None

    def __call__(self, reply: PipelineResponse[Any, Any]) -> None:
        """Take a reply, as a hook of the client."""
        self._first = self._first or reply_date(reply)

    @property
    def first(self) -> datetime:
        """The Date of the first reply; raises LedgerUnavailable if it had none."""
        if self._first is None:
            raise LedgerUnavailable("blob storage sent a reply without a Date header")
        return self._first
