"""What a node does for those who look after it: an address to log in, its logs, in a container."""

import json

import pytest
from azure.batch import models
from azure.storage.blob import ContainerClient

from tests.conftest import Containers
from tests.contract.conftest import Batch, pool_body, refusal
from tests.recordings.stage import signed_container

START = "2026-11-22T10:00:00Z"


@pytest.fixture
async def node(batch: Batch) -> str:
    """Return the one node of the pool ``pool``."""
    await batch.client.create_pool(pool_body(targetDedicatedNodes=1))
    nodes = await batch.until(batch.nodes, lambda nodes: [one.state for one in nodes] == ["idle"])
    return nodes[0].id


async def test_the_address_for_logging_in_is_that_of_the_node(batch: Batch, node: str) -> None:
    """Its port is the public one of the node's last endpoint."""
    settings = await batch.client.get_node_remote_login_settings("pool", node)

    shown = (await batch.client.get_node("pool", node)).endpoint_configuration
    assert shown is not None
    assert settings.remote_login_port == shown.inbound_endpoints[-1].frontend_port
    assert settings.remote_login_ip_address == shown.inbound_endpoints[-1].public_ip_address
    assert settings.ipv6_remote_login_port == settings.remote_login_port
    missing = batch.client.get_node_remote_login_settings("pool", "other")
    assert await refusal(missing) == (404, "NodeNotFound")


async def test_a_node_without_a_public_address_has_none_for_logging_in(batch: Batch) -> None:
    """As its pool asked for no public addresses."""
    network = {"publicIPAddressConfiguration": {"provision": "nopublicipaddresses"}}
    await batch.client.create_pool(pool_body(targetDedicatedNodes=1, networkConfiguration=network))
    nodes = await batch.until(batch.nodes, lambda nodes: len(nodes) == 1)

    asked = batch.client.get_node_remote_login_settings("pool", nodes[0].id)

    assert await refusal(asked) == (409, "OperationNotValidOnNode")


async def test_logs_come_into_the_container(
    batch: Batch, node: str, containers: Containers
) -> None:
    """Into the directory that the reply names."""
    url = signed_container(containers.connection_string, containers.outputs)
    request = models.UploadBatchServiceLogsOptions({"containerUrl": url, "startTime": START})
    result = await batch.client.upload_node_logs("pool", node, request)

    async def names() -> list[str]:
        with ContainerClient.from_container_url(url) as container:
            return [blob.name for blob in container.list_blobs()]

    (name,) = await batch.until(names, lambda names: len(names) == result.number_of_files_uploaded)
    assert name.startswith(f"{result.virtual_directory_name}/")
    with ContainerClient.from_container_url(url) as container:
        assert json.loads(container.download_blob(name).readall())["node"] == node


async def test_a_container_that_cannot_be_reached_changes_no_reply(batch: Batch, node: str) -> None:
    """The upload goes on after the reply, and its failure is in the journal."""
    nowhere = {"containerUrl": "http://127.0.0.1:9/account/container?sig=x", "startTime": START}
    request = models.UploadBatchServiceLogsOptions(nowhere)

    assert (await batch.client.upload_node_logs("pool", node, request)).virtual_directory_name
