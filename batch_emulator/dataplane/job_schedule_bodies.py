"""The request bodies of job schedules."""

from datetime import datetime, timedelta
from typing import Final, cast

from batch_emulator.dataplane.job_bodies import JOB_BODY, with_usual
from batch_emulator.dataplane.shapes import (
    METADATA,
    Check,
    duration,
    further,
    identifier,
    kept,
    moment,
    shape,
    text,
)
from batch_emulator.dataplane.task_bodies import fixed
from batch_emulator.errors import invalid_property
from batch_emulator.wire import Json

_SHORTEST: Final = timedelta(minutes=1)


def _forward(path: str, value: object) -> object:
    given = cast("Json", value)
    until, after = given.get("doNotRunUntil"), given.get("doNotRunAfter")
    if until and after and datetime.fromisoformat(after) <= datetime.fromisoformat(until):
        reason = "The value must be later than doNotRunUntil"
        raise invalid_property(f"{path}.doNotRunAfter", after, reason)
    return given


_SCHEDULE: Final = shape(
    {
        "doNotRunUntil": moment,
        "doNotRunAfter": moment,
        "startWindow": duration(_SHORTEST),
        "recurrenceInterval": duration(_SHORTEST),
    }
)
_CHANGES: Final[dict[str, Check]] = {
    "schedule": further(_SCHEDULE, _forward),
    "jobSpecification": JOB_BODY.without("id", title="job specification"),
    "metadata": METADATA,
}

JOB_SCHEDULE_BODY: Final = shape(
    {"id": identifier, "displayName": kept(text), **_CHANGES},
    required=("id", "schedule", "jobSpecification"),
    title="job schedule",
)
_FIXED: Final = dict.fromkeys(JOB_SCHEDULE_BODY.names, fixed)
_UPDATE: Final = shape({**_FIXED, **_CHANGES})
_REPLACEMENT: Final = shape({**_FIXED, **_CHANGES}, required=("jobSpecification",))


def _complete(given: Json, *, any_vm_size: bool) -> Json:
    if "jobSpecification" not in given:
        return given
    specification = with_usual(given["jobSpecification"], any_vm_size=any_vm_size, of_schedule=True)
    return {**given, "jobSpecification": specification}


def read_job_schedule(body: object, *, any_vm_size: bool = False) -> Json:
    """
    Return the job schedule that ``body`` asks for, with the service's defaults, as it is echoed.

    Args:
        body: As the client sent it.
        any_vm_size: Whether pools of its own can have a VM size that is not in the emulator's table.

    Raises:
        ServiceError: The body is wrong, or holds what the emulator does not support.
    """
    return _complete(cast("Json", JOB_SCHEDULE_BODY("", body)), any_vm_size=any_vm_size)


def read_update(body: object, schedule: Json, *, any_vm_size: bool = False) -> Json:
    """
    Return a job schedule with the properties that a PATCH names, each as a whole.

    Args:
        body: As the client sent it.
        schedule: The job schedule's body until now.
        any_vm_size: As for ``read_job_schedule``.

    Raises:
        ServiceError: The body is wrong.
    """
    return {**schedule, **_complete(cast("Json", _UPDATE("", body)), any_vm_size=any_vm_size)}


def read_replacement(body: object, schedule: Json, *, any_vm_size: bool = False) -> Json:
    """
    Return a job schedule with the properties of a PUT, and without those that it lacks.

    Args:
        body: As the client sent it.
        schedule: The job schedule's body until now.
        any_vm_size: As for ``read_job_schedule``.

    Raises:
        ServiceError: The body is wrong.
    """
    given = _complete(cast("Json", _REPLACEMENT("", body)), any_vm_size=any_vm_size)
    unchanged = {name: value for name, value in schedule.items() if name not in _CHANGES}
    return {**unchanged, **given}
