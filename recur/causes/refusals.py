"""Why something cannot be read, and which role is missing."""

from dataclasses import dataclass
from typing import Final

from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    ServiceRequestError,
    ServiceResponseError,
)

from orchestrator.adapters.calls import first_line
from recur.causes.surroundings import Unreadable
from recur.errors import CliError
from recur.service_errors import MAKE_UP_STARTS
from recur.target import Target

_ACCESS: Final = frozenset({401, 403})

REFUSED: Final = (AzureError, CliError, ValueError)
"""What the clients raise: an answer that says no, no answer, or a setting that they do not take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """
    A service that is read.

    Attributes:
        name: For people.
        role: The role that reads it.
        place: Where that role is given.
    """

    name: str
    role: str
    place: str


LEDGER: Final = Service(
    name="the ledger", role="Storage Blob Data Reader", place="the data storage account"
)
HOST_STORAGE: Final = Service(
    name="what the Functions host notes of its timers",
    role="Storage Blob Data Reader",
    place="container azure-webjobs-hosts of the host storage account",
)
BATCH: Final = Service(
    name="the pool", role="Azure Batch Account Reader", place="the Batch account"
)
JOB: Final = Service(name="its job", role="Azure Batch Account Reader", place="the Batch account")
START_TASK: Final = Service(
    name="startup/stderr.txt of its node",
    role="Azure Batch Account Reader",
    place="the Batch account",
)


def why_unreadable(error: Exception, service: Service, target: Target) -> Unreadable:
    """Say why a service cannot be read, and what to do about it: the role that is missing."""
    what = f"{service.name} cannot be read"
    status = error.status_code if isinstance(error, HttpResponseError) else None
    if isinstance(error, CliError):
        return Unreadable(
            why=f"{what}: {error.message}", next_step=error.next_step or "recur doctor"
        )
    if isinstance(error, ClientAuthenticationError) or status in _ACCESS:
        role = f"the role {service.role} at {service.place} is missing, or you are not signed in"
        if target.on_laptop:
            role = f"the key in {target.source} is wrong: `make up` writes it there"
        return Unreadable(why=f"{what}: access is refused", next_step=role)
    if isinstance(error, ServiceRequestError | ServiceResponseError):
        step = MAKE_UP_STARTS if target.on_laptop else "check the address and the network"
        return Unreadable(why=f"{what}: no answer", next_step=step)
    if isinstance(error, ValueError):
        return Unreadable(
            why=f"{what}: a setting cannot be used: {first_line(error)}",
            next_step=f"correct it in {target.source}",
        )
    return Unreadable(why=f"{what}: {first_line(error)}", next_step="recur doctor")
