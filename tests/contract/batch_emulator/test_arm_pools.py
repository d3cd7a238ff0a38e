"""Pools in Azure Resource Manager, through azure-mgmt-batch 19: the same as the data plane's."""

import io
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from azure.batch.models import BatchPool
from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError
from azure.mgmt.batch import BatchManagementClient
from azure.mgmt.batch.models import Pool

from local.azurite import Azurite
from local.provision import pool_resource
from tests.contract.conftest import pool_body
from tests.support.arm_account import ACCOUNT, GROUP, SPEED, ArmAccount

IDENTITY = (
    "/subscriptions/s/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/n"
)
FORMULA = "$TargetDedicatedNodes = 1;"
_WITHOUT = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/network/"
_WITH_NETWORKS = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/network/"


@pytest.fixture
def account(azurite: Azurite, tmp_path: Path) -> Iterator[ArmAccount]:
    with ArmAccount(azurite, tmp_path / "nodes") as running:
        yield running


@pytest.fixture
def client(account: ArmAccount) -> BatchManagementClient:
    return account.arm().client


def _resource(**properties: Any) -> dict[str, Any]:  # noqa: ANN401 - of REST
    image = {"publisher": "canonical", "offer": "ubuntu-24_04-lts", "sku": "server"}
    machine = {"imageReference": image, "nodeAgentSkuId": "batch.node.ubuntu 24.04"}
    base: dict[str, Any] = {
        "vmSize": "Standard_D2ds_v5",
        "deploymentConfiguration": {"virtualMachineConfiguration": machine},
    }
    return {"properties": base | properties}


def _put(client: BatchManagementClient, **properties: Any) -> Pool:  # noqa: ANN401 - of REST
    return client.pool.create(GROUP, ACCOUNT, "pool", _resource(**properties))


def _refusal(call: Callable[[], object]) -> tuple[int | None, str | None]:
    with pytest.raises(HttpResponseError) as refused:
        call()
    error = refused.value.error
    return refused.value.status_code, error.code if error else None


def _until(account: ArmAccount, wanted: Callable[[BatchPool], bool]) -> BatchPool:
    limit = time.monotonic() + 120
    while not wanted(pool := account.batch().get_pool("pool")):
        assert time.monotonic() < limit, pool
        time.sleep(0.02)
    return pool


def test_a_pool_is_made_in_one_spelling_and_read_in_the_other(
    client: BatchManagementClient, account: ArmAccount
) -> None:
    """Names and words differ between the two, the pool does not."""
    made = _put(
        client,
        displayName="A pool",
        taskSlotsPerNode=2,
        taskSchedulingPolicy={"nodeFillType": "Pack", "jobDefaultOrder": "CreationTime"},
        interNodeCommunication="Enabled",
        scaleSettings={"autoScale": {"formula": FORMULA, "evaluationInterval": "PT5M"}},
        startTask={
            "commandLine": "/bin/true",
            "userIdentity": {"autoUser": {"scope": "Pool", "elevationLevel": "Admin"}},
        },
        metadata=[{"name": "a", "value": "b"}],
    )
    seen = account.batch().get_pool("pool").as_dict()

    assert made.name == "pool"
    assert made.properties
    assert made.properties.provisioning_state == "Succeeded"
    expected = {
        "displayName": "A pool",
        "vmSize": "standard_d2ds_v5",
        "taskSlotsPerNode": 2,
        "taskSchedulingPolicy": {"nodeFillType": "Pack", "jobDefaultOrder": "creationtime"},
        "enableInterNodeCommunication": True,
        "enableAutoScale": True,
        "autoScaleFormula": FORMULA,
        "autoScaleEvaluationInterval": "PT5M",
        "metadata": [{"name": "a", "value": "b"}],
    }
    assert expected.items() <= seen.items()
    assert seen["virtualMachineConfiguration"]["nodeAgentSKUId"] == "batch.node.ubuntu 24.04"
    user = {"scope": "pool", "elevationLevel": "admin"}
    assert seen["startTask"]["userIdentity"] == {"autoUser": user}
    got = client.pool.get(GROUP, ACCOUNT, "pool").as_dict()["properties"]
    assert got["startTask"]["userIdentity"]["autoUser"] == {
        "scope": "Pool",
        "elevationLevel": "Admin",
    }
    assert got["taskSchedulingPolicy"] == {
        "nodeFillType": "Pack",
        "jobDefaultOrder": "CreationTime",
    }
    assert got["interNodeCommunication"] == "Enabled"


