"""`batch-emulator` alone: where its key comes from, and who gets to know it."""

import asyncio
import json
import os
import re
import stat
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import psutil
import pytest
from azure.batch.aio import BatchClient
from azure.core.credentials import AzureNamedKeyCredential

from batch_emulator.keys import KEY_VARIABLE, STORAGE_VARIABLE, TOKEN_VARIABLE
from local.azurite import Azurite
from tests.contract.conftest import ACCOUNT, KEY, TOKEN, pool_body, refusal

type Run = Callable[..., Awaitable[tuple[Process, str]]]

NEWS = re.compile(r"^batch-emulator: made account key (\S+), token (\S+) \((.*)\)$", re.MULTILINE)


@pytest.fixture
async def run(tmp_path: Path) -> AsyncIterator[Run]:
    """Start emulators that listen when it returns, and end them with the test."""
    started: list[Process] = []

    async def start(*words: str, **environment: str) -> tuple[Process, str]:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "batch_emulator", "--account", ACCOUNT),
            *("--port", "0"),
            *("--root", str(tmp_path / "nodes"), *words),
            stdout=PIPE,
            stderr=PIPE,
            env={**os.environ, **environment},
        )
        started.append(process)
        assert process.stdout is not None
        line = await asyncio.wait_for(process.stdout.readline(), 60)
        return process, json.loads(line)["url"] if line else ""

    yield start
    for process in started:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def ended(process: Process) -> str:
    """End an emulator and return what it has written to stderr."""
    process.terminate()
    return (await process.communicate())[1].decode()


async def pools(url: str, key: str) -> list[str]:
    async with BatchClient(url, AzureNamedKeyCredential(ACCOUNT, key), retry_total=0) as client:
        return [pool.id async for pool in client.list_pools()]


async def test_a_key_file_is_made_once_and_used_ever_after(
    run: Run, azurite: Azurite, tmp_path: Path
) -> None:
    """The key is printed when it is made; the next start finds it and prints nothing."""
    file = tmp_path / "keys" / "account.json"
    storage = {STORAGE_VARIABLE: azurite.connection_string}

    first, url = await run("--key-file", str(file), **storage)
    kept = json.loads(file.read_text())
    assert await pools(url, kept["account_key"]) == []
    told = NEWS.findall(await ended(first))
    second, url = await run("--key-file", str(file), **storage)
    assert await pools(url, kept["account_key"]) == []
    assert await refusal(pools(url, KEY)) == (403, "AuthenticationFailed")
    again = await ended(second)

    assert told == [(kept["account_key"], kept["arm_token"], f"kept in {file}")]
    assert NEWS.findall(again) == []
    assert kept["account_key"] not in again


async def test_without_a_key_one_is_made_for_the_run(run: Run, azurite: Azurite) -> None:
    """It is printed on stderr, and the next run has another."""
    keys = []
    for _ in range(2):
        process, url = await run(**{STORAGE_VARIABLE: azurite.connection_string})
        assert process.stderr is not None
        news = NEWS.match((await process.stderr.readline()).decode())
        assert news
        assert news[3] == "for this run only: --key-file FILE keeps them"
        assert await pools(url, news[1]) == []
        keys.append(news[1])
        assert news[1] not in await ended(process)
    assert keys[0] != keys[1]


def printed(folder: Path) -> str:
    """Return what the start task of the one node has printed."""
    return "".join(path.read_text() for path in folder.glob("nodes/pool/*/startup/stdout.txt"))


async def test_no_command_line_and_no_task_has_a_secret(
    run: Run, azurite: Azurite, tmp_path: Path
) -> None:
    """The emulator's own, its supervisors' and its tasks': others can read the former."""
    file = tmp_path / "storage"
    file.touch(mode=0o600)
    file.write_text(azurite.connection_string)
    secrets = (KEY, TOKEN, azurite.key)
    process, url = await run(
        *("--storage-file", str(file), "--pool-speed", "2000"),
        **{KEY_VARIABLE: KEY, TOKEN_VARIABLE: TOKEN},
    )
    start = {"commandLine": "/bin/sh -c 'env; sleep 600'"}
    body = pool_body(targetDedicatedNodes=1, startTask=start)
    async with BatchClient(url, AzureNamedKeyCredential(ACCOUNT, KEY)) as client:
        await client.create_pool(body)
    limit = time.monotonic() + 30
    while "AZ_BATCH" not in (environment := printed(tmp_path)):
        assert time.monotonic() < limit, environment
        await asyncio.sleep(0.05)

    assert stat.S_IMODE((tmp_path / "nodes").stat().st_mode) == 0o700
    family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
    lines = [" ".join(one.cmdline()) for one in family]
    environments = [one.environ() for one in family[1:]]
    log = await ended(process)

    assert len(lines) >= 3
    texts = [*lines, *map(repr, environments), environment, log]
    assert not [text for text in texts for secret in secrets if secret in text]


@pytest.mark.parametrize("option", ["--key", "--storage"])
async def test_a_secret_on_the_command_line_is_refused_and_not_repeated(
    run: Run, option: str
) -> None:
    """One line says why and what to do instead."""
    process, _ = await run(option, KEY)
    _, log = await process.communicate()

    assert process.returncode == 2
    expected = f"batch-emulator: argument {option}: refused: every user of this machine can read a "
    assert log.decode().startswith(expected)
    assert log.count(b"\n") == 1
    assert KEY not in log.decode()
