"""The request bodies of jobs: what is honoured, what is kept, what is refused."""

from typing import Final, cast

from batch_emulator.dataplane.auto_pool_bodies import POOL_INFO, complete_pool_info
from batch_emulator.dataplane.preparation_bodies import (
    JOB_PREPARATION,
    JOB_RELEASE,
    complete_preparation,
)
from batch_emulator.dataplane.shapes import (
    ENVIRONMENT,
    METADATA,
    Check,
    boolean,
    choice,
    further,
    identifier,
    integer,
    kept,
    off,
    shape,
    text,
    unsupported,
)
from batch_emulator.dataplane.task_bodies import (
    ENDLESS,
    JOB_MANAGER,
    RETRIES,
    WALL_CLOCK,
    fixed,
    with_defaults,
)
from batch_emulator.errors import invalid_property
from batch_emulator.runtime.enums import TaskStop
from batch_emulator.wire import Json


def _parallel(path: str, value: object) -> object:
    if not value:
        raise invalid_property(path, value, "The value must be -1 or greater than 0")
    return value


_PRIORITY: Final = integer(-1000, 1000)
_CONSTRAINTS: Final = shape({"maxWallClockTime": WALL_CLOCK, "maxTaskRetryCount": RETRIES})
_ON_ALL_TASKS_COMPLETE: Final = choice("noaction", "terminatejob")

JOB_BODY: Final = shape(
    {
        "id": identifier,
        "displayName": kept(text),
        "usesTaskDependencies": boolean,
        "priority": _PRIORITY,
        "allowTaskPreemption": off,
        "maxParallelTasks": further(integer(-1, 2**31 - 1), _parallel),
        "constraints": _CONSTRAINTS,
        "jobManagerTask": JOB_MANAGER,
        "jobPreparationTask": JOB_PREPARATION,
        "jobReleaseTask": JOB_RELEASE,
        "commonEnvironmentSettings": ENVIRONMENT,
        "poolInfo": POOL_INFO,
        "onAllTasksComplete": _ON_ALL_TASKS_COMPLETE,
        "onTaskFailure": choice("noaction", "performexitoptionsjobaction"),
        "networkConfiguration": unsupported,
        "metadata": METADATA,
    },
    required=("id", "poolInfo"),
    title="job",
)

_CHANGES: Final[dict[str, Check]] = {
    "priority": _PRIORITY,
    "allowTaskPreemption": off,
    "maxParallelTasks": further(integer(-1, 2**31 - 1), _parallel),
    "constraints": _CONSTRAINTS,
    "poolInfo": POOL_INFO,
    "onAllTasksComplete": _ON_ALL_TASKS_COMPLETE,
    "networkConfiguration": unsupported,
    "metadata": METADATA,
}
_UPDATE: Final = shape({**dict.fromkeys(JOB_BODY.names, fixed), **_CHANGES})
_REPLACEMENT: Final = shape(
    {**dict.fromkeys(JOB_BODY.names, fixed), **_CHANGES}, required=("poolInfo",)
)
_DISABLING: Final = shape(
    {"disableTasks": choice("requeue", "terminate", "wait")}, required=("disableTasks",)
)
_TERMINATION: Final = shape({"terminateReason": text})

_USUAL_CONSTRAINTS: Final[Json] = {"maxWallClockTime": ENDLESS, "maxTaskRetryCount": 0}
_USUAL: Final[Json] = {
    "priority": 0,
    "maxParallelTasks": -1,
    "allowTaskPreemption": False,
    "onAllTasksComplete": "noaction",
}


def _constraints(given: Json) -> Json:
    return {**_USUAL_CONSTRAINTS, **given.get("constraints", {})}


def _manager(given: Json, job_constraints: Json) -> Json:
    return {
        **with_defaults(given, job_constraints),
        "runExclusive": given.get("runExclusive", True),
        "allowLowPriorityNode": given.get("allowLowPriorityNode", True),
        "killJobOnCompletion": given.get("killJobOnCompletion", True),
    }


def read_job(body: object, *, any_vm_size: bool = False) -> Json:
    """
    Return the job that ``body`` asks for, with the service's defaults, as it is echoed.

    Args:
        body: As the client sent it.
        any_vm_size: Whether its own pool can have a VM size that is not in the emulator's table.

    Raises:
        ServiceError: The body is wrong, or holds what the emulator does not support.
    """
    return with_usual(cast("Json", JOB_BODY("", body)), any_vm_size=any_vm_size)


def with_usual(given: Json, *, any_vm_size: bool, of_schedule: bool = False) -> Json:
    """
    Return a job or a job specification with the service's defaults.

    Args:
        given: A body that passed the check.
        any_vm_size: As for ``read_job``.
        of_schedule: Whether it is the specification of a job schedule.

    Raises:
        ServiceError: The properties contradict each other.
    """
    pool_info = complete_pool_info(
        given["poolInfo"], any_vm_size=any_vm_size, of_schedule=of_schedule
    )
    constraints = _constraints(given)
    job = {
        **_USUAL,
        "usesTaskDependencies": False,
        "onTaskFailure": "noaction",
        **given,
        "constraints": constraints,
        "poolInfo": pool_info,
    }
    if manager := given.get("jobManagerTask"):
        job["jobManagerTask"] = _manager(manager, constraints)
    return complete_preparation(job)


def read_update(body: object, job: Json, *, any_vm_size: bool = False) -> Json:
    """
    Return a job with the properties that a PATCH names; constraints are replaced as a whole.

    Args:
        body: As the client sent it.
        job: The job's body until now.
        any_vm_size: As for ``read_job``.

    Raises:
        ServiceError: The body is wrong.
    """
    given = cast("Json", _UPDATE("", body))
    if "constraints" in given:
        given["constraints"] = _constraints(given)
    if "poolInfo" in given:
        given["poolInfo"] = _changed_pool_info(given, job, any_vm_size=any_vm_size)
    return {**job, **given}


def _changed_pool_info(given: Json, job: Json, *, any_vm_size: bool) -> Json:
    """Return a job's new ``poolInfo``; a job of a job schedule keeps the schedule's pool."""
    before = job["poolInfo"].get("autoPoolSpecification", {})
    of_schedule = before.get("poolLifetimeOption") == "jobschedule"
    return complete_pool_info(given["poolInfo"], any_vm_size=any_vm_size, of_schedule=of_schedule)


def read_replacement(body: object, job: Json, *, any_vm_size: bool = False) -> Json:
    """
    Return a job with the changeable properties of a PUT; absent ones get their defaults.

    Args:
        body: As the client sent it.
        job: The job's body until now.
        any_vm_size: As for ``read_job``.

    Raises:
        ServiceError: The body is wrong.
    """
    given = cast("Json", _REPLACEMENT("", body))
    unchanged = {name: value for name, value in job.items() if name not in _CHANGES}
    given["poolInfo"] = _changed_pool_info(given, job, any_vm_size=any_vm_size)
    return {**unchanged, **_USUAL, **given, "constraints": _constraints(given)}


def read_disabling(body: object) -> TaskStop | None:
    """
    Return what stops the running tasks of a job; None lets them finish.

    Raises:
        ServiceError: The body is wrong.
    """
    option = cast("Json", _DISABLING("", body))["disableTasks"]
    return None if option == "wait" else TaskStop(option)


def read_termination(body: object) -> str | None:
    """
    Return the client's reason for ending a job, if it gives one.

    Raises:
        ServiceError: The body is wrong.
    """
    return cast("Json", _TERMINATION("", body)).get("terminateReason")
