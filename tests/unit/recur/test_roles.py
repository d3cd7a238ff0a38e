"""Which refusals mean a missing role, by the services' codes, and whose."""

import json
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ODataV4Format

from recur.roles import Role, batch_identity, batch_role, missing_on_arm, storage_role

_ID = "/subscriptions/s/resourceGroups/recur/providers/Microsoft.Batch/batchAccounts/recurb"
CALLER = batch_role(_ID)
IDENTITY = storage_role("stdata", batch_identity("recur", "recurb"))
PRINCIPAL = "0A1B2C3D-0000-0000-0000-000000000000"


def _refusal(status: int, code: str, message: str) -> HttpResponseError:
    """Return the error that the official client makes of a reply of Azure Resource Manager."""
    body: dict[str, Any] = json.loads(json.dumps({"error": {"code": code, "message": message}}))
    error = HttpResponseError(message)
    error.status_code, error.error = status, ODataV4Format(body["error"])
    return error


def _judge(error: HttpResponseError, principal: str | None = PRINCIPAL) -> Role | None:
    missing = missing_on_arm(caller=CALLER, identity=IDENTITY, principal=lambda: principal)
    return missing(error)


@pytest.mark.parametrize(
    ("status", "code", "message", "role"),
    [
        (403, "AuthorizationFailed", "The client 'me' with object id 'x' does not", CALLER),
        (403, "AuthorizationFailed", f"The client with object id '{PRINCIPAL}' does", IDENTITY),
        (403, "AuthorizationFailed", f"object id '{PRINCIPAL.lower()}' does not", IDENTITY),
        (403, "AuthorizationPermissionMismatch", "This request is not authorized", IDENTITY),
        (400, "InsufficientPermissions", "Batch may not access the Storage Account", IDENTITY),
        (409, "X", "The managed identity has no permission on the storage account", IDENTITY),
        (403, "X", "Account identity is not authorized to use the auto-storage", IDENTITY),
    ],
)
def test_refusals_that_mean_a_role(status: int, code: str, message: str, role: Role) -> None:
    """Of the caller on the account, or of the account's identity on its storage."""
    assert _judge(_refusal(status, code, message)) == role


@pytest.mark.parametrize(
    ("status", "code", "message"),
    [
        (400, "InsufficientPermissions", "Batch may not access the specified Subscription."),
        (403, "RequestDisallowedByPolicy", "Resource was disallowed by policy."),
        (403, "Forbidden", "Access is Forbidden"),
        (400, "AuthorizationFailed", "The client 'me' with object id 'x' does not"),
        (401, "InvalidAuthenticationToken", "The access token is invalid."),
        (409, "X", "The managed identity must be enabled for the storage account"),
        (409, "X", "The managed identity has no permission on the key vault"),
        (409, "X", "No permission on the storage account"),
        (500, "InternalError", "The managed identity has no permission on the storage account"),
    ],
)
def test_other_refusals_mean_none(status: int, code: str, message: str) -> None:
    """The status alone, a part of the words or another code is not enough."""
    assert _judge(_refusal(status, code, message)) is None


def test_an_account_without_an_identity_is_never_the_caller() -> None:
    """The role is then the publisher's."""
    refusal = _refusal(403, "AuthorizationFailed", "The client 'me' does not")

    assert _judge(refusal, principal=None) == CALLER


def test_a_publisher_who_may_not_read_the_account_lacks_the_role() -> None:
    """The refusal of that reading is not what is raised."""
    refusal = _refusal(403, "AuthorizationFailed", "The client 'me' does not")

    def principal() -> str | None:
        raise refusal

    missing = missing_on_arm(caller=CALLER, identity=IDENTITY, principal=principal)

    assert missing(refusal) == CALLER


def test_storages_ambiguous_code_leaves_a_doubt() -> None:
    """The role is named, and the network rule that storage may have meant."""
    role = _judge(_refusal(403, "AuthorizationFailure", "This request is not authorized"))

    assert role is not None
    assert (str(role), "network rule" in role.doubt) == (str(IDENTITY), True)
