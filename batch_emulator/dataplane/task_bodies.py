"""The request bodies of tasks, and what the other bodies share with them."""

from datetime import timedelta
from typing import Final, cast

from batch_emulator.dataplane.file_bodies import OUTPUT_FILES, RESOURCE_FILES
from batch_emulator.dataplane.machine_shapes import user_identity
from batch_emulator.dataplane.mount_shapes import CONTAINER
from batch_emulator.dataplane.shapes import (
    ENVIRONMENT,
    PACKAGES,
    Check,
    boolean,
    choice,
    command_line_text,
    duration,
    further,
    identifier,
    integer,
    items,
    kept,
    shape,
    text,
    unsupported,
)
from batch_emulator.dataplane.spelling import DATA_PLANE
from batch_emulator.errors import ServiceError, invalid_property
from batch_emulator.wire import UNLIMITED, Json, print_duration

MOST_COLLECTION_BYTES: Final = 1024 * 1024
"""The largest size of a collection of new tasks, and by assumption of a single new task."""

_MOST_TASKS: Final = 100
"""The largest number of tasks that can be added at once."""

_MOST_ID_CHARACTERS: Final = 64_000
_INT32: Final = integer(-(2**31), 2**31 - 1)
_NATURAL: Final = integer(0, 2**31 - 1)

IDENTITY: Final = user_identity(DATA_PLANE)
ENDLESS: Final = print_duration(UNLIMITED)
RETRIES: Final = integer(-1, 2**31 - 1)
WALL_CLOCK: Final = duration(timedelta(microseconds=1))
DEFAULT_IDENTITY: Final[Json] = {"autoUser": {"scope": "pool", "elevationLevel": "nonadmin"}}


TASK_CONSTRAINTS: Final = shape(
    {
        "maxWallClockTime": WALL_CLOCK,
        "retentionTime": kept(duration()),
        "maxTaskRetryCount": RETRIES,
    }
)

_OF_EVERY_TASK: Final[dict[str, Check]] = {
    "id": identifier,
    "displayName": kept(text),
    "commandLine": command_line_text,
    "resourceFiles": RESOURCE_FILES,
    "outputFiles": OUTPUT_FILES,
    "environmentSettings": ENVIRONMENT,
    "constraints": TASK_CONSTRAINTS,
    "requiredSlots": integer(1, 256),
    "userIdentity": IDENTITY,
    "applicationPackageReferences": PACKAGES,
    "containerSettings": CONTAINER,
    "authenticationTokenSettings": unsupported,
}

JOB_MANAGER: Final = shape(
    {
        **_OF_EVERY_TASK,
        "killJobOnCompletion": boolean,
        "runExclusive": boolean,
        "allowLowPriorityNode": boolean,
    },
    required=("id", "commandLine"),
    title="job manager task",
)

_EXIT_OPTIONS: Final = shape(
    {
        "jobAction": choice("none", "disable", "terminate"),
        "dependencyAction": choice("satisfy", "block"),
    }
)

_EXIT_CONDITIONS: Final = shape(
    {
        "exitCodes": items(
            shape({"code": _INT32, "exitOptions": _EXIT_OPTIONS}, required=("code", "exitOptions"))
        ),
        "exitCodeRanges": items(
            shape(
                {"start": _INT32, "end": _INT32, "exitOptions": _EXIT_OPTIONS},
                required=("start", "end", "exitOptions"),
            )
        ),
        "preProcessingError": _EXIT_OPTIONS,
        "fileUploadError": _EXIT_OPTIONS,
        "default": _EXIT_OPTIONS,
    }
)

_ID_RANGE: Final = shape({"start": _NATURAL, "end": _NATURAL}, required=("start", "end"))


def _forward(path: str, value: object) -> object:
    span = cast("Json", value)
    if span["start"] > span["end"]:
        raise invalid_property(f"{path}.end", span["end"], "The range ends before it starts")
    return span


TASK: Final = shape(
    {
        **_OF_EVERY_TASK,
        "exitConditions": _EXIT_CONDITIONS,
        "affinityInfo": shape({"affinityId": text}, required=("affinityId",)),
        "dependsOn": shape(
            {"taskIds": items(text), "taskIdRanges": items(further(_ID_RANGE, _forward))}
        ),
        "multiInstanceSettings": unsupported,
    },
    required=("id", "commandLine"),
    title="task",
)


def fixed(path: str, _value: object) -> object:
    """Refuse to change a property that only a creation can set."""
    values = (("PropertyName", path), ("Reason", "Only the creation can set the property"))
    raise ServiceError("PropertyCannotBeUpdated", values=values)


_CHANGE: Final = shape(dict.fromkeys(TASK.names, fixed) | {"constraints": TASK_CONSTRAINTS})


def _named(path: str, value: object) -> object:
    # Only the id is checked here: whatever else is wrong with one task does not concern the others.
    if not isinstance(value, dict) or not isinstance(value.get("id"), str):
        raise ServiceError("MissingRequiredProperty", values=(("PropertyName", f"{path}.id"),))
    return value


_COLLECTION: Final = shape({"value": items(_named, maximum=_MOST_TASKS)}, required=("value",))


def complete_constraints(given: Json, job_constraints: Json) -> Json:
    """Return the constraints of a task as they are echoed; retries are the job's by default."""
    usual: Json = {
        "maxWallClockTime": ENDLESS,
        "retentionTime": "P7D",
        "maxTaskRetryCount": job_constraints["maxTaskRetryCount"],
    }
    usual.update(given.get("constraints", {}))
    return usual


def with_defaults(given: Json, job_constraints: Json) -> Json:
    """Return a task as it is echoed, with what the service adds."""
    return {
        **given,
        "constraints": complete_constraints(given, job_constraints),
        "requiredSlots": given.get("requiredSlots", 1),
        "userIdentity": complete_identity(given),
    }


def complete_identity(given: Json) -> Json:
    """Return the ``userIdentity`` of a task as it is echoed: an automatic user has all properties."""
    identity: Json = given.get("userIdentity", DEFAULT_IDENTITY)
    if not isinstance(automatic := identity.get("autoUser"), dict):
        return identity
    return {**identity, "autoUser": {**DEFAULT_IDENTITY["autoUser"], **automatic}}


def read_task(body: object, job_constraints: Json) -> Json:
    """
    Return the task that ``body`` asks for, with the service's defaults, as it is echoed.

    Raises:
        ServiceError: The body is wrong, or holds what the emulator does not support.
    """
    given = cast("Json", TASK("", body))
    names = given.get("dependsOn", {}).get("taskIds", ())
    if sum(map(len, names)) > _MOST_ID_CHARACTERS:
        raise ServiceError("TaskDependencyListTooLong")
    return with_defaults(given, job_constraints)


def read_task_change(body: object, job_constraints: Json) -> Json:
    """
    Return the new constraints of a task.

    Raises:
        ServiceError: The body is wrong.
    """
    return complete_constraints(cast("Json", _CHANGE("", body)), job_constraints)


def read_collection(body: object) -> list[Json]:
    """
    Return the bodies of the tasks to add at once.

    Raises:
        ServiceError: The body is wrong.
    """
    values: list[Json] = cast("Json", _COLLECTION("", body))["value"]
    return values
