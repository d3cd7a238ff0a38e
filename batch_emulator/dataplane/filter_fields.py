"""
What each list can be filtered by, as the service documents it.

From "OData filters in Azure Batch", learn.microsoft.com/rest/api/batchservice/odata-filters-in-batch.
That page calls the time of a task's last change ``lastModifiedTime``; replies call it
``lastModified``. Both names are accepted.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from operator import attrgetter, itemgetter
from typing import Any, Final

from batch_emulator.dataplane.filters import (
    Field,
    flag_field,
    number_field,
    text_field,
    time_field,
)
from batch_emulator.dataplane.filters.fields import ORDER
from batch_emulator.dataplane.filters.syntax import Operator
from batch_emulator.runtime.execution import Execution
from batch_emulator.runtime.state.job import Job
from batch_emulator.runtime.state.job_schedule import JobSchedule
from batch_emulator.runtime.state.node import Node
from batch_emulator.runtime.state.pool import Pool
from batch_emulator.runtime.state.task import Task
from batch_emulator.runtime.state.visit import Visit
from batch_emulator.wire import Json

_EQ: Final = frozenset({Operator.EQ})


def _time[T](name: str) -> Field[T]:
    return time_field(attrgetter(name))


def _text(name: str) -> Field[Json]:
    return text_field(itemgetter(name))


def _side_task[T](name: str, read: Callable[[T], Execution | None]) -> dict[str, Field[T]]:
    """Return the fields of the last run of a start, job preparation or job release task."""

    def known(thing: T) -> Execution:
        return read(thing) or Execution()

    def state(thing: T) -> str | None:
        if (execution := read(thing)) is None:
            return None
        return "completed" if execution.ended else "running"

    return {
        f"{name}/state": text_field(state, _EQ),
        f"{name}/result": text_field(lambda thing: known(thing).result),
        f"{name}/exitCode": number_field(lambda thing: known(thing).exit_code),
        f"{name}/startTime": time_field(lambda thing: known(thing).started),
        f"{name}/endTime": time_field(lambda thing: known(thing).ended),
    }


def _begun(job: Job) -> datetime:
    return job.created


def _not_before(schedule: JobSchedule) -> datetime | None:
    return (
        schedule.recurrence.start if "doNotRunUntil" in schedule.body.get("schedule", {}) else None
    )


POOL_FIELDS: Final[dict[str, Field[Pool]]] = {
    "id": text_field(attrgetter("id"), ORDER, prefix=True),
    "state": text_field(attrgetter("state")),
    "stateTransitionTime": _time("state_since"),
    "allocationState": text_field(attrgetter("allocation")),
    "allocationStateTransitionTime": _time("allocation_since"),
    "creationTime": _time("created"),
    "enableAutoScale": flag_field(lambda pool: pool.body.get("enableAutoScale")),
    "lastModified": _time("modified"),
    "vmSize": text_field(lambda pool: pool.body.get("vmSize")),
    "enableInterNodeCommunication": flag_field(
        lambda pool: pool.body.get("enableInterNodeCommunication")
    ),
}
NODE_FIELDS: Final[dict[str, Field[Node]]] = {
    "state": text_field(attrgetter("state")),
    "stateTransitionTime": _time("state_since"),
    "lastBootTime": _time("booted"),
    "allocationTime": _time("allocated"),
    **_side_task("startTaskInfo", attrgetter("start")),
}
VISIT_FIELDS: Final[dict[str, Field[Visit]]] = {
    "poolId": text_field(attrgetter("node.pool.id")),
    "nodeId": text_field(attrgetter("node.id")),
    **_side_task("jobPreparationTaskExecutionInfo", attrgetter("preparation")),
    **_side_task("jobReleaseTaskExecutionInfo", attrgetter("release")),
}
JOB_FIELDS: Final[dict[str, Field[Job]]] = {
    "id": text_field(attrgetter("id"), ORDER, prefix=True),
    "state": text_field(attrgetter("state")),
    "stateTransitionTime": _time("state_since"),
    "creationTime": _time("created"),
    "lastModified": _time("modified"),
    "executionInfo/startTime": time_field(_begun),
    "executionInfo/endTime": _time("ended"),
    "executionInfo/poolId": text_field(attrgetter("pool_id"), ORDER, prefix=True),
}
SCHEDULED_JOB_FIELDS: Final = {name: field for name, field in JOB_FIELDS.items() if name != "id"}
"""The fields of the jobs of one job schedule."""
JOB_SCHEDULE_FIELDS: Final[dict[str, Field[JobSchedule]]] = {
    "id": text_field(attrgetter("id"), ORDER, prefix=True),
    "state": text_field(attrgetter("state")),
    "stateTransitionTime": _time("state_since"),
    "creationTime": _time("created"),
    "lastModified": _time("modified"),
    "executionInfo/endTime": _time("ended"),
    "schedule/doNotRunUntil": time_field(_not_before),
    "schedule/doNotRunAfter": time_field(attrgetter("recurrence.end")),
}
TASK_FIELDS: Final[dict[str, Field[Task]]] = {
    "id": text_field(attrgetter("id"), ORDER, prefix=True),
    "state": text_field(attrgetter("state")),
    "stateTransitionTime": _time("state_since"),
    "creationTime": _time("created"),
    "lastModified": _time("modified"),
    "lastModifiedTime": _time("modified"),
    "executionInfo/startTime": time_field(lambda task: task.execution.started),
    "executionInfo/endTime": time_field(lambda task: task.execution.ended),
    "executionInfo/exitCode": number_field(lambda task: task.execution.exit_code),
    "executionInfo/result": text_field(lambda task: task.execution.result),
}
NODE_COUNT_FIELDS: Final[dict[str, Field[Pool]]] = {"poolId": text_field(attrgetter("id"), _EQ)}
IMAGE_FIELDS: Final = {
    name: _text(name) for name in ("nodeAgentSKUId", "osType", "verificationType")
}


def file_fields[T](name: Callable[[T], str]) -> dict[str, Field[T]]:
    """Return the only field of a list of files: the beginning of the name."""
    return {"name": text_field(name, frozenset(), prefix=True)}


FILTERED: Final[dict[tuple[str, ...], Mapping[str, Field[Any]]]] = {
    ("list_pools",): POOL_FIELDS,
    ("list_nodes",): NODE_FIELDS,
    ("list_pool_node_counts",): NODE_COUNT_FIELDS,
    ("list_supported_images",): IMAGE_FIELDS,
    ("list_jobs",): JOB_FIELDS,
    ("list_jobs_from_schedule",): SCHEDULED_JOB_FIELDS,
    ("list_job_schedules",): JOB_SCHEDULE_FIELDS,
    ("list_job_preparation_and_release_task_status",): VISIT_FIELDS,
    ("list_tasks",): TASK_FIELDS,
    ("list_task_files", "list_node_files"): file_fields(str),
}
"""The fields by the names of the operations."""
