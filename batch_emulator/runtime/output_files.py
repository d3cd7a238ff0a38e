"""Uploading a task's output files when its process has ended and before it is completed."""

import glob
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from string import Template
from typing import Final
from urllib.parse import unquote, urlsplit

from azure.core.exceptions import AzureError, HttpResponseError
from azure.storage.blob.aio import BlobServiceClient

from batch_emulator.runtime.execution import Failure
from batch_emulator.wire import Json

_LOG: Final = "fileuploadout.txt"
_ERROR_LOG: Final = "fileuploaderr.txt"
_CONTAINER_MISSING: Final = Failure(
    "FileUploadContainerNotFound",
    "One of the specified Azure container(s) was not found while attempting to upload an "
    "output file",
)


@dataclass(frozen=True, slots=True)
class Upload:
    """One file on its way to one blob."""

    file: Path
    container: str
    blob: str


class UploadError(Exception):
    """An output file that cannot be uploaded; ``failure`` is what the task shows."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


def _misc(reason: str, subject: str) -> UploadError:
    return UploadError(
        Failure(
            "FileUploadMiscError",
            "A miscellaneous error was encountered while uploading one of the output files",
            (("Path", subject), ("Message", reason)),
        )
    )


def container_name(url: str, endpoint: str) -> str:
    """
    Return the container's name if ``url`` is one of the storage account at ``endpoint``.

    Raises:
        UploadError: It is another account's, or no container's.
    """
    asked, ours = urlsplit(url), urlsplit(endpoint)
    path, base = unquote(asked.path).strip("/"), ours.path.strip("/")
    name = path.removeprefix(f"{base}/") if base else path
    same = (asked.scheme, asked.netloc.lower()) == (ours.scheme, ours.netloc.lower())
    if not same or (base and name == path) or not name or "/" in name:
        raise _misc(f"not a container of the one storage account, {endpoint}", url)
    return name


def plan(
    output: Json, directory: Path, variables: Mapping[str, str], endpoint: str
) -> list[Upload]:
    """
    Return what ``output`` says to upload from a task's working directory, in order of the names.

    A pattern without wildcards names one file and its blob; with wildcards, the destination is a
    prefix of the paths below the part of the pattern that has none.

    Raises:
        UploadError: The destination is not in the storage account, or the one file is not there.
    """
    destination = output["destination"]["container"]
    container = container_name(destination["containerUrl"], endpoint)
    pattern = Template(output["filePattern"]).safe_substitute(variables)
    prefix = destination.get("path", "").strip("/")
    if not glob.has_magic(pattern):
        file = directory / pattern
        if not file.is_file():
            raise _misc("no such file", pattern)
        return [Upload(file, container, prefix or file.name)]
    fixed = PurePosixPath()
    for part in PurePosixPath(pattern).parts:
        if glob.has_magic(part):
            break
        fixed /= part
    found = sorted(glob.iglob(pattern, root_dir=directory, recursive=True))  # noqa: PTH207 - `..` in it
    return [
        Upload(
            directory / name,
            container,
            "/".join(filter(None, (prefix, os.path.relpath(name, fixed)))),
        )
        for name in found
        if (directory / name).is_file()
    ]


def wanted(output: Json, *, success: bool) -> bool:
    """Tell whether ``output`` is to be uploaded after this result."""
    condition = output["uploadOptions"]["uploadCondition"].lower()
    return condition in {"taskcompletion", "tasksuccess" if success else "taskfailure"}


async def _upload(storage: BlobServiceClient, upload: Upload) -> None:
    try:
        # The length is fixed first, so that a file that still grows is cut and not corrupted.
        length = upload.file.stat().st_size
        with upload.file.open("rb") as content:
            blob = storage.get_blob_client(upload.container, upload.blob)
            await blob.upload_blob(content, length=length, overwrite=True)
    except HttpResponseError as error:
        if getattr(error, "error_code", None) == "ContainerNotFound":
            raise UploadError(_CONTAINER_MISSING) from error
        raise _misc(error.message, upload.blob) from error
    except (AzureError, OSError) as error:
        raise _misc(str(error), upload.blob) from error


async def upload_all(
    storage: BlobServiceClient,
    outputs: Sequence[Json],
    *,
    success: bool,
    directory: Path,
    variables: Mapping[str, str],
) -> Failure | None:
    """
    Upload what the task's result asks for; return the first failure, after having tried all.

    Two logs beside the task's stdout say what was done, as on a real node.
    """
    failures: list[Failure] = []
    task_root = directory.parent
    try:
        task_root.mkdir(parents=True, exist_ok=True)  # the task may have removed it
        with (task_root / _LOG).open("w") as log, (task_root / _ERROR_LOG).open("w") as errors:
            for output in outputs:
                if not wanted(output, success=success):
                    continue
                try:
                    for upload in plan(output, directory, variables, str(storage.url)):
                        await _upload(storage, upload)
                        log.write(f"{upload.file} -> {upload.container}/{upload.blob}\n")
                except UploadError as error:
                    failures.append(error.failure)
                    errors.write(f"{output['filePattern']}: {error.failure}\n")
    except OSError as error:
        failures.append(_misc(str(error), str(task_root)).failure)
    return failures[0] if failures else None
