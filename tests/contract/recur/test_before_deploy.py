"""`recur doctor --before-deploy`: what a deployment would fail for is found before there is one."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from azure.mgmt.authorization import AuthorizationManagementClient
from azure.mgmt.authorization.v2022_04_01.models import Permission
from azure.mgmt.batch import BatchManagementClient
from azure.mgmt.compute import ComputeManagementClient
from azure.mgmt.resource.resources import ResourceManagementClient
from azure.mgmt.web import WebSiteManagementClient

from recur.arm import LaptopCredential, PlainHttp
from recur.errors import Exit
from tests.support.arm_stub import (
    SUBSCRIPTION,
    ArmStub,
    refusal,
)
from tests.support.before_deploy import (
    CASES,
    CONTRIBUTOR,
    ONLY_ROLES,
    SIZE,
    before,
    found,
    someone,
)
from tests.support.operator import Told

CHECKS = {
    "provider Microsoft.Batch",
    "provider Microsoft.Web",
    "provider Microsoft.Storage",
    "provider Microsoft.Insights",
    "provider Microsoft.OperationalInsights",
    "provider Microsoft.ManagedIdentity",
    "right to create resources",
    "right to assign roles",
    "right to create role definitions",
    "right to create locks",
    "Flex Consumption",
    "Batch",
    "Batch accounts",
    f"{SIZE} in Batch",
    f"{SIZE} restrictions",
    f"{SIZE} local disk",
    f"{SIZE} image",
    f"{SIZE} trusted launch",
    f"{SIZE} encryption at host",
}
"""All that is good in a subscription in which everything can be deployed."""

NAMES = {
    "providers": ("microsoft.batch", "provider Microsoft.Batch"),
    "rights": ("permissions", "rights"),
    "flex": ("georegions", "Flex Consumption"),
    "quota": ("quotas", "Batch accounts"),
    "accounts": ("batchaccounts", "Batch accounts"),
    "batch sizes": ("virtualmachineskus", "VM size in Batch"),
    "sizes": ("skus", "VM size"),
}
"""The last part of each path that is read, and the check that needs it."""


@pytest.fixture
async def arm() -> AsyncIterator[ArmStub]:
    """Start a subscription in which everything can be deployed."""
    async with ArmStub() as stub:
        yield stub


async def test_a_subscription_that_lacks_nothing_has_no_problem(
    arm: ArmStub, tmp_path: Path
) -> None:
    """Each check is good, and the one that nobody can make yet says so."""
    told = await before(arm, tmp_path)

    findings = found(told)
    assert told.code == Exit.DONE
    assert {name for name, one in findings.items() if one["grade"] == "good"} == CHECKS
    assert findings.keys() - CHECKS == {"quota of cores"}
    assert findings["quota of cores"]["grade"] == "unchecked"
    assert "2 dedicated cores of standardDDSv5Family" in findings["quota of cores"]["what"]


async def test_it_only_reads(arm: ArmStub, tmp_path: Path) -> None:
    """Also where an official client would register what is missing."""
    arm.subscription.states = dict.fromkeys(arm.subscription.states, "NotRegistered")

    async def unregistered(_: web.Request) -> web.StreamResponse:
        code, namespace = "MissingSubscriptionRegistration", "Microsoft.Batch"
        text = f"The subscription is not registered to use namespace '{namespace}'."
        return refusal(409, code, text)

    arm.faults["quotas"] = unregistered

    told = await before(arm, tmp_path)

    assert {method for method, _, _ in arm.requests} == {"GET"}
    assert found(told)["Batch accounts"]["grade"] == "unchecked"
    assert "MissingSubscriptionRegistration" in found(told)["Batch accounts"]["what"]


@pytest.mark.parametrize("case", CASES)
async def test_what_is_wrong_is_found(arm: ArmStub, tmp_path: Path, case: str) -> None:
    """With its remedy; the same check is good in the subscription that lacks nothing."""
    change, check, grade, words = CASES[case]
    change(arm.subscription)

    told = await before(arm, tmp_path)

    one = found(told)[check]
    assert one["grade"] == grade
    assert words in one["fix"]
    assert told.code == (Exit.FOUND if "problem" in _grades(told) else Exit.DONE)


def _grades(told: Told) -> set[str]:
    return {one["grade"] for one in told.json["findings"]}


async def test_a_spot_pool_needs_a_size_that_can_be_spot(arm: ArmStub, tmp_path: Path) -> None:
    """A dedicated pool does not; and it is Spot cores that are counted."""
    check = f"{SIZE} as Spot node"
    told = await before(arm, tmp_path, NODE_KIND="spot", MAXIMUM_NODES="4")
    assert found(told)[check]["grade"] == "good"
    assert "8 Spot cores" in found(told)["quota of cores"]["what"]

    arm.subscription.can(LowPriorityCapable="False")

    assert found(await before(arm, tmp_path, NODE_KIND="spot"))[check]["grade"] == "problem"
    assert check not in found(await before(arm, tmp_path))


async def test_a_size_of_generation_1_is_good_with_its_image(arm: ArmStub, tmp_path: Path) -> None:
    """The pool that docs/deploy.md names for such sizes: an image of generation 1, no trusted launch."""
    arm.subscription.can(HyperVGenerations="V1")
    image, launch = f"{SIZE} image", f"{SIZE} trusted launch"

    told = found(await before(arm, tmp_path, IMAGE_SKU="server-gen1", TRUSTED_LAUNCH="false"))
    unknown = found(await before(arm, tmp_path, IMAGE_SKU="server-arm64"))
    second = found(await before(arm, tmp_path, IMAGE_SKU="2022-datacenter-core-g2"))

    assert (told[image]["grade"], told[launch]["grade"]) == ("good", "good")
    assert (unknown[image]["grade"], unknown[launch]["grade"]) == ("unchecked", "problem")
    assert second[image]["grade"] == "problem"
    arm.subscription.can(HyperVGenerations="V2")
    assert found(await before(arm, tmp_path, IMAGE_SKU="server-gen1"))[image]["grade"] == "problem"


async def test_encryption_that_is_asked_for_must_be_possible(arm: ArmStub, tmp_path: Path) -> None:
    """Otherwise its lack is only told."""
    arm.subscription.can(EncryptionAtHostSupported="False")
    check = f"{SIZE} encryption at host"

    asked = found(await before(arm, tmp_path, ENCRYPTION_AT_HOST="true"))
    left = found(await before(arm, tmp_path, ENCRYPTION_AT_HOST=""))

    assert (asked[check]["grade"], left[check]["grade"]) == ("problem", "note")


async def test_without_a_lock_nobody_needs_the_right(arm: ArmStub, tmp_path: Path) -> None:
    """As docs/deploy.md says of DATA_LOCK."""
    arm.subscription.rights = [CONTRIBUTOR]
    check = "right to create locks"

    assert found(await before(arm, tmp_path))[check]["grade"] == "problem"
    assert check not in found(await before(arm, tmp_path, DATA_LOCK="False"))


async def test_the_private_profile_needs_more(arm: ArmStub, tmp_path: Path) -> None:
    """Two more resource providers, and the right to make a network."""
    arm.subscription.states["Microsoft.App"] = "NotRegistered"
    arm.subscription.rights = [Permission(actions=["*"], not_actions=["Microsoft.Network/*"])]

    private = found(await before(arm, tmp_path, NETWORK="private"))
    public = found(await before(arm, tmp_path))

    assert private["provider Microsoft.App"]["grade"] == "problem"
    assert private["provider Microsoft.Network"]["grade"] == "good"
    assert "Microsoft.Network/virtualNetworks/write" in private["right to create resources"]["what"]
    assert not {"provider Microsoft.App", "provider Microsoft.Network"} & public.keys()
    assert public["right to create resources"]["grade"] == "good"


async def test_rights_are_those_in_the_resource_group(arm: ArmStub, tmp_path: Path) -> None:
    """Where it exists; the subscription counts where it does not, with the right to make groups."""
    has = arm.subscription
    has.rights = [
        Permission(
            actions=["*"], not_actions=["Microsoft.Resources/subscriptions/resourceGroups/write"]
        )
    ]
    has.groups["there"] = [Permission(actions=["*/read"]), CONTRIBUTOR, ONLY_ROLES]

    there = found(await before(arm, tmp_path, AZURE_RESOURCE_GROUP="there"))
    absent = found(await before(arm, tmp_path, AZURE_RESOURCE_GROUP="absent"))

    assert there["right to create resources"]["grade"] == "good"
    assert there["right to create locks"]["fix"].endswith('/resourceGroups/there"')
    assert "absent does not exist yet" in absent["right to create resources"]["what"]
    assert "resourceGroups/write" in absent["right to create resources"]["what"]
    assert absent["right to create locks"]["grade"] == "good"


async def test_a_full_region_is_no_problem_for_the_account_that_is_there(
    arm: ArmStub, tmp_path: Path
) -> None:
    """It may be the deployment's own: a note; one of another group is a problem."""
    arm.subscription.quota = 2

    own = found(await before(arm, tmp_path, AZURE_RESOURCE_GROUP="Second"))
    other = found(await before(arm, tmp_path, AZURE_RESOURCE_GROUP="third"))

    assert own["Batch accounts"]["grade"] == "note"
    assert other["Batch accounts"]["grade"] == "problem"


