"""
Downloading a task's resource files into its working directory, before its command.

Codes, categories and texts of failures are the service's: documented for blobs and files, and as
users have reported them for containers.
"""

import asyncio
import errno
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

import aiohttp
from azure.core.exceptions import AzureError, HttpResponseError, ServiceResponseTimeoutError
from azure.storage.blob.aio import BlobServiceClient, ContainerClient
from yarl import URL

from batch_emulator.runtime.blob_containers import (
    DENIED,
    AddressError,
    open_container,
    path_in_account,
)
from batch_emulator.runtime.execution import Failure
from batch_emulator.wire import Json

_DEFAULT_MODE: Final = "0770"
_CHUNK_BYTES: Final = 1024 * 1024
_NOT_FOUND: Final = 404
_OK: Final = 200
_LEGAL: Final = "%:/?#[]@!$&'()*+,;=~"
_TIMEOUT: Final = aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=60)
_TEXTS: Final = {
    "BlobNotFound": "One of the specified Azure Blob(s) is not found",
    "BlobAccessDenied": "Access for one of the specified Azure Blob(s) is denied",
    "BlobDownloadTimedOut": (
        "Timeout encountered while downloading one of the specified Azure Blob(s)"
    ),
    "BlobDownloadMiscError": (
        "Miscellaneous error encountered while downloading one of the specified Azure Blob(s)"
    ),
    "ResourceContainerAccessDenied": (
        "Access for one of the specified Azure Blob container(s) is denied"
    ),
    "ResourceContainerListMiscError": (
        "Miscellaneous error encountered while listing one of the specified Azure Blob container(s)"
    ),
    "ResourceDirectoryCreateFailed": (
        "Failure encountered creating resource directory for the task"
    ),
    "ResourceFileCreateFailed": "Failure encountered creating resource file",
    "ResourceFileWriteFailed": "Failure encountered writing resource file",
    "DiskFull": ("There is not enough disk space on the node that was selected to run the task"),
}
_OURS: Final = {  # whose category is the server's; of all others it is the user's
    "BlobDownloadTimedOut",
    "BlobDownloadMiscError",
    "ResourceDirectoryCreateFailed",
    "ResourceFileCreateFailed",
    "ResourceFileWriteFailed",
    "DiskFull",
}


class DownloadError(Exception):
    """A resource file that cannot be downloaded; ``failure`` is what the task shows."""

    def __init__(self, code: str, source: str, path: Path | None, reason: str = "") -> None:
        super().__init__(f"{code}: {reason}")
        details = [("BlobSource", source)]
        if path is not None:
            details.append(("FilePath", str(path)))
        if reason:
            details.append(("Message", reason))
        category = "ServerError" if code in _OURS else "UserError"
        self.failure = Failure(code, _TEXTS[code], tuple(details), category)


@dataclass(frozen=True, slots=True)
class _Target:
    """Where one file goes, and its name in a failure."""

    path: Path
    mode: int
    source: str

    def error(self, code: str, reason: str = "") -> DownloadError:
        return DownloadError(code, self.source, self.path, reason)

    def refused(self, status: int | None, reason: str) -> DownloadError:
        """Return the failure for an answer that does not hold the file."""
        if status == _NOT_FOUND:
            return self.error("BlobNotFound")
        if status in DENIED:
            return self.error("BlobAccessDenied")
        return self.error("BlobDownloadMiscError", reason)


async def download_all(
    storage: BlobServiceClient, files: Sequence[Json], directory: Path
) -> Failure | None:
    """
    Download ``files`` into ``directory``, one after the other, up to the first failure.

    Args:
        storage: The linked storage; every identity stands for it too.
        files: The files, as the API has them.
        directory: The working directory.
    """
    try:
        for file in files:
            if "httpUrl" in file:
                await _download_address(storage, file, directory)
            else:
                await _download_container(storage, file, directory)
    except DownloadError as error:
        return error.failure
    return None


def _target(file: Json, directory: Path, name: str, source: str) -> _Target:
    path = directory.joinpath(*(part for part in name.split("/") if part not in {"", "."}))
    mode = int(file.get("fileMode", _DEFAULT_MODE), 8)
    target = _Target(path, mode, source)
    if ".." in name.split("/"):
        raise target.error("ResourceFileCreateFailed", "the name leads out of the directory")
    return target


