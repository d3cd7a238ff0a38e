"""Denials on demand: what Azure Resource Manager answers where a role is missing."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError

from local.azurite import Azurite
from tests.support.arm_account import GROUP, TOKEN, ArmAccount
from tests.support.faults import BadFaultError, Faults


@pytest.fixture
def account(azurite: Azurite, tmp_path: Path) -> Iterator[ArmAccount]:
    with ArmAccount(azurite, tmp_path / "nodes") as running:
        yield running


@pytest.mark.parametrize(
    ("whose", "code", "status"),
    [
        ("caller", "AuthorizationFailed", 403),
        ("account", "AuthorizationFailed", 403),
        ("account", "AuthorizationPermissionMismatch", 403),
        ("account", "InsufficientPermissions", 400),
    ],
)
def test_a_denial_has_the_status_and_no_effect(
    account: ArmAccount, whose: str, code: str, status: int
) -> None:
    """In Azure Resource Manager's shape; the next request is carried out."""
    account.deny(whose=whose, code=code, operation="application.create", times=1)
    arm = account.arm()

    with pytest.raises(HttpResponseError) as refused:
        arm.make_application("tool")

    assert refused.value.error is not None
    assert (refused.value.status_code, refused.value.error.code) == (status, code)
    assert arm.versions("tool") is None
    arm.make_application("tool")
    assert arm.versions("tool") == {}
    assert account.denied() == 1


@pytest.mark.parametrize("whose", ["caller", "account"])
def test_a_denial_names_the_object_id_of_who_was_refused(account: ArmAccount, whose: str) -> None:
    """The account's is the one that the account itself shows."""
    own = account.arm().principal()
    assert own
    account.deny(whose=whose)

    with pytest.raises(HttpResponseError) as refused:
        account.arm().make_application("tool")

    assert (f"with object id '{own}'" in refused.value.message) is (whose == "account")


def test_an_account_that_reaches_its_storage_by_key_has_no_identity(
    azurite: Azurite, tmp_path: Path
) -> None:
    """There is nobody whose role could be missing."""
    with ArmAccount(azurite, tmp_path / "nodes", package_sas=True) as account:
        assert account.arm().principal() is None


def test_denials_and_other_faults_keep_apart(account: ArmAccount) -> None:
    """A denial hits no request to the data plane, another fault none to Azure Resource Manager."""
    account.deny(whose="caller", method="GET", path=".*/applications/.*")
    faults = Faults(account.url, TOKEN)
    asyncio.run(faults.add("refusal", status=503, path=".*"))

    account.arm().make_application("tool")
    with pytest.raises(HttpResponseError) as denied:
        account.arm().client.application.get(GROUP, "recurlocal", "tool")
    with pytest.raises(HttpResponseError) as busy:
        account.batch().get_application("tool")

    assert (denied.value.status_code, busy.value.status_code) == (403, 503)
    assert [seen.operation for seen in asyncio.run(faults.seen())] == ["get_application"]


@pytest.mark.parametrize(
    ("rule", "field"),
    [
        ({}, "whose"),
        ({"whose": "node"}, "whose"),
        ({"whose": "account", "code": "JobExists"}, "code"),
        ({"whose": "caller", "code": "InsufficientPermissions"}, "code"),
        ({"whose": "caller", "operation": "create_job"}, "match.operation"),
        ({"whose": "caller", "job": ".*"}, "match.job"),
        ({"whose": "caller", "status": 403}, "status"),
        ({"whose": "caller", "after_effect": True}, "after_effect"),
    ],
)
def test_a_wrong_denial_is_refused(account: ArmAccount, rule: dict[str, Any], field: str) -> None:
    """With the field that is wrong."""
    with pytest.raises(BadFaultError, match=f'"field": "{field}"'):
        account.deny(**rule)


def test_other_faults_know_no_operation_of_azure_resource_manager(account: ArmAccount) -> None:
    """They would never be met."""
    with pytest.raises(BadFaultError, match=r"called application\.create"):
        asyncio.run(Faults(account.url, TOKEN).add("reset", operation="application.create"))
