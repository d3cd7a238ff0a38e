"""Handlers of pools."""

from aiohttp import web

from batch_emulator.dataplane.batch_call import BatchCall
from batch_emulator.dataplane.pool_bodies import read_pool
from batch_emulator.dataplane.query import Key
from batch_emulator.dataplane.views import pool_url, show_pool
from batch_emulator.errors import ServiceError
from batch_emulator.runtime import pools
from batch_emulator.runtime.state import Pool


def the_pool(call: BatchCall) -> Pool:
    """
    Return the pool of the path.

    Raises:
        ServiceError: PoolNotFound.
    """
    if pool := call.account.pools.find(call.part("poolId")):
        return pool
    raise ServiceError("PoolNotFound")


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
