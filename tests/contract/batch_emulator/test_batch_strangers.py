"""What a browser or another user may send is refused before anything of it is looked at."""

import asyncio
from urllib.parse import urlsplit

import aiohttp
import pytest

from tests.contract.conftest import ACCOUNT, TOKEN, Batch, Start
from tests.support.arm_account import GROUP

ARM = (
    f"/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/{GROUP}"
    f"/providers/Microsoft.Batch/batchAccounts/{ACCOUNT}?api-version=2025-06-01"
)


@pytest.fixture
async def faulty(start_batch: Start) -> Batch:
    return await start_batch(faults=True)


async def answer(
    batch: Batch, request_line: str, *headers: str, version: str = "1.1"
) -> tuple[int, str, str]:
    """Send a request byte by byte as it is given, and return status, headers and body."""
    address = urlsplit(batch.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    lines = [f"{request_line} HTTP/{version}", *headers, "Connection: close", "", ""]
    text = "\r\n".join(lines).format(port=address.port, wrong=(address.port or 0) ^ 1)
    writer.write(text.encode("latin-1"))
    reply = (await asyncio.wait_for(reader.read(), 10)).decode()
    writer.close()
    head, _, body = reply.partition("\r\n\r\n")
    return int(head.split(" ", 2)[1]), head, body


@pytest.mark.parametrize(
    "headers",
    [
        ("Host:",),
        ("Host: evil.example:{port}",),
        ("Host: evil.example",),
        ("Host: 127.0.0.1.nip.io:{port}",),
        ("Host: localtest.me:{port}",),
        ("Host: localhost.:{port}",),
        ("Host: 127.0.0.2:{port}",),
        ("Host: 127.1:{port}",),
        ("Host: 0.0.0.0:{port}",),
        ("Host: [::ffff:127.0.0.1]:{port}",),
        ("Host: 127.0.0.1",),
        ("Host: 127.0.0.1:{wrong}",),
        ("Host: localhost:80",),
        ("HOST: EVIL.EXAMPLE:{port}",),
        ("Host: h\xf6st:{port}",),
        ("Host: evil.example:{port}", "X-Forwarded-Host: 127.0.0.1:{port}"),
        ("Host: evil.example:{port}", "Expect: 100-continue"),
        ("Host: 127.0.0.1:{port}", "Origin: http://evil.example"),
        ("Host: 127.0.0.1:{port}", "Origin: http://127.0.0.1:{port}"),
        ("Host: 127.0.0.1:{port}", "ORIGIN: null"),
        ("Host: 127.0.0.1:{port}", "origin:"),
    ],
    ids=str,
)
async def test_a_foreign_host_or_any_origin_is_refused_everywhere(
    faulty: Batch, headers: tuple[str, ...]
) -> None:
    """By plain words, with the right token or without, on every path and by every method."""
    rule = await faulty.faults.add("reset")
    for line in (
        "GET /jobs?api-version=2025-06-01",
        "OPTIONS /jobs",
        "GET /emulator/faults",
        "DELETE /emulator/faults",
        f"GET {ARM}",
        f"DELETE {ARM}",
        "GET /",
        "GET /favicon.ico",
        "HEAD /pools/pool?api-version=2025-06-01",
    ):
        status, head, body = await answer(faulty, line, *headers, f"Authorization: Bearer {TOKEN}")
        status_line = head.partition("\r\n")[0]
        if status_line == "HTTP/1.1 100 Continue":  # says nothing yet
            head, _, body = body.partition("\r\n\r\n")
            status = int(head.split(" ", 2)[1])
        assert status == 403, line
        assert "Content-Type: text/plain" in head
        assert "Access-Control" not in head
        if not line.startswith("HEAD"):
            assert "127.0.0.1:" in body or "leave out the header Origin" in body

    assert await faulty.faults.hits() == {rule: 0}
    assert await faulty.faults.seen() == ()


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("GET http://127.0.0.1:{port}/emulator/faults", 200),
        ("GET HTTP://LOCALHOST:{port}/emulator/faults", 200),
        ("GET http://evil.example:{port}/emulator/faults", 403),
        ("GET http://127.0.0.1:{wrong}/emulator/faults", 403),
        ("GET http://127.0.0.1:{port}@evil.example/emulator/faults", 403),
        ("GET https://127.0.0.1:{port}/emulator/faults", 403),
        ("GET //evil.example/emulator/faults", 400),
    ],
)
async def test_an_absolute_target_has_to_name_this_machine_too(
    faulty: Batch, line: str, status: int
) -> None:
    """It counts more than the header Host, so that both are looked at."""
    bearer = f"Authorization: Bearer {TOKEN}"
    told, _, body = await answer(faulty, line, "Host: 127.0.0.1:{port}", bearer)

    assert told == status, body
    if status == 403:
        assert body.startswith("The host of the request's address must be 127.0.0.1:")


