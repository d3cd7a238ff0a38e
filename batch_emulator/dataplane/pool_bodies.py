"""The request bodies of pools: what is honoured, what is kept, what is refused."""

from datetime import timedelta
from typing import Final, cast

from batch_emulator.dataplane.shapes import (
    ENVIRONMENT,
    METADATA,
    PACKAGES,
    boolean,
    choice,
    command_line_text,
    duration,
    identifier,
    inert,
    integer,
    kept,
    only,
    shape,
    text,
    unsupported,
)
from batch_emulator.dataplane.task_bodies import DEFAULT_IDENTITY, RETRIES
from batch_emulator.errors import invalid_property
from batch_emulator.wire import Json

_NODES: Final = integer(0, 2**31 - 1)

_START_TASK: Final = shape(
    {
        "commandLine": command_line_text,
        "environmentSettings": ENVIRONMENT,
        "userIdentity": inert,
        "maxTaskRetryCount": RETRIES,
        "waitForSuccess": boolean,
        "containerSettings": unsupported,
        "resourceFiles": only([]),
    },
    required=("commandLine",),
    title="start task",
)

POOL_BODY: Final = shape(
    {
        "id": identifier,
        "displayName": kept(text),
        "vmSize": kept(text),
        "virtualMachineConfiguration": inert,
        "resizeTimeout": kept(duration(timedelta(minutes=5))),
        "targetDedicatedNodes": _NODES,
        "targetLowPriorityNodes": _NODES,
        "enableAutoScale": boolean,
        "autoScaleFormula": text,
        "autoScaleEvaluationInterval": duration(timedelta(minutes=5), timedelta(hours=168)),
        "enableInterNodeCommunication": inert,
        "networkConfiguration": inert,
        "startTask": _START_TASK,
        "applicationPackageReferences": PACKAGES,
        "taskSlotsPerNode": integer(1, 256),
        "taskSchedulingPolicy": shape(
            {
                "nodeFillType": choice("Spread", "Pack"),
                "jobDefaultOrder": kept(choice("none", "creationtime")),
            },
            required=("nodeFillType",),
        ),
        "userAccounts": inert,
        "metadata": METADATA,
        "mountConfiguration": unsupported,
        "upgradePolicy": inert,
    },
    required=("id", "vmSize"),
    title="pool",
)


def _start_task(given: Json) -> Json:
    return {
        **given,
        "userIdentity": given.get("userIdentity", DEFAULT_IDENTITY),
        "maxTaskRetryCount": given.get("maxTaskRetryCount", 0),
        "waitForSuccess": given.get("waitForSuccess", True),
    }


def read_pool(body: object) -> Json:
    """
    Return the pool that ``body`` asks for, with the service's defaults, as it is echoed.

    Raises:
        ServiceError: The body is wrong, or holds what the emulator does not support.
    """
    given = cast("Json", POOL_BODY("", body))
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
    defaults: Json = {
        "enableAutoScale": False,
        "enableInterNodeCommunication": False,
        "taskSlotsPerNode": 1,
        "taskSchedulingPolicy": {"nodeFillType": "Spread"},
    }
    defaults |= (
        {"autoScaleEvaluationInterval": "PT15M"} if autoscale else {"resizeTimeout": "PT15M"}
    )
    pool = defaults | given
    pool["vmSize"] = pool["vmSize"].lower()
    if "startTask" in pool:
        pool["startTask"] = _start_task(pool["startTask"])
    return pool
