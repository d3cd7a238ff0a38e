"""The request bodies of pools: what is honoured, what is kept, what is refused."""

from datetime import timedelta
from typing import Final, cast

from batch_emulator.dataplane.file_bodies import RESOURCE_FILES
from batch_emulator.dataplane.images import WINDOWS_AGENT, complete_image
from batch_emulator.dataplane.machine_shapes import (
    machine,
    upgrade_policy,
    user_accounts,
    user_identity,
)
from batch_emulator.dataplane.mount_shapes import MOUNTS
from batch_emulator.dataplane.network_shapes import network
from batch_emulator.dataplane.shapes import (
    ENVIRONMENT,
    METADATA,
    PACKAGES,
    Check,
    boolean,
    command_line_text,
    duration,
    identifier,
    integer,
    kept,
    shape,
    text,
    unsupported,
)
from batch_emulator.dataplane.spelling import DATA_PLANE
from batch_emulator.dataplane.task_bodies import RETRIES, complete_identity
from batch_emulator.dataplane.vm_sizes import check_vm_size
from batch_emulator.errors import ServiceError, invalid_property
from batch_emulator.wire import Json

_NODES: Final = integer(0, 2**31 - 1)

_START_TASK: Final = shape(
    {
        "commandLine": command_line_text,
        "environmentSettings": ENVIRONMENT,
        "userIdentity": user_identity(DATA_PLANE),
        "maxTaskRetryCount": RETRIES,
        "waitForSuccess": boolean,
        "containerSettings": unsupported,
        "resourceFiles": RESOURCE_FILES,
    },
    required=("commandLine",),
    title="start task",
)

_SPECIFIED: Final[dict[str, Check]] = {
    "displayName": kept(text),
    "vmSize": kept(text),
    "virtualMachineConfiguration": kept(machine(DATA_PLANE)),
    "resizeTimeout": kept(duration(timedelta(minutes=5))),
    "targetDedicatedNodes": _NODES,
    "targetLowPriorityNodes": _NODES,
    "enableAutoScale": boolean,
    "autoScaleFormula": text,
    "autoScaleEvaluationInterval": duration(timedelta(minutes=5), timedelta(hours=168)),
    "enableInterNodeCommunication": kept(boolean),
    "networkConfiguration": kept(network(DATA_PLANE)),
    "startTask": _START_TASK,
    "applicationPackageReferences": PACKAGES,
    "taskSlotsPerNode": integer(1, 256),
    "taskSchedulingPolicy": shape(
        {
            "nodeFillType": DATA_PLANE.word("nodeFillType"),
            "jobDefaultOrder": kept(DATA_PLANE.word("jobDefaultOrder")),
        },
        required=("nodeFillType",),
    ),
    "userAccounts": user_accounts(DATA_PLANE),
    "metadata": METADATA,
    "mountConfiguration": MOUNTS,
    "upgradePolicy": upgrade_policy(),
    # What later API versions no longer have:
    **dict.fromkeys(
        (
            "applicationLicenses",
            "certificateReferences",
            "cloudServiceConfiguration",
            "resourceTags",
            "targetNodeCommunicationMode",
        ),
        unsupported,
    ),
}

POOL_BODY: Final = shape(
    {"id": identifier, **_SPECIFIED},
    required=("id", "vmSize", "virtualMachineConfiguration"),
    title="pool",
)

POOL_SPECIFICATION: Final = shape(
    _SPECIFIED, required=("vmSize", "virtualMachineConfiguration"), title="pool of a job"
)
"""A pool that is made for a job."""


def _start_task(given: Json) -> Json:
    if "commandLine" not in given:
        raise _missing("startTask.commandLine")
    return {
        **given,
        "userIdentity": complete_identity(given),
        "maxTaskRetryCount": given.get("maxTaskRetryCount", 0),
        "waitForSuccess": given.get("waitForSuccess", True),
    }


def _machine(given: Json) -> Json:
    completed = {**given, "imageReference": complete_image(given)}
    if "dataDisks" in given:
        completed["dataDisks"] = [_data_disk(disk) for disk in given["dataDisks"]]
    if "osDisk" in given:
        completed["osDisk"] = {"ephemeralOSDiskSettings": {}, **given["osDisk"]}
    return completed


