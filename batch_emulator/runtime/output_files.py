"""Uploading a task's output files when its process has ended and before it is completed."""

import glob
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from string import Template
from typing import Any, Final

from azure.core.exceptions import AzureError, HttpResponseError
from azure.storage.blob import ContentSettings
from azure.storage.blob.aio import BlobServiceClient, ContainerClient

from batch_emulator.runtime.blob_containers import DENIED, open_container
from batch_emulator.runtime.execution import Failure
from batch_emulator.wire import Json

SETTINGS_BY_HEADER: Final = {
    "x-ms-blob-cache-control": "cache_control",
    "x-ms-blob-content-disposition": "content_disposition",
    "x-ms-blob-content-encoding": "content_encoding",
    "x-ms-blob-content-language": "content_language",
    "x-ms-blob-content-type": "content_type",
}
"""The upload headers that are supported, beside those of metadata, by names of ContentSettings."""

METADATA_HEADER: Final = "x-ms-meta-"
"""The prefix of upload headers for metadata."""

_LOG: Final = "fileuploadout.txt"
_ERROR_LOG: Final = "fileuploaderr.txt"
_CONTAINER_MISSING: Final = Failure(
    "FileUploadContainerNotFound",
    "One of the specified Azure container(s) was not found while attempting to upload an "
    "output file",
)
_ACCESS_DENIED: Final = Failure(
    "FileUploadAccessDenied",
    "Access to one of the specified Azure container(s) was denied while attempting to upload an "
    "output file",
)


@dataclass(frozen=True, slots=True)
class Upload:
    """One file on its way to one blob."""

    file: Path
    blob: str


class UploadError(Exception):
    """An output file that cannot be uploaded; ``failure`` is what the task shows."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


def _misc(reason: str, subject: str) -> UploadError:
    reason, subject = (  # a file's name need not be text
        part.encode(errors="backslashreplace").decode() for part in (reason, subject)
    )
    return UploadError(
        Failure(
            "FileUploadMiscError",
            "A miscellaneous error was encountered while uploading one of the output files",
            (("Path", subject), ("Message", reason)),
        )
    )


def plan(output: Json, directory: Path, variables: Mapping[str, str]) -> list[Upload]:
    """
    Return the uploads that ``output`` asks for from a working directory, in order of the names.

    A pattern without wildcards names one file and its blob; with wildcards, the destination is a
    prefix of the paths below the part of the pattern that has none.

    Raises:
        UploadError: The file does not exist.
    """
    destination = output["destination"]["container"]
    pattern = Template(output["filePattern"]).safe_substitute(variables)
    prefix = destination.get("path", "").strip("/")
    if not glob.has_magic(pattern):
        file = directory / pattern
        if not file.is_file():
            raise _misc("no such file", pattern)
        return [Upload(file, prefix or file.name)]
    fixed = PurePosixPath()
    for part in PurePosixPath(pattern).parts:
        if glob.has_magic(part):
            break
        fixed /= part
    found = sorted(glob.iglob(pattern, root_dir=directory, recursive=True))  # noqa: PTH207 - `..` in it
    return [
        Upload(
            directory / name,
            "/".join(filter(None, (prefix, os.path.relpath(name, fixed)))),
        )
        for name in found
        if (directory / name).is_file()
    ]


def wanted(output: Json, *, success: bool) -> bool:
    """Tell whether ``output`` is uploaded after this result."""
    condition = output["uploadOptions"]["uploadCondition"].lower()
    return condition in {"taskcompletion", "tasksuccess" if success else "taskfailure"}


def _settings(destination: Json) -> dict[str, Any]:
    """Return the destination's upload headers as the client takes them."""
    headers = {
        item["name"].lower(): item.get("value", "") for item in destination.get("uploadHeaders", ())
    }
    content = {
        setting: headers[name] for name, setting in SETTINGS_BY_HEADER.items() if name in headers
    }
    metadata = {
        name.removeprefix(METADATA_HEADER): value
        for name, value in headers.items()
        if name.startswith(METADATA_HEADER)
    }
    return {
        "content_settings": ContentSettings(**content) if content else None,
        "metadata": metadata or None,
    }


async def _upload(container: ContainerClient, upload: Upload, settings: Mapping[str, Any]) -> None:
    try:
        # The length is fixed first, so that a file that still grows is cut and not corrupted.
        length = upload.file.stat().st_size
        with upload.file.open("rb") as content:
            blob = container.get_blob_client(upload.blob)
            await blob.upload_blob(content, length=length, overwrite=True, **settings)
    except HttpResponseError as error:
        if getattr(error, "error_code", None) == "ContainerNotFound":
            raise UploadError(_CONTAINER_MISSING) from error
        if error.status_code in DENIED:
            raise UploadError(_ACCESS_DENIED) from error
        raise _misc(error.message, upload.blob) from error
    except (AzureError, OSError, ValueError) as error:  # the last of a name that is no text
        raise _misc(str(error), upload.blob) from error


async def _upload_output(
    storage: BlobServiceClient, output: Json, directory: Path, variables: Mapping[str, str]
) -> AsyncIterator[str]:
    """Upload the files of one output; yield a line for the log after each."""
    destination = output["destination"]["container"]
    url, identity = destination["containerUrl"], "identityReference" in destination
    settings = _settings(destination)
    try:
        client = open_container(storage, url, identity=identity)
    except ValueError as error:
        raise _misc(str(error), url.partition("?")[0]) from error
    async with client as container:
        for upload in plan(output, directory, variables):
            await _upload(container, upload, settings)
            yield f"{upload.file} -> {container.container_name}/{upload.blob}"


async def upload_all(
    storage: BlobServiceClient,
    outputs: Sequence[Json],
    *,
    success: bool,
    directory: Path,
    variables: Mapping[str, str],
) -> Failure | None:
    """
    Upload what the task's result asks for; try all of it, and return the first failure.

    Two logs beside the task's stdout say what was done, as on a real node.
    """
    failures: list[Failure] = []
    task_root = directory.parent
    try:
        task_root.mkdir(parents=True, exist_ok=True)  # the task may have removed it
        for name in (_LOG, _ERROR_LOG):  # the task may have put anything there, even a pipe
            (task_root / name).unlink(missing_ok=True)
        with (task_root / _LOG).open("x") as log, (task_root / _ERROR_LOG).open("x") as errors:
            for output in outputs:
                if not wanted(output, success=success):
                    continue
                try:
                    async for line in _upload_output(storage, output, directory, variables):
                        log.write(f"{line}\n")
                except UploadError as error:
                    failures.append(error.failure)
                    errors.write(f"{output['filePattern']}: {error.failure}\n")
    except OSError as error:
        failures.append(_misc(str(error), str(task_root)).failure)
    return failures[0] if failures else None
