"""Handlers of pools."""

from aiohttp import web

from batch_emulator.dataplane.batch_call import BatchCall
from batch_emulator.dataplane.filter_fields import IMAGE_FIELDS, NODE_COUNT_FIELDS, POOL_FIELDS
from batch_emulator.dataplane.pool_bodies import read_pool
from batch_emulator.dataplane.pool_changes import (
    read_auto_scale,
    read_formula_text,
    read_patch,
    read_removal,
    read_replacement,
    read_resize,
)
from batch_emulator.dataplane.query import Key
from batch_emulator.dataplane.statistics import pool_statistics
from batch_emulator.dataplane.supported_images import SUPPORTED_IMAGES, image_name
from batch_emulator.dataplane.views import pool_url, show_node_counts, show_pool, show_scaling
from batch_emulator.errors import ServiceError
from batch_emulator.runtime import autoscale, pools
from batch_emulator.runtime.state.pool import Pool
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


async def create_pool(call: BatchCall) -> web.StreamResponse:
    """Answer POST /pools."""
    any_vm_size = call.account.options.any_vm_size
    body = read_pool(await call.body(), any_vm_size=any_vm_size)
    pool = pools.create(call.account, body)
    return call.created(pool_url(call.base, pool), pool.modified)


async def get_pool(call: BatchCall) -> web.StreamResponse:
    """Answer GET and HEAD of a pool."""
    pool = the_pool(call)
    call.check_conditions(pool.modified)
    shown = show_pool(pool, call.base)
    return call.one(
        "pools",
        shown,
        modified=pool.modified,
        statistics=lambda: pool_statistics(pool, call.base),
    )


async def list_pools(call: BatchCall) -> web.StreamResponse:
    """Answer GET /pools."""
    key = Key[Pool](lambda pool: pool.id, POOL_FIELDS)
    return call.many(
        "pools",
        call.account.pools,
        lambda pool: show_pool(pool, call.base),
        key,
        lambda pool: pool_statistics(pool, call.base),
    )


async def delete_pool(call: BatchCall) -> web.StreamResponse:
    """Answer DELETE of a pool."""
    pool = the_pool(call)
    call.check_conditions(pool.modified)
    pools.delete(pool)
    return call.deleting()


async def resize_pool(call: BatchCall) -> web.StreamResponse:
    """Answer the POST that resizes a pool."""
    pool = the_pool(call)
    wanted = read_resize(await call.body(), pool)
    call.check_conditions(pool.modified)
    pools.resize(pool, (wanted.dedicated, wanted.low_priority), wanted.option, wanted.timeout)
    return call.changed(pool.modified, status=202)


async def stop_pool_resize(call: BatchCall) -> web.StreamResponse:
    """Answer the POST that stops a resize."""
    pool = the_pool(call)
    call.check_conditions(pool.modified)
    pools.stop_resize(call.account, pool)
    return call.changed(pool.modified, status=202)


async def remove_nodes(call: BatchCall) -> web.StreamResponse:
    """Answer the POST that removes nodes from a pool."""
    pool = the_pool(call)
    wanted = read_removal(await call.body())
    call.check_conditions(pool.modified)
    pools.remove_nodes(call.account, pool, wanted.nodes, wanted.option, wanted.timeout)
    return call.changed(pool.modified, status=202)


async def update_pool(call: BatchCall) -> web.StreamResponse:
    """Answer PATCH of a pool."""
    pool = the_pool(call)
    any_vm_size = call.account.options.any_vm_size
    changes = read_patch(await call.body(), pool, any_vm_size=any_vm_size)
    call.check_conditions(pool.modified)
    pools.change(call.account, pool, changes)
    return call.changed(pool.modified)


async def replace_pool_properties(call: BatchCall) -> web.StreamResponse:
    """Answer the POST that replaces the properties that can always be changed."""
    pool = the_pool(call)
    pools.change(call.account, pool, read_replacement(await call.body(), pool))
    return call.changed(pool.modified, status=204)


async def enable_pool_auto_scale(call: BatchCall) -> web.StreamResponse:
    """Answer the POST that enables automatic scaling."""
    pool = the_pool(call)
    formula, interval = read_auto_scale(await call.body())
    call.check_conditions(pool.modified)
    autoscale.enable(call.account, pool, formula, interval)
    return call.changed(pool.modified)


async def disable_pool_auto_scale(call: BatchCall) -> web.StreamResponse:
    """Answer the POST that disables automatic scaling."""
    pool = the_pool(call)
    autoscale.disable(call.account, pool)
    return call.changed(pool.modified)


async def evaluate_pool_auto_scale(call: BatchCall) -> web.StreamResponse:
    """Answer the POST that evaluates a formula and changes nothing."""
    pool = the_pool(call)
    run = autoscale.evaluate(call.account, pool, read_formula_text(await call.body()))
    return call.result("Microsoft.Azure.Batch.Protocol.Entities.AutoScaleRun", show_scaling(run))


async def list_pool_node_counts(call: BatchCall) -> web.StreamResponse:
    """Answer GET of the numbers of nodes."""
    key = Key[Pool](lambda pool: pool.id, NODE_COUNT_FIELDS, most=10)
    return call.many("poolnodecounts", call.account.pools, show_node_counts, key)


async def list_supported_images(call: BatchCall) -> web.StreamResponse:
    """Answer GET of the images that pools can be made of."""
    key = Key[Json](image_name, IMAGE_FIELDS)
    return call.many("supportedimages", SUPPORTED_IMAGES, lambda image: image, key)
