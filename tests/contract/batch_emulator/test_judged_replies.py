"""The judge of replies finds what azure-batch would not understand."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer
from azure.storage.blob.aio import BlobServiceClient

from batch_emulator.options import Options
from batch_emulator.runtime.account import Account
from tests.contract.conftest import ACCOUNT, KEY, Batch, job_body, pool_body
from tests.support.judged_replies import (
    FILE_VARIABLE,
    judge,
    judged_count,
    take_violations,
    violations,
)

type Json = dict[str, Any]

TIME = "2026-11-22T10:00:00.1234567Z"
JOB: Json = {
    "odata.metadata": "http://127.0.0.1/$metadata#jobs/@Element",
    "id": "job",
    "url": "http://127.0.0.1/jobs/job",
    "eTag": "0x8D45F6A1923EFE9",
    "lastModified": TIME,
    "creationTime": TIME,
    "state": "active",
    "stateTransitionTime": TIME,
    "poolInfo": {"poolId": "pool"},
    "constraints": {"maxWallClockTime": "P10675199DT2H48M5.4775807S", "maxTaskRetryCount": 0},
    "onAllTasksComplete": "NoAction",
}
IMAGE = {"imageReference": {"publisher": "x"}, "nodeAgentSKUId": "x"}


def test_a_right_reply_has_no_violation() -> None:
    """As the service would send it, in its own mix of cases."""
    assert violations("get_job", 200, json.dumps(JOB).encode()) == []
    assert violations("list_jobs", 200, json.dumps({"value": [JOB]}).encode()) == []


@pytest.mark.parametrize(
    ("planted", "said"),
    [
        ({"state": "asleep"}, "$.state: 'asleep' does not match"),
        ({"priority": "1"}, "$.priority: '1' is not of type 'integer'"),
        ({"colour": "red"}, "$: Additional properties are not allowed ('colour' was unexpected)"),
        ({"displayName": None}, "$.displayName: None is not of type 'string'"),
        ({"creationTime": "yesterday"}, "$.creationTime: 'yesterday' is not a 'date-time'"),
        ({"constraints": {"maxWallClockTime": "1 h"}}, "$.constraints.maxWallClockTime: '1 h'"),
        ({"poolInfo": {"autoPoolSpecification": {"pool": {
            "vmSize": "x", "userAccounts": [{"name": "x", "password": "y"}],
            "virtualMachineConfiguration": IMAGE,
        }, "poolLifetimeOption": "job"}}}, ".pool.userAccounts[0].password: is never returned"),
    ],
)  # fmt: skip
def test_a_planted_violation_is_found(planted: Json, said: str) -> None:
    """With the path of the property and the reason."""
    (found,) = violations("get_job", 200, json.dumps(JOB | planted).encode())

    assert said in found


def test_a_missing_property_is_found() -> None:
    """Unless ``$select`` left it out."""
    body = json.dumps({name: value for name, value in JOB.items() if name != "eTag"}).encode()

    assert violations("get_job", 200, body) == ["$: 'eTag' is a required property"]
    assert violations("get_job", 200, body, selected="id") == []


def test_an_error_has_a_shape_of_its_own() -> None:
    """Whatever the operation."""
    right = {"code": "JobNotFound", "message": {"lang": "en-US", "value": "x"}}

    assert violations("get_job", 404, json.dumps(right).encode()) == []
    assert violations("get_job", 404, json.dumps({"error": right}).encode()) == [
        "$: Additional properties are not allowed ('error' was unexpected)"
    ]


def test_json_where_azure_batch_reads_none_is_found() -> None:
    """The client of such an operation would never see it."""
    assert violations("create_job", 201, b"{}") != []


async def test_a_violation_on_the_wire_is_kept_for_the_end_of_the_test() -> None:
    """With the operation's name and the request."""

    async def answer(_: web.Request) -> web.Response:
        return web.json_response(JOB | {"colour": "red"})

    options = Options(account=ACCOUNT, key=KEY, storage="", root=Path())
    async with BlobServiceClient("http://127.0.0.1:1") as storage:
        account = Account(options, "", storage)
    application = web.Application(middlewares=[judge(account)])
    application.router.add_get("/jobs/{jobId}", answer)
    async with TestServer(application) as server, ClientSession() as session:
        await (await session.get(server.make_url("/jobs/job"))).read()

    assert take_violations() == [
        (
            "get_job (GET /jobs/job): $: Additional properties are not allowed "
            "('colour' was unexpected)"
        )
    ]


async def test_each_emulator_of_the_tests_is_judged(batch: Batch) -> None:
    """Nobody has to ask for it."""
    await batch.client.create_pool(pool_body(targetDedicatedNodes=1))
    await batch.client.create_job(job_body("job", "/bin/true"))
    before = judged_count()

    await batch.client.get_job("job")

    assert judged_count() == before + 1


def test_a_violation_in_the_answer_of_resource_manager_is_found() -> None:
    """By the models of azure-mgmt-batch, which give words one case only."""
    pool = {"id": "x", "name": "pool", "properties": {"allocationState": "Steady", "colour": 1}}
    body = json.dumps(pool).encode()

    assert violations("pool.get", 200, body) == [
        "$.properties: Additional properties are not allowed ('colour' was unexpected)"
    ]
    assert violations("pool.get", 404, b'{"error": {"code": "x", "message": "y"}}') == []


def test_an_emulator_in_a_process_of_its_own_is_judged() -> None:
    """It begins to judge before it serves, and what it finds fails the test that is running."""
    look = "import sys; print('tests.support.judged_replies' in sys.modules)"
    command = [sys.executable, "-c", look, "batch_emulator"]
    judged = subprocess.run(command, capture_output=True, text=True, check=True)
    other = subprocess.run(command[:-1], capture_output=True, text=True, check=True)
    Path(os.environ[FILE_VARIABLE]).write_text("get_job: planted\n")

    assert (judged.stdout, other.stdout) == ("True\n", "False\n")
    assert take_violations() == ["get_job: planted"]
