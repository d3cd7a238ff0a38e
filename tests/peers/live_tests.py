"""
Microsoft's own tests of azure-batch 15.1, run against emulators.

`python -m tests.peers.live_tests` prints how many of the cases pass, and why the others
do not. The tests come from the source distribution of azure-batch and are not copied; the modules
that they need and nobody publishes are in ``live-tests-shim`` of the folder that ``RECUR_ORACLES``
names. Each case has an emulator of its own.
"""

import asyncio
import base64
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from batch_emulator.options import Options
from batch_emulator.package import Package
from batch_emulator.server import Emulator
from local.azurite import Azurite

RELEASE: Final = "azure-batch==15.1.0"
ENVIRONMENT: Final = Path(__file__).parents[2] / ".venv-peers-live"

NOT_YET: Final[dict[str, str]] = {}
"""The tests that cannot pass, and why."""

_ACCOUNT: Final = "livetests"
_FILES: Final = ("test_batch.py", "async_wrapper.py")
_SPEED: Final = 200.0
_CASE_SECONDS: Final = 150
_AT_ONCE: Final = 2
_STAMPS: Final = ("RequestId:", "Time:")
_REASON: Final = re.compile(r"^E\s+(.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """
    How one case ended.

    Attributes:
        case: Name of the test, and which client it was.
        failure: The first line of the error; empty if it passed.
    """

    case: str
    failure: str

    @property
    def test(self) -> str:
        """The name of the test."""
        return self.case.partition("[")[0]


def fetch_tests(folder: Path) -> None:
    """Download the source distribution, and unpack the test files that are run."""
    fetched = folder / "sdist"
    name = RELEASE.partition("=")[0]
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    subprocess.run(
        [*command, "--no-binary", name, "--dest", str(fetched), RELEASE],
        check=True,
        stderr=subprocess.DEVNULL,
    )
    (archive,) = fetched.glob("*.tar.gz")
    with tarfile.open(archive) as packed:
        for member in packed.getmembers():
            if member.name.split("/")[1:] in [["tests", wanted] for wanted in _FILES]:
                member.name = Path(member.name).name
                packed.extract(member, folder, filter="data")


async def run_cases(folder: Path, shim: Path, storage: str) -> list[Result]:
    """
    Run every case.

    Args:
        folder: Where the test files are.
        shim: The folder of the modules that they need.
        storage: The connection string of blob storage.
    """
    listed, _ = await _pytest(folder, shim, {}, "--collect-only", "--quiet", "test_batch.py")
    cases = [line for line in listed.splitlines() if "::" in line]
    turns = asyncio.Semaphore(_AT_ONCE)
    with zipfile.ZipFile(folder / "application.zip", "w") as archive:
        archive.writestr("empty.txt", "")

    async def run(number: int, case: str) -> Result:
        async with turns:
            return await _run_case(folder, shim, storage, number, case)

    return await asyncio.gather(*(run(number, case) for number, case in enumerate(cases)))


async def _run_case(folder: Path, shim: Path, storage: str, number: int, case: str) -> Result:
    key = base64.b64encode(os.urandom(32)).decode()
    options = Options(
        account=_ACCOUNT,
        key=key,
        storage=storage,
        root=folder / f"nodes-{number}",
        pool_speed=_SPEED,
        applications=(Package.parse(f"application_1=1.0={folder / 'application.zip'}"),),
        kill_grace_seconds=0.2,
    )
    async with Emulator(options) as emulator:
        account = {"BATCH_ENDPOINT": emulator.url, "BATCH_ACCOUNT": _ACCOUNT, "BATCH_KEY": key}
        said, code = await _pytest(folder, shim, account, "--quiet", "--tb=short", case)
    name = case.rpartition("::")[2]
    if code == 0:
        return Result(case=name, failure="")
    errors = [line for line in _REASON.findall(said) if not line.startswith(_STAMPS)]
    return Result(case=name, failure="; ".join(errors)[-300:] or said.strip()[-300:])


async def _pytest(
    folder: Path, shim: Path, environment: dict[str, str], *words: str
) -> tuple[str, int]:
    """Return what pytest printed, and its exit code."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    plain = ("-o", "asyncio_mode=auto", "-p", "no:cacheprovider", "--rootdir", ".")
    process = await asyncio.create_subprocess_exec(
        str(ENVIRONMENT / "bin/python"),
        "-m",
        "pytest",
        *plain,
        *words,
        cwd=folder,
        env={
            **kept,
            **environment,
            "PYTHONPATH": f"{shim}:{folder}",
            "PYTHONDONTWRITEBYTECODE": "1",
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        out, _ = await asyncio.wait_for(process.communicate(), _CASE_SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()
        return f"E  not through after {_CASE_SECONDS} s", 1
    return out.decode(errors="replace"), process.returncode or 0


def run(shim: Path, folder: Path, storage: str) -> list[Result]:
    """Fetch the tests and run every case."""
    fetch_tests(folder)
    return asyncio.run(run_cases(folder, shim, storage))


def totals(results: Sequence[Result]) -> str:
    """Return how many cases pass, and of each other one why not."""
    failed = [one for one in results if one.failure]
    return "\n".join(
        [
            f"{len(results) - len(failed)} of {len(results)} cases of {RELEASE} pass",
            *(f"  {one.case}: {NOT_YET.get(one.test, one.failure)}" for one in failed),
        ]
    )


def main() -> int:
    """Return the exit code of the process."""
    if not (oracles := os.environ.get("RECUR_ORACLES")):
        sys.stderr.write("RECUR_ORACLES names no folder that has live-tests-shim\n")
        return 2
    with tempfile.TemporaryDirectory() as name:
        azurite = Azurite(log=Path(name) / "azurite.log")
        azurite.start()
        try:
            results = run(Path(oracles) / "live-tests-shim", Path(name), azurite.connection_string)
        finally:
            azurite.stop()
    sys.stdout.write(f"{totals(results)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