async def test_options_go_before_settings(arm: ArmStub, tmp_path: Path) -> None:
    """And a region may have the name that people read."""
    options = ("--location", "West Europe", "--vm-size", "standard_d4ds_v5")

    told = await before(arm, tmp_path, *options, AZURE_LOCATION="mars", VM_SIZE="none")

    findings = found(told)
    assert findings["Flex Consumption"]["grade"] == "good"
    assert findings["standard_d4ds_v5 local disk"]["grade"] == "good"
    assert findings["standard_d4ds_v5 in Batch"]["grade"] == "problem"


@pytest.mark.parametrize("name", NAMES)
async def test_what_may_not_be_read_is_unchecked(arm: ArmStub, tmp_path: Path, name: str) -> None:
    """With the reason, and never good; everything else is examined all the same."""
    path, check = NAMES[name]

    async def forbidden(_: web.Request) -> web.StreamResponse:
        return refusal(403, "AuthorizationFailed", "The client does not have authorization.")

    arm.faults[path] = forbidden

    findings = found(told := await before(arm, tmp_path))

    assert findings[check]["grade"] == "unchecked"
    assert "AuthorizationFailed" in findings[check]["what"]
    assert len([one for one in findings.values() if one["grade"] == "good"]) > len(CHECKS) // 2
    assert told.code == Exit.DONE


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("how", ["silence", "trickle"])
async def test_a_slow_answer_is_unchecked_in_bounded_time(
    arm: ArmStub, tmp_path: Path, name: str, how: str
) -> None:
    """A third of the time for all goes to it at most, and the rest is examined."""
    path, check = NAMES[name]
    arm.faults[path] = getattr(arm, how)
    began = time.monotonic()

    findings = found(await before(arm, tmp_path, "--wait", "2"))

    assert time.monotonic() - began < 10
    assert findings[check]["grade"] == "unchecked"
    assert "good" in {one["grade"] for one in findings.values()}


