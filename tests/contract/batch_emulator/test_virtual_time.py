"""An account in virtual time, by the official client: a month in seconds, and the same again."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, cast
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from azure.batch import BatchClient
from azure.batch.models import (
    BatchJobCreateOptions,
    BatchJobScheduleCreateOptions,
    BatchJobUpdateOptions,
    BatchPoolInfo,
    BatchTaskCreateOptions,
)
from azure.core.credentials import AzureNamedKeyCredential
from azure.core.exceptions import HttpResponseError
from azure.core.rest import HttpRequest

from batch_emulator.testing import RunningEmulator, running_emulator
from tests.contract.conftest import job_body, pool_body
from tests.support.emulated_pools import scaled
from tests.support.prepared_jobs import own_pool, pool_of, prepared

START = "2027-01-01T00:00:00Z"
SCHEDULES = ("own", "shared", "kept")
REPORT = {"seconds": {"least": 1500, "most": 2100}}
FORMULA = (Path(__file__).parents[3] / "infra/pool/autoscale.formula").read_text()
SIMULATION = {
    "seed": 3,
    "nodes": {"boot_seconds": {"median": 140, "sigma": 0.3}, "start_task": {"seconds": 30}},
    "tasks": [
        {"job": "night-*", "seconds": {"least": 1500, "most": 2100}, "stdout": "done\n"},
        {"job": "bad", "seconds": 60, "exit_code": 4},
    ],
}


def control(emulator: RunningEmulator, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 - JSON
    """Send a request to the emulator itself."""
    request = Request(  # noqa: S310 - loopback
        f"{emulator.url}/emulator/{path}",
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {emulator.token}"},
    )
    with urlopen(request, timeout=60) as reply:  # noqa: S310 - loopback
        return json.loads(reply.read())


def virtual(folder: Path, simulation: Mapping[str, object], *more: str) -> Any:  # noqa: ANN401 - a context
    """Start an emulator in virtual time."""
    folder.mkdir()
    file = folder / "simulation.json"
    file.write_text(json.dumps(simulation))
    options = ("--clock", "virtual", "--clock-start", START, "--simulation", str(file))
    return running_emulator(folder, *options, *more, key="bm90aGluZw==")


def client_of(emulator: RunningEmulator) -> BatchClient:
    credential = AzureNamedKeyCredential(emulator.account, emulator.key)
    return BatchClient(emulator.url, credential, retry_total=0)


def nightly(emulator: RunningEmulator, nights: int) -> str:
    """Run a job each night; return all that the account then shows, without its address."""
    start_task = {"commandLine": "/bin/true", "waitForSuccess": True}
    shown = []
    with client_of(emulator) as client:
        client.create_pool(pool_body(**scaled(FORMULA), startTask=start_task))
        for night in range(nights):
            due = datetime(2027, 1, 1, 2, tzinfo=UTC) + timedelta(days=night)
            control(emulator, "POST", "clock/advance", {"until": due.isoformat()})
            client.create_job(job_body(f"night-{night}", "/bin/report"))
            control(emulator, "POST", "clock/advance", {"seconds": 1200})
            shown += [node.as_dict() for node in client.list_nodes("pool")]
        control(emulator, "POST", "clock/advance", {"seconds": 86400})
        stats = ["stats"]
        for job in client.list_jobs(expand=stats):
            tasks = client.list_tasks(job.id, expand=stats)
            shown += [job.as_dict(), *(task.as_dict() for task in tasks)]
        shown.append(client.get_pool("pool", expand=stats).as_dict())
    return json.dumps(shown, indent=1).replace(emulator.url, "")


def test_twelve_nights_are_the_same_again(tmp_path: Path) -> None:
    """Boots, tasks and evaluations of 12 nights; another seed gives another account."""
    with virtual(tmp_path / "first", SIMULATION) as emulator:
        first = nightly(emulator, 12)
    with virtual(tmp_path / "second", SIMULATION) as emulator:
        second = nightly(emulator, 3)
    with virtual(tmp_path / "third", SIMULATION) as emulator:
        assert nightly(emulator, 3) == second
    with virtual(tmp_path / "other", {**SIMULATION, "seed": 4}) as emulator:
        assert nightly(emulator, 3) != second

    account = json.loads(first)
    ended = [item for item in account if item.get("executionInfo", {}).get("exitCode") == 0]
    assert len(ended) == 12
    nodes = [item for item in account if item.get("state") == "running"]
    assert len({node["id"] for node in nodes}) == 12
    assert account[-1]["currentDedicatedNodes"] == 0


def test_resource_times_are_virtual_and_the_wire_is_not(tmp_path: Path) -> None:
    """Times of job and task, ETag and output; Date, and the signature that the client makes."""
    with virtual(tmp_path / "one", SIMULATION) as emulator, client_of(emulator) as client:
        assert control(emulator, "GET", "clock") == {"kind": "virtual", "speed": 0, "time": START}
        client.create_pool(pool_body(targetDedicatedNodes=1))
        client.create_job(job_body("night-1", "/bin/report"))
        tags = {client.get_job("night-1").etag}
        client.update_job("night-1", BatchJobUpdateOptions(priority=5))
        tags.add(client.get_job("night-1").etag)
        assert len(tags) == 2
        shown = control(emulator, "POST", "clock/advance", {"seconds": 3600})
        assert shown["time"].startswith("2027-01-01T01:00:00.")

        task = client.get_task("night-1", "main")
        assert task.state == "completed"
        assert task.execution_info is not None
        assert task.execution_info.start_time is not None
        assert task.execution_info.end_time is not None
        ran = task.execution_info.end_time - task.execution_info.start_time
        assert timedelta(seconds=1500) <= ran <= timedelta(seconds=2100)
        assert task.execution_info.end_time.date() == datetime(2027, 1, 1, tzinfo=UTC).date()
        file = b"".join(client.download_task_file("night-1", "main", "stdout.txt"))
        assert file == b"done\n"
        reply = client.send_request(
            HttpRequest("GET", f"{emulator.url}/jobs?api-version=2025-06-01")
        )
        sent = parsedate_to_datetime(reply.headers["Date"])
        assert abs(sent - datetime.now(UTC)) < timedelta(minutes=1)


def prepared_night(emulator: RunningEmulator) -> tuple[str, timedelta]:
    """Run a job that prepares a pool of its own; return the pool, and how long the task waited."""
    besides = {"jobReleaseTask": {"commandLine": "/bin/tidy"}}
    with client_of(emulator) as client:
        client.create_job(
            job_body("night-1", "/bin/report", prepared("/bin/install") | own_pool() | besides)
        )
        pool = pool_of(client.get_job("night-1"))
        control(emulator, "POST", "clock/advance", {"seconds": 7200})
        task = client.get_task("night-1", "main")
        (status,) = client.list_job_preparation_and_release_task_status(
            "night-1", filter="jobPreparationTaskExecutionInfo/result eq 'success'"
        )
        assert client.get_job("night-1").state == "completed"
        assert not list(client.list_pools())

    assert (task.previous_state, task.state) == ("running", "completed")
    release = status.job_release_task_execution_info
    assert release is not None
    assert (release.result, release.end_time) == ("success", release.start_time)
    preparation = status.job_preparation_task_execution_info
    assert preparation is not None
    assert preparation.start_time is not None
    assert preparation.end_time is not None
    return pool, preparation.end_time - preparation.start_time


def test_a_job_prepares_its_own_pool_in_virtual_time(tmp_path: Path) -> None:
    """By the row with its id, or at once; the pool ends with the job, and has the same id again."""
    row = {"job": "night-*", "task": "jobpreparation", "seconds": 600}
    rows = [row, {"job": "night-*", "seconds": 1800}]
    with virtual(tmp_path / "first", {**SIMULATION, "tasks": rows}) as emulator:
        pool, took = prepared_night(emulator)
    with virtual(tmp_path / "second", SIMULATION) as emulator:
        again, took_by_no_row = prepared_night(emulator)

    assert again == pool
    assert (took, took_by_no_row) == (timedelta(minutes=10), timedelta())


def add_job_schedule(client: BatchClient, name: str, **pool: Any) -> None:  # noqa: ANN401 - as JSON has it
    """Add a job schedule that makes a job each night of January, on pools of its own."""
    specification = {
        name: value for name, value in job_body("", "/bin/report").items() if name != "id"
    }
    schedule = {
        "doNotRunUntil": "2027-01-01T02:00:00Z",
        "recurrenceInterval": "P1D",
        "doNotRunAfter": "2027-01-31T12:00:00Z",
    }
    body = {"id": name, "schedule": schedule, "jobSpecification": specification | own_pool(**pool)}
    client.create_job_schedule(cast("BatchJobScheduleCreateOptions", body))


def pools_of(client: BatchClient, schedule: str) -> list[str]:
    """Return the pools of the jobs of a job schedule, in the order of the jobs."""
    jobs = sorted(client.list_jobs_from_schedule(schedule), key=lambda job: job.creation_time)
    return [pool_of(job) for job in jobs]


def january(emulator: RunningEmulator, days: int) -> str:
    """Let job schedules live for some days; return all that the account then shows."""
    with client_of(emulator) as client:
        add_job_schedule(client, "own")
        add_job_schedule(client, "shared", poolLifetimeOption="jobschedule", autoPoolIdPrefix="s")
        add_job_schedule(client, "kept", poolLifetimeOption="jobschedule", keepAlive=True)
        control(emulator, "POST", "clock/advance", {"seconds": days * 86400})
        things = [*client.list_job_schedules(), *client.list_jobs(), *client.list_pools()]
        for job in client.list_jobs():
            things += client.list_tasks(job.id)
    shown = json.dumps([thing.as_dict() for thing in things], indent=1)
    return shown.replace(emulator.url, "")


def test_a_month_of_job_schedules_is_over_in_seconds_and_the_same_again(tmp_path: Path) -> None:
    """Each makes 31 jobs, on pools that live as long as a job, as long as they do, or on."""
    simulation = {**SIMULATION, "tasks": [{"schedule": name, **REPORT} for name in SCHEDULES]}
    with virtual(tmp_path / "first", simulation) as emulator, client_of(emulator) as client:
        january(emulator, 32)
        own, shared, kept = (pools_of(client, name) for name in SCHEDULES)
        assert [pool.id for pool in client.list_pools()] == kept[:1]
        states = {one.id: one.state for one in client.list_job_schedules()}
        early = "executionInfo/endTime lt datetime'2027-01-11T00:00:00Z'"
        ended = [job.id for job in client.list_jobs_from_schedule("own", filter=early)]
        named = "startswith(id,'s') and schedule/doNotRunUntil eq datetime'2027-01-01T02:00:00Z'"
        (found,) = client.list_job_schedules(filter=named, expand=["stats"])
    with virtual(tmp_path / "second", simulation) as emulator:
        second = january(emulator, 3)
    with virtual(tmp_path / "third", simulation) as emulator:
        assert january(emulator, 3) == second

    assert (len(own), len(set(own))) == (31, 31)
    assert (len(shared), len(set(shared)), shared[0][:2]) == (31, 1, "s_")
    assert (len(kept), len(set(kept))) == (31, 1)
    assert states == dict.fromkeys(SCHEDULES, "completed")
    assert len(ended) == 10
    assert found.as_dict()["stats"]["numSucceededTasks"] == "31"


def test_the_pool_of_a_job_schedule_is_made_anew_where_it_was_deleted(tmp_path: Path) -> None:
    """With the next job; while it is there, no other is made."""
    simulation = {**SIMULATION, "tasks": [{"schedule": "shared", **REPORT}]}
    with virtual(tmp_path / "one", simulation) as emulator, client_of(emulator) as client:
        add_job_schedule(client, "shared", poolLifetimeOption="jobschedule")
        control(emulator, "POST", "clock/advance", {"seconds": 2 * 86400})
        client.begin_delete_pool(pools_of(client, "shared")[0], polling_interval=0)
        control(emulator, "POST", "clock/advance", {"seconds": 2 * 86400})
        first, second, third, fourth = pools_of(client, "shared")

    assert first == second != third == fourth


def test_tasks_that_are_not_simulated_are_refused(tmp_path: Path) -> None:
    """As a job manager task and alone; the refusal says why. An exit code is the table's."""
    with virtual(tmp_path / "one", SIMULATION) as emulator, client_of(emulator) as client:
        client.create_pool(pool_body(targetDedicatedNodes=1))
        with pytest.raises(HttpResponseError, match="real tasks in an account that simulates them"):
            client.create_job(job_body("real", "/bin/true"))
        client.create_job(job_body("bad", "/bin/false"))
        client.create_task("bad", BatchTaskCreateOptions(id="main2", command_line="/bin/true"))
        client.create_job(BatchJobCreateOptions(id="y", pool_info=BatchPoolInfo(pool_id="pool")))
        task = BatchTaskCreateOptions(id="x", command_line="/bin/true")
        with pytest.raises(
            HttpResponseError, match="no row of its simulation matches task x of job y"
        ):
            client.create_task("y", task)
        control(emulator, "POST", "clock/advance", {"seconds": 600})

        execution = client.get_task("bad", "main").execution_info
        assert execution is not None
        assert (execution.exit_code, execution.result) == (4, "failure")