def test_a_pool_of_the_data_plane_is_there_as_well(
    client: BatchManagementClient, account: ArmAccount
) -> None:
    """Lists hold the pools of both."""
    account.batch().create_pool(pool_body("theirs"))
    _put(client)

    listed = {pool.name: pool for pool in client.pool.list_by_batch_account(GROUP, ACCOUNT)}

    assert set(listed) == {"pool", "theirs"}
    fixed = {"targetDedicatedNodes": 0, "targetLowPriorityNodes": 0, "resizeTimeout": "PT15M"}
    for pool in listed.values():
        assert pool.as_dict()["properties"]["scaleSettings"] == {"fixedScale": fixed}


def test_identity_and_tags_are_kept(client: BatchManagementClient, account: ArmAccount) -> None:
    """The data plane shows the identity; a PATCH without them leaves both."""
    identity = {"type": "UserAssigned", "userAssignedIdentities": {IDENTITY: {}}}
    body = _resource() | {"identity": identity, "tags": {"owner": "me"}}
    client.pool.create(GROUP, ACCOUNT, "pool", body)
    patched = client.pool.update(GROUP, ACCOUNT, "pool", {"properties": {"taskSlotsPerNode": 3}})

    shown = patched.as_dict()
    assert (shown["identity"], shown["tags"]) == (identity, {"owner": "me"})
    assert shown["properties"]["taskSlotsPerNode"] == 3
    seen = account.batch().get_pool("pool").as_dict()["identity"]
    assert seen == {"type": "UserAssigned", "userAssignedIdentities": [{"resourceId": IDENTITY}]}


@pytest.mark.parametrize(
    "wrong",
    [
        {"identity": {"type": "UserAssigned", "userAssignedIdentities": [[]]}},
        {"identity": {"type": "UserAssigned", "userAssignedIdentities": 1}},
        {"tags": ["owner"]},
    ],
)
def test_identities_and_tags_are_objects(
    client: BatchManagementClient, wrong: dict[str, object]
) -> None:
    """Anything else is refused, and not kept to break the replies that come later."""
    body = json.dumps(_resource() | wrong).encode()
    creation = _refusal(lambda: client.pool.create(GROUP, ACCOUNT, "pool", io.BytesIO(body)))

    assert creation == (400, "InvalidPropertyValue")


def test_the_pool_follows_its_formula_and_then_another(
    client: BatchManagementClient, account: ArmAccount
) -> None:
    """A PATCH of the formula changes the size; one to a fixed size ends the formula's reign."""
    _put(client, scaleSettings={"autoScale": {"formula": FORMULA, "evaluationInterval": "PT5M"}})
    _until(account, lambda pool: pool.current_dedicated_nodes == 1)

    def scale(settings: dict[str, Any]) -> None:
        body: dict[str, Any] = {"properties": {"scaleSettings": settings}}
        client.pool.update(GROUP, ACCOUNT, "pool", body)

    two = {"formula": "$TargetDedicatedNodes = 2;", "evaluationInterval": "PT5M"}
    scale({"autoScale": two})
    _until(account, lambda pool: pool.current_dedicated_nodes == 2)
    scale({"fixedScale": {"targetDedicatedNodes": 0, "nodeDeallocationOption": "Terminate"}})
    _until(account, lambda pool: pool.current_dedicated_nodes == 0)
    time.sleep(3 * 300 / SPEED)  # three intervals of what is no longer evaluated
    pool = account.batch().get_pool("pool")
    assert (pool.enable_auto_scale, pool.auto_scale_run) == (False, None)
    scale({"autoScale": two})
    _until(account, lambda pool: pool.current_dedicated_nodes == 2)


