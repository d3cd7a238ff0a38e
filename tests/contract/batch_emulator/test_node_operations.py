"""What clients do to one node: give its machine back, start it again, make users, look at extensions."""

from datetime import timedelta

from azure.batch import models

from batch_emulator.wire import now
from tests.contract.conftest import Batch, pool_body, refusal
from tests.support.emulated_pools import in_state, only_node
from tests.support.plain_jobs import plain_job, settled, task_body, until_task

type User = models.BatchNodeUserCreateOptions

WINDOWS = {
    "imageReference": {
        "publisher": "microsoftwindowsserver",
        "offer": "windowsserver",
        "sku": "2022-datacenter-core",
    },
    "nodeAgentSKUId": "batch.node.windows amd64",
}


async def one_node(batch: Batch, **properties: object) -> str:
    """Make a pool of one node, and return the node's id."""
    await batch.client.create_pool(pool_body(targetDedicatedNodes=1, **properties))
    await batch.until(batch.nodes, lambda nodes: [one.state for one in nodes] == ["idle"])
    return str((await only_node(batch)).id)


def user(name: str = "ann", **properties: object) -> User:
    """Return what create_node_user takes."""
    return models.BatchNodeUserCreateOptions({"name": name, "password": "secret", **properties})


async def test_a_node_is_deallocated_and_started(batch: Batch) -> None:
    """Its task goes back to the queue and runs when it is up again; its folder is empty meanwhile."""
    node = await one_node(batch)
    await batch.client.create_job(plain_job())
    await batch.client.create_task("job", task_body("main", "/bin/sh -c 'echo > ../go; sleep 600'"))
    await until_task(batch, "main", "running")
    await batch.send("POST", f"/pools/pool/nodes/{node}/deallocate", json={})
    await in_state(batch, "deallocated")
    task = await until_task(batch, "main", "active")
    assert task.execution_info is not None
    assert task.execution_info.requeue_count == 1
    assert not (batch.root / "pool" / node).exists()
    (counts,) = [one async for one in batch.client.list_pool_node_counts()]
    assert counts.dedicated is not None
    assert (counts.dedicated.deallocated, counts.dedicated.total) == (1, 1)
    again = batch.send("POST", f"/pools/pool/nodes/{node}/deallocate", json={})
    assert await refusal(again) == (409, "OperationInvalidForCurrentState")
    await batch.send("POST", f"/pools/pool/nodes/{node}/start")
    await until_task(batch, "main", "running")
    started = batch.send("POST", f"/pools/pool/nodes/{node}/start")
    assert await refusal(started) == (409, "OperationInvalidForCurrentState")


async def test_deallocation_waits_for_tasks_where_that_is_asked(batch: Batch) -> None:
    """With ``taskcompletion``; no other task starts before."""
    node = await one_node(batch)
    await batch.client.create_job(plain_job())
    wait = "/bin/sh -c 'until [ -e $AZ_BATCH_NODE_SHARED_DIR/go ]; do sleep 0.02; done'"
    await batch.client.create_task("job", task_body("one", wait))
    await until_task(batch, "one", "running")
    option = {"nodeDeallocateOption": "taskcompletion"}
    await batch.send("POST", f"/pools/pool/nodes/{node}/deallocate", json=option)
    await batch.client.create_task("job", task_body("two"))
    assert (await only_node(batch)).state == "running"
    (batch.root / "pool" / node / "shared/go").touch()
    await in_state(batch, "deallocated")

    assert (await settled(batch, "one")).execution_info is not None
    assert (await batch.client.get_task("job", "two")).state == "active"


async def test_users_are_kept_until_they_expire(batch: Batch) -> None:
    """Names count in any case; a new image has none of them."""
    node = await one_node(batch)
    client = batch.client
    await client.create_node_user("pool", node, user(isAdmin=True))
    assert await refusal(client.create_node_user("pool", node, user("Ann"))) == (
        409,
        "NodeUserExists",
    )
    replacement = models.BatchNodeUserReplaceOptions(ssh_public_key="ssh-rsa AAAA")
    await client.replace_node_user("pool", node, "ANN", replacement)
    await client.delete_node_user("pool", node, "ann")
    missing = (404, "NodeUserNotFound")
    assert await refusal(client.delete_node_user("pool", node, "ann")) == missing
    replaced = client.replace_node_user("pool", node, "ann", replacement)
    assert await refusal(replaced) == missing
    past = (now() - timedelta(seconds=1)).isoformat()
    await client.create_node_user("pool", node, user(expiryTime=past))
    assert await refusal(client.delete_node_user("pool", node, "ann")) == missing
    await client.create_node_user("pool", node, user())
    await batch.send("POST", f"/pools/pool/nodes/{node}/reimage", json={})
    asked = client.create_node_user("pool", node, user("bob"))
    assert await refusal(asked) in {(409, "NodeBeingReimaged"), (409, "NodeBeingStarted")}
    await in_state(batch, "idle")
    assert await refusal(client.delete_node_user("pool", node, "ann")) == missing


async def test_users_of_windows_nodes_have_passwords(batch: Batch) -> None:
    """And no key for ssh."""
    node = await one_node(batch, virtualMachineConfiguration=WINDOWS)
    create = batch.client.create_node_user
    with_key = user(sshPublicKey="ssh-rsa AAAA")
    assert await refusal(create("pool", node, with_key)) == (400, "InvalidPropertyValue")
    without = models.BatchNodeUserCreateOptions(name="ann")
    assert await refusal(create("pool", node, without)) == (400, "MissingRequiredProperty")


async def test_a_node_on_which_something_is_to_be_mounted_is_unusable(batch: Batch) -> None:
    """No task finds an empty folder in its place; the pool shows what it asks for, but no secret."""
    files = {
        "accountName": "a",
        "containerName": "c",
        "relativeMountPath": "m",
        "accountKey": "secret",
    }
    mounts = [{"azureBlobFileSystemConfiguration": files}]
    await batch.client.create_pool(pool_body(targetDedicatedNodes=1, mountConfiguration=mounts))
    await batch.until(batch.nodes, lambda nodes: [one.state for one in nodes] == ["unusable"])

    (error,) = (await only_node(batch)).errors or []
    assert error.code == "MountConfigurationFailed"
    assert "SUPPORT.md" in str(error.error_details)
    (shown,) = (await batch.client.get_pool("pool")).mount_configuration or []
    assert shown.azure_blob_file_system_configuration is not None
    assert shown.azure_blob_file_system_configuration.account_name == "a"
    assert shown.azure_blob_file_system_configuration.account_key is None


async def test_extensions_are_those_of_the_pool_and_one_of_batch(batch: Batch) -> None:
    """Without their secrets."""
    extension = {"name": "mine", "publisher": "me", "type": "any", "protectedSettings": {"a": "b"}}
    machine = dict(pool_body())["virtualMachineConfiguration"] | {"extensions": [extension]}
    node = await one_node(batch, virtualMachineConfiguration=machine)
    listed = [one async for one in batch.client.list_node_extensions("pool", node)]
    shown = await batch.client.get_node_extension("pool", node, "Mine")

    names = [one.vm_extension.name for one in listed if one.vm_extension is not None]
    assert names == ["mine", "batchNodeExtension"]
    assert shown.provisioning_state == "Succeeded"
    assert shown.vm_extension is not None
    assert shown.vm_extension.protected_settings is None
    missing = batch.client.get_node_extension("pool", node, "other")
    assert await refusal(missing) == (404, "ResourceNotFound")
