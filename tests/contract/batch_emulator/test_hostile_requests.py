"""Requests that a fuzzer would send: each is refused for what is wrong with it."""

import pytest
from azure.core.rest import HttpRequest

from tests.contract.conftest import Batch, Start, pool_body, refusal
from tests.support.plain_jobs import plain_job, settled, task_body

VERSION = {"api-version": "2025-06-01"}


async def post(batch: Batch, path: str, content: bytes) -> None:
    """Send a body as it is."""
    request = HttpRequest(
        "POST",
        f"{batch.url}{path}",
        params=VERSION,
        content=content,
        headers={"Content-Type": "application/json"},
    )
    (await batch.client.send_request(request)).raise_for_status()


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(b"[" * 100_000, id="depth that no reader reaches"),
        pytest.param(b"[" * 70 + b"]" * 70, id="depth"),
        pytest.param(b'"\\ud800"', id="half of a surrogate pair"),
        pytest.param(b"NaN", id="NaN"),
        pytest.param(b"1e999", id="infinity"),
    ],
)
async def test_json_that_cannot_be_printed_again_is_refused(batch: Batch, value: bytes) -> None:
    """Kept, it would break every reply and every write of the data folder from then on."""
    manager = b'{"id": "main", "commandLine": "x", "userIdentity": %s}' % value
    body = b'{"id": "job", "poolInfo": {"poolId": "pool"}, "jobManagerTask": %s}' % manager

    assert await refusal(post(batch, "/jobs", body)) == (400, "InvalidRequestBody")


@pytest.mark.parametrize("name", ["a\r\nb: c", "x" * 100_000])
async def test_a_name_that_no_status_line_can_hold_is_refused(batch: Batch, name: str) -> None:
    """The status line has what fits; the body of the answer has all of it."""
    creation = batch.client.create_job(plain_job(**{name: 1}))

    assert await refusal(creation) == (400, "NotSupportedByEmulator")


async def test_an_address_that_is_too_long_is_refused(batch: Batch) -> None:
    """Before anything of it is read: without a code, as by the front of the service."""
    for length, refused in ((7000, (400, "InvalidQueryParameterValue")), (9000, (400, None))):
        listing = batch.send("GET", "/jobs", **{"$filter": f"colour eq '{'x' * length}'"})
        assert await refusal(listing) == refused


@pytest.mark.parametrize("header", ["If-Modified-Since", "If-Unmodified-Since"])
async def test_a_date_beyond_all_time_zones_is_refused(batch: Batch, header: str) -> None:
    """As every date that cannot be read."""
    await batch.client.create_job(plain_job())
    date = "Mon, 01 Jan 2024 00:00:00 +99999999999999999"
    request = HttpRequest("GET", f"{batch.url}/jobs/job", params=VERSION, headers={header: date})

    refused = await refusal(batch.client.send_request(request))
    assert refused == (400, "InvalidHeaderValue")


async def test_a_range_beyond_all_numbers_is_refused(batch: Batch) -> None:
    """As every range that cannot be read."""
    await batch.client.create_pool(pool_body(targetDedicatedNodes=1))
    await batch.client.create_job(plain_job())
    await batch.client.create_task("job", task_body("one"))
    await settled(batch, "one")
    for text in (f"bytes={'9' * 5000}-", f"bytes=0-{'9' * 5000}"):
        request = HttpRequest(
            "GET",
            f"{batch.url}/jobs/job/tasks/one/files/stdout.txt",
            params=VERSION,
            headers={"ocp-range": text},
        )
        refused = await refusal(batch.client.send_request(request))
        assert refused == (400, "InvalidHeaderValue")


async def test_files_whose_names_are_no_text_are_not_listed(batch: Batch) -> None:
    """The others of the folder are."""
    await batch.client.create_pool(pool_body(targetDedicatedNodes=1))
    await batch.client.create_job(plain_job())
    command = """/bin/sh -c 'touch "$(printf "a\\377b")" good'"""
    await batch.client.create_task("job", task_body("one", command))
    await settled(batch, "one")
    files = batch.client.list_task_files("job", "one", recursive=True)

    names = {file.name async for file in files}
    assert names == {"stdout.txt", "stderr.txt", "wd", "wd/good"}


async def test_a_formula_that_is_too_long_is_refused(batch: Batch) -> None:
    """By a code of its own."""
    body = pool_body(enableAutoScale=True, autoScaleFormula=f"x = {'1 + ' * 5000} 1")

    assert await refusal(batch.client.create_pool(body)) == (400, "AutoScalingFormulaTooLong")


@pytest.mark.parametrize("faults", [False, True])
async def test_a_broken_compression_is_refused(start_batch: Start, *, faults: bool) -> None:
    """Also where faults on demand look into the body first."""
    batch = await start_batch(faults=faults)
    request = HttpRequest(
        "POST",
        f"{batch.url}/jobs",
        params=VERSION,
        content=b"not gzip",
        headers={"Content-Type": "application/json", "Content-Encoding": "gzip"},
    )

    refused = await refusal(batch.client.send_request(request))
    assert refused == (400, "InvalidRequestBody")