def test_with_nodes_only_some_properties_change(
    client: BatchManagementClient, account: ArmAccount
) -> None:
    """What concerns nodes to come, and not what the nodes that are there are made of."""
    one = {"fixedScale": {"targetDedicatedNodes": 1}}
    _put(client, scaleSettings=one)
    _until(account, lambda pool: pool.current_dedicated_nodes == 1)

    _put(
        client,
        scaleSettings=one,
        metadata=[{"name": "a", "value": "b"}],
        startTask={"commandLine": "/bin/true"},
    )
    with pytest.raises(HttpResponseError) as refused:
        _put(client, scaleSettings=one, taskSlotsPerNode=2)
    assert refused.value.status_code == 400
    assert refused.value.error
    assert refused.value.error.code == "PropertyCannotBeUpdated"
    details = {detail.code: detail.message for detail in refused.value.error.details}
    assert details["PropertyPath"] == "properties.taskSlotsPerNode"

    _put(client, scaleSettings={"fixedScale": {"targetDedicatedNodes": 0}})
    _until(account, lambda pool: pool.current_dedicated_nodes == 0)
    _put(client, taskSlotsPerNode=2)
    seen = account.batch().get_pool("pool")
    assert seen.task_slots_per_node == 2
    assert (seen.start_task, seen.metadata) == (None, None)  # a PUT resets what it does not name


def test_an_empty_start_task_removes_the_one_that_is_there(
    client: BatchManagementClient, account: ArmAccount
) -> None:
    """As the published example of the service does."""
    _put(client, startTask={"commandLine": "/bin/true"})

    client.pool.update(GROUP, ACCOUNT, "pool", {"properties": {"startTask": {}}})

    assert account.batch().get_pool("pool").start_task is None


def test_a_pool_that_somebody_changed_is_not_overwritten(client: BatchManagementClient) -> None:
    """By the tag that was read; and one that must be new is not replaced."""
    etag = _put(client).etag
    _put(client, taskSlotsPerNode=2)

    def put(etag: str | None, condition: MatchConditions) -> None:
        client.pool.create(
            GROUP, ACCOUNT, "pool", _resource(), etag=etag, match_condition=condition
        )

    assert _refusal(lambda: put(etag, MatchConditions.IfNotModified)) == (412, "ConditionNotMet")
    assert _refusal(lambda: put(None, MatchConditions.IfMissing)) == (412, "ConditionNotMet")
    put(client.pool.get(GROUP, ACCOUNT, "pool").etag, MatchConditions.IfNotModified)


def test_a_pool_goes_with_its_nodes(client: BatchManagementClient, account: ArmAccount) -> None:
    """The client waits for the end, and a pool that is gone may go again."""
    _put(client, scaleSettings={"fixedScale": {"targetDedicatedNodes": 1}})
    _until(account, lambda pool: pool.current_dedicated_nodes == 1)

    client.pool.begin_delete(GROUP, ACCOUNT, "pool").wait()

    get = _refusal(lambda: client.pool.get(GROUP, ACCOUNT, "pool"))
    assert get == (404, "PoolNotFound")
    client.pool.begin_delete(GROUP, ACCOUNT, "pool").wait()


@pytest.mark.parametrize(
    ("properties", "status", "code"),
    [
        ({"startTask": {"comandLine": "x"}}, 400, "NotSupportedByEmulator"),
        (
            {"startTask": {"userIdentity": {"autoUser": {"scope": "pool"}}}},
            400,
            "InvalidPropertyValue",
        ),
        ({"taskSchedulingPolicy": {"nodeFillType": "pack"}}, 400, "InvalidPropertyValue"),
        ({"targetNodeCommunicationMode": "Simplified"}, 400, "NotSupportedByEmulator"),
        (
            {"scaleSettings": {"autoScale": {"formula": FORMULA, "evaluationInterval": "PT1M"}}},
            400,
            "InvalidPropertyValue",
        ),
        (
            {"scaleSettings": {"autoScale": {"formula": FORMULA}, "fixedScale": {}}},
            400,
            "InvalidPropertyValue",
        ),
        (
            {"scaleSettings": {"autoScale": {"formula": "$x ="}}},
            400,
            "AutoScalingFormulaSyntaxError",
        ),
        ({"applicationPackages": [{"id": "tool"}]}, 409, "InvalidApplicationPackageReferences"),
    ],
)
def test_a_wrong_pool_is_refused(
    client: BatchManagementClient, properties: dict[str, Any], status: int, code: str
) -> None:
    """Words of the data plane, names that are none, and what the service itself refuses."""
    assert _refusal(lambda: _put(client, **properties)) == (status, code)
    assert _refusal(lambda: client.pool.get(GROUP, ACCOUNT, "pool")) == (404, "PoolNotFound")


