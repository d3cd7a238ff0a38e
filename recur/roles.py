"""The roles that publishing and applying need, and the refusals that say which one is missing."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from azure.core.exceptions import HttpResponseError

_FORBIDDEN: Final = 403

# Storage's codes, both 403 (azure-storage-blob's StorageErrorCode). The first means a missing role.
# The second also means a network rule, and storage does not say which.
_NO_PERMISSION: Final = "AuthorizationPermissionMismatch"
_NO_ACCESS: Final = "AuthorizationFailure"
_STORAGE_CODES: Final = frozenset({_NO_PERMISSION, _NO_ACCESS})
_OR_NETWORK: Final = "; or a network rule of the storage account refuses your address"

# Azure Resource Manager's code for a caller without the role: "Troubleshoot Azure RBAC".
_CALLER_CODE: Final = "AuthorizationFailed"

# The code by which Microsoft.Batch says that a role of its own is missing. Recorded by azure-cli
# (test_batch_account_cmd.yaml, status 400) for a subscription; for storage it is an assumption.
_SERVICE_CODE: Final = "InsufficientPermissions"

# No public source names the code for the account's identity and its storage. So a message that
# names the identity, storage and a refusal counts whatever its code.
_IDENTITY: Final = re.compile(r"managed\s*identity|account(?:'s)?\s+identity", re.IGNORECASE)
_STORAGE: Final = re.compile(r"storage", re.IGNORECASE)
_REFUSAL: Final = re.compile(
    r"permission|(?:not|un)\s*authorized|authorization|forbidden|access (?:is|was) denied",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """
    Who needs a role.

    Attributes:
        name: For people.
        object_id: In Entra, or a command in ``$( )`` that prints it.
        kind: As Azure calls it: User or ServicePrincipal.
    """

    name: str
    object_id: str
    kind: str


PUBLISHER: Final = Holder(
    name="the publisher (who is signed in)",
    object_id="$(az ad signed-in-user show --query id --output tsv)",
    kind="User",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """
    A role that a call needs.

    Attributes:
        holder: Who needs it.
        name: As Azure names it.
        place: What it is needed on, for people.
        scope: The same as an ARM id, or a command in ``$( )`` that prints it.
        doubt: What else a refusal may mean, to be put behind the sentence that names the role.
    """

    holder: Holder
    name: str
    place: str
    scope: str
    doubt: str = ""

    def __str__(self) -> str:
        """Name the role, its holder and its place."""
        return f"role {self.name!r} of {self.holder.name} on {self.place}"

    @property
    def command(self) -> str:
        """The command by which somebody with the right to assign roles gives it."""
        return (
            f'az role assignment create --role "{self.name}" '
            f'--assignee-object-id "{self.holder.object_id}" '
            f'--assignee-principal-type {self.holder.kind} --scope "{self.scope}"'
        )


type Missing = Callable[[HttpResponseError], Role | None]
"""Returns the role whose absence a refusal means; None if it means something else."""


def storage_role(account: str, holder: Holder = PUBLISHER) -> Role:
    """Return the role that reads and writes blobs of a storage account."""
    return Role(
        holder=holder,
        name="Storage Blob Data Contributor",
        place=f"storage account {account}",
        scope=f"$(az storage account show --name {account} --query id --output tsv)",
    )


def batch_role(account_id: str) -> Role:
    """Return the role that publishes applications of a Batch account."""
    return Role(
        holder=PUBLISHER,
        name="Azure Batch Data Contributor",
        place=f"Batch account {account_id.rpartition('/')[2]}",
        scope=account_id,
    )


def batch_identity(group: str, account: str) -> Holder:
    """Return the own identity of a Batch account, by which it reaches its storage."""
    show = f"az batch account show --resource-group {group} --name {account}"
    return Holder(
        name=f"the identity of Batch account {account}",
        object_id=f"$({show} --query identity.principalId --output tsv)",
        kind="ServicePrincipal",
    )


def missing_on_storage(role: Role) -> Missing:
    """Judge refusals of storage: ``role`` is the one that its caller needs."""
    return partial(_judge_storage, role)


def _judge_storage(role: Role, error: HttpResponseError) -> Role | None:
    code = getattr(error, "error_code", None)  # the storage client adds it
    if error.status_code != _FORBIDDEN or code not in _STORAGE_CODES:
        return None
    return replace(role, doubt=_OR_NETWORK) if code == _NO_ACCESS else role


def missing_on_arm(*, caller: Role, identity: Role, principal: Callable[[], str | None]) -> Missing:
    """
    Judge refusals of Azure Resource Manager.

    Args:
        caller: The role that the caller needs on the Batch account.
        identity: The role that the account's own identity needs on its storage.
        principal: Returns the object id of that identity; asked only where it decides.
    """

    def judge(error: HttpResponseError) -> Role | None:
        status = error.status_code or 0
        if error.error is None or not 400 <= status < 500:  # noqa: PLR2004 - refusals
            return None
        code, message = str(error.error.code), str(error.error.message)
        if _of_identity(code, message):
            return replace(identity, doubt=_OR_NETWORK) if code == _NO_ACCESS else identity
        if code != _CALLER_CODE or status != _FORBIDDEN:
            return None
        # The account may be the caller that is refused: the message has its object id.
        try:
            own = principal()
        except HttpResponseError:
            return caller  # who may not even read the account lacks a role of their own
        return identity if own and own.lower() in message.lower() else caller

    return judge


def _of_identity(code: str, message: str) -> bool:
    """Whether a refusal by Azure Resource Manager is about the account's own identity."""
    if code in _STORAGE_CODES:
        # Azure Resource Manager has its own code for its caller. Where storage's code comes out
        # of it, storage has refused the Batch account.
        return True
    if code == _SERVICE_CODE:
        return _STORAGE.search(message) is not None
    return all(pattern.search(message) for pattern in (_IDENTITY, _STORAGE, _REFUSAL))
