"""
Pools in the spelling of Azure Resource Manager, and in that of the data plane.

A pool is kept as the data plane spells it. Azure Resource Manager has other names for the same,
and enumerations with capitals, which are taken as strictly as its published schema says.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final, cast

from batch_emulator.dataplane.shapes import (
    ENVIRONMENT,
    METADATA,
    Check,
    boolean,
    command_line_text,
    duration,
    inert,
    integer,
    items,
    only,
    shape,
    text,
    unsupported,
)
from batch_emulator.errors import ServiceError, invalid_property
from batch_emulator.wire import Json

_MOST: Final = 2**31 - 1
_SAME: Final = ("displayName", "vmSize", "taskSlotsPerNode", "metadata", "networkConfiguration")
_KEPT: Final = ("userAccounts", "upgradePolicy")
_INTER_NODE: Final = {"Enabled": True, "Disabled": False}
_ORDERS: Final = {"None": "none", "CreationTime": "creationtime"}
_WORDS: Final = {"Pool": "pool", "Task": "task", "Admin": "admin", "NonAdmin": "nonadmin"}


def _one_of(*words: str) -> Check:
    def check(path: str, value: object) -> object:
        if value not in words:
            raise invalid_property(path, value, f"The value must be one of {', '.join(words)}")
        return value

    return check


_USER_IDENTITY: Final = shape(
    {
        "userName": text,
        "autoUser": shape(
            {"scope": _one_of("Pool", "Task"), "elevationLevel": _one_of("Admin", "NonAdmin")}
        ),
    }
)
_ARM_START_TASK: Final = shape(
    {
        "commandLine": command_line_text,
        "environmentSettings": ENVIRONMENT,
        "userIdentity": _USER_IDENTITY,
        "maxTaskRetryCount": integer(-1, _MOST),
        "waitForSuccess": boolean,
        "containerSettings": unsupported,
        "resourceFiles": only([]),
    },
)
_SCALE: Final = shape(
    {
        "autoScale": shape(
            {
                "formula": text,
                "evaluationInterval": duration(timedelta(minutes=5), timedelta(hours=168)),
            },
            required=("formula",),
        ),
        "fixedScale": shape(
            {
                "targetDedicatedNodes": integer(0, _MOST),
                "targetLowPriorityNodes": integer(0, _MOST),
                "resizeTimeout": duration(timedelta(minutes=5)),
                "nodeDeallocationOption": _one_of(
                    "Requeue", "Terminate", "TaskCompletion", "RetainedData"
                ),
            }
        ),
    }
)
_READ_ONLY: Final = (
    "lastModified",
    "creationTime",
    "provisioningState",
    "provisioningStateTransitionTime",
    "allocationState",
    "allocationStateTransitionTime",
    "currentDedicatedNodes",
    "currentLowPriorityNodes",
    "autoScaleRun",
    "resizeOperationStatus",
)
_PROPERTIES: Final = shape(
    {
        **dict.fromkeys(_READ_ONLY, inert),
        "displayName": text,
        "vmSize": text,
        "deploymentConfiguration": shape({"virtualMachineConfiguration": inert}),
        "scaleSettings": _SCALE,
        "interNodeCommunication": _one_of(*_INTER_NODE),
        "networkConfiguration": inert,
        "taskSlotsPerNode": integer(1, 256),
        "taskSchedulingPolicy": shape(
            {"nodeFillType": _one_of("Spread", "Pack"), "jobDefaultOrder": _one_of(*_ORDERS)},
            required=("nodeFillType",),
        ),
        "userAccounts": inert,
        "metadata": METADATA,
        "startTask": _ARM_START_TASK,
        "applicationPackages": items(shape({"id": text, "version": text}, required=("id",))),
        "mountConfiguration": unsupported,
        "upgradePolicy": inert,
    }
)
_RESOURCE: Final = shape(
    {
        **dict.fromkeys(("id", "name", "type", "etag", "systemData"), inert),
        "properties": _PROPERTIES,
        "identity": shape(
            {"type": _one_of("UserAssigned", "None"), "userAssignedIdentities": inert},
            required=("type",),
        ),
        "tags": inert,
    }
)


def read_resource(body: object) -> Json:
    """
    Return the pool that ``body`` describes, without what only the service can say.

    Raises:
        ServiceError: The body is wrong, or holds what the emulator does not support.
    """
    given = cast("Json", _RESOURCE("", body))
    properties = given.get("properties", {})
    return {
        "identity": given.get("identity", {"type": "None"}),
        "tags": given.get("tags", {}),
        "properties": {name: properties[name] for name in properties if name not in _READ_ONLY},
    }


def to_data_plane(name: str, properties: Json, applications: str) -> Json:
    """
    Return a pool's properties in the spelling of the data plane.

    Args:
        name: The pool's.
        properties: As Azure Resource Manager spells them, checked.
        applications: The id below which this account's applications are.

    Raises:
        ServiceError: A package is none of this account's, or the scale settings contradict.
    """
    body: Json = {"id": name}
    body |= {key: properties[key] for key in (*_SAME, *_KEPT) if key in properties}
    deployment = properties.get("deploymentConfiguration", {})
    if "virtualMachineConfiguration" in deployment:
        machine = dict(deployment["virtualMachineConfiguration"])
        body["virtualMachineConfiguration"] = _renamed(machine, "nodeAgentSkuId", "nodeAgentSKUId")
    if "interNodeCommunication" in properties:
        body["enableInterNodeCommunication"] = _INTER_NODE[properties["interNodeCommunication"]]
    if policy := properties.get("taskSchedulingPolicy"):
        body["taskSchedulingPolicy"] = _respelled(policy, _ORDERS)
    if start := properties.get("startTask"):
        body["startTask"] = {**start, **_user(start, _WORDS)}
    body["applicationPackageReferences"] = [
        {**version, "applicationId": _application_name(package, applications)}
        for package, version in map(_split, properties.get("applicationPackages", ()))
    ]
    return body | _scaled(properties.get("scaleSettings", {}))


def _renamed(values: Json, old: str, new: str) -> Json:
    return {new if key == old else key: value for key, value in values.items()}


def _respelled(values: Json, words: Mapping[str, str]) -> Json:
    return {key: words.get(value, value) for key, value in values.items()}


def _user(start: Json, words: Mapping[str, str]) -> Json:
    identity = start.get("userIdentity")
    if not identity or "autoUser" not in identity:
        return {}
    return {"userIdentity": {**identity, "autoUser": _respelled(identity["autoUser"], words)}}


def _split(package: Json) -> tuple[str, Json]:
    return package["id"], {"version": package["version"]} if "version" in package else {}


def _application_name(package: str, applications: str) -> str:
    parent, _, name = package.rpartition("/")
    if parent.lower() != applications.lower():
        reason = f"The id of an application of this account begins with {applications}/"
        raise ServiceError("InvalidApplicationPackageReferences", values=((package, reason),))
    return name


def _scaled(settings: Json) -> Json:
    if "autoScale" in settings and "fixedScale" in settings:
        reason = "Only one of autoScale and fixedScale can be specified"
        raise invalid_property("properties.scaleSettings", settings, reason)
    if scale := settings.get("autoScale"):
        body = {"enableAutoScale": True, "autoScaleFormula": scale["formula"]}
        if "evaluationInterval" in scale:
            body["autoScaleEvaluationInterval"] = scale["evaluationInterval"]
        return body
    fixed = settings.get("fixedScale", {})
    names = ("targetDedicatedNodes", "targetLowPriorityNodes", "resizeTimeout")
    return {"enableAutoScale": False, **{name: fixed[name] for name in names if name in fixed}}


def to_properties(body: Json, targets: tuple[int, int], applications: str) -> Json:
    """Return a pool of the data plane in the spelling of Azure Resource Manager."""
    properties: Json = {key: body[key] for key in (*_SAME, *_KEPT) if key in body}
    if machine := body.get("virtualMachineConfiguration"):
        renamed = _renamed(machine, "nodeAgentSKUId", "nodeAgentSkuId")
        properties["deploymentConfiguration"] = {"virtualMachineConfiguration": renamed}
    enabled = body["enableInterNodeCommunication"]
    properties["interNodeCommunication"] = "Enabled" if enabled else "Disabled"
    orders = {word: name for name, word in _ORDERS.items()}
    properties["taskSchedulingPolicy"] = _respelled(body["taskSchedulingPolicy"], orders)
    if start := body.get("startTask"):
        words = {word: name for name, word in _WORDS.items()}
        properties["startTask"] = {**start, **_user(start, words)}
    if packages := body.get("applicationPackageReferences"):
        properties["applicationPackages"] = [_reference(item, applications) for item in packages]
    return {**properties, "scaleSettings": _scale_settings(body, targets)}


def _reference(package: Json, applications: str) -> Json:
    name = package["applicationId"].rpartition("/")[2]
    version = {"version": package["version"]} if "version" in package else {}
    return {"id": f"{applications}/{name}", **version}


def _scale_settings(body: Json, targets: tuple[int, int]) -> Json:
    if body["enableAutoScale"]:
        return {
            "autoScale": {
                "formula": body["autoScaleFormula"],
                "evaluationInterval": body["autoScaleEvaluationInterval"],
            }
        }
    dedicated, low_priority = targets
    return {
        "fixedScale": {
            "targetDedicatedNodes": dedicated,
            "targetLowPriorityNodes": low_priority,
            "resizeTimeout": body["resizeTimeout"],
        }
    }
