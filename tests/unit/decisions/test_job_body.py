"""The Batch job of an attempt."""

import shlex
from dataclasses import replace
from datetime import timedelta

import pytest

from orchestrator import __version__
from orchestrator.batch_state import JobPlace, Pool
from orchestrator.decisions.job_body import PRELUDE, command_line, job
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
    assert body["jobManagerTask"]["commandLine"].endswith('& %ComSpec% /c "!RECUR_COMMAND!""')
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


def test_the_body_of_a_job_is_what_batch_takes() -> None:
    """Every field of it; variables by name."""
    assert RECORD.task is not None
    task = replace(RECORD.task, command="run 'me'", environment={"Z": "1", "A": "2"})
    record = replace(RECORD, task=replace(task, outputs=("a/b.txt",))).with_attempt(
        replace(RECORD.attempt, number=2, job_id="nightly-20260601T120000Z-r2")
    )
    folder = "nightly/2026/06/nightly-20260601T120000Z/r2/"

    def stored(pattern: str, path: str) -> dict[str, object]:
        return {
            "filePattern": pattern,
            "destination": {
                "container": {
                    "containerUrl": PLACE.outputs_url,
                    "path": f"{folder}{path}",
                    "identityReference": {"resourceId": PLACE.node_identity},
                }
            },
            "uploadOptions": {"uploadCondition": "taskcompletion"},
        }

    assert job(record, PLACE, POOL) == {
        "id": "nightly-20260601T120000Z-r2",
        "poolInfo": {"poolId": "recur"},
        "constraints": {"maxWallClockTime": "P1DT1H30M", "maxTaskRetryCount": 0},
        "metadata": [
            {"name": "recur_run_id", "value": "nightly-20260601T120000Z"},
            {"name": "recur_attempt", "value": "2"},
            {"name": "recur_version", "value": __version__},
        ],
        "jobManagerTask": {
            "id": "main",
            "commandLine": command_line("run 'me'"),
            "killJobOnCompletion": True,
            "runExclusive": False,
            "allowLowPriorityNode": True,
            "constraints": {
                "maxWallClockTime": "PT1H",
                "maxTaskRetryCount": 0,
                "retentionTime": "P1D",
            },
            "environmentSettings": [
                {"name": "A", "value": "2"},
                {"name": "RECUR_ATTEMPT", "value": "2"},
                {"name": "Z", "value": "1"},
            ],
            "outputFiles": [
                stored("../stdout.txt", "stdout.txt"),
                stored("../stderr.txt", "stderr.txt"),
                stored("a/b.txt", "files/a/b.txt"),
            ],
        },
    }


def test_a_command_line_gives_the_command_to_a_shell_after_a_fixed_line() -> None:
    """Batch splits it into three words; `tests/system` runs what they say."""
    shell, option, script = shlex.split(command_line("echo 'a b'"))
    assert (shell, option) == ("/bin/sh", "-c")
    assert script == f"{PRELUDE}\necho 'a b'"


@pytest.mark.parametrize("sign", ["*", "?", "["])
def test_a_folder_with_a_wildcard_is_not_part_of_the_path(sign: str) -> None:
    """Nor is anything below it."""
    assert RECORD.task is not None
    task = replace(RECORD.task, outputs=(f"a/b{sign}c/d",))
    files = job(replace(RECORD, task=task), PLACE, POOL)["jobManagerTask"]["outputFiles"]
    assert files[-1]["destination"]["container"]["path"] == f"{RECORD.output_prefix}files/a"
