"""
SIGTERM at a random moment: the emulator ends within 5 s and leaves no process, whatever its nodes do.

``python -m bench.sigterm 500`` makes 500 trials. Each starts an emulator of its own, lets nodes and
tasks come into some phase of their lives, by a random sequence that the seed and the trial's number
fix, and ends it. Some tasks ignore SIGTERM and leave their session; storage never answers.
"""

import argparse
import asyncio
import contextlib
import json
import os
import random
import signal
import socket
import statistics
import sys
import tempfile
import time
import zipfile
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import aiohttp
import psutil
from azure.batch.aio import BatchClient
from azure.core.credentials import AzureNamedKeyCredential
from azure.core.exceptions import AzureError
from azure.core.rest import HttpRequest

from batch_emulator.keys import KEY_VARIABLE, STORAGE_VARIABLE, TOKEN_VARIABLE
from batch_emulator.secret_file import new_key, new_token

LIMIT_SECONDS: Final = 5.0
"""Within which the emulator is gone."""

_TEMPORARY: Final = Path(tempfile.gettempdir()).resolve()
_PATIENCE_SECONDS: Final = 60.0
_ACCOUNT: Final = "sigterm"
_KEY: Final = new_key()
_TOKEN: Final = new_token()
_FILES_OF_PACKAGE: Final = 500
_LOOK_SECONDS: Final = 0.02
_STUBBORN: Final = """
trap "" TERM
setsid {python} -c "
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if os.fork(): os._exit(0)
time.sleep(600)
" &
sleep 600
sleep 600
"""
_COMMANDS: Final = (
    "/bin/sleep 600",
    "/bin/true",
    "/bin/sh -c 'sleep 0.2; exit 3'",
    f"/bin/sh -c '{_STUBBORN.format(python=sys.executable)}'",
)
_OPTIONS: Final = ("requeue", "terminate", "taskcompletion")
_MACHINE: Final = {
    "imageReference": {"publisher": "canonical", "offer": "ubuntu-24_04-lts", "sku": "server"},
    "nodeAgentSKUId": "batch.node.ubuntu 24.04",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """
    How one trial ended.

    Attributes:
        number: Of the trial.
        doing: States of the nodes just before the signal.
        seconds: From the signal to the end of the process.
        code: Its exit code.
        left: Command lines of processes that were left.
    """

    number: int
    doing: tuple[str, ...]
    seconds: float
    code: int | None
    left: tuple[str, ...]

    @property
    def good(self) -> bool:
        """Whether it is as it must be."""
        return self.code == 0 and not self.left and self.seconds <= LIMIT_SECONDS


class _Trial:
    """One emulator and what is asked of it; a refusal is an answer as good as any."""

    def __init__(self, url: str, client: BatchClient, chance: random.Random) -> None:
        self._url = url
        self._client = client
        self._chance = chance

    async def _ask(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        request = HttpRequest(
            method, f"{self._url}{path}", params={"api-version": "2025-06-01"}, json=body
        )
        try:
            reply = await self._client.send_request(request)
            return dict(reply.json()) if method == "GET" else {}
        except AzureError:
            return {}

    async def nodes(self) -> list[dict[str, Any]]:
        """Return the nodes of the pool, as they are listed."""
        return list((await self._ask("GET", "/pools/pool/nodes")).get("value", ()))

    async def bring_about(self) -> None:
        """Make a pool and jobs, then change what there is a few times."""
        await self._ask("POST", "/pools", self._pool())
        for number in range(self._chance.randint(0, 4)):
            await self._ask("POST", "/jobs", self._job(number))
        for _ in range(self._chance.randint(0, 4)):
            await asyncio.sleep(self._chance.uniform(0, 0.5))
            await self._change()
        await asyncio.sleep(self._chance.choice((0, self._chance.uniform(0, 1.5))))

    def _pool(self) -> dict[str, Any]:
        chance = self._chance
        pool: dict[str, Any] = {
            "id": "pool",
            "vmSize": "standard_d2ds_v5",
            "virtualMachineConfiguration": _MACHINE,
            "taskSlotsPerNode": chance.randint(1, 3),
        }
        if chance.random() < 0.2:  # noqa: PLR2004 - one pool in five
            formula = "$TargetLowPriorityNodes = max(0, $PendingTasks.GetSample(1)) > 0 ? 2 : 0;"
            pool |= {
                "enableAutoScale": True,
                "autoScaleFormula": formula,
                "autoScaleEvaluationInterval": "PT5M",
            }
        else:
            pool |= {
                "targetDedicatedNodes": chance.randint(0, 2),
                "targetLowPriorityNodes": chance.randint(0, 2),
            }
        if chance.getrandbits(1):
            pool["startTask"] = {
                "commandLine": chance.choice(_COMMANDS),
                "waitForSuccess": bool(chance.getrandbits(1)),
                "maxTaskRetryCount": chance.choice((0, 3, -1)),
            }
        if chance.getrandbits(1):
            pool["applicationPackageReferences"] = [{"applicationId": "many", "version": "1"}]
        return pool

    def _job(self, number: int) -> dict[str, Any]:
        chance = self._chance
        manager: dict[str, Any] = {
            "id": "main",
            "commandLine": chance.choice(_COMMANDS),
            "runExclusive": bool(chance.getrandbits(1)),
        }
        if chance.getrandbits(1):
            container = {
                "containerUrl": "https://silent.blob.core.windows.net/container",
                "identityReference": {"resourceId": "/of/the/pool"},
            }
            manager["outputFiles"] = [
                {
                    "filePattern": "../std*.txt",
                    "destination": {"container": container},
                    "uploadOptions": {"uploadCondition": "taskcompletion"},
                }
            ]
        return {"id": f"job{number}", "poolInfo": {"poolId": "pool"}, "jobManagerTask": manager}

    async def _change(self) -> None:
        chance = self._chance
        option = chance.choice(_OPTIONS)
        sizes = {
            "targetDedicatedNodes": chance.randint(0, 2),
            "targetLowPriorityNodes": chance.randint(0, 2),
            "nodeDeallocationOption": option,
        }
        job = f"/jobs/job{chance.randint(0, 3)}"
        of_pool: list[tuple[str, str, object]] = [
            ("POST", "/pools/pool/resize", sizes),
            ("POST", "/pools/pool/stopresize", None),
            ("DELETE", "/pools/pool", None),
            ("POST", f"{job}/terminate", {"terminateReason": "enough"}),
            ("DELETE", job, None),
        ]
        nodes = await self.nodes()
        if not nodes or chance.random() < 0.4:  # noqa: PLR2004 - two changes in five
            await self._ask(*chance.choice(of_pool))
            return
        node = chance.choice(sorted(nodes, key=lambda item: str(item["allocationTime"])))["id"]
        path = f"/pools/pool/nodes/{node}"
        what = chance.choice(("reboot", "reimage", "disable", "enable", "remove", "preempt"))
        match what:
            case "reboot" | "reimage":
                body = {f"node{what.capitalize()}Option": option}
                await self._ask("POST", f"{path}/{what}", body)
            case "disable":
                body = {"nodeDisableSchedulingOption": option}
                await self._ask("POST", f"{path}/disablescheduling", body)
            case "enable":
                await self._ask("POST", f"{path}/enablescheduling")
            case "remove":
                removal = {"nodeList": [node], "nodeDeallocationOption": option}
                await self._ask("POST", "/pools/pool/removenodes", removal)
            case _:
                await self._preempt(node, chance.choice((0, 200, None)))

    async def _preempt(self, node: str, seconds: float | None) -> None:
        path = f"{self._url}/emulator/nodes/{node}/preempt"
        async with aiohttp.ClientSession() as session:
            headers = {"Authorization": f"Bearer {_TOKEN}"}
            await session.post(path, json={"seconds": seconds}, headers=headers)


async def run_trial(number: int, seed: int) -> Ending:
    """Start an emulator, bring nodes and tasks into some phase, end it, and look what is left."""
    chance = random.Random(f"{seed} {number}")  # noqa: S311 - no secret comes of it
    with (
        tempfile.TemporaryDirectory(prefix="sigterm", dir=_TEMPORARY) as name,
        socket.create_server(("127.0.0.1", 0)) as storage,  # which never answers
    ):
        folder = Path(name)
        process = await _start(folder, storage.getsockname()[1], chance)
        try:
            return await _run(process, number, folder, chance)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()


async def _start(folder: Path, storage_port: int, chance: random.Random) -> Process:
    package = folder / "many.zip"
    await asyncio.to_thread(_write_package, package)
    storage = (
        f"DefaultEndpointsProtocol=http;AccountName={_ACCOUNT};AccountKey={_KEY};"
        f"BlobEndpoint=http://127.0.0.1:{storage_port}/{_ACCOUNT};"
    )
    secrets = {KEY_VARIABLE: _KEY, TOKEN_VARIABLE: _TOKEN, STORAGE_VARIABLE: storage}
    arguments = {
        "--port": "0",
        "--account": _ACCOUNT,
        "--root": str(folder / "nodes"),
        "--pool-speed": str(chance.choice((50, 500, 5000))),
        "--application": f"many=1={package}",
    }
    words = [word for pair in arguments.items() for word in pair]
    with (folder / "log").open("wb") as log:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "batch_emulator",
            *words,
            "--faults",
            env={**os.environ, **secrets},
            cwd=folder,  # by which everything that it starts is known
            stdout=PIPE,
            stderr=log,
        )


def _write_package(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(_FILES_OF_PACKAGE):
            archive.writestr(f"file{number}", "x")


async def _run(process: Process, number: int, folder: Path, chance: random.Random) -> Ending:
    if process.stdout is None:
        raise RuntimeError("the emulator has no standard output")
    ready = json.loads(await process.stdout.readline())
    key = AzureNamedKeyCredential(_ACCOUNT, _KEY)
    async with BatchClient(ready["url"], key, retry_total=0) as client:
        trial = _Trial(ready["url"], client, chance)
        await trial.bring_about()
        doing = tuple(sorted(str(node["state"]) for node in await trial.nodes()))
        await asyncio.sleep(chance.choice((0, chance.uniform(0, 0.1))))
        below = psutil.Process(process.pid).children(recursive=True)
        begun = time.monotonic()
        process.send_signal(signal.SIGTERM)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), _PATIENCE_SECONDS)
        seconds = time.monotonic() - begun
    left = await asyncio.to_thread(_left, folder, below)
    return Ending(
        number=number, doing=doing, seconds=seconds, code=process.returncode, left=tuple(left)
    )


