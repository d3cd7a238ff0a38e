"""What tasks wrote: read back from the container into which nodes push it."""

import asyncio
import hashlib
from typing import Final

from azure.core.exceptions import HttpResponseError
from azure.storage.blob.aio import ContainerClient

from orchestrator.adapters.calls import NO_ANSWER, BlobMissing, ask_storage, words
from orchestrator.errors import OutputUnreadable

HASHED_BYTES: Final = 64 * 1024 * 1024
"""Outputs up to this size are read back and hashed; larger ones are verified by size alone."""

_READ_BACK_SECONDS: Final = 30
_MOST_FILES: Final = 1000


class Outputs:
    """The container into which nodes push what their tasks wrote."""

    def __init__(self, container: ContainerClient) -> None:
        self._container = container

    async def names(self, prefix: str, folder: str) -> list[str]:
        """
        Return the paths below ``prefix`` of what lies in one of its folders, the first thousand.

        Raises:
            LedgerUnavailable: Storage does not answer, or refuses.
        """
        return await ask_storage(self._names(prefix, folder))

    async def _names(self, prefix: str, folder: str) -> list[str]:
        found: list[str] = []
        async for name in self._container.list_blob_names(name_starts_with=prefix + folder):
            found.append(name.removeprefix(prefix))
            if len(found) == _MOST_FILES:
                break
        return found

    async def measure(self, path: str) -> tuple[int, str | None] | None:
        """
        Return the size in bytes of an output and, up to 64 MiB, its sha256; None if missing.

        The bytes are read back from storage, so that the record vouches for what is there.

        Raises:
            OutputUnreadable: It is there, and could not be read now.
            LedgerUnavailable: Storage does not answer, or refuses.
        """
        blob = self._container.get_blob_client(path)
        digest = hashlib.sha256()
        try:
            size = (await ask_storage(blob.get_blob_properties())).size
            if size > HASHED_BYTES:
                return size, None
            async with asyncio.timeout(_READ_BACK_SECONDS):
                stream = await ask_storage(blob.download_blob(max_concurrency=1))
                async for chunk in stream.chunks():
                    digest.update(chunk)
        except BlobMissing:
            return None
        except (*NO_ANSWER, HttpResponseError) as error:
            raise OutputUnreadable(f"output {path}: {words(error)}") from error
        return stream.size, digest.hexdigest()