async def test_silence_throughout_ends_in_bounded_time(arm: ArmStub, tmp_path: Path) -> None:
    """What there was no time for says so."""
    arm.faults = {path: arm.silence for path, _ in NAMES.values()}
    began = time.monotonic()

    findings = found(await before(arm, tmp_path, "--wait", "1"))

    assert time.monotonic() - began < 10
    assert "the time ran out" in findings["VM size"]["what"]


async def test_an_address_without_a_server_is_unchecked(arm: ArmStub, tmp_path: Path) -> None:
    """Throughout; and a script does not take that for success."""
    told = await before(arm, tmp_path, ARM_ENDPOINT="http://127.0.0.1:9")

    assert _grades(told) == {"unchecked"}
    assert told.code == Exit.UNAVAILABLE
    assert "does not answer" in found(told)["Batch"]["what"]


async def test_a_busy_service_is_asked_once_more(arm: ArmStub, tmp_path: Path) -> None:
    """After the pause that it asks for; a pause beyond the time that is left is not made."""
    pauses = iter(["0"])

    async def busy(request: web.Request) -> web.StreamResponse:
        pause = next(pauses, None)
        if pause is None:
            del arm.faults["quotas"]
            return await arm.answer(request)
        return refusal(429, "TooManyRequests", "Later.", {"Retry-After": pause})

    arm.faults["quotas"] = busy
    assert found(await before(arm, tmp_path))["Batch accounts"]["grade"] == "good"

    pauses = iter(["3600", "0"])
    arm.faults["quotas"] = busy
    began = time.monotonic()
    one = found(await before(arm, tmp_path))["Batch accounts"]

    assert one["grade"] == "unchecked"
    assert "TooManyRequests" in one["what"]
    assert time.monotonic() - began < 10


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("<html>", "not JSON"),
        ("[]", "not an object"),
        ("{}", "no list"),
        ('{"value": [1]}', "no list"),
        ('{"value": [], "nextLink": "https://example.org/more"}', "another address, example.org"),
    ],
)
async def test_an_odd_answer_is_unchecked(
    arm: ArmStub, tmp_path: Path, body: str, words: str
) -> None:
    """A token goes to no other address, and part of a list is no list."""

    async def odd(_: web.Request) -> web.StreamResponse:
        return web.Response(text=body, content_type="application/json")

    arm.faults["georegions"] = odd

    one = found(await before(arm, tmp_path))["Flex Consumption"]

    assert one["grade"] == "unchecked"
    assert words in one["what"]


