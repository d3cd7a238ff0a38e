"""The request bodies of changes of a pool or node."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final, cast

from batch_emulator.dataplane.pool_bodies import read_pool
from batch_emulator.dataplane.shapes import (
    Check,
    choice,
    duration,
    integer,
    items,
    only,
    shape,
    text,
)
from batch_emulator.errors import ServiceError, invalid_property, not_supported
from batch_emulator.runtime.state.pool import Pool
from batch_emulator.wire import Json

_MOST_REMOVED: Final = 100
_ALWAYS: Final = frozenset({"startTask", "applicationPackageReferences", "metadata"})
_WHILE_EMPTY: Final = frozenset(
    {
        "displayName",
        "vmSize",
        "enableInterNodeCommunication",
        "virtualMachineConfiguration",
        "taskSlotsPerNode",
        "taskSchedulingPolicy",
        "networkConfiguration",
        "userAccounts",
        "mountConfiguration",
        "upgradePolicy",
    }
)


def _option(*, retained: bool) -> Check:
    """Accept an option for running tasks; the deprecated ``retaineddata`` is refused."""
    options = ("requeue", "terminate", "taskcompletion")
    check = choice(*options, *(("retaineddata",) if retained else ()))

    def check_option(path: str, value: object) -> object:
        option = check(path, value)
        if option == "retaineddata":
            raise not_supported(f"property {path} with value {value!r}")
        return option

    return check_option


_TIMEOUT: Final = duration(timedelta(minutes=5))
_TARGET: Final = integer(0, 2**31 - 1)
_RESIZE: Final = shape(
    {
        "targetDedicatedNodes": _TARGET,
        "targetLowPriorityNodes": _TARGET,
        "resizeTimeout": _TIMEOUT,
        "nodeDeallocationOption": _option(retained=True),
    }
)
_REMOVAL: Final = shape(
    {
        "nodeList": items(text, maximum=_MOST_REMOVED),
        "resizeTimeout": _TIMEOUT,
        "nodeDeallocationOption": _option(retained=True),
    },
    required=("nodeList",),
)
_AUTO_SCALE: Final = shape(
    {
        "autoScaleFormula": text,
        "autoScaleEvaluationInterval": duration(timedelta(minutes=5), timedelta(hours=168)),
    }
)
_EVALUATION: Final = shape({"autoScaleFormula": text}, required=("autoScaleFormula",))
_OPTIONS_OF_NODES: Final = {
    name: shape({name: _option(retained=retained)})
    for name, retained in (
        ("nodeRebootOption", True),
        ("nodeReimageOption", True),
        ("nodeDeallocateOption", True),
        ("nodeDisableSchedulingOption", False),
    )
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Resize:
    """
    The request for a resize or a removal of nodes.

    Attributes:
        timeout: Echoed by the pool. No resize here takes as long as the shortest one.
        option: What happens to tasks on nodes that are removed.
    """

    dedicated: int = 0
    low_priority: int = 0
    nodes: tuple[str, ...] = ()
    timeout: str
    option: str


def read_resize(body: object, pool: Pool) -> Resize:
    """
    Return the requested size; an absent target stays as it is.

    Raises:
        ServiceError: The body is wrong, or names neither target.
    """
    given = cast("Json", _RESIZE("", body))
    if not {"targetDedicatedNodes", "targetLowPriorityNodes"} & given.keys():
        values = (("PropertyName", "targetDedicatedNodes"),)
        raise ServiceError("MissingRequiredProperty", values=values)
    return Resize(
        dedicated=given.get("targetDedicatedNodes", pool.target_dedicated),
        low_priority=given.get("targetLowPriorityNodes", pool.target_low_priority),
        timeout=given.get("resizeTimeout", "PT15M"),
        option=given.get("nodeDeallocationOption", "requeue"),
    )


def read_removal(body: object) -> Resize:
    """
    Return the nodes to remove.

    Raises:
        ServiceError: The body is wrong.
    """
    given = cast("Json", _REMOVAL("", body))
    if not given["nodeList"]:
        raise invalid_property("nodeList", [], "The list must have at least one item")
    return Resize(
        nodes=tuple(given["nodeList"]),
        timeout=given.get("resizeTimeout", "PT15M"),
        option=given.get("nodeDeallocationOption", "requeue"),
    )


def read_auto_scale(body: object) -> tuple[str | None, str | None]:
    """Return the given formula and interval."""
    given = cast("Json", _AUTO_SCALE("", body))
    return given.get("autoScaleFormula"), given.get("autoScaleEvaluationInterval")


def read_formula_text(body: object) -> str:
    """Return the formula to evaluate."""
    return str(cast("Json", _EVALUATION("", body))["autoScaleFormula"])


def read_node_option(name: str, body: object) -> str:
    """Return the option of this name, which says what happens to a node's running tasks."""
    given = cast("Json", _OPTIONS_OF_NODES[name]("", body))
    return str(given.get(name, "requeue"))


def read_patch(body: object, pool: Pool, *, any_vm_size: bool) -> Json:
    """
    Return the properties that replace those of the pool; an empty list removes one.

    Raises:
        ServiceError: The body is wrong, or names a property that cannot be changed, now or ever.
    """
    given = _object(body)
    changes = _read_properties(given, pool, any_vm_size=any_vm_size)
    for name in changes:
        if name in _ALWAYS or pool.body.get(name) == changes[name]:
            continue
        if name not in _WHILE_EMPTY:
            raise _cannot_change(name, "The property cannot be updated.")
        if pool.nodes:
            raise _cannot_change(
                name, "The property can only be updated while the pool has no nodes."
            )
    return changes


def read_replacement(body: object, pool: Pool) -> Json:
    """
    Return the start task, packages and metadata that replace those of the pool.

    Raises:
        ServiceError: The body is wrong, or a list is missing.
    """
    given = _object(body)
    # Clients before 2025-06-01 had to send this list; the certificates themselves are gone.
    only([])("certificateReferences", given.pop("certificateReferences", []))
    for name in sorted(_ALWAYS - {"startTask"}):
        if name not in given:
            raise ServiceError("MissingRequiredProperty", values=(("PropertyName", name),))
    if unknown := given.keys() - _ALWAYS:
        raise not_supported(f"property {min(unknown)}")
    return {"startTask": None} | _read_properties(given, pool)


def _object(body: object) -> Json:
    if not isinstance(body, dict):
        raise invalid_property("body", body, "The value must be an object")
    return {name: value for name, value in body.items() if value is not None}


def _read_properties(given: Json, pool: Pool, *, any_vm_size: bool = True) -> Json:
    """Read properties with the checks and the defaults of a pool's creation."""
    machine = pool.body["virtualMachineConfiguration"]
    base = {
        "id": pool.id,
        "vmSize": pool.body["vmSize"],
        # What can be read again: of the rest, the secrets have been forgotten.
        "virtualMachineConfiguration": {
            name: machine[name] for name in ("imageReference", "nodeAgentSKUId")
        },
    }
    whole = read_pool({**base, **given}, any_vm_size=any_vm_size or "vmSize" not in given)
    return {name: whole[name] for name in given if name in whole}


def _cannot_change(name: str, reason: str) -> ServiceError:
    values = (("Reason", reason), ("PropertyName", name), ("PropertyPath", name))
    return ServiceError("PropertyCannotBeUpdated", values=values)
