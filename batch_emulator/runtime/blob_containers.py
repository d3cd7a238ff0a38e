"""
Containers that tasks name by their address, opened by a signature in it or by an identity.

Any identity stands for the storage that the emulator was started with, and opens only the
containers of that storage account.
"""

from typing import Any, Final
from urllib.parse import unquote, urlsplit

from azure.storage.blob.aio import BlobServiceClient, ContainerClient, LinearRetry

DENIED: Final = frozenset({401, 403, 409})
"""Statuses by which storage refuses access; 409: the account allows no public access."""

_BLOCK_BYTES: Final = 1024 * 1024  # more at once would hold up the event loop


def client_options() -> dict[str, Any]:
    """Return how the emulator speaks to blob storage; each client needs a retry policy of its own."""
    return {
        "connection_timeout": 5,
        "read_timeout": 60,
        "retry_policy": LinearRetry(backoff=1, retry_total=2),
        "max_single_put_size": _BLOCK_BYTES,
        "max_block_size": _BLOCK_BYTES,
        "max_single_get_size": _BLOCK_BYTES,
        "max_chunk_get_size": _BLOCK_BYTES,
    }


class AddressError(ValueError):
    """An address that an identity does not open."""


def path_in_account(url: str, endpoint: str) -> str:
    """
    Return the decoded path of ``url`` below the storage account at ``endpoint``.

    Raises:
        AddressError: The address belongs to another account, or has no path.
    """
    asked, ours = urlsplit(url), urlsplit(endpoint)
    path, base = unquote(asked.path).strip("/"), ours.path.strip("/")
    below = path.removeprefix(f"{base}/") if base else path
    same = (asked.scheme, asked.netloc.lower()) == (ours.scheme, ours.netloc.lower())
    if not same or (base and below == path) or not below:
        raise AddressError(f"not in the one storage account, {endpoint}")
    return below


def container_name(url: str, endpoint: str) -> str:
    """
    Return the container's name if ``url`` is one of the storage account at ``endpoint``.

    Raises:
        AddressError: It belongs to another account, or does not name a container.
    """
    name = path_in_account(url, endpoint)
    if "/" in name:
        raise AddressError(f"not a container of the one storage account, {endpoint}")
    return name


def open_container(storage: BlobServiceClient, url: str, *, identity: bool) -> ContainerClient:
    """
    Return a client of the container at ``url``, to be closed by the caller.

    Args:
        storage: The storage that identities stand for.
        url: The container's address, with a signature unless there is an identity.
        identity: Whether an identity is given; a signature in the address is then ignored.

    Raises:
        AddressError: The identity does not open this container.
        ValueError: The address has no container.
    """
    if identity:
        return storage.get_container_client(container_name(url, str(storage.url)))
    return ContainerClient.from_container_url(url, **client_options())