def refused_order(emulator: RunningEmulator, body: object) -> tuple[int, str]:
    """Give an order that is refused; return the status and the field that is wrong."""
    with pytest.raises(HTTPError) as refused:
        control(emulator, "POST", "clock/advance", body)
    with refused.value as reply:
        return int(reply.status or 0), json.loads(reply.read())["errors"][0]["field"]


def test_a_faster_clock_takes_no_order(tmp_path: Path) -> None:
    """It goes by itself, and is read by whoever has the token."""
    with running_emulator(tmp_path, "--clock", "60") as emulator:
        assert refused_order(emulator, {"seconds": 1}) == (409, "clock")
        shown = [control(emulator, "GET", "clock") for _ in range(2)]
        object.__setattr__(emulator, "token", "other")
        assert refused_order(emulator, {"seconds": 1}) == (401, "Authorization")

    assert [item["kind"] for item in shown] == ["scaled", "scaled"]
    assert shown[0]["time"] < shown[1]["time"]


def test_an_order_takes_no_time_of_its_own(tmp_path: Path) -> None:
    """Given again, to a time or of no length, it changes nothing; hours add up to whole hours."""
    with virtual(tmp_path / "one", SIMULATION) as emulator:
        for order, shown in (
            ({"until": "2027-01-01T01:00:00Z"}, "2027-01-01T01:00:00Z"),
            ({"until": "2027-01-01T01:00:00Z"}, "2027-01-01T01:00:00Z"),
            ({"seconds": 0}, "2027-01-01T01:00:00Z"),
            ({"seconds": 3600}, "2027-01-01T02:00:00Z"),
            ({"seconds": 3600}, "2027-01-01T03:00:00Z"),
        ):
            assert control(emulator, "POST", "clock/advance", order)["time"] == shown


def test_bad_orders_to_a_virtual_clock(tmp_path: Path) -> None:
    """Neither back nor both ways; faults stay closed without --faults."""
    bodies: list[tuple[object, int]] = [
        ({"seconds": -1}, 400),
        ({}, 400),
        ({"seconds": 1, "until": START}, 400),
        ({"until": "2027-01-01T00:00:00"}, 400),
        ({"until": "2026-01-01T00:00:00Z"}, 409),
    ]
    with virtual(tmp_path / "one", SIMULATION) as emulator:
        for body, status in bodies:
            assert refused_order(emulator, body)[0] == status, body
        with pytest.raises(HTTPError) as refused:
            control(emulator, "GET", "faults")
        refused.value.close()
        assert refused.value.status == 404
