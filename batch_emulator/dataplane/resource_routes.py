"""Handlers of pools, nodes and applications."""

from aiohttp import web

from batch_emulator.dataplane.batch_call import BatchCall
from batch_emulator.dataplane.bodies import read_pool
from batch_emulator.dataplane.query import Key
from batch_emulator.dataplane.views import pool_url, show_node, show_pool
from batch_emulator.errors import ServiceError
from batch_emulator.runtime import pools
from batch_emulator.runtime.scheduling import node_of
from batch_emulator.runtime.state import Node, Pool
from batch_emulator.wire import Json


def the_pool(call: BatchCall) -> Pool:
    """
    Return the pool of the path.

    Raises:
        ServiceError: PoolNotFound.
    """
    if pool := call.account.pools.find(call.part("poolId")):
        return pool
    raise ServiceError("PoolNotFound")


def the_node(call: BatchCall) -> Node:
    """
    Return the node of the path.

    Raises:
        ServiceError: PoolNotFound or NodeNotFound.
    """
    if node := node_of(the_pool(call), call.part("nodeId")):
        return node
    raise ServiceError("NodeNotFound")


async def create_pool(call: BatchCall) -> web.StreamResponse:
    """Answer POST /pools."""
    pool = pools.create(call.account, read_pool(await call.body()))
    return call.created(pool_url(call.base, pool), pool.modified)


async def get_pool(call: BatchCall) -> web.StreamResponse:
    """Answer GET and HEAD of a pool."""
    pool = the_pool(call)
    call.check_conditions(pool.modified)
    return call.one("pools", show_pool(pool, call.base), modified=pool.modified)


async def list_pools(call: BatchCall) -> web.StreamResponse:
    """Answer GET /pools."""
    key = Key[Pool](lambda pool: pool.id, lambda pool: pool.state)
    return call.many("pools", call.account.pools, lambda pool: show_pool(pool, call.base), key)


async def delete_pool(call: BatchCall) -> web.StreamResponse:
    """Answer DELETE of a pool."""
    pool = the_pool(call)
    call.check_conditions(pool.modified)
    pools.delete(pool)
    return call.deleting()


async def list_nodes(call: BatchCall) -> web.StreamResponse:
    """Answer GET of a pool's nodes."""
    nodes = the_pool(call).nodes.values()
    key = Key[Node](lambda node: node.id, lambda node: node.state)
    return call.many("nodes", nodes, lambda node: show_node(node, call.base), key)


async def get_node(call: BatchCall) -> web.StreamResponse:
    """Answer GET of a node."""
    return call.one("nodes", show_node(the_node(call), call.base))


def _show_application(application: tuple[str, list[str]]) -> Json:
    name, versions = application
    return {"id": name, "displayName": name, "versions": versions}


async def list_applications(call: BatchCall) -> web.StreamResponse:
    """Answer GET /applications."""
    applications = call.account.active_versions().items()
    key = Key[tuple[str, list[str]]](lambda application: application[0])
    return call.many("listapplicationsummariesresponses", applications, _show_application, key)


async def get_application(call: BatchCall) -> web.StreamResponse:
    """Answer GET of an application."""
    wanted = call.part("applicationId").lower()
    for application in call.account.active_versions().items():
        if application[0].lower() == wanted:
            return call.one("getapplicationsummaryresponse", _show_application(application))
    raise ServiceError("ApplicationNotFound")
