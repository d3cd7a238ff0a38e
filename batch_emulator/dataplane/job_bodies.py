"""The request bodies of jobs: what is honoured, what is kept, what is refused."""

from typing import Final, cast

from batch_emulator.dataplane.shapes import (
    ENVIRONMENT,
    METADATA,
    boolean,
    command_line_text,
    identifier,
    inert,
    integer,
    items,
    kept,
    off,
    only,
    shape,
    text,
    unsupported,
)
from batch_emulator.dataplane.task_bodies import (
    DEFAULT_IDENTITY,
    ENDLESS,
    OUTPUT_FILE,
    RETRIES,
    TASK_CONSTRAINTS,
    WALL_CLOCK,
)
from batch_emulator.errors import not_supported
from batch_emulator.wire import Json

_JOB_MANAGER: Final = shape(
    {
        "id": identifier,
        "displayName": kept(text),
        "commandLine": command_line_text,
        "outputFiles": items(OUTPUT_FILE),
        "environmentSettings": ENVIRONMENT,
        "constraints": TASK_CONSTRAINTS,
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
    title="job manager task",
)

JOB_BODY: Final = shape(
    {
        "id": identifier,
        "displayName": kept(text),
        "usesTaskDependencies": off,
        "priority": integer(-1000, 1000),
        "allowTaskPreemption": off,
        "maxParallelTasks": only(-1),
        "constraints": shape({"maxWallClockTime": WALL_CLOCK, "maxTaskRetryCount": RETRIES}),
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
    title="job",
)

_TERMINATION: Final = shape({"terminateReason": text})


def _manager(given: Json, job_constraints: Json) -> Json:
    constraints: Json = {
        "maxWallClockTime": ENDLESS,
        "retentionTime": "P7D",
        "maxTaskRetryCount": job_constraints["maxTaskRetryCount"],
    }
    return {
        **given,
        "constraints": constraints | given.get("constraints", {}),
        "requiredSlots": given.get("requiredSlots", 1),
        "userIdentity": given.get("userIdentity", DEFAULT_IDENTITY),
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
    given = cast("Json", JOB_BODY("", body))
    if "jobManagerTask" not in given:
        raise not_supported("a job without property jobManagerTask, since tasks cannot be added")
    constraints: Json = {"maxWallClockTime": ENDLESS, "maxTaskRetryCount": 0}
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
