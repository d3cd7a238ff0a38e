"""
Handlers of pools: the same pools as the data plane's.

A PUT creates a pool or replaces all its properties. A PATCH replaces those that it names. While the
pool has nodes, only some properties can change; repeating a value is not a change.
"""

from typing import Final

from aiohttp import web

from batch_emulator.arm.arm_call import TYPE, ArmCall, account_id, print_tag
from batch_emulator.arm.pool_properties import read_resource, to_pool, to_properties
from batch_emulator.dataplane.pool_bodies import complete_pool
from batch_emulator.dataplane.shapes import identifier
from batch_emulator.errors import ServiceError, invalid_property
from batch_emulator.runtime import pools
from batch_emulator.runtime.enums import PoolState
from batch_emulator.runtime.state.pool import Pool
from batch_emulator.wire import Json, print_time

_CHANGE_WITH_NODES: Final = {"applicationPackages", "metadata", "scaleSettings", "startTask"}
_DEALLOCATION: Final = "nodeDeallocationOption"


def _applications(call: ArmCall) -> str:
    return f"{account_id(call.account)}/applications"


def _the_pool(call: ArmCall) -> Pool:
    if pool := call.account.pools.find(call.parts["pool"]):
        return pool
    raise ServiceError("PoolNotFound")


def _pool_properties(call: ArmCall, pool: Pool) -> Json:
    targets = (pool.target_dedicated, pool.target_low_priority)
    return to_properties(pool.body, targets, _applications(call))


def _arm_pool(call: ArmCall, pool: Pool) -> Json:
    deleting = pool.state is PoolState.DELETING
    status: Json = {
        "lastModified": print_time(pool.modified),
        "creationTime": print_time(pool.created),
        "provisioningState": "Deleting" if deleting else "Succeeded",
        "provisioningStateTransitionTime": print_time(pool.state_since),
        "allocationState": pool.allocation.capitalize(),
        "allocationStateTransitionTime": print_time(pool.allocation_since),
        "currentDedicatedNodes": pool.current(dedicated=True),
        "currentLowPriorityNodes": pool.current(dedicated=False),
    }
    if run := pool.scaling:
        status["autoScaleRun"] = {"evaluationTime": print_time(run.at), "results": run.results}
        if run.error is not None:
            details = [{"code": "Message", "message": text} for text in run.error.details]
            error = {"code": run.error.code, "message": run.error.message, "details": details}
            status["autoScaleRun"]["error"] = error
    if failures := pool.resize_errors:
        errors = [{"code": failure.code, "message": failure.message} for failure in failures]
        since = print_time(pool.allocation_since)
        status["resizeOperationStatus"] = {"startTime": since, "errors": errors}
    return {
        "id": f"{account_id(call.account)}/pools/{pool.id}",
        "name": pool.id,
        "type": f"{TYPE}/pools",
        "etag": print_tag(pool.modified),
        "tags": pool.tags,
        "identity": _show_identity(pool),
        "properties": _pool_properties(call, pool) | status,
    }


def _show_identity(pool: Pool) -> Json:
    if not (identity := pool.body.get("identity")):
        return {"type": "None"}
    identities: Json = {item["resourceId"]: {} for item in identity["userAssignedIdentities"]}
    return {"type": "UserAssigned", "userAssignedIdentities": identities}


def _read_identity(given: Json) -> Json:
    if given["type"] == "None":
        return {}
    if not (identities := given.get("userAssignedIdentities")):
        reason = "An identity of type UserAssigned has at least one identity"
        raise invalid_property("identity.userAssignedIdentities", identities, reason)
    named = [{"resourceId": name} for name in identities]
    return {"identity": {"type": "UserAssigned", "userAssignedIdentities": named}}


async def get(call: ArmCall) -> web.Response:
    """Answer GET of a pool."""
    pool = _the_pool(call)
    return call.one(_arm_pool(call, pool), pool.modified)


async def many(call: ArmCall) -> web.Response:
    """Answer GET of all pools."""
    return call.many(call.account.pools, lambda pool: _arm_pool(call, pool), lambda pool: pool.id)


async def put(call: ArmCall) -> web.Response:
    """Answer PUT of a pool."""
    name = str(identifier("poolName", call.parts["pool"]))
    wanted = read_resource(await call.body())
    pool = call.account.pools.find(name)
    call.check_conditions(pool.modified if pool else None)
    body = _body(call, pool.id if pool else name, wanted)
    if pool is None:
        pool = pools.create(call.account, body)
    else:
        _replace(call, pool, wanted["properties"], body)
    return _changed(call, pool, wanted)


async def patch(call: ArmCall) -> web.Response:
    """Answer PATCH of a pool: an empty start task removes the one that is there."""
    pool = _the_pool(call)
    given = read_resource(await call.body())
    call.check_conditions(pool.modified)
    before = _arm_pool(call, pool)
    wanted = {
        "identity": before["identity"]
        if given["identity"]["type"] == "None"
        else given["identity"],
        "tags": given["tags"] or before["tags"],
        "properties": _pool_properties(call, pool) | given["properties"],
    }
    _replace(call, pool, given["properties"], _body(call, pool.id, wanted))
    return _changed(call, pool, wanted)


def _body(call: ArmCall, name: str, wanted: Json) -> Json:
    """Return the wanted pool as the data plane keeps it."""
    body = complete_pool(
        to_pool(name, wanted["properties"], _applications(call)),
        any_vm_size=call.account.options.any_vm_size,
    )
    return body | _read_identity(wanted["identity"])


def _replace(call: ArmCall, pool: Pool, given: Json, body: Json) -> None:
    before = _pool_properties(call, pool)
    targets = (body.get("targetDedicatedNodes", 0), body.get("targetLowPriorityNodes", 0))
    after = to_properties(body, targets, _applications(call))
    if pool.nodes:
        for name in before.keys() | after.keys():
            if before.get(name) != after.get(name) and name not in _CHANGE_WITH_NODES:
                raise _cannot_change(f"properties.{name}")
        if pool.body.get("identity") != body.get("identity"):
            raise _cannot_change("identity")
    option = given.get("scaleSettings", {}).get("fixedScale", {}).get(_DEALLOCATION)
    if option:
        pool.deallocation = option.lower()
    pools.update(call.account, pool, body)


def _cannot_change(path: str) -> ServiceError:
    values = (
        ("Reason", "The property can only be updated while the pool has no nodes."),
        ("PropertyName", path.rpartition(".")[2]),
        ("PropertyPath", path),
    )
    return ServiceError("PropertyCannotBeUpdated", values=values)


def _changed(call: ArmCall, pool: Pool, wanted: Json) -> web.Response:
    pool.tags = wanted["tags"]
    return call.one(_arm_pool(call, pool), pool.modified)


async def delete(call: ArmCall) -> web.Response:
    """Answer DELETE of a pool; the reply says where to ask whether it is gone."""
    pool = call.account.pools.find(call.parts["pool"])
    if pool is None:
        return web.Response(status=204)
    if pool.state is PoolState.ACTIVE:
        pools.delete(pool)
    return _deleting(call, pool.id)


async def deletion(call: ArmCall) -> web.Response:
    """Answer GET of the state of a deletion."""
    if call.account.pools.find(call.parts["pool"]) is None:
        return web.Response(status=200)
    return _deleting(call, call.parts["pool"])


def _deleting(call: ArmCall, name: str) -> web.Response:
    version = call.request.query["api-version"]
    path = f"{account_id(call.account)}/poolOperationResults/{name}?api-version={version}"
    headers = {"Location": f"{call.account.url}{path}", "Retry-After": "1"}
    return web.Response(status=202, headers=headers)
