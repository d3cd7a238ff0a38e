"""Handlers of nodes."""

import uuid
from typing import Final

from aiohttp import web

from batch_emulator.dataplane.batch_call import BatchCall
from batch_emulator.dataplane.endpoints import show_endpoints
from batch_emulator.dataplane.file_bodies import read_log_request
from batch_emulator.dataplane.filter_fields import NODE_FIELDS
from batch_emulator.dataplane.node_bodies import (
    read_user,
    read_user_replacement,
    show_extensions,
)
from batch_emulator.dataplane.pool_changes import read_node_option
from batch_emulator.dataplane.pool_routes import the_pool
from batch_emulator.dataplane.query import Key
from batch_emulator.dataplane.views import NODE_IPV6, node_url, show_node
from batch_emulator.errors import ServiceError
from batch_emulator.runtime import node_changes, node_users
from batch_emulator.runtime.enums import NodeState
from batch_emulator.runtime.node_logs import upload_logs
from batch_emulator.runtime.scheduling import node_of
from batch_emulator.runtime.state.node import Node
from batch_emulator.wire import Json

_ENTITIES: Final = "Microsoft.Azure.Batch.Protocol.Entities"


def the_node(call: BatchCall) -> Node:
    """
    Return the node of the path.

    Raises:
        ServiceError: PoolNotFound or NodeNotFound.
    """
    if node := node_of(the_pool(call), call.part("nodeId")):
        return node
    raise ServiceError("NodeNotFound")


async def list_nodes(call: BatchCall) -> web.StreamResponse:
    """Answer GET of a pool's nodes."""
    nodes = the_pool(call).nodes.values()
    key = Key[Node](lambda node: node.id, NODE_FIELDS)
    return call.many("nodes", nodes, lambda node: show_node(node, call.base), key)


async def get_node(call: BatchCall) -> web.StreamResponse:
    """Answer GET of a node."""
    return call.one("nodes", show_node(the_node(call), call.base))


async def get_remote_login(call: BatchCall) -> web.StreamResponse:
    """Answer GET of a node's login address; nothing listens there."""
    node = the_node(call)
    endpoints = show_endpoints(node)
    if endpoints is None:
        raise ServiceError("OperationNotValidOnNode")
    last = endpoints["inboundEndpoints"][-1]
    settings = {
        "remoteLoginIPAddress": last["publicIPAddress"],
        "remoteLoginPort": last["frontendPort"],
        "ipv6RemoteLoginIPAddress": NODE_IPV6,
        "ipv6RemoteLoginPort": last["frontendPort"],
    }
    return call.result(f"{_ENTITIES}.RemoteLoginSettings", settings)


async def upload_node_logs(call: BatchCall) -> web.StreamResponse:
    """Answer the POST that uploads a node's logs; the upload goes on after the reply."""
    node = the_node(call)
    container_url, identity = read_log_request(await call.body())
    directory = f"batch-{call.account.options.account}/{node.pool.id}/{node.id}/{uuid.uuid4()}"
    upload = upload_logs(call.account, node, container_url, directory, identity=identity)
    call.account.background.start(upload, name=f"logs of {node.id}")
    told = {"virtualDirectoryName": directory, "numberOfFilesUploaded": 1}
    return call.result(f"{_ENTITIES}.UploadBatchServiceLogsResult", told, named=False)


async def reboot_node(call: BatchCall) -> web.StreamResponse:
    """Answer the POST that reboots a node."""
    node = the_node(call)
    option = read_node_option("nodeRebootOption", await call.body())
    node_changes.restart(call.account, node, NodeState.REBOOTING, option)
    return call.changed(status=202)


async def reimage_node(call: BatchCall) -> web.StreamResponse:
    """Answer the POST that reimages a node."""
    node = the_node(call)
    option = read_node_option("nodeReimageOption", await call.body())
    node_changes.restart(call.account, node, NodeState.REIMAGING, option)
    return call.changed(status=202)


async def deallocate_node(call: BatchCall) -> web.StreamResponse:
    """Answer the POST that deallocates a node."""
    node = the_node(call)
    option = read_node_option("nodeDeallocateOption", await call.body())
    node_changes.restart(call.account, node, NodeState.DEALLOCATING, option)
    return call.changed(status=202)


async def start_node(call: BatchCall) -> web.StreamResponse:
    """Answer the POST that starts a deallocated node."""
    node_changes.start_again(call.account, the_node(call))
    return call.changed(status=202)


async def create_node_user(call: BatchCall) -> web.StreamResponse:
    """Answer POST of a user of a node."""
    node = the_node(call)
    user = read_user(await call.body(), node)
    node_users.create(node, user)
    return call.created(f"{node_url(call.base, node)}/users/{user['name']}")


async def replace_node_user(call: BatchCall) -> web.StreamResponse:
    """Answer PUT of a user of a node."""
    node = the_node(call)
    node_users.replace(node, call.part("userName"), read_user_replacement(await call.body(), node))
    return call.changed()


async def delete_node_user(call: BatchCall) -> web.StreamResponse:
    """Answer DELETE of a user of a node."""
    node_users.delete(the_node(call), call.part("userName"))
    return call.deleted()


async def list_node_extensions(call: BatchCall) -> web.StreamResponse:
    """Answer GET of the extensions of a node."""
    key = Key[tuple[int, Json]](lambda item: f"{item[0]:04}")  # in their order, Batch's own last
    extensions = enumerate(show_extensions(the_node(call)))
    return call.many("extensions", extensions, lambda item: item[1], key)


async def get_node_extension(call: BatchCall) -> web.StreamResponse:
    """Answer GET of an extension of a node."""
    wanted = call.part("extensionName").lower()
    for extension in show_extensions(the_node(call)):
        if _extension_name(extension).lower() == wanted:
            return call.one("extensions", extension)
    raise ServiceError("ResourceNotFound")


def _extension_name(extension: Json) -> str:
    return str(extension["vmExtension"]["name"])


async def disable_node_scheduling(call: BatchCall) -> web.StreamResponse:
    """Answer the POST that disables scheduling on a node."""
    node = the_node(call)
    option = read_node_option("nodeDisableSchedulingOption", await call.body())
    node_changes.disable_scheduling(call.account, node, option)
    return call.changed()


async def enable_node_scheduling(call: BatchCall) -> web.StreamResponse:
    """Answer the POST that enables scheduling on a node."""
    node_changes.enable_scheduling(call.account, the_node(call))
    return call.changed()
