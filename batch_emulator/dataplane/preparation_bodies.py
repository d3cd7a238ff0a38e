"""The job preparation task and the job release task in the request bodies of jobs."""

from datetime import timedelta
from typing import Final

from batch_emulator.dataplane.file_bodies import RESOURCE_FILES
from batch_emulator.dataplane.shapes import (
    ENVIRONMENT,
    boolean,
    command_line_text,
    duration,
    identifier,
    kept,
    shape,
    unsupported,
)
from batch_emulator.dataplane.task_bodies import (
    IDENTITY,
    TASK_CONSTRAINTS,
    complete_constraints,
    complete_identity,
)
from batch_emulator.errors import ServiceError
from batch_emulator.wire import Json

_LONGEST_RELEASE: Final = timedelta(minutes=15)

JOB_PREPARATION: Final = shape(
    {
        "id": identifier,
        "commandLine": command_line_text,
        "resourceFiles": RESOURCE_FILES,
        "environmentSettings": ENVIRONMENT,
        "constraints": TASK_CONSTRAINTS,
        "waitForSuccess": boolean,
        "rerunOnNodeRebootAfterSuccess": boolean,
        "userIdentity": IDENTITY,
        "containerSettings": unsupported,
    },
    required=("commandLine",),
    title="job preparation task",
)

JOB_RELEASE: Final = shape(
    {
        "id": identifier,
        "commandLine": command_line_text,
        "resourceFiles": RESOURCE_FILES,
        "environmentSettings": ENVIRONMENT,
        "maxWallClockTime": duration(timedelta(microseconds=1), _LONGEST_RELEASE),
        "retentionTime": kept(duration()),
        "userIdentity": IDENTITY,
        "containerSettings": unsupported,
    },
    required=("commandLine",),
    title="job release task",
)


def complete_preparation(job: Json) -> Json:
    """
    Return a job whose job preparation and job release tasks have the service's defaults.

    Raises:
        ServiceError: There is a job release task without a job preparation task, or two tasks have
            the same id.
    """
    preparation, release = job.get("jobPreparationTask"), job.get("jobReleaseTask")
    if preparation is None:
        if release is not None:
            values = (("PropertyName", "jobPreparationTask"),)
            raise ServiceError("MissingRequiredProperty", values=values)
        return job
    preparation = {
        "id": "jobpreparation",
        "waitForSuccess": True,
        "rerunOnNodeRebootAfterSuccess": True,
        **preparation,
        "constraints": complete_constraints(preparation, job["constraints"]),
        "userIdentity": complete_identity(preparation),
    }
    job = {**job, "jobPreparationTask": preparation}
    if release is not None:
        release = {
            "id": "jobrelease",
            "maxWallClockTime": "PT15M",
            "retentionTime": "P7D",
            **release,
            "userIdentity": complete_identity(release),
        }
        if release["id"].lower() == preparation["id"].lower():
            raise ServiceError("TaskIdSameAsJobPreparationTask")
        job["jobReleaseTask"] = release
    if manager := job.get("jobManagerTask"):
        refuse_id(manager["id"], job)
    return job


def refuse_id(name: str, job: Json) -> None:
    """
    Refuse the id of the job preparation or job release task for another task.

    Raises:
        ServiceError: TaskIdSameAsJobPreparationTask or TaskIdSameAsJobReleaseTask.
    """
    for kind in ("Preparation", "Release"):
        task = job.get(f"job{kind}Task")
        if task is not None and task["id"].lower() == name.lower():
            raise ServiceError(f"TaskIdSameAsJob{kind}Task")
