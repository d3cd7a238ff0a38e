"""Handlers of nodes."""

from aiohttp import web

from batch_emulator.dataplane.batch_call import BatchCall
from batch_emulator.dataplane.pool_changes import read_node_option
from batch_emulator.dataplane.pool_routes import the_pool
from batch_emulator.dataplane.query import Key
from batch_emulator.dataplane.views import show_node
from batch_emulator.errors import ServiceError
from batch_emulator.runtime import node_changes
from batch_emulator.runtime.enums import NodeState
from batch_emulator.runtime.scheduling import node_of
from batch_emulator.runtime.state import Node


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
    key = Key[Node](lambda node: node.id, lambda node: node.state)
    return call.many("nodes", nodes, lambda node: show_node(node, call.base), key)


async def get_node(call: BatchCall) -> web.StreamResponse:
    """Answer GET of a node."""
    return call.one("nodes", show_node(the_node(call), call.base))


async def reboot_node(call: BatchCall) -> web.StreamResponse:
    """Answer POST of the restart of a node."""
    node = the_node(call)
    option = read_node_option("nodeRebootOption", await call.body())
    node_changes.restart(call.account, node, NodeState.REBOOTING, option)
    return call.changed(status=202)


async def reimage_node(call: BatchCall) -> web.StreamResponse:
    """Answer POST of a new operating system for a node."""
    node = the_node(call)
    option = read_node_option("nodeReimageOption", await call.body())
    node_changes.restart(call.account, node, NodeState.REIMAGING, option)
    return call.changed(status=202)


async def disable_node_scheduling(call: BatchCall) -> web.StreamResponse:
    """Answer POST of the end of scheduling on a node."""
    node = the_node(call)
    option = read_node_option("nodeDisableSchedulingOption", await call.body())
    node_changes.disable_scheduling(call.account, node, option)
    return call.changed()


async def enable_node_scheduling(call: BatchCall) -> web.StreamResponse:
    """Answer POST of the return of scheduling to a node."""
    node_changes.enable_scheduling(call.account, the_node(call))
    return call.changed()
