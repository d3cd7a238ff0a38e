"""Replies against what is known of the real service's: shapes and headers."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from azure.core.exceptions import HttpResponseError
from azure.core.rest import AsyncHttpResponse

from tests.conftest import Containers
from tests.contract.conftest import Batch, job_body, pool_body

type Json = dict[str, Any]

SCHEMA = "openapi/azure-batch-15.1_2025-06-01.derived.schema.json"
CONNECTION = {"connection", "keep-alive"}
"""Headers of the connection, which say nothing about the reply."""


@pytest.fixture
def oracles() -> Path:
    """Return the folder of recorded and derived facts about the service."""
    if not (folder := os.environ.get("RECUR_ORACLES")):
        pytest.skip("RECUR_ORACLES names no folder of facts about the real service")
    return Path(folder)


@pytest.fixture
async def busy(batch: Batch, containers: Containers) -> Batch:
    """Give an account with a pool by formula, one that is fixed, a job that failed, one that runs."""
    container = {
        "containerUrl": f"{containers.account_url}/{containers.outputs}",
        "identityReference": {"resourceId": "/subscriptions/0/x"},
    }
    output = {
        "filePattern": "../std*.txt",
        "destination": {"container": container},
        "uploadOptions": {"uploadCondition": "taskcompletion"},
    }
    await batch.client.create_pool(
        pool_body(
            "scaled",
            enableAutoScale=True,
            autoScaleFormula="$TargetDedicatedNodes = nothing;",
            autoScaleEvaluationInterval="PT05M00S",
        )
    )
    await batch.client.create_pool(
        pool_body(
            targetDedicatedNodes=2,
            startTask={"commandLine": "/bin/true"},
            metadata=[{"name": "a", "value": "b"}],
        )
    )
    await batch.client.create_job(
        job_body("job", "/bin/sh -c 'echo out; exit 4'", outputFiles=[output])
    )
    await batch.client.create_job(job_body("runs", "/bin/sleep 600"))
    await batch.completed("job")
    await batch.running("runs")
    return batch


def simplified(value: object) -> object:
    """Return a reply without what OData adds to it."""
    if isinstance(value, dict):
        return {name: simplified(item) for name, item in value.items() if "odata." not in name}
    if isinstance(value, list):
        return [simplified(item) for item in value]
    return value


def any_case(schema: object) -> object:
    """Return a schema whose words are lower case: the service's own are of either case."""
    if isinstance(schema, dict):
        return {
            name: [word.lower() for word in item] if name == "enum" else any_case(item)
            for name, item in schema.items()
        }
    if isinstance(schema, list):
        return [any_case(item) for item in schema]
    return schema


def lower_words(value: object, words: frozenset[str]) -> object:
    """Return a reply whose words are lower case, where they are words of the schema."""
    if isinstance(value, dict):
        return {name: lower_words(item, words) for name, item in value.items()}
    if isinstance(value, list):
        return [lower_words(item, words) for item in value]
    return value.lower() if isinstance(value, str) and value.lower() in words else value


def all_words(schema: object) -> Iterator[str]:
    """Yield every word of every enum."""
    if isinstance(schema, dict):
        for name, item in schema.items():
            yield from item if name == "enum" else all_words(item)
    elif isinstance(schema, list):
        for item in schema:
            yield from all_words(item)


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/pools/scaled", "BatchPool"),
        ("/pools/pool", "BatchPool"),
        ("/pools", "BatchPool"),
        ("/pools/pool/nodes", "BatchNode"),
        ("/jobs/job", "BatchJob"),
        ("/jobs", "BatchJob"),
        ("/jobs/job/tasks/main", "BatchTask"),
        ("/jobs/runs/tasks", "BatchTask"),
        ("/jobs/job/tasks/main/files", "BatchNodeFile"),
    ],
)
async def test_replies_have_the_services_shape(
    busy: Batch, oracles: Path, path: str, kind: str
) -> None:
    """No property is missing, none is of our own, and each is of the right type."""
    schema = any_case(json.loads((oracles / SCHEMA).read_text()))
    assert isinstance(schema, dict)
    validator = jsonschema.Draft202012Validator(
        {"$ref": f"#/$defs/{kind}", "$defs": closed(schema["$defs"])},
        format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER,
    )
    words = frozenset(all_words(schema))
    body = (await busy.send("GET", path)).json()
    shown = body.get("value", [body])
    assert shown
    for resource in shown:
        faults = validator.iter_errors(lower_words(simplified(resource), words))
        assert [f"{fault.json_path}: {fault.message}" for fault in faults] == []


def closed(definitions: Json) -> Json:
    """Return definitions that allow no property but their own."""
    return {
        name: {"additionalProperties": False, **definition}
        for name, definition in definitions.items()
    }


