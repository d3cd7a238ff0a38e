"""
What ``$expand=stats`` adds to pools, job schedules, jobs and tasks, as far as the emulator knows it.

Times and counts are those of the tasks that are there; processors, disks and networks are not
measured, so that their numbers are zero. The service rolls statistics up about every 30 minutes;
these are always current.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

from batch_emulator.dataplane.job_schedule_views import job_schedule_url
from batch_emulator.dataplane.views import job_url, pool_url, task_url
from batch_emulator.runtime.backlog import Progress
from batch_emulator.runtime.state.job import Job
from batch_emulator.runtime.state.job_schedule import JobSchedule
from batch_emulator.runtime.state.pool import Pool
from batch_emulator.runtime.state.task import Task
from batch_emulator.wire import Json, print_duration, print_time

_NOTHING: Final = timedelta()
_PLACE: Final = "lifetimestats"
_UNMEASURED_OF_TASKS: Final[Json] = {
    "userCPUTime": print_duration(_NOTHING),
    "kernelCPUTime": print_duration(_NOTHING),
    "readIOps": "0",
    "writeIOps": "0",
    "readIOGiB": 0.0,
    "writeIOGiB": 0.0,
}
_UNMEASURED_OF_POOLS: Final[Json] = {
    "avgCPUPercentage": 0.0,
    "avgMemoryGiB": 0.0,
    "peakMemoryGiB": 0.0,
    "avgDiskGiB": 0.0,
    "peakDiskGiB": 0.0,
    "diskReadIOps": "0",
    "diskWriteIOps": "0",
    "diskReadGiB": 0.0,
    "diskWriteGiB": 0.0,
    "networkReadGiB": 0.0,
    "networkWriteGiB": 0.0,
}


def task_statistics(task: Task, base: str) -> Json:
    """Print the statistics of a task."""
    moment = task.job.clock.now()
    return {
        "url": f"{task_url(base, task)}/{_PLACE}",
        **_span(task.created, moment),
        **_UNMEASURED_OF_TASKS,
        "wallClockTime": print_duration(_running_time(task, moment)),
        "waitTime": print_duration(_waiting_time(task)),
    }


def job_statistics(job: Job, base: str) -> Json:
    """Print the statistics of a job: the sums over its tasks."""
    address = f"{job_url(base, job)}/{_PLACE}"
    return {"url": address, **_sums([job], job.created, job.clock.now())}


def job_schedule_statistics(schedule: JobSchedule, jobs: Iterable[Job], base: str) -> Json:
    """Print the statistics of a job schedule: the sums over the jobs that it has made."""
    address = f"{job_schedule_url(base, schedule)}/{_PLACE}"
    return {"url": address, **_sums([*jobs], schedule.created, schedule.clock.now())}


def _sums(jobs: Sequence[Job], since: datetime, moment: datetime) -> Json:
    tasks = [task for job in jobs for task in job.tasks]
    return {
        **_span(since, moment),
        **_UNMEASURED_OF_TASKS,
        "wallClockTime": print_duration(
            sum((_running_time(task, moment) for task in tasks), _NOTHING)
        ),
        "numSucceededTasks": str(sum(job.counts[Progress.SUCCEEDED] for job in jobs)),
        "numFailedTasks": str(sum(job.counts[Progress.FAILED] for job in jobs)),
        "numTaskRetries": str(sum(task.execution.retries for task in tasks)),
        "waitTime": print_duration(sum(map(_waiting_time, tasks), _NOTHING)),
    }


def pool_statistics(pool: Pool, base: str) -> Json:
    """Print the statistics of a pool; nothing is measured."""
    span = _span(pool.created, pool.clock.now())
    return {
        "url": f"{pool_url(base, pool)}/{_PLACE}",
        **span,
        "usageStats": {**span, "dedicatedCoreTime": print_duration(_NOTHING)},
        "resourceStats": {**span, **_UNMEASURED_OF_POOLS},
    }


def _span(since: datetime, moment: datetime) -> Json:
    return {"startTime": print_time(since), "lastUpdateTime": print_time(moment)}


def _running_time(task: Task, moment: datetime) -> timedelta:
    """Return how long the last run of a task took, or takes."""
    if task.execution.started is None:
        return _NOTHING
    return max(_NOTHING, (task.execution.ended or moment) - task.execution.started)


def _waiting_time(task: Task) -> timedelta:
    """Return the time from a task's creation to the start of its last run."""
    if task.execution.started is None:
        return _NOTHING
    return max(_NOTHING, task.execution.started - task.created)
