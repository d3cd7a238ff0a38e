"""`batch-emulator` by itself: what it does without options, its probe and its words of help."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import pytest
from azure.batch import BatchClient
from azure.batch.models import BatchTaskFailureInfo
from azure.core.credentials import AzureNamedKeyCredential

from batch_emulator.keys import DEVELOPMENT_STORAGE, STORAGE_VARIABLE
from batch_emulator.options import DEFAULT_ACCOUNT, DEFAULT_PORT
from batch_emulator.testing import (
    RunningEmulator,
    batch_emulator,
    batch_emulator_options,
    running_emulator,
)
from tests.contract.conftest import job_body, pool_body

__all__ = ["batch_emulator", "batch_emulator_options"]


@pytest.fixture
def plain(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Start `batch-emulator` with a free port and nothing else; its temporary folder is ours."""
    process = subprocess.Popen(
        [sys.executable, "-m", "batch_emulator", "--port", "0"],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    yield process
    process.kill()
    process.communicate()


def first_line(process: subprocess.Popen[str]) -> dict[str, str]:
    """Return the line by which the emulator says that it listens."""
    assert process.stdout is not None
    line: dict[str, str] = json.loads(process.stdout.readline())
    return line


def test_without_options(plain: subprocess.Popen[str], tmp_path: Path) -> None:
    """A default account, Azurite's own storage, nodes in a folder that goes, help for clients."""
    line = first_line(plain)
    storage = dict(part.split("=", 1) for part in DEVELOPMENT_STORAGE.strip(";").split(";"))
    (folder,) = tmp_path.iterdir()

    assert folder.stat().st_mode & 0o777 == 0o700
    assert line["account"] == DEFAULT_ACCOUNT
    assert line["storage"] == storage["BlobEndpoint"]
    plain.send_signal(signal.SIGTERM)
    output, log = plain.communicate()
    assert (plain.returncode, output) == (0, "")
    assert list(tmp_path.iterdir()) == []
    helped = [text for text in log.splitlines() if text.startswith(("az ", "Python ", "Airflow "))]
    assert len(helped) == 3
    assert all(line["url"] in text and DEFAULT_ACCOUNT in text for text in helped)


def test_the_default_port_is_fixed_and_taken_by_one(plain: subprocess.Popen[str]) -> None:
    """The help names it; a port that is taken is refused in one line that says what to do."""
    said = subprocess.run(
        [sys.executable, "-m", "batch_emulator", "--help"],
        capture_output=True,
        text=True,
        check=True,
    )
    port = first_line(plain)["url"].rsplit(":", 1)[1]

    second = subprocess.run(
        [sys.executable, "-m", "batch_emulator", "--port", port],
        capture_output=True,
        text=True,
        check=False,
    )

    assert f"default: {DEFAULT_PORT}" in said.stdout
    assert second.returncode == 2
    assert second.stderr.splitlines()[-1] == (
        f"batch-emulator: port {port} is in use: stop the program that listens there, "
        "or give another --port (0: any)"
    )


def probe(url: str, **headers: str) -> tuple[int, bytes]:
    """Send the probe without any key."""
    try:
        with urlopen(Request(f"{url}/emulator/ready", headers=headers)) as response:  # noqa: S310
            return response.status, response.read()
    except HTTPError as error:
        with error:
            return error.code, error.read()


@pytest.mark.parametrize("options", [(), ("--faults",)])
def test_the_probe(tmp_path: Path, options: tuple[str, ...]) -> None:
    """It needs no key and no faults, but the Host of every request; later nothing answers."""
    with running_emulator(tmp_path, *options) as emulator:
        assert probe(emulator.url) == (200, b"ready\n")
        assert probe(emulator.url, Host="rebound.example")[0] == 403
        assert probe(emulator.url, Origin="http://page.example")[0] == 403

    with pytest.raises(URLError, match="Connection refused"):
        probe(emulator.url)


def test_outputs_without_storage(tmp_path: Path) -> None:
    """The task fails, and the reason names how to say where storage is."""
    nothing = "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=YQ==;BlobEndpoint={};"
    address = "http://127.0.0.1:1/a"
    container: dict[str, object] = {"containerUrl": f"{address}/c"}
    container["identityReference"] = {"resourceId": "/subscriptions/0/identity"}
    output = {
        "filePattern": "../stdout.txt",
        "destination": {"container": container},
        "uploadOptions": {"uploadCondition": "taskcompletion"},
    }
    environment = {STORAGE_VARIABLE: nothing.format(address)}
    speed = ("--pool-speed", "1000")
    with running_emulator(tmp_path, *speed, environment=environment) as emulator:
        assert emulator.storage_url == address
        credential = AzureNamedKeyCredential(emulator.account, emulator.key)
        with BatchClient(emulator.url, credential) as client:
            client.create_pool(pool_body(targetDedicatedNodes=1))
            client.create_job(job_body("job", "/bin/true", outputFiles=[output]))
            failure = failure_of(client)

    assert failure.code == "FileUploadMiscError"
    details = {detail.name: detail.value for detail in failure.details or ()}
    assert f"start blob storage there, or name another by {STORAGE_VARIABLE}" in str(
        details["Message"]
    )


def failure_of(client: BatchClient) -> BatchTaskFailureInfo:
    """Wait for the end of the task and return its failure."""
    limit = time.monotonic() + 30
    while (task := client.get_task("job", "main")).state != "completed":
        assert time.monotonic() < limit
        time.sleep(0.05)
    assert task.execution_info is not None
    assert task.execution_info.failure_info is not None
    return task.execution_info.failure_info


def test_the_file_of_variables(tmp_path: Path) -> None:
    """A shell that reads it has what `az batch` needs; others cannot read it."""
    file = tmp_path / "with space" / "batch.env"
    file.parent.mkdir()
    with running_emulator(tmp_path, "--env-file", str(file)) as emulator:
        shell = subprocess.run(
            ["/bin/sh", "-c", '. "$0" && env', str(file)],
            env={},
            capture_output=True,
            text=True,
            check=True,
        )

    seen = dict(line.split("=", 1) for line in shell.stdout.splitlines())
    assert emulator.environment.items() <= seen.items()
    assert file.stat().st_mode & 0o777 == 0o600
    assert f"az       . '{file}'\n" in emulator.log.read_text()


def test_the_keys_of_an_account_that_is_kept(tmp_path: Path) -> None:
    """Made once, in the data folder: a client of before is a client of after."""
    command = [sys.executable, "-m", "batch_emulator", "--port", "0", "--data", str(tmp_path / "d")]
    keys = []
    for _ in range(2):
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        ) as process:
            assert process.stdout is not None
            process.stdout.readline()
            process.terminate()
            assert process.wait() == 0
        keys.append((tmp_path / "d/keys.json").read_text())

    assert keys[0] == keys[1]


def test_the_fixture(batch_emulator: RunningEmulator) -> None:
    """Others' tests get an address, an account, a key and storage; nothing is left running."""
    emulator = batch_emulator
    credential = AzureNamedKeyCredential(emulator.account, emulator.key)
    with BatchClient(emulator.url, credential) as client:
        client.create_pool(pool_body(targetDedicatedNodes=1))
        client.create_job(job_body("job", "/bin/true"))

        assert [job.id for job in client.list_jobs()] == ["job"]
    assert emulator.environment["AZURE_BATCH_ENDPOINT"] == emulator.url
    assert emulator.storage_url