async def _all_replies(batch: Batch) -> dict[str, AsyncHttpResponse]:
    async def refused(path: str, **query: str) -> AsyncHttpResponse:
        with pytest.raises(HttpResponseError) as error:
            await batch.send("GET", path, **query)
        assert isinstance(error.value.response, AsyncHttpResponse)
        return error.value.response

    send = batch.send
    node = (await batch.nodes())[0].id
    file = "/jobs/job/tasks/main/files/stdout.txt"
    return {
        "Application_List GET 200": await send("GET", "/applications"),
        "ComputeNode_Get GET 200": await send("GET", f"/pools/pool/nodes/{node}"),
        "ComputeNode_List GET 200": await send("GET", "/pools/pool/nodes"),
        "File_GetFromTask GET 200": await send("GET", file),
        "File_GetPropertiesFromTask HEAD 200": await send("HEAD", file),
        "File_GetFromComputeNode GET 200": await send(
            "GET", f"/pools/pool/nodes/{node}/files/startup%2Fstdout.txt"
        ),
        "File_ListFromComputeNode GET 200": await send("GET", f"/pools/pool/nodes/{node}/files"),
        "File_ListFromTask GET 200": await send("GET", "/jobs/job/tasks/main/files"),
        "Job_Add POST 201": await send("POST", "/jobs", json=dict(job_body("new", "/bin/true"))),
        "Job_Get GET 200": await send("GET", "/jobs/new"),
        "Job_List GET 200": await send("GET", "/jobs"),
        "Job_Terminate POST 202": await send("POST", "/jobs/runs/terminate", json={}),
        "Job_Delete DELETE 202": await send("DELETE", "/jobs/new"),
        "Pool_Add POST 201": await send("POST", "/pools", json=dict(pool_body("new"))),
        "Pool_Get GET 200": await send("GET", "/pools/new"),
        "Pool_List GET 200": await send("GET", "/pools"),
        "Pool_Delete DELETE 202": await send("DELETE", "/pools/new"),
        "Pool_List GET 400 InvalidQueryParameterValue": await refused("/pools", maxresults="0"),
        "Task_Get GET 200": await send("GET", "/jobs/job/tasks/main"),
        "Task_List GET 200": await send("GET", "/jobs/job/tasks"),
    }


async def test_replies_have_the_services_headers(busy: Batch, oracles: Path) -> None:
    """Each reply has the headers that every recorded reply of its operation had, and no others."""
    known = json.loads((oracles / "headers_by_operation.json").read_text())
    for operation, reply in (await _all_replies(busy)).items():
        recorded = known[operation]
        sent = {name.lower() for name in reply.headers} - CONNECTION
        always = set(recorded["always"]) - CONNECTION
        assert always <= sent, operation
        assert sent <= always | set(recorded["sometimes"]), operation


async def test_the_form_of_values(busy: Batch) -> None:
    """Times have seven decimals, tags no quotes, durations the normal form, lengths are texts."""
    reply = await busy.send("GET", "/jobs/job")
    job = reply.json()
    assert len(job["creationTime"]) == len("2026-01-02T03:04:05.1234567Z")
    assert job["eTag"] == reply.headers["ETag"]
    assert job["eTag"].startswith("0x8D")
    assert job["constraints"]["maxWallClockTime"] == "P10675199DT2H48M5.4775807S"
    pool = (await busy.send("GET", "/pools/scaled")).json()
    assert pool["autoScaleEvaluationInterval"] == "PT5M"
    assert pool["autoScaleRun"]["error"]["code"] == "AutoScalingFormulaEvaluationError"
    files = (await busy.send("GET", "/jobs/job/tasks/main/files")).json()["value"]
    by_name = {file["name"]: file for file in files}
    assert by_name["stdout.txt"]["properties"]["contentLength"] == "4"
    assert by_name["stdout.txt"]["properties"]["fileMode"] == "0o100644"
    assert "properties" not in by_name["wd"]


async def test_a_file_in_parts(busy: Batch) -> None:
    """A range is answered with 200, a whole file in chunks without a length, HEAD with it."""
    get = busy.client.download_task_file
    parts = await get("job", "main", "stdout.txt", ocp_range="bytes=1-2")
    assert b"".join([part async for part in parts]) == b"ut"
    properties = await busy.client.get_task_file_properties("job", "main", "stdout.txt")
    assert properties.content_length == 4
    assert properties.is_directory is False
    assert properties.file_mode == "0o100644"
    whole = await busy.send("GET", "/jobs/job/tasks/main/files/stdout.txt")
    assert "content-length" not in whole.headers
    assert whole.headers["ocp-batch-file-isdirectory"] == "False"
    for outside in ("../../x", "wd/../../../../../etc/passwd", "nothing.txt"):
        with pytest.raises(HttpResponseError) as missing:
            await get("job", "main", outside)
        assert missing.value.status_code == 404
