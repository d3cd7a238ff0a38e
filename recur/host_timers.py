"""What the Functions host notes of its timers, in its own storage account."""

from collections.abc import Callable, Iterable
from typing import Any

from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob import BlobServiceClient

from recur.target import Target

_CONTAINER = "azure-webjobs-hosts"
_FOLDER, _NAME = "timers/", "/status"
_HOST_STORAGE = ("HOST_STORAGE_URL", "AzureWebJobsStorage__blobServiceUri")
"""The settings that hold the address of the host's storage: of infra/core, or of the app."""


def host_storage(target: Target) -> BlobServiceClient | None:
    """
    Open the storage account of the Functions host.

    Returns:
        None: the settings do not name it.

    Raises:
        CliError: Its connection string is none, or its address is not to be trusted.
    """
    connection = target.values.get("AzureWebJobsStorage", "")
    if connection:
        return target.open_storage(connection, "AzureWebJobsStorage")
    name = next((one for one in _HOST_STORAGE if target.values.get(one)), None)
    return target.open_host_storage(name) if name else None


def timer_statuses(
    storage: BlobServiceClient,
    functions: Iterable[str],
    hook: Callable[[Any], None] | None = None,
) -> dict[str, bytes]:
    """
    Return the newest status of each function's timer, by its name; none where it never fired.

    One listing, and one read for each function. A function may have left older ones, under the ids
    of earlier hosts.

    Args:
        storage: Of the Functions host.
        functions: Their names.
        hook: Is given the reply to each read.
    """
    options: dict[str, Any] = {"raw_response_hook": hook} if hook else {}
    container = storage.get_container_client(_CONTAINER)
    try:
        blobs = [
            blob
            for blob in container.list_blobs(name_starts_with=_FOLDER)
            if blob.name.endswith(_NAME)
        ]
        found: dict[str, bytes] = {}
        for function in functions:
            ends = (f"/{function}{_NAME}", f".{function}{_NAME}")
            ours = [blob for blob in blobs if blob.name.endswith(ends)]
            if ours:
                newest = max(ours, key=lambda blob: blob.last_modified)
                found[function] = container.download_blob(newest.name, **options).readall()
    except ResourceNotFoundError:
        return {}
    return found
