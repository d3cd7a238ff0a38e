"""What tasks wrote: read back from the container into which nodes push it."""

import asyncio
import hashlib
from collections.abc import Sequence
from typing import Final

from azure.core.exceptions import HttpResponseError
from azure.storage.blob.aio import ContainerClient

from orchestrator.adapters.calls import NO_ANSWER, BlobMissing, ask_storage, words
from orchestrator.errors import OutputUnreadable

HASHED_BYTES: Final = 64 * 1024 * 1024
"""So much of the outputs of one attempt is read back and hashed; the rest is verified by size."""

_READ_BACK_SECONDS: Final = 10
_MOST_FILES: Final = 1000


class Outputs:
    """The container into which nodes push what their tasks wrote."""

    def __init__(self, container: ContainerClient) -> None:
        self._container = container

    async def measure(
        self, prefix: str, *, streams: Sequence[str], folder: str
    ) -> dict[str, tuple[int, str | None]]:
        """
        Return the outputs of an attempt by their paths below ``prefix``, the first thousand.

        The bytes are read back from storage, so that the record vouches for what is there: 64 MiB
        and ten seconds of them, the streams first. Of what is beyond, the size alone is known.

        Args:
            prefix: The folder of the attempt's outputs.
            streams: Names of the files that are looked for in it.
            folder: The folder in it that holds the declared outputs.

        Returns:
            Size in bytes, and sha256 where the bytes were read.

        Raises:
            OutputUnreadable: One is there, and could not be read now.
            LedgerUnavailable: Storage does not answer, or refuses.
        """
        sizes = await ask_storage(self._sizes(prefix, streams, folder))
        found: dict[str, tuple[int, str | None]] = {}
        left, end = HASHED_BYTES, asyncio.get_running_loop().time() + _READ_BACK_SECONDS
        for name, size in sizes.items():
            digest = None
            if size <= left and asyncio.get_running_loop().time() < end:
                digest = await self._digest(prefix + name, end)
                left -= size
            found[name] = size, digest
        return found

    async def _sizes(self, prefix: str, streams: Sequence[str], folder: str) -> dict[str, int]:
        sizes: dict[str, int] = {}
        for part in (*streams, folder):
            async for blob in self._container.list_blobs(name_starts_with=prefix + part):
                name = blob.name.removeprefix(prefix)
                if part in {name, folder}:
                    sizes[name] = blob.size
                if len(sizes) == _MOST_FILES:
                    return sizes
        return sizes

    async def _digest(self, path: str, end: float) -> str | None:
        """Return the sha256 of a blob; None if it is gone, or the time is over before its end."""
        digest = hashlib.sha256()
        blob = self._container.get_blob_client(path)
        try:
            async with asyncio.timeout_at(end):
                stream = await ask_storage(blob.download_blob(max_concurrency=1))
                async for chunk in stream.chunks():
                    digest.update(chunk)
        except (TimeoutError, BlobMissing):
            return None
        except (*NO_ANSWER, HttpResponseError) as error:
            raise OutputUnreadable(f"output {path}: {words(error)}") from error
        return digest.hexdigest()
