"""
A Batch account for tests: an emulator as a process of its own, on a free port, in a folder.

Other projects name it in a ``conftest.py`` and use the fixture ``batch_emulator``:

    pytest_plugins = ["batch_emulator.testing"]
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest

from batch_emulator.clients_help import client_variables
from batch_emulator.keys import KEY_VARIABLE, TOKEN_VARIABLE
from batch_emulator.secret_file import new_key, new_token

ACCOUNT: Final = "testbatch"
_END_SECONDS: Final = 15.0


class EmulatorError(Exception):
    """An emulator did not start, or ended by itself; the text holds the end of its log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningEmulator:
    """
    An emulator that listens.

    Attributes:
        url: The account's address: ``endpoint`` of the SDK's client, ``account_url`` in Airflow.
        account: The account's name.
        key: The account's key, in base64.
        token: The bearer token for Azure Resource Manager and for faults.
        storage_url: The storage of output files, resource files and packages.
        log: Its journal.
        process: The emulator itself.
    """

    url: str
    account: str
    key: str = field(repr=False)
    token: str = field(repr=False)
    storage_url: str
    log: Path
    process: subprocess.Popen[str]

    @property
    def environment(self) -> dict[str, str]:
        """The variables that ``az batch`` reads."""
        return dict(client_variables(self.url, self.account, self.key))


@contextmanager
def running_emulator(
    folder: Path,
    *options: str,
    key: str | None = None,
    environment: Mapping[str, str] | None = None,
) -> Iterator[RunningEmulator]:
    """
    Run ``batch-emulator`` until the end of the context.

    Args:
        folder: Where its journal goes, and its nodes unless ``options`` say otherwise.
        options: Of its command line.
        key: The account's key, in base64; by default a new one.
        environment: Variables in addition to those of this process.

    Raises:
        EmulatorError: It did not start, or ended with an error.
    """
    key, token = key or new_key(), new_token()
    secrets = {KEY_VARIABLE: key, TOKEN_VARIABLE: token}
    log = folder / "emulator.log"
    command = [sys.executable, "-m", "batch_emulator", "--port", "0", "--account", ACCOUNT]
    if not {"--root", "--data"} & set(options):
        command += ["--root", str(folder / "nodes")]
    with log.open("a") as journal:
        process = subprocess.Popen(  # noqa: S603 - our own command
            [*command, *options],
            env={**os.environ, **(environment or {}), **secrets},
            stdout=subprocess.PIPE,
            stderr=journal,
            text=True,
        )
    try:
        ready = _ready(process, log)
        yield RunningEmulator(
            url=ready["url"],
            account=ready["account"],
            key=key,
            token=token,
            storage_url=ready["storage"],
            log=log,
            process=process,
        )
    finally:
        _end(process)
    if process.returncode > 0:
        raise EmulatorError(_why(process, log))


def _ready(process: subprocess.Popen[str], log: Path) -> dict[str, str]:
    line = process.stdout.readline() if process.stdout else ""
    if not line:
        process.wait(_END_SECONDS)
        raise EmulatorError(_why(process, log))
    ready: dict[str, str] = json.loads(line)
    return ready


def _end(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.communicate(timeout=_END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise


def _why(process: subprocess.Popen[str], log: Path) -> str:
    end = "\n".join(log.read_text().splitlines()[-20:])
    return f"the emulator ended with code {process.returncode}:\n{end}"


@pytest.fixture(scope="session")
def batch_emulator_options() -> tuple[str, ...]:
    """Return the options of the fixture ``batch_emulator``; a fixture of this name replaces it."""
    return ("--pool-speed", "1000")


@pytest.fixture
def batch_emulator(
    tmp_path: Path, batch_emulator_options: tuple[str, ...]
) -> Iterator[RunningEmulator]:
    """Run an emulator for one test."""
    folder = tmp_path / "batch-emulator"
    folder.mkdir()
    with running_emulator(folder, *batch_emulator_options) as emulator:
        yield emulator
