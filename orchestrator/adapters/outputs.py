"""What tasks wrote: read back from the container into which nodes push it, or put there."""

import base64
import io
from collections.abc import AsyncGenerator, Awaitable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from azure.core import MatchConditions
from azure.storage.blob import BlobBlock, BlobProperties
from azure.storage.blob.aio import BlobServiceClient

from orchestrator.adapters.calls import BlobMissing, ask_storage
from orchestrator.decisions.places import portless
from orchestrator.errors import LedgerConflict, LedgerUnavailable, OutputUnreadable

PART_BYTES: Final = 4 * 1024 * 1024
"""So much is read or staged at a time; the client holds it twice for a moment."""

_PAGE: Final = 1000
_HOW_KEY: Final = "recur_fetched"
"""Metadata of a blob that was fetched from a node: whether the file stood still meanwhile."""

_STOOD_STILL: Final = "whole"
_CHANGED: Final = "changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredOutput:
    """
    One blob in the folder of an attempt.

    Attributes:
        path: Below that folder.
        bytes: Its size.
        etag: Of its content.
        stored: When it was written.
        fetched: Whether the collector fetched it, and no node pushed it.
        changed: Whether the file changed while it was fetched.
    """

    path: str
    bytes: int
    etag: str
    stored: datetime
    fetched: bool = False
    changed: bool = False


@dataclass(frozen=True, slots=True)
class Block:
    """
    A block that is staged: its place in a file of a certain size.

    Attributes:
        size: Of the whole file, in bytes.
        number: 0 for the first.
    """

    size: int
    number: int

    @property
    def id(self) -> str:
        """The same for the same part of the same file: a later tick goes on with it."""
        return base64.b64encode(f"{self.size:016x}{self.number:08x}".encode()).decode()


class Outputs:
    """
    The container into which nodes push what their tasks wrote.

    Every method raises ``OutputUnreadable`` when storage does not answer or refuses: that concerns
    the run whose output it is, and no other.
    """

    def __init__(self, service: BlobServiceClient, container: str) -> None:
        self._service = service
        self._container = service.get_container_client(container)

    def at(self, url: str | None) -> "Outputs":
        """
        Return the container with this URL; None: this one.

        Raises:
            OutputUnreadable: It is in another storage account.
        """
        wanted = portless(url or self._container.url)
        if wanted == portless(self._container.url):
            return self
        account = portless(self._service.url).rstrip("/") + "/"
        name = wanted.removeprefix(account)
        if name == wanted or "/" in name or not name:
            raise OutputUnreadable(f"they went to {url}, which is not in this storage account")
        return Outputs(self._service, name)

    async def is_empty(self, prefix: str) -> bool:
        """Tell whether nothing is stored below a prefix."""
        return await _ask(prefix, self._is_empty(prefix))

    async def _is_empty(self, prefix: str) -> bool:
        async for _ in self._container.list_blobs(name_starts_with=prefix, results_per_page=1):
            return False
        return True

    async def find(self, folder: str, path: str) -> StoredOutput | None:
        """Return an output by its name; None if it is not there."""
        blob = self._container.get_blob_client(folder + path)
        try:
            found = await _ask(path, blob.get_blob_properties())
        except BlobMissing:
            return None
        return _stored(path, found)

    async def pages(self, folder: str, below: str) -> AsyncGenerator[list[StoredOutput]]:
        """Yield what lies below a folder of the folder of an attempt, up to 1,000 at a time."""
        listing: Any = self._container.list_blobs(  # its pages have no type
            name_starts_with=folder + below, include=["metadata"], results_per_page=_PAGE
        )
        pages = listing.by_page()
        while True:
            try:
                page = await _ask(below, _next_page(pages))
            except StopAsyncIteration:
                return
            yield [_stored(blob.name.removeprefix(folder), blob) for blob in page]

    async def read(self, folder: str, stored: StoredOutput, begin: int, end: int) -> bytes:
        """
        Return a part of an output, at most ``PART_BYTES`` of it.

        Raises:
            OutputUnreadable: As everywhere; or it is not the one that was found, or gone.
        """
        blob = self._container.get_blob_client(folder + stored.path)
        call = _read(blob, begin, end, stored.etag)
        try:
            return await _ask(stored.path, call)
        except BlobMissing as error:
            raise OutputUnreadable(f"{stored.path}: it was removed after it was found") from error

    async def staged(self, folder: str, path: str) -> frozenset[Block]:
        """Return the whole blocks that an earlier tick has staged and nobody has committed."""
        blob = self._container.get_blob_client(folder + path)
        try:
            _, staged = await _ask(path, blob.get_block_list("uncommitted"))
        except BlobMissing:
            return frozenset()
        return frozenset(block for one in staged if (block := _block(one)))

    async def stage(self, folder: str, path: str, block: Block, data: bytes) -> None:
        """Stage a block; storage checks its bytes on their way."""
        blob = self._container.get_blob_client(folder + path)
        content = io.BytesIO(data)  # of bytes, the client copies and warns
        await _ask(path, blob.stage_block(block.id, content, len(data), validate_content=True))

    async def commit(
        self, folder: str, path: str, blocks: Sequence[Block], *, changed: bool
    ) -> bool:
        """Make a blob of staged blocks; False if there is one by that name meanwhile."""
        blob = self._container.get_blob_client(folder + path)
        call = blob.commit_block_list(
            [BlobBlock(block.id) for block in blocks],
            metadata={_HOW_KEY: _CHANGED if changed else _STOOD_STILL},
            match_condition=MatchConditions.IfMissing,
        )
        try:
            await ask_storage(call)
        except LedgerConflict:
            return False
        except (LedgerUnavailable, BlobMissing) as error:
            raise OutputUnreadable(f"{path}: {error}") from error
        return True


def parts(size: int) -> list[tuple[int, int]]:
    """Return begin and end of each part in which so many bytes are read."""
    return [(begin, min(begin + PART_BYTES, size)) for begin in range(0, size, PART_BYTES)]


async def _next_page(pages: Any) -> list[BlobProperties]:  # noqa: ANN401 - the client's, untyped
    page = await anext(pages)
    return [blob async for blob in page]


async def _read(blob: Any, begin: int, end: int, etag: str) -> bytes:  # noqa: ANN401 - overloads
    stream = await blob.download_blob(
        offset=begin,
        length=end - begin,
        max_concurrency=1,
        etag=etag,
        match_condition=MatchConditions.IfNotModified,
    )
    data: bytes = await stream.readall()
    return data


def _stored(path: str, found: BlobProperties) -> StoredOutput:
    how = {key.lower(): value for key, value in (found.metadata or {}).items()}.get(_HOW_KEY)
    return StoredOutput(
        path=path,
        bytes=int(found.size or 0),
        etag=str(found.etag),
        stored=found.last_modified,
        fetched=how is not None,
        changed=how == _CHANGED,
    )


def _block(found: BlobBlock) -> Block | None:
    """Return a staged block if it is one of ours, and as long as its place demands."""
    try:
        text = base64.b64decode(str(found.id), validate=True).decode()
        block = Block(int(text[:16], 16), int(text[16:], 16))
    except ValueError:
        return None
    begin = block.number * PART_BYTES
    length = min(PART_BYTES, block.size - begin)
    return block if found.size == length and block.id == found.id else None


async def _ask[T](path: str, call: Awaitable[T]) -> T:
    """Await one call; the failure of storage is that of one output."""
    try:
        return await ask_storage(call)
    except (LedgerUnavailable, LedgerConflict) as error:
        raise OutputUnreadable(f"{path}: {error}") from error