@pytest.mark.parametrize(
    ("path", "check"), [("microsoft.batch", "Batch"), ("quotas", "Batch accounts")]
)
async def test_an_answer_without_its_value_is_unchecked(
    arm: ArmStub, tmp_path: Path, path: str, check: str
) -> None:
    """It is not taken for nothing."""

    async def empty(_: web.Request) -> web.StreamResponse:
        return web.json_response({})

    arm.faults[path] = empty

    findings = found(await before(arm, tmp_path))

    assert findings[check]["grade"] == "unchecked"
    if path == "microsoft.batch":
        assert findings["provider Microsoft.Batch"]["grade"] == "unchecked"


async def test_an_unknown_subscription_is_one_problem(arm: ArmStub, tmp_path: Path) -> None:
    """The checks that need it are unchecked, and not asked for."""
    told = await before(arm, tmp_path, "--subscription", SUBSCRIPTION.replace("1", "2"))

    findings = found(told)
    assert told.code == Exit.FOUND
    assert findings["subscription"]["grade"] == "problem"
    assert "az account list" in findings["subscription"]["fix"]
    assert _grades(told) == {"problem", "unchecked"}
    assert len(arm.requests) == 1


async def test_a_sign_in_that_is_refused_is_one_problem(arm: ArmStub, tmp_path: Path) -> None:
    """And its remedy is to sign in."""

    async def refused(_: web.Request) -> web.StreamResponse:
        return refusal(401, "InvalidAuthenticationTokenTenant", "The tenant is wrong.")

    arm.faults["microsoft.batch"] = refused

    findings = found(await before(arm, tmp_path))

    assert findings["subscription"]["fix"] == "az login"
    assert {one["grade"] for one in findings.values()} == {"problem", "unchecked"}


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"AZURE_SUBSCRIPTION_ID": ""}, "add --subscription ID"),
        ({"AZURE_SUBSCRIPTION_ID": "my subscription"}, "not a subscription id"),
        ({"AZURE_LOCATION": ""}, "add --location REGION"),
        ({"AZURE_LOCATION": "west/europe"}, "not the name of a region"),
        ({"DATA_LOCK": "perhaps"}, "must be true or false"),
        ({"VM_SIZE": "D2 v5"}, "not the name of a VM size"),
        ({"MAXIMUM_NODES": "0"}, "a whole number, at least 1"),
        ({"MAXIMUM_NODES": "many"}, "a whole number, at least 1"),
        ({"NODE_KIND": "cheap"}, "dedicated or spot"),
        ({"AZURE_RESOURCE_GROUP": "a/b"}, "not the name of a resource group"),
        ({"ARM_ENDPOINT": "management.azure.com"}, "not an address"),
    ],
)
async def test_what_cannot_be_meant_is_refused(
    arm: ArmStub, tmp_path: Path, changed: dict[str, str], words: str
) -> None:
    """Before anything is asked for."""
    told = await before(arm, tmp_path, **changed)

    assert told.code == Exit.REFUSED
    assert words in told.json["error"]["message"]
    assert arm.requests == []


