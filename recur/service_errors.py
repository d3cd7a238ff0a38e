"""What an error of an Azure client means for the person at the keyboard."""

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    ServiceRequestError,
    ServiceResponseError,
)

from orchestrator.decisions.places import LOOPBACK
from recur.azure_hosts import SUFFIXES, Service
from recur.errors import CliError, Exit
from recur.target import Target

MAKE_UP: Final = "`make up` runs it, in another terminal"
MAKE_UP_STARTS: Final = "`make up` starts storage and the Batch account, in another terminal"
"""The same where it is not clear what "it" is."""

_FORBIDDEN: Final = 403
_PLACE: Final = re.compile(r"host='(?P<host>[^']+)', port=(?P<port>\d+)")
"""How urllib3 names what it speaks to, in each of its errors."""

_BLOB_ENDPOINT: Final = re.compile(r"BlobEndpoint=([^;]+)")
_ADDRESSES: Final = (
    ("DATA_STORAGE_URL", "the data storage"),
    ("DATA_STORAGE_CONNECTION_STRING", "the data storage"),
    ("BATCH_ACCOUNT_URL", "the Batch account"),
    ("AzureWebJobsStorage", "the storage of the Functions host"),
    ("HOST_STORAGE_URL", "the storage of the Functions host"),
    ("AzureWebJobsStorage__blobServiceUri", "the storage of the Functions host"),
    ("CODE_STORAGE_URL", "the storage of the code"),
)
_WHY: Final = (
    (re.compile("refused", re.IGNORECASE), "the connection is refused"),
    (re.compile("timed out|timeout", re.IGNORECASE), "no answer in time"),
    (re.compile("resolve|getaddrinfo|name or service", re.IGNORECASE), "its name is not known"),
    (re.compile("certificate|ssl", re.IGNORECASE), "its certificate is not accepted"),
)


def in_our_words(error: AzureError, target: Target | None = None) -> CliError:
    """
    Say what an error means, and what to do about it.

    Args:
        error: Of an Azure client.
        target: The deployment, whose settings name the services; None: it is not known.
    """
    first = str(error.message).partition("\n")[0]
    if isinstance(error, ClientAuthenticationError) or (
        isinstance(error, HttpResponseError) and error.status_code == _FORBIDDEN
    ):
        return CliError(Exit.NO_ACCESS, first, f"{_sign_in(target)}, then `recur doctor`")
    if isinstance(error, ServiceRequestError | ServiceResponseError):
        return _no_answer(first, target)
    return CliError(Exit.FOUND, first, "`recur doctor` checks the deployment")


def _sign_in(target: Target | None) -> str:
    """Say what gives access: on a laptop keys do."""
    if target and urlsplit(target.values.get("BATCH_ACCOUNT_URL", "")).hostname in LOOPBACK:
        return f"`make up` writes the keys into {target.source}"
    return "sign in by `az login`"


def _no_answer(text: str, target: Target | None) -> CliError:
    """Name the service that does not answer, and on a laptop what starts it."""
    place = _PLACE.search(text)
    if place is None:
        return CliError(Exit.UNAVAILABLE, text, "check the address and the network, then try again")
    host, port = place["host"], int(place["port"])
    setting, service = next(_named(host, port, target), (None, "a service"))
    why = next((why for pattern, why in _WHY if pattern.search(text)), text)
    step = "check the network, then try again"
    if host in LOOPBACK:
        step = MAKE_UP
    elif setting and target:
        step = f"check {setting} in {target.source} and the network, then try again"
    return CliError(Exit.UNAVAILABLE, f"{service} at {host}:{port} does not answer: {why}", step)


def _named(host: str, port: int, target: Target | None) -> Iterator[tuple[str | None, str]]:
    """Yield the settings that hold an address, and what is there."""
    for name, service in _ADDRESSES if target else ():
        value = target.values.get(name, "") if target else ""
        endpoint = _BLOB_ENDPOINT.search(value)
        parts = urlsplit(endpoint[1] if endpoint else value)
        standard = 443 if parts.scheme == "https" else 80
        if (parts.hostname, parts.port or standard) == (host, port):
            yield name, service
    for service in Service:
        if host.endswith(SUFFIXES[service]):
            yield None, str(service)
