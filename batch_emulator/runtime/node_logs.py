"""The logs of a node that a client asks for: one file with what the emulator knows of the node."""

import json

from azure.core.exceptions import AzureError

from batch_emulator.journal import tell
from batch_emulator.runtime.account import Account
from batch_emulator.runtime.blob_containers import open_container
from batch_emulator.runtime.state.node import Node
from batch_emulator.wire import print_time

FILE = "node.json"
"""The one file that is uploaded; nodes of the service have several, of their agent."""


async def upload_logs(
    account: Account, node: Node, container_url: str, directory: str, *, identity: bool
) -> None:
    """
    Upload the node's log into a directory of a container; a failure goes into the journal.

    Args:
        account: The account of the node.
        node: The node.
        container_url: The container's address, with a signature unless there is an identity.
        directory: The directory in the container.
        identity: Whether an identity is given.
    """
    facts = {
        "node": node.id,
        "pool": node.pool.id,
        "state": node.state,
        "allocated": print_time(node.allocated),
        "booted": node.booted and print_time(node.booted),
        "tasksRun": node.total_run,
        "tasksSucceeded": node.total_succeeded,
        "errors": [failure.message for failure in node.errors],
    }
    try:
        async with open_container(account.storage, container_url, identity=identity) as container:
            content = json.dumps(facts, indent=2).encode()
            await container.upload_blob(f"{directory}/{FILE}", content, overwrite=True)
    except (AzureError, OSError, ValueError) as error:
        tell("node_logs.not_uploaded", node=node.id, reason=str(error))
