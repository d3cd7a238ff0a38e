"""The pool that each set of parameters comes to, by the snapshots that are committed."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from batch_emulator.formula import Formula, SampleStore, parse_formula
from infra.check import SNAPSHOTS
from orchestrator.batch_state import JOB_CLIENT_ID_KEY

INFRA = Path(__file__).parents[3] / "infra"
POOL = json.loads((INFRA / "pool/pool.json").read_text())
SETS = [name for name in SNAPSHOTS if name.startswith("pool.")]


def resource(name: str) -> dict[str, Any]:
    """Return the one resource of a snapshot."""
    (only,) = json.loads((INFRA / f"snapshots/{name}.json").read_text())["predictedResources"]
    found: dict[str, Any] = only
    return found


def formula(name: str) -> Formula:
    return parse_formula(resource(name)["properties"]["scaleSettings"]["autoScale"]["formula"])


def test_by_default_the_pool_is_what_its_file_says() -> None:
    """Every property of pool.json is there unchanged; a deployment adds only what it knows."""
    properties = resource("pool.defaults")["properties"]
    text = (INFRA / "pool/autoscale.formula").read_text()

    assert properties["scaleSettings"]["autoScale"].pop("formula") == text
    machine = properties["deploymentConfiguration"]["virtualMachineConfiguration"]
    assert machine.pop("securityProfile") == {
        "encryptionAtHost": True,
        "securityType": "trustedLaunch",
        "uefiSettings": {"secureBootEnabled": True, "vTpmEnabled": True},
    }
    packages = properties.pop("applicationPackages")
    assert [each["id"].rpartition("/")[2] for each in packages] == [
        each["id"] for each in POOL["applicationPackages"]
    ]
    assert properties == {
        name: value for name, value in POOL.items() if name != "applicationPackages"
    }


@pytest.mark.parametrize("name", SETS)
def test_every_pool_gets_packages_by_version_and_an_identity(name: str) -> None:
    """Without a version Batch takes whichever is the default; without identity nothing is fetched."""
    pool = resource(name)

    assert pool["name"].endswith("/recur")
    assert pool["identity"]["type"] == "UserAssigned"
    assert any(
        each.endswith("/userAssignedIdentities/recur-node")
        for each in pool["identity"]["userAssignedIdentities"]
    )
    assert all(each["version"] for each in pool["properties"]["applicationPackages"])
    assert pool["properties"]["startTask"]["waitForSuccess"] is True


@pytest.mark.parametrize("name", SETS)
def test_no_pool_sets_what_a_redeployment_would_refuse(name: str) -> None:
    """Batch refuses empty lists, empty texts and null for what it once had."""

    def empty(value: object) -> bool:
        match value:
            case dict():
                return any(empty(each) for each in value.values())
            case list():
                return not value or any(empty(each) for each in value)
            case _:
                return value in {None, ""}

    assert not empty(resource(name)["properties"])


@pytest.mark.parametrize(
    ("name", "dedicated", "low_priority"), [("pool.defaults", 1, 0), ("pool.spot", 0, 4)]
)
def test_the_formula_has_the_kind_and_the_maximum_of_the_deployment(
    name: str, dedicated: int, low_priority: int
) -> None:
    """As the service would evaluate it, with nine tasks pending."""
    created = datetime(2026, 11, 23, 5, 0, tzinfo=UTC)
    store = SampleStore()
    for half in range(20):
        at = created + half * timedelta(seconds=30)
        store.record(at=at, values={"$PendingTasks": 9.0})

    result = formula(name).evaluate(now=created + timedelta(minutes=10), samples=store)

    assert result.error is None
    assert (result.target_dedicated, result.target_low_priority) == (dedicated, low_priority)


def test_the_size_is_the_one_of_the_article() -> None:
    """The VM size and the name of the Batch account are parameters, as they were there."""
    pool = resource("pool.article")

    assert pool["properties"]["vmSize"] == SNAPSHOTS["pool.article"]["VM_SIZE"]
    assert pool["name"] == "mybatch/recur"


def test_a_windows_pool_starts_its_package_by_cmd() -> None:
    """Checked no further: no Windows node has run it."""
    properties = resource("pool.windows")["properties"]
    machine = properties["deploymentConfiguration"]["virtualMachineConfiguration"]

    assert machine["nodeAgentSkuId"] == "batch.node.windows amd64"
    assert properties["startTask"]["commandLine"].startswith('cmd /c "')
    assert "AZ_BATCH_APP_PACKAGE_pythonsetup#" in properties["startTask"]["commandLine"]
    assert machine["securityProfile"]["securityType"] == "trustedLaunch"


@pytest.mark.parametrize(
    ("name", "profile"),
    [
        ("pool.soft", None),
        ("pool.article", None),  # a size of generation 1
        ("pool.windows", "trustedLaunch"),
    ],
)
def test_hardening_can_be_left_out(name: str, profile: str | None) -> None:
    """By its parameters; a size that is not the default gets no encryption at host unasked."""
    machine = resource(name)["properties"]["deploymentConfiguration"]["virtualMachineConfiguration"]

    assert machine.get("securityProfile", {}).get("securityType") == profile


def test_a_size_of_generation_1_gets_its_image() -> None:
    """The SKU alone differs."""
    (machine, ours) = (
        pool["deploymentConfiguration"]["virtualMachineConfiguration"]["imageReference"]
        for pool in (resource("pool.article")["properties"], POOL)
    )

    assert machine == {**ours, "sku": "server-gen1"}


def test_the_default_size_has_a_local_disk() -> None:
    """Its name says so: d behind the cores. Batch does not support all sizes without one."""
    assert re.fullmatch(r"Standard_D\d+ds_v\d+", POOL["vmSize"])


def test_nodes_of_the_private_network_have_no_public_address() -> None:
    """The subnet comes from core, and nothing else has to be said."""
    network = resource("pool.private")["properties"]["networkConfiguration"]

    assert network["subnetId"] == SNAPSHOTS["pool.private"]["NODE_SUBNET_ID"]
    assert network["publicIPAddressConfiguration"] == {"provision": "NoPublicIPAddresses"}


def test_nodes_in_a_subnet_need_no_public_address() -> None:
    """And have one unless the operator says otherwise."""
    network = resource("pool.subnet")["properties"]["networkConfiguration"]

    assert network["subnetId"] == SNAPSHOTS["pool.subnet"]["SUBNET_ID"]
    assert network["publicIPAddressConfiguration"] == {"provision": "NoPublicIPAddresses"}


def test_a_job_identity_is_on_the_nodes_and_its_client_id_with_the_pool() -> None:
    """Beside the nodes' own; the client id is looked up, so that nobody types it."""
    pool = resource("pool.job-identity")
    wanted = SNAPSHOTS["pool.job-identity"]["JOB_IDENTITY_ID"]
    (item,) = pool["properties"]["metadata"]

    assert wanted in pool["identity"]["userAssignedIdentities"]
    assert len(pool["identity"]["userAssignedIdentities"]) == 2
    assert item["name"] == JOB_CLIENT_ID_KEY
    assert wanted in item["value"]
    assert item["value"].endswith(".clientId]")
