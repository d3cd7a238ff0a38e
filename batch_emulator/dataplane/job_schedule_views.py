"""Job schedules as the service prints them."""

from batch_emulator.dataplane.views import present
from batch_emulator.runtime.state.job_schedule import JobSchedule
from batch_emulator.wire import Json, print_etag, print_given_time, print_time


def job_schedule_url(base: str, schedule: JobSchedule) -> str:
    """Return a job schedule's address."""
    return f"{base}/jobschedules/{schedule.id}"


def show_job_schedule(schedule: JobSchedule, base: str) -> Json:
    """Print a job schedule; its tag changes when a client changes it, not when it makes a job."""
    body = schedule.body
    previous = schedule.previous
    return {
        "id": schedule.id,
        **present(displayName=body.get("displayName")),
        "url": job_schedule_url(base, schedule),
        "eTag": print_etag(schedule.modified),
        "lastModified": print_time(schedule.modified),
        "creationTime": print_time(schedule.created),
        "state": schedule.state,
        "stateTransitionTime": print_time(schedule.state_since),
        **present(
            previousState=previous and previous[0],
            previousStateTransitionTime=previous and print_time(previous[1]),
            schedule=body.get("schedule"),
            jobSpecification=body["jobSpecification"],
        ),
        "executionInfo": present(
            nextRunTime=_next_run_time(schedule),
            recentJob=_recent_job(schedule, base),
            endTime=schedule.ended and print_time(schedule.ended),
        ),
        **present(metadata=body.get("metadata")),
    }


def _next_run_time(schedule: JobSchedule) -> str | None:
    if schedule.due is None:
        return None
    from_client = "doNotRunUntil" in schedule.body.get("schedule", {})
    return (print_given_time if from_client else print_time)(schedule.due)


def _recent_job(schedule: JobSchedule, base: str) -> Json | None:
    if schedule.recent_job is None:
        return None
    return {"url": f"{base}/jobs/{schedule.recent_job}", "id": schedule.recent_job}