def _left(folder: Path, below: Sequence[psutil.Process]) -> list[str]:
    """Return, and end, the processes that ran below the emulator or work in its folder."""
    suspects = {process.pid: process for process in below if process.is_running()}
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if Path(process.cwd()).is_relative_to(folder):
                suspects[process.pid] = process
    left = []
    for process in suspects.values():
        with contextlib.suppress(psutil.Error):
            if process.status() != psutil.STATUS_ZOMBIE:
                left.append(" ".join(process.cmdline()))
                process.kill()
    return left


async def run_trials(count: int, seed: int, at_once: int) -> list[Ending]:
    """Run the trials, some of them at once, and print each failure when it happens."""
    numbers = iter(range(count))
    endings: list[Ending] = []

    async def work() -> None:
        for number in numbers:
            ending = await run_trial(number, seed)
            endings.append(ending)
            if not ending.good:
                print(f"trial {number} of seed {seed}: {ending}", flush=True)  # noqa: T201

    async with asyncio.TaskGroup() as group:
        for _ in range(at_once):
            group.create_task(work())
    return endings


def summary(endings: Sequence[Ending]) -> str:
    """Return what the trials came to, and in which states their nodes were."""
    good = sum(ending.good for ending in endings)
    times = [ending.seconds for ending in endings]
    states = sorted({state for ending in endings for state in ending.doing})
    return (
        f"{good} of {len(endings)} trials ended within {LIMIT_SECONDS:g} s and left no process; "
        f"median {statistics.median(times):.2f} s, longest {max(times):.2f} s; "
        f"nodes were {', '.join(states)}"
    )


def main() -> int:
    """Return 0 if every trial is good."""
    parser = argparse.ArgumentParser(prog="bench.sigterm", description=__doc__)
    parser.add_argument("count", nargs="?", type=int, default=500, help="number of trials")
    parser.add_argument("--seed", type=int, default=12, help="fixes what each trial does")
    parser.add_argument("--at-once", type=int, default=2, help="emulators that run side by side")
    given = parser.parse_args()
    endings = asyncio.run(run_trials(given.count, given.seed, given.at_once))
    print(summary(endings))  # noqa: T201 - what it is run for
    return 0 if all(ending.good for ending in endings) else 1


if __name__ == "__main__":
    sys.exit(main())