def _data_disk(given: Json) -> Json:
    disk = {"caching": "none", **given}
    if "storageAccountType" not in disk:
        disk["managedDisk"] = {"storageAccountType": "standard_lrs"} | disk.get("managedDisk", {})
    return disk


def _network(given: Json) -> Json:
    completed = {"dynamicVNetAssignmentScope": "none", **given}
    if "endpointConfiguration" in given:
        pools = [_nat_pool(pool) for pool in given["endpointConfiguration"]["inboundNATPools"]]
        completed["endpointConfiguration"] = {"inboundNATPools": pools}
    return completed


def _nat_pool(given: Json) -> Json:
    if "networkSecurityGroupRules" not in given:
        return given
    rules = [{"sourcePortRanges": ["*"]} | rule for rule in given["networkSecurityGroupRules"]]
    return {**given, "networkSecurityGroupRules": rules}


def _user_account(given: Json, *, windows: bool) -> Json:
    account = {"elevationLevel": "nonadmin", **given}
    if windows:
        account["windowsUserConfiguration"] = {
            "loginMode": "batch",
            **given.get("windowsUserConfiguration", {}),
        }
    return account


def _missing(name: str) -> ServiceError:
    return ServiceError("MissingRequiredProperty", values=(("PropertyName", name),))


def _check_scale(given: Json) -> None:
    autoscale = given.get("enableAutoScale", False)
    fixed = {"targetDedicatedNodes", "targetLowPriorityNodes", "resizeTimeout"} & given.keys()
    scaled = {"autoScaleFormula", "autoScaleEvaluationInterval"} & given.keys()
    for name in sorted(fixed if autoscale else scaled):
        word = "true" if autoscale else "false"
        reason = f"The property cannot be specified when enableAutoScale is {word}"
        raise invalid_property(name, given[name], reason)
    if autoscale and "autoScaleFormula" not in given:
        reason = "A formula is required when enableAutoScale is true"
        raise invalid_property("autoScaleFormula", "", reason)


def read_pool(body: object, *, any_vm_size: bool = False) -> Json:
    """
    Return the pool that ``body`` asks for, with the service's defaults, as it is echoed.

    Args:
        body: As the client sent it.
        any_vm_size: Whether a VM size is taken that is not in the emulator's table.

    Raises:
        ServiceError: The body is wrong, or holds what the emulator does not support.
    """
    return complete_pool(cast("Json", POOL_BODY("", body)), any_vm_size=any_vm_size)


def complete_pool(given: Json, *, any_vm_size: bool = False) -> Json:
    """
    Return a pool whose properties are of the right shape, with the service's defaults.

    Raises:
        ServiceError: Properties are missing or contradict each other, or Batch has no such VM size
            or image.
    """
    for name in ("vmSize", "virtualMachineConfiguration"):
        if name not in given:
            raise _missing(name)
    _check_scale(given)
    scale = (
        {"autoScaleEvaluationInterval": "PT15M"}
        if given.get("enableAutoScale", False)
        else {"resizeTimeout": "PT15M"}
    )
    pool: Json = {
        "enableAutoScale": False,
        "enableInterNodeCommunication": False,
        "taskSlotsPerNode": 1,
        "taskSchedulingPolicy": {"nodeFillType": "Spread"},
        **scale,
        **given,
        "vmSize": check_vm_size(given["vmSize"], anything=any_vm_size),
        "virtualMachineConfiguration": _machine(given["virtualMachineConfiguration"]),
    }
    if "startTask" in pool:
        pool["startTask"] = _start_task(pool["startTask"])
    if "networkConfiguration" in pool:
        pool["networkConfiguration"] = _network(pool["networkConfiguration"])
    if "userAccounts" in pool:
        agent = pool["virtualMachineConfiguration"]["nodeAgentSKUId"]
        windows = agent.lower() == WINDOWS_AGENT
        pool["userAccounts"] = [
            _user_account(account, windows=windows) for account in pool["userAccounts"]
        ]
    return pool
