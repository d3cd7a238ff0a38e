"""What the emulator answers of pools and nodes: nothing secret, and all that the service always has."""

import json
import logging
from pathlib import Path
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError

from local.azurite import Azurite
from tests.contract.conftest import Batch, Start, pool_body, refusal
from tests.support.arm_account import ACCOUNT, GROUP, ArmAccount

MACHINE: dict[str, Any] = {
    "imageReference": {"publisher": "canonical", "offer": "ubuntu-24_04-lts", "sku": "server"},
    "nodeAgentSKUId": "batch.node.ubuntu 24.04",
    "containerConfiguration": {
        "type": "dockerCompatible",
        "containerRegistries": [{"username": "u", "password": "hush-1"}],
    },
    "extensions": [
        {"name": "e", "publisher": "p", "type": "t", "protectedSettings": {"key": "hush-2"}}
    ],
}
USERS = [
    {
        "name": "u",
        "password": "hush-3",
        "linuxUserConfiguration": {"uid": 1, "gid": 1, "sshPrivateKey": "hush-4"},
    }
]


async def test_secrets_do_not_come_back(batch: Batch, caplog: pytest.LogCaptureFixture) -> None:
    """Neither an answer, nor a refusal, nor the journal holds a secret of a pool."""
    caplog.set_level(logging.DEBUG, logger="batch_emulator")
    wrong = {"name": "u", "password": ["hush-5"]}
    body = pool_body(
        virtualMachineConfiguration=MACHINE, userAccounts=USERS, targetDedicatedNodes="1"
    )
    await batch.client.create_pool(body)
    await batch.until(batch.nodes, lambda nodes: bool(nodes and nodes[0].state == "idle"))

    paths = ("/pools", "/pools/pool", "/pools/pool/nodes")
    answers = [await batch.send("GET", path) for path in paths]
    texts = [(await answer.read()).decode() for answer in answers]
    for users in ([wrong], wrong, {"password": "hush-6"}):
        with pytest.raises(HttpResponseError, match="InvalidPropertyValue") as refused:
            await batch.send("POST", "/pools", json=pool_body("other", userAccounts=users))
        texts += [str(refused.value), str(refused.value.error and refused.value.error.details)]

    assert answers[1].json()["userAccounts"] == [
        {
            "name": "u",
            "elevationLevel": "nonadmin",
            "linuxUserConfiguration": {"uid": 1, "gid": 1},
        }
    ]
    assert "userAccounts" in "".join(texts)
    assert "/pools/" in caplog.text
    assert "hush" not in "".join(texts) + caplog.text


def test_secrets_do_not_come_back_from_arm(azurite: Azurite, tmp_path: Path) -> None:
    """Azure Resource Manager's side does not answer them either, and a PATCH needs none of them."""
    registries = [{"username": "u", "password": "hush-1"}]
    machine = {
        **MACHINE,
        "containerConfiguration": {"type": "DockerCompatible", "containerRegistries": registries},
        "nodeAgentSkuId": MACHINE["nodeAgentSKUId"],
    }
    del machine["nodeAgentSKUId"]
    properties = {
        "vmSize": "Standard_D2ds_v5",
        "deploymentConfiguration": {"virtualMachineConfiguration": machine},
        "userAccounts": USERS,
    }
    with ArmAccount(azurite, tmp_path / "nodes") as account:
        client = account.arm().client
        pools = [
            client.pool.create(GROUP, ACCOUNT, "pool", {"properties": properties}),
            client.pool.get(GROUP, ACCOUNT, "pool"),
            client.pool.update(GROUP, ACCOUNT, "pool", {"properties": {"displayName": "x"}}),
        ]

    for pool in pools:
        seen = pool.as_dict()["properties"]
        assert seen["userAccounts"][0]["name"] == "u"
        assert "hush" not in json.dumps(seen)


async def test_what_the_service_always_says(batch: Batch) -> None:
    """The image's version is in pools and nodes; a node says its endpoints."""
    await batch.client.create_pool(pool_body(targetDedicatedNodes=2))
    nodes = await batch.until(batch.nodes, lambda nodes: len(nodes) == 2)

    pool = await batch.client.get_pool("pool")

    machine = pool.virtual_machine_configuration
    assert machine is not None
    assert machine.image_reference.version == "latest"
    for node in nodes:
        assert node.virtual_machine_info.image_reference is not None
        assert node.virtual_machine_info.image_reference.exact_version == "1.0.0"
    configurations = [node.endpoint_configuration for node in nodes]
    endpoints = [each.inbound_endpoints for each in configurations if each is not None]
    assert sorted((each.name, each.frontend_port) for [each] in endpoints) == [
        ("SSHRule.0", 50_000),
        ("SSHRule.1", 50_001),
    ]


async def test_nodes_without_public_addresses_have_no_endpoints(batch: Batch) -> None:
    """Where the pool has no public address, neither have its nodes."""
    address = {"provision": "NoPublicIPAddresses"}
    await batch.client.create_pool(
        pool_body(
            targetDedicatedNodes=1, networkConfiguration={"publicIPAddressConfiguration": address}
        )
    )
    [node] = await batch.until(batch.nodes, lambda nodes: len(nodes) == 1)

    assert node.endpoint_configuration is None


async def test_any_size_is_taken_on_demand(start_batch: Start) -> None:
    """A size that the table lacks is refused, and taken by an emulator that takes any."""
    strict, lax = await start_batch(), await start_batch(any_vm_size=True)
    body = pool_body(vmSize="Standard_D3ds_v99")

    assert await refusal(strict.client.create_pool(body)) == (400, "InvalidPropertyValue")
    await lax.client.create_pool(body)

    assert (await lax.client.get_pool("pool")).vm_size == "standard_d3ds_v99"


async def test_head_of_a_pool(batch: Batch) -> None:
    """HEAD of a pool has the headers of recorded replies, and no others."""
    await batch.client.create_pool(pool_body())

    reply = await batch.send("HEAD", "/pools/pool")

    assert reply.status_code == 200
    sent = {name.lower() for name in reply.headers} - {"connection", "keep-alive"}
    assert sent == {
        "dataserviceversion",
        "date",
        "etag",
        "last-modified",
        "request-id",
        "server",
        "strict-transport-security",
        "transfer-encoding",
        "x-content-type-options",
    }
