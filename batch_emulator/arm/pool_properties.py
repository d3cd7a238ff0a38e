"""
Pools in the spelling of Azure Resource Manager and in that of the data plane.

A pool is kept as the data plane spells it. Azure Resource Manager has other names for some
properties and capitals in its enumerations; its published schema decides which values are valid.
"""

from datetime import timedelta
from typing import Final, cast

from batch_emulator.dataplane.file_bodies import RESOURCE_FILES
from batch_emulator.dataplane.machine_shapes import (
    machine,
    upgrade_policy,
    user_accounts,
    user_identity,
)
from batch_emulator.dataplane.network_shapes import network
from batch_emulator.dataplane.shapes import (
    ENVIRONMENT,
    METADATA,
    boolean,
    command_line_text,
    duration,
    inert,
    integer,
    items,
    kept,
    shape,
    text,
    unsupported,
)
from batch_emulator.dataplane.spelling import RESOURCE_MANAGER, one_of, to_arm, to_data_plane
from batch_emulator.errors import ServiceError, invalid_property
from batch_emulator.wire import Json

_MOST: Final = 2**31 - 1
_SAME: Final = (
    "displayName",
    "vmSize",
    "taskSlotsPerNode",
    "taskSchedulingPolicy",
    "metadata",
    "networkConfiguration",
    "userAccounts",
    "upgradePolicy",
    "startTask",
)
_INTER_NODE: Final = {"Enabled": True, "Disabled": False}

_ARM_START_TASK: Final = shape(
    {
        "commandLine": command_line_text,
        "environmentSettings": ENVIRONMENT,
        "userIdentity": user_identity(RESOURCE_MANAGER),
        "maxTaskRetryCount": integer(-1, _MOST),
        "waitForSuccess": boolean,
        "containerSettings": unsupported,
        "resourceFiles": RESOURCE_FILES,
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
                "nodeDeallocationOption": one_of(
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
        "deploymentConfiguration": shape(
            {
                "virtualMachineConfiguration": machine(RESOURCE_MANAGER),
                "cloudServiceConfiguration": unsupported,
            }
        ),
        "scaleSettings": _SCALE,
        "interNodeCommunication": one_of(*_INTER_NODE),
        "networkConfiguration": network(RESOURCE_MANAGER),
        "taskSlotsPerNode": integer(1, 256),
        "taskSchedulingPolicy": shape(
            {name: RESOURCE_MANAGER.word(name) for name in ("nodeFillType", "jobDefaultOrder")},
            required=("nodeFillType",),
        ),
        "userAccounts": user_accounts(RESOURCE_MANAGER),
        "metadata": METADATA,
        "startTask": _ARM_START_TASK,
        "applicationPackages": items(shape({"id": text, "version": text}, required=("id",))),
        "mountConfiguration": unsupported,
        "upgradePolicy": upgrade_policy(),
        **dict.fromkeys(
            (
                "applicationLicenses",
                "certificates",
                "resourceTags",
                "targetNodeCommunicationMode",
            ),
            unsupported,
        ),
    }
)


def _by_name(path: str, value: object) -> object:
    if not isinstance(value, dict):
        raise invalid_property(path, value, "The value must be an object")
    return value


_RESOURCE: Final = shape(
    {
        **dict.fromkeys(("id", "name", "type", "etag", "systemData"), inert),
        "properties": _PROPERTIES,
        "identity": shape(
            {"type": one_of("UserAssigned", "None"), "userAssignedIdentities": _by_name},
            required=("type",),
        ),
        "tags": kept(_by_name),
    }
)


def read_resource(body: object) -> Json:
    """
    Return the pool that ``body`` describes, without the properties that only the service sets.

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


def to_pool(name: str, properties: Json, applications: str) -> Json:
    """
    Return a pool's properties in the spelling of the data plane.

    Args:
        name: The pool's name.
        properties: Checked properties, as Azure Resource Manager spells them.
        applications: The id below which this account's applications are.

    Raises:
        ServiceError: A package is not one of this account, or the scale settings contradict each
            other.
    """
    given = to_data_plane(properties)
    body: Json = {"id": name}
    body |= {key: given[key] for key in _SAME if given.get(key)}
    deployment = given.get("deploymentConfiguration", {})
    if "virtualMachineConfiguration" in deployment:
        body["virtualMachineConfiguration"] = deployment["virtualMachineConfiguration"]
    if "interNodeCommunication" in given:
        body["enableInterNodeCommunication"] = _INTER_NODE[given["interNodeCommunication"]]
    body["applicationPackageReferences"] = [
        {**version, "applicationId": _application_name(package, applications)}
        for package, version in map(_split, given.get("applicationPackages", ()))
    ]
    return body | _scaled(given.get("scaleSettings", {}))


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
    properties: Json = {key: body[key] for key in _SAME if key in body}
    if given := body.get("virtualMachineConfiguration"):
        properties["deploymentConfiguration"] = {"virtualMachineConfiguration": given}
    enabled = body["enableInterNodeCommunication"]
    properties["interNodeCommunication"] = "Enabled" if enabled else "Disabled"
    if packages := body.get("applicationPackageReferences"):
        properties["applicationPackages"] = [_reference(item, applications) for item in packages]
    return to_arm({**properties, "scaleSettings": _scale_settings(body, targets)})


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
