"""Subscriptions for `recur doctor --before-deploy`, and what it finds in them."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from azure.mgmt.authorization.v2022_04_01.models import Permission

from tests.support.arm_stub import (
    SUBSCRIPTION,
    ArmStub,
    Subscription,
    account,
    supported,
    withheld,
)
from tests.support.operator import Operator, Told, operator

SIZE = "Standard_D2ds_v5"
CONTRIBUTOR = Permission(
    actions=["*"],
    not_actions=["Microsoft.Authorization/*/Delete", "Microsoft.Authorization/*/Write"],
)

type Change = Callable[[Subscription], object]


def someone(arm: ArmStub, folder: Path, **changed: str) -> Operator:
    """Return somebody who asks about that subscription."""
    given = {
        "ARM_ENDPOINT": arm.url,
        "AZURE_SUBSCRIPTION_ID": SUBSCRIPTION,
        "AZURE_LOCATION": "westeurope",
        "VM_SIZE": SIZE,
    }
    return operator(folder, **(given | changed))


async def before(arm: ArmStub, folder: Path, *options: str, **changed: str) -> Told:
    """Examine a subscription; in a thread, since the stub lives in this one."""
    one = someone(arm, folder, **changed)
    return await asyncio.to_thread(one.recur, "--json", "doctor", "--before-deploy", *options)


def found(told: Told) -> dict[str, dict[str, Any]]:
    """Return the findings by their checks; each that is not good says what to do."""
    findings = {one["check"]: one for one in told.json["findings"]}
    assert len(findings) == len(told.json["findings"])
    for one in findings.values():
        assert one["what"], one
        if one["grade"] in {"problem", "note"}:
            assert one["why"], one
            assert one["fix"].startswith("az "), one
    return findings


def _state(value: str) -> Change:
    return lambda has: has.states.update({"Microsoft.Insights": value})


def _rights(*permissions: Permission) -> Change:
    return lambda has: setattr(has, "rights", list(permissions))


def _can(**capabilities: str | None) -> Change:
    return lambda has: has.can(**capabilities)


def _ends(days: int) -> Change:
    end = datetime.now(UTC) + timedelta(days=days)
    sku = supported(SIZE, batch_support_end_of_life=end)
    return lambda has: setattr(has, "batch_sizes", [sku])


def _withheld(kind: str, location: str) -> Change:
    return lambda has: setattr(has.size, "restrictions", [withheld(kind, location)])


ONLY_ROLES = Permission(actions=["Microsoft.Authorization/roleAssignments/*"])


CASES: dict[str, tuple[Change, str, str, str]] = {
    "a provider never registered": (
        _state("NotRegistered"),
        "provider Microsoft.Insights",
        "problem",
        "az provider register",
    ),
    "a provider given up": (
        _state("Unregistered"),
        "provider Microsoft.Insights",
        "problem",
        "az provider register",
    ),
    "a provider on its way": (
        _state("Registering"),
        "provider Microsoft.Insights",
        "note",
        "az provider show",
    ),
    "a contributor creates": (_rights(CONTRIBUTOR), "right to create resources", "good", ""),
    "a contributor gives no roles": (
        _rights(CONTRIBUTOR),
        "right to assign roles",
        "problem",
        "Role Based Access Control",
    ),
    "a contributor defines no roles": (
        _rights(CONTRIBUTOR),
        "right to create role definitions",
        "problem",
        "User Access",
    ),
    "a contributor makes no locks": (
        _rights(CONTRIBUTOR),
        "right to create locks",
        "problem",
        "User Access",
    ),
    "a second role gives roles": (
        _rights(CONTRIBUTOR, ONLY_ROLES),
        "right to assign roles",
        "good",
        "",
    ),
    "a second role makes no locks": (
        _rights(CONTRIBUTOR, ONLY_ROLES),
        "right to create locks",
        "problem",
        "User Access",
    ),
    "who only gives roles": (
        _rights(ONLY_ROLES),
        "right to create resources",
        "problem",
        '"Contributor"',
    ),
    "no right at all": (
        _rights(),
        "right to create resources",
        "problem",
        f"/subscriptions/{SUBSCRIPTION}",
    ),
    "no Flex Consumption": (
        lambda has: has.flex_regions.remove("West Europe"),
        "Flex Consumption",
        "problem",
        "list-flexconsumption-locations",
    ),
    "no Batch": (
        lambda has: has.batch_regions.remove("West Europe"),
        "Batch",
        "problem",
        "az provider show --namespace Microsoft.Batch",
    ),
    "a small quota of accounts": (
        lambda has: setattr(has, "quota", 2),
        "Batch accounts",
        "problem",
        "az batch account list",
    ),
    "a used quota of accounts": (
        lambda has: has.accounts.append(account("four", "fourth", "westeurope")),
        "Batch accounts",
        "problem",
        "az batch account list",
    ),
    "a size that Batch lacks": (
        lambda has: has.batch_sizes.pop(),
        f"{SIZE} in Batch",
        "problem",
        "az batch location list-skus",
    ),
    "a size that Batch has ended": (
        _ends(-1),
        f"{SIZE} in Batch",
        "problem",
        "az batch location list-skus",
    ),
    "a size that Batch will end": (
        _ends(100),
        f"{SIZE} in Batch",
        "note",
        "az batch location list-skus",
    ),
    "a size that Azure lacks": (lambda has: has.sizes.pop(), SIZE, "problem", "az vm list-skus"),
    "a size withheld here": (
        _withheld("Location", "westeurope"),
        f"{SIZE} restrictions",
        "problem",
        "az vm list-skus",
    ),
    "a size withheld elsewhere": (
        _withheld("Location", "eastus"),
        f"{SIZE} restrictions",
        "good",
        "",
    ),
    "a size withheld in a zone": (
        _withheld("Zone", "westeurope"),
        f"{SIZE} restrictions",
        "good",
        "",
    ),
    "no local disk": (
        _can(MaxResourceVolumeMB="0"),
        f"{SIZE} local disk",
        "problem",
        "MaxResourceVolumeMB",
    ),
    "a local disk of 1 MB": (_can(MaxResourceVolumeMB="1"), f"{SIZE} local disk", "good", ""),
    "an unknown local disk": (
        _can(MaxResourceVolumeMB=None),
        f"{SIZE} local disk",
        "unchecked",
        "",
    ),
    "images of generation 1": (
        _can(HyperVGenerations="V1"),
        f"{SIZE} image",
        "problem",
        "HyperVGenerations",
    ),
    "images of generation 2 alone": (_can(HyperVGenerations="V2"), f"{SIZE} image", "good", ""),
    "images of unknown generation": (
        _can(HyperVGenerations=None),
        f"{SIZE} image",
        "unchecked",
        "",
    ),
    "an Arm processor": (
        _can(CpuArchitectureType="Arm64"),
        f"{SIZE} image",
        "problem",
        "HyperVGenerations",
    ),
    "trusted launch in generation 1": (
        _can(HyperVGenerations="V1"),
        f"{SIZE} trusted launch",
        "problem",
        "TrustedLaunch",
    ),
    "trusted launch unknown": (
        _can(HyperVGenerations=None),
        f"{SIZE} trusted launch",
        "unchecked",
        "",
    ),
    "trusted launch excluded": (
        _can(TrustedLaunchDisabled="True"),
        f"{SIZE} trusted launch",
        "problem",
        "TrustedLaunch",
    ),
    "trusted launch not excluded": (
        _can(TrustedLaunchDisabled="False"),
        f"{SIZE} trusted launch",
        "good",
        "",
    ),
    "no encryption at host": (
        _can(EncryptionAtHostSupported="False"),
        f"{SIZE} encryption at host",
        "note",
        "EncryptionAtHostSupported",
    ),
}