@pytest.mark.parametrize("header", ["Authorization: SharedKey {account}:\xff", "ocp-odd: \xff"])
async def test_bytes_that_are_no_text_are_a_wrong_signature(faulty: Batch, header: str) -> None:
    """And no failure of the emulator."""
    signed = f"Authorization: SharedKey {ACCOUNT}:a2V5"
    lines = ["Host: 127.0.0.1:{port}", header.replace("{account}", ACCOUNT)]
    lines += [] if header.startswith("Authorization") else [signed]
    status, _, body = await answer(faulty, "GET /jobs?api-version=2025-06-01", *lines)
    assert (status, "AuthenticationFailed" in body) == (403, True)


@pytest.mark.parametrize("name", ["127.0.0.1", "[::1]", "localhost", "LOCALHOST"])
async def test_names_of_this_machine_pass(faulty: Batch, name: str) -> None:
    """In any case, with the port; programs send no Origin."""
    bearer = f"Authorization: Bearer {TOKEN}"
    status, _, _ = await answer(faulty, "GET /emulator/faults", f"host: {name}:{{port}}", bearer)
    assert status == 200


@pytest.mark.parametrize(("version", "expected"), [("1.1", 400), ("1.0", 403)])
async def test_a_missing_host_is_refused(faulty: Batch, version: str, expected: int) -> None:
    """HTTP/1.1 asks for one, so that the parser refuses it first; HTTP/1.0 may leave it out."""
    bearer = f"Authorization: Bearer {TOKEN}"
    status, _, body = await answer(faulty, "GET /emulator/faults", bearer, version=version)
    assert status == expected
    assert "Host" in body


async def test_two_hosts_are_refused(faulty: Batch) -> None:
    """Whichever comes first."""
    here, there = "Host: 127.0.0.1:{port}", "Host: evil.example:{port}"
    for headers in ((here, there), (there, here), (here, here)):
        status, _, _ = await answer(faulty, "GET /emulator/faults", *headers)
        assert status in {400, 403}  # the parser may be the first to refuse


@pytest.mark.parametrize(
    "authorization",
    [None, "Bearer x", f"Basic {TOKEN}", "Bearer ", TOKEN],
    ids=["none", "other", "basic", "empty", "bare"],
)
async def test_faults_need_the_token(faulty: Batch, authorization: str | None) -> None:
    """Whoever has it may change what the account answers; nobody else learns even the paths."""
    rule = await faulty.faults.add("latency", milliseconds=0)
    headers = {"Authorization": authorization} if authorization else {}
    async with aiohttp.ClientSession(headers=headers) as session:
        for method, path in (
            ("GET", "faults"),
            ("POST", "faults"),
            ("DELETE", "faults"),
            ("POST", "jobs/job/forget"),
            ("GET", "unheard-of"),
        ):
            reply = await session.request(method, f"{faulty.url}/emulator/{path}")
            assert reply.status == 401
            assert (await reply.json())["errors"][0]["field"] == "Authorization"

    assert await faulty.faults.hits() == {rule: 0}
