"""The request bodies of pools and jobs: what is honoured, what is kept, what is refused."""

from datetime import timedelta
from typing import Final, cast
from urllib.parse import urlsplit

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
    items,
    off,
    only,
    shape,
    text,
    unsupported,
)
from batch_emulator.errors import invalid_property, not_supported
from batch_emulator.wire import UNLIMITED, Json, print_duration

_ENDLESS = print_duration(UNLIMITED)
_NODES = integer(0, 2**31 - 1)
_RETRIES = integer(-1, 2**31 - 1)
_WALL_CLOCK = duration(timedelta(microseconds=1))
_DEFAULT_IDENTITY: Final[Json] = {"autoUser": {"scope": "pool", "elevationLevel": "nonadmin"}}


def _container_url(path: str, value: object) -> object:
    url = urlsplit(cast("str", text(path, value)))
    if url.scheme not in {"http", "https"} or not url.netloc:
        raise invalid_property(path, value, "The specified URL is not a valid URI")
    if url.query:
        raise not_supported(f"property {path} with a shared access signature")
    return value


_START_TASK: Final = shape(
    {
        "commandLine": command_line_text,
        "environmentSettings": ENVIRONMENT,
        "userIdentity": inert,
        "maxTaskRetryCount": _RETRIES,
        "waitForSuccess": boolean,
        "containerSettings": unsupported,
        "resourceFiles": only([]),
    },
    required=("commandLine",),
)

_POOL_BODY: Final = shape(
    {
        "id": identifier,
        "displayName": text,
        "vmSize": text,
        "virtualMachineConfiguration": inert,
        "resizeTimeout": duration(timedelta(minutes=5)),
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
                "jobDefaultOrder": choice("none", "creationtime"),
            },
            required=("nodeFillType",),
        ),
        "userAccounts": inert,
        "metadata": METADATA,
        "mountConfiguration": unsupported,
        "upgradePolicy": inert,
    },
    required=("id", "vmSize"),
)

_OUTPUT_FILE: Final = shape(
    {
        "filePattern": text,
        "destination": shape(
            {
                "container": shape(
                    {
                        "containerUrl": _container_url,
                        "path": text,
                        "identityReference": shape({"resourceId": text}, required=("resourceId",)),
                        "uploadHeaders": unsupported,
                    },
                    required=("containerUrl", "identityReference"),
                )
            },
            required=("container",),
        ),
        "uploadOptions": shape(
            {"uploadCondition": choice("TaskSuccess", "TaskFailure", "TaskCompletion")},
            required=("uploadCondition",),
        ),
    },
    required=("filePattern", "destination", "uploadOptions"),
)

_TASK_CONSTRAINTS: Final = shape(
    {
        "maxWallClockTime": _WALL_CLOCK,
        "retentionTime": duration(),
        "maxTaskRetryCount": _RETRIES,
    }
)

_JOB_MANAGER: Final = shape(
    {
        "id": identifier,
        "displayName": text,
        "commandLine": command_line_text,
        "outputFiles": items(_OUTPUT_FILE),
        "environmentSettings": ENVIRONMENT,
        "constraints": _TASK_CONSTRAINTS,
        "requiredSlots": integer(1, 256),
        "killJobOnCompletion": boolean,
        "userIdentity": inert,
        "runExclusive": boolean,
        "allowLowPriorityNode": boolean,
        "containerSettings": unsupported,
        "resourceFiles": only([]),
        "applicationPackageReferences": only([]),
        "authenticationTokenSettings": unsupported,
    },
    required=("id", "commandLine"),
)

_JOB_BODY: Final = shape(
    {
        "id": identifier,
        "displayName": text,
        "usesTaskDependencies": off,
        "priority": integer(-1000, 1000),
        "allowTaskPreemption": off,
        "maxParallelTasks": only(-1),
        "constraints": shape({"maxWallClockTime": _WALL_CLOCK, "maxTaskRetryCount": _RETRIES}),
        "jobManagerTask": _JOB_MANAGER,
        "jobPreparationTask": unsupported,
        "jobReleaseTask": unsupported,
        "commonEnvironmentSettings": ENVIRONMENT,
        "poolInfo": shape(
            {"poolId": identifier, "autoPoolSpecification": unsupported}, required=("poolId",)
        ),
        "onAllTasksComplete": only("noaction"),
        "onTaskFailure": only("noaction"),
        "networkConfiguration": unsupported,
        "metadata": METADATA,
    },
    required=("id", "poolInfo"),
)

_TERMINATION: Final = shape({"terminateReason": text})


def _start_task(given: Json) -> Json:
    return {
        **given,
        "userIdentity": given.get("userIdentity", _DEFAULT_IDENTITY),
        "maxTaskRetryCount": given.get("maxTaskRetryCount", 0),
        "waitForSuccess": given.get("waitForSuccess", True),
    }


def read_pool(body: object) -> Json:
    """
    Return the pool that ``body`` asks for, with the service's defaults, as it is echoed.

    Raises:
        ServiceError: The body is wrong, or holds what the emulator does not support.
    """
    given = cast("Json", _POOL_BODY("", body))
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


def _manager(given: Json, job_constraints: Json) -> Json:
    constraints: Json = {
        "maxWallClockTime": _ENDLESS,
        "retentionTime": "P7D",
        "maxTaskRetryCount": job_constraints["maxTaskRetryCount"],
    }
    return {
        **given,
        "constraints": constraints | given.get("constraints", {}),
        "requiredSlots": given.get("requiredSlots", 1),
        "userIdentity": given.get("userIdentity", _DEFAULT_IDENTITY),
        "runExclusive": given.get("runExclusive", True),
        "allowLowPriorityNode": given.get("allowLowPriorityNode", True),
        "killJobOnCompletion": given.get("killJobOnCompletion", True),
    }


def read_job(body: object) -> Json:
    """
    Return the job that ``body`` asks for, with the service's defaults, as it is echoed.

    Raises:
        ServiceError: The body is wrong, or holds what the emulator does not support.
    """
    given = cast("Json", _JOB_BODY("", body))
    if "jobManagerTask" not in given:
        raise not_supported("a job without property jobManagerTask, since tasks cannot be added")
    constraints: Json = {"maxWallClockTime": _ENDLESS, "maxTaskRetryCount": 0}
    constraints |= given.get("constraints", {})
    return {
        "priority": 0,
        "maxParallelTasks": -1,
        "usesTaskDependencies": False,
        "allowTaskPreemption": False,
        "onAllTasksComplete": "noaction",
        "onTaskFailure": "noaction",
        **given,
        "constraints": constraints,
        "jobManagerTask": _manager(given["jobManagerTask"], constraints),
    }


def read_termination(body: object) -> str | None:
    """
    Return the reason that a client gives for ending a job, if it gives one.

    Raises:
        ServiceError: The body is wrong.
    """
    return cast("Json", _TERMINATION("", body)).get("terminateReason")