def test_the_deployed_pool_needs_its_packages_active(account: ArmAccount) -> None:
    """What infra/pool deploys is refused before `recur publish`, as Azure refuses it."""
    arm = account.arm()
    resource = pool_resource(arm.id, {"pythonsetup": "v1", "pythonscript": "v2"})

    refusal = _refusal(lambda: arm.put_pool("recur", resource))

    assert refusal == (409, "InvalidApplicationPackageReferences")


def test_the_snapshots_of_all_parameter_sets_are_pools(account: ArmAccount, tmp_path: Path) -> None:
    """Every pool that infra/pool can describe is understood, down to its last property."""
    arm = account.arm()
    for name in ("pythonsetup", "pythonscript"):
        arm.make_application(name)
        url = arm.open_version(name, "v1")
        container, blob = url.rsplit("/", 2)[1:]
        account.storage.get_blob_client(container, blob).upload_blob(b"")
        arm.activate(name, "v1")
    snapshots = sorted((Path(__file__).parents[3] / "infra/snapshots").glob("pool.*.json"))
    versions = {"pythonsetup": "v1", "pythonscript": "v1"}

    assert len(snapshots) > 1
    for number, snapshot in enumerate(snapshots):
        # The subscription of the snapshots is the emulator's own, which has no networks.
        elsewhere = tmp_path / snapshot.name
        elsewhere.write_text(snapshot.read_text().replace(_WITHOUT, _WITH_NETWORKS))
        assert arm.put_pool(f"pool-{number}", pool_resource(arm.id, versions, elsewhere))
        made = arm.client.pool.get(GROUP, ACCOUNT, f"pool-{number}").as_dict()["properties"]
        (wanted,) = json.loads(snapshot.read_text())["predictedResources"]
        formula = wanted["properties"]["scaleSettings"]["autoScale"]["formula"]
        assert made["scaleSettings"]["autoScale"]["formula"] == formula


def _unknown(definitions: Mapping[str, Any], name: str, value: Any, path: str) -> Iterator[str]:  # noqa: ANN401 - JSON
    """Yield what a reply holds that the published definition of its kind does not know."""
    definition = definitions[name]
    known = dict(definition.get("properties", {}))
    for part in definition.get("allOf", ()):
        known |= definitions[part["$ref"].rpartition("/")[2]].get("properties", {})
    for key, item in value.items():
        if key not in known:
            yield f"{path}.{key}"
            continue
        kind = known[key].get("items", known[key])
        if words := kind.get("enum"):
            yield from (f"{path}.{key}={word}" for word in [item] if word not in words)
        if reference := kind.get("$ref"):
            below = reference.rpartition("/")[2]
            for one in item if isinstance(item, list) else [item]:
                if isinstance(one, dict):
                    yield from _unknown(definitions, below, one, f"{path}.{key}")
                elif words := definitions[below].get("enum"):
                    yield from (f"{path}.{key}={word}" for word in [one] if word not in words)


def test_replies_hold_nothing_that_the_service_does_not_know(account: ArmAccount) -> None:
    """Names and words of every resource are those of the published definition."""
    if not (folder := os.environ.get("RECUR_ORACLES")):
        pytest.skip("RECUR_ORACLES names no folder of facts about the real service")
    published = Path(folder, "openapi/mgmt-2024-02-01/BatchManagement.json")
    definitions = json.loads(published.read_text())["definitions"]
    client = account.arm().client
    app = client.application.create(GROUP, ACCOUNT, "tool")
    version = client.application_package.create(GROUP, ACCOUNT, "tool", "v1")
    _put(
        client,
        taskSchedulingPolicy={"nodeFillType": "Pack"},
        startTask={"commandLine": "/bin/true", "userIdentity": {"autoUser": {"scope": "Task"}}},
        scaleSettings={"autoScale": {"formula": "$TargetDedicatedNodes = 1 / 0;"}},
        metadata=[{"name": "a", "value": "b"}],
    )
    _until(account, lambda pool: pool.auto_scale_run is not None)
    pool = client.pool.get(GROUP, ACCOUNT, "pool")
    found = client.batch_account.get(GROUP, ACCOUNT)

    kinds = {"Application": app, "ApplicationPackage": version, "Pool": pool, "BatchAccount": found}
    for kind, reply in kinds.items():
        unknown = [*_unknown(definitions, kind, reply.as_dict(), kind)]
        # Tags and a weak tag of its own came with later versions; 2024-02-01 is the one published.
        assert [name for name in unknown if name != f"{kind}.tags"] == []