async def _download_address(storage: BlobServiceClient, file: Json, directory: Path) -> None:
    url = file["httpUrl"]
    target = _target(file, directory, file["filePath"], url)
    if "identityReference" not in file:
        await _save(_read_address(url, target), target)
        return
    try:
        container, _, blob = path_in_account(url, str(storage.url)).partition("/")
    except AddressError as error:
        raise target.error("BlobDownloadMiscError", str(error)) from error
    if not blob:
        raise target.error("BlobNotFound")
    await _save(_read_blob(storage.get_container_client(container), blob, target), target)


async def _download_container(storage: BlobServiceClient, file: Json, directory: Path) -> None:
    name = file.get("autoStorageContainerName")
    url = f"{str(storage.url).rstrip('/')}/{name}" if name else file["storageContainerUrl"]
    identity = bool(name) or "identityReference" in file
    async with _listing(url), open_container(storage, url, identity=identity) as container:
        found = [
            blob.name
            async for blob in container.list_blobs(name_starts_with=file.get("blobPrefix") or None)
        ]
        folder = file.get("filePath", "")
        for blob in found:
            source = container.get_blob_client(blob).url
            target = _target(file, directory, f"{folder}/{blob}", source)
            if blob.endswith("/"):  # a marker of a folder
                _make_folder(target, target.path)
            else:
                await _save(_read_blob(container, blob, target), target)


def _code(error: HttpResponseError) -> str | None:
    return getattr(error, "error_code", None)  # which storage's own errors have


@asynccontextmanager
async def _listing(url: str) -> AsyncGenerator[None]:
    """Turn an error of a whole container into its failure."""
    try:
        yield
    except HttpResponseError as error:
        # To a caller without a name, a private container is a resource that does not exist.
        denied = error.status_code in DENIED or _code(error) == "ResourceNotFound"
        code = "ResourceContainerAccessDenied" if denied else "ResourceContainerListMiscError"
        raise DownloadError(code, url, None, error.message) from error
    except (AzureError, ValueError) as error:
        raise DownloadError("ResourceContainerListMiscError", url, None, str(error)) from error


async def _read_address(url: str, target: _Target) -> AsyncGenerator[bytes]:
    try:
        async with (
            aiohttp.ClientSession(timeout=_TIMEOUT, auto_decompress=False) as session,
            session.get(URL(quote(url, safe=_LEGAL), encoded=True)) as reply,
        ):
            if reply.status != _OK:
                raise target.refused(reply.status, f"{reply.status} {reply.reason}")
            async for chunk in reply.content.iter_chunked(_CHUNK_BYTES):
                yield chunk
    except TimeoutError as error:
        raise target.error("BlobDownloadTimedOut", str(error)) from error
    except (aiohttp.ClientError, ValueError) as error:
        raise target.error("BlobDownloadMiscError", str(error)) from error


async def _read_blob(
    container: ContainerClient, name: str, target: _Target
) -> AsyncGenerator[bytes]:
    try:
        stream = await container.download_blob(name)
        async for chunk in stream.chunks():
            yield chunk
    except HttpResponseError as error:
        raise target.refused(error.status_code, error.message) from error
    except ServiceResponseTimeoutError as error:
        raise target.error("BlobDownloadTimedOut", str(error)) from error
    except AzureError as error:
        raise target.error("BlobDownloadMiscError", str(error)) from error


def _make_folder(target: _Target, folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _file_error(target, "ResourceDirectoryCreateFailed", error) from error


def _file_error(target: _Target, code: str, error: OSError) -> DownloadError:
    full = error.errno in {errno.ENOSPC, errno.EDQUOT}
    return target.error("DiskFull" if full else code, str(error))


async def _save(content: AsyncGenerator[bytes], target: _Target) -> None:
    async with aclosing(content) as chunks:
        _make_folder(target, target.path.parent)
        try:
            target.path.unlink(missing_ok=True)  # of an earlier run; it may be read-only
            file = target.path.open("wb")
        except OSError as error:
            raise _file_error(target, "ResourceFileCreateFailed", error) from error
        try:
            with file:
                async for chunk in chunks:
                    await asyncio.to_thread(file.write, chunk)
            target.path.chmod(target.mode)
        except OSError as error:
            raise _file_error(target, "ResourceFileWriteFailed", error) from error