@pytest.mark.parametrize("option", ["--subscription", "--location", "--vm-size", "--wait"])
async def test_its_options_need_it(arm: ArmStub, tmp_path: Path, option: str) -> None:
    """The examination of a deployment takes none of them."""
    told = await asyncio.to_thread(someone(arm, tmp_path).recur, "doctor", option, "9")

    assert told.code == Exit.USAGE
    assert f"{option} works only with --before-deploy" in told.err


async def test_people_read_the_same(arm: ArmStub, tmp_path: Path) -> None:
    """What is examined, each finding, its remedy, and a line that sums up."""
    arm.subscription.can(MaxResourceVolumeMB="0")

    told = await asyncio.to_thread(someone(arm, tmp_path).recur, "doctor", "--before-deploy")

    assert f"before a deployment to westeurope in subscription {SUBSCRIPTION}" in told.out
    assert f"problem   {SIZE} local disk: missing" in told.out
    assert "fix: az vm list-skus --location westeurope" in told.out
    assert told.out.rstrip().endswith("1 problem(s), 1 not checked")


async def test_official_clients_ask_for_the_same(arm: ArmStub, tmp_path: Path) -> None:
    """Paths, parameters and versions are theirs, and they read all pages of the stub."""
    arm.subscription.groups["there"] = [CONTRIBUTOR, ONLY_ROLES, CONTRIBUTOR]
    await before(arm, tmp_path, AZURE_RESOURCE_GROUP="there")
    ours = {_comparable(*one) for one in arm.requests}
    arm.requests.clear()

    read = await asyncio.to_thread(_by_official_clients, arm.url)

    theirs = {_comparable(*one) for one in arm.requests}
    assert theirs <= ours
    others = {path.rpartition("/")[2] for _, path, _ in ours - theirs}
    assert others == {"microsoft.web", "microsoft.storage", "microsoft.insights"} | {
        "microsoft.operationalinsights",
        "microsoft.managedidentity",
    }
    assert read == {
        "permissions": 3,
        "regions": len(arm.subscription.flex_regions),
        "batch sizes": len(arm.subscription.batch_sizes),
        "accounts": len(arm.subscription.accounts),
        "sizes": len(arm.subscription.sizes),
        "quota": arm.subscription.quota,
        "state": "Registered",
    }


def _comparable(method: str, path: str, query: dict[str, str]) -> tuple[str, str, str]:
    return method, path.lower(), repr(sorted(query.items()))


def _by_official_clients(url: str) -> dict[str, object]:
    credential = LaptopCredential()
    options: dict[str, Any] = {"base_url": url, "per_call_policies": [PlainHttp()]}
    rights = AuthorizationManagementClient(
        credential, SUBSCRIPTION, api_version="2022-04-01", **options
    )
    web_sites = WebSiteManagementClient(credential, SUBSCRIPTION, **options)
    batch = BatchManagementClient(credential, SUBSCRIPTION, **options)
    compute = ComputeManagementClient(credential, SUBSCRIPTION, **options)
    resources = ResourceManagementClient(credential, SUBSCRIPTION, **options)
    with rights, web_sites, batch, compute, resources:
        sizes = batch.location.list_supported_virtual_machine_skus("westeurope")
        skus = compute.resource_skus.list(filter="location eq 'westeurope'")
        return {
            "permissions": len(list(rights.permissions.list_for_resource_group("there"))),
            "regions": len(list(web_sites.list_geo_regions(sku="FlexConsumption"))),
            "batch sizes": len(list(sizes)),
            "accounts": len(list(batch.batch_account.list())),
            "sizes": len(list(skus)),
            "quota": batch.location.get_quotas("westeurope").account_quota,
            "state": resources.providers.get("Microsoft.Batch").registration_state,
        }
