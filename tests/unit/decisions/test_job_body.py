"""The Batch job of an attempt."""

from dataclasses import replace
from datetime import timedelta

from orchestrator.batch_state import JobPlace, Pool
from orchestrator.decisions.job_body import job
from tests.support.records import RECORD

PLACE = JobPlace(
    pool_id="recur",
    outputs_url="https://data.example/outputs",
    node_identity="/subscriptions/s/resourceGroups/g/providers/x/id-node",
)
POOL = Pool(state="active", packages={}, image=None, target=0, current=0)


def test_the_job_outlives_both_timeouts_and_no_more() -> None:
    """An active job eats a quota: what nothing else ended, its own limit does."""
    body = job(RECORD, PLACE, POOL)

    assert body["constraints"]["maxWallClockTime"] == "P1DT1H30M"
    assert body["jobManagerTask"]["constraints"]["maxWallClockTime"] == "PT1H"
    assert body["jobManagerTask"]["killJobOnCompletion"] is True
    assert RECORD.task is not None
    assert RECORD.task.start_timeout + RECORD.task.run_timeout < timedelta(days=1)


def test_the_job_names_its_run_and_its_outputs() -> None:
    """Ours is told from another's by its metadata; outputs go to the run's own folder."""
    body = job(RECORD, PLACE, POOL)

    assert body["id"] == "nightly-20260601T120000Z"
    assert {"name": "recur_run_id", "value": RECORD.run_id} in body["metadata"]
    containers = [
        file["destination"]["container"] for file in body["jobManagerTask"]["outputFiles"]
    ]
    assert [one["path"] for one in containers] == [
        "nightly/2026/06/nightly-20260601T120000Z/stdout.txt",
        "nightly/2026/06/nightly-20260601T120000Z/stderr.txt",
    ]
    assert {"name": "RECUR_ATTEMPT", "value": "1"} in body["jobManagerTask"]["environmentSettings"]


def test_a_job_learns_the_identity_of_its_pool() -> None:
    """A script opens its own database by it, and no secret is written anywhere."""
    body = job(RECORD, PLACE, replace(POOL, job_client_id="1234"))

    settings = body["jobManagerTask"]["environmentSettings"]
    assert {"name": "AZURE_CLIENT_ID", "value": "1234"} in settings
    plain = job(RECORD, PLACE, POOL)["jobManagerTask"]["environmentSettings"]
    assert "AZURE_CLIENT_ID" not in {one["name"] for one in plain}


def test_on_windows_the_command_is_handed_over_untouched() -> None:
    """It is no part of the line that the outer shell cuts apart."""
    assert RECORD.task is not None
    task = replace(RECORD.task, command='copy "a & b" %TEMP% & exit /b 3')
    body = job(replace(RECORD, task=task), PLACE, replace(POOL, windows=True))

    assert "copy" not in body["jobManagerTask"]["commandLine"]
    assert body["jobManagerTask"]["commandLine"].startswith("cmd /v:on /c ")
    settings = body["jobManagerTask"]["environmentSettings"]
    assert {"name": "RECUR_COMMAND", "value": task.command} in settings


def test_declared_outputs_have_a_folder_of_their_own() -> None:
    """Each file keeps its path there, so that no two patterns store in one place."""
    assert RECORD.task is not None
    task = replace(
        RECORD.task, outputs=("report/*.csv", "model.bin", "**/*.log", "a/b[12]/c/*.txt")
    )

    files = job(replace(RECORD, task=task), PLACE, POOL)["jobManagerTask"]["outputFiles"]

    folder = RECORD.output_prefix
    found = {one["filePattern"]: one["destination"]["container"]["path"] for one in files}
    assert found["report/*.csv"] == f"{folder}files/report"
    assert found["**/*.log"] == f"{folder}files"
    assert found["a/b[12]/c/*.txt"] == f"{folder}files/a"
    assert found["model.bin"] == f"{folder}files/model.bin"
    assert f"{folder}stdout.txt" in found.values()
