"""`make up` and `make start` together, and official clients beside them."""

import json
import os
import random
import re
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest
from azure.batch import BatchClient
from azure.batch.models import BatchTask
from azure.core.exceptions import ResourceNotFoundError

from local.keys import FILE, LaptopKeys
from local.provision import open_local_batch, open_local_storage
from local.settings import read_local_settings, write_keys
from tests.e2e.processes import CommandLines, listening, running_below

pytestmark = pytest.mark.e2e

_ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    """Derive settings from the sample: the same but for the ports, and quicker timers."""
    sample = (_ROOT / "local.settings.sample.json").read_text()
    with ExitStack() as probes:  # both at once, so that they differ
        for port in ("10000", "10100"):
            probe = probes.enter_context(socket.socket())
            sample = sample.replace(f":{port}", f":{_bind_outside_port_0(probe)}")
    document = json.loads(sample)
    document["Values"] |= {"SUBMIT_CRON": "*/2 * * * * *", "COLLECT_CRON": "1/2 * * * * *"}
    path = tmp_path / "settings.json"
    path.write_text(json.dumps(document))
    write_keys(path, LaptopKeys.new())  # older ones than those of the folder
    return path


def _bind_outside_port_0(probe: socket.socket) -> int:
    """Bind to a port that no other program is given while nobody listens on it: it is used twice."""
    while True:
        port = random.randrange(20_000, 30_000)  # noqa: S311 - no secret
        with suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


@contextmanager
def _running(command: str, *arguments: str, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "local", command, *arguments],
            cwd=_ROOT,
            env={**os.environ, "TMPDIR": str(log.parent)},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()  # it stops what it started
            process.wait(30)


def _until[T](look: Callable[[], T | None], log: Path, seconds: float = 40) -> T:
    limit = time.monotonic() + seconds
    while (found := look()) is None:
        assert time.monotonic() < limit, log.read_text()
        time.sleep(0.1)
    return found


def _end(process: subprocess.Popen[bytes]) -> int:
    process.send_signal(signal.SIGINT)
    return process.wait(20)


def _tick(function: str, settings: Path) -> int:
    command = [sys.executable, "-m", "local", "tick", function, "--settings", str(settings)]
    return subprocess.run(command, cwd=_ROOT, capture_output=True, check=False).returncode


def test_a_run_is_seen_by_official_clients_from_its_job_to_its_blob(
    tmp_path: Path, settings: Path
) -> None:
    """
    Both commands work from one settings file, and Ctrl-C ends each with exit code 0.

    The same tick twice makes one job. The task's stdout is on the node while the node lives, and in
    blob storage when it is gone.
    """
    log = tmp_path / "up.log"
    with ExitStack() as closing:
        shown = closing.enter_context(CommandLines())
        up = closing.enter_context(
            _running("up", "--settings", str(settings), "--folder", str(tmp_path / "kept"), log=log)
        )
        _until(lambda: "make start" in log.read_text() or None, log)
        values = read_local_settings(settings)
        again = subprocess.run(
            [sys.executable, "-m", "local", "up", "--settings", str(settings)],
            cwd=_ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert again.returncode == 1
        assert "is in use: stop the program that listens there (another `make up`?)" in again.stderr

        batch = closing.enter_context(
            open_local_batch(
                values["BATCH_ACCOUNT_URL"],
                values["BATCH_ACCOUNT_NAME"],
                values["BATCH_ACCOUNT_KEY"],
            )
        )
        storage = closing.enter_context(
            open_local_storage(values["DATA_STORAGE_CONNECTION_STRING"])
        )
        assert [_tick("submit", settings), _tick("submit", settings)] == [0, 0]
        (job,) = batch.list_jobs()
        assert job.id.startswith("hello-")

        start = closing.enter_context(
            _running("start", "--settings", str(settings), log=tmp_path / "start.log")
        )
        task = _until(lambda: _completed(list(batch.list_tasks(job.id))), log)
        assert task.execution_info
        assert task.execution_info.exit_code == 0
        on_node = _on_node(batch, job.id)

        ledger = storage.get_container_client("ledger")
        record = _until(
            lambda: next(
                (
                    name
                    for name in ledger.list_blob_names(name_starts_with="runs/")
                    if name.endswith(f"/{job.id}.json")
                ),
                None,
            ),
            tmp_path / "start.log",
        )
        assert json.loads(ledger.download_blob(record).readall())["outcome"] == "succeeded"
        folder = record.removeprefix("runs/").removesuffix(".json")
        outputs = storage.get_container_client("outputs")
        stored = outputs.download_blob(f"{folder}/stdout.txt").readall()
        assert b"run id:       " + job.id.encode() in stored
        assert on_node in {stored, None}

        assert _end(start) == 0
        assert _end(up) == 0

    assert listening(settings.read_text()) == []
    assert running_below(tmp_path) == []
    _assert_only_the_owner_knows_the_keys(tmp_path / "kept", settings, shown.seen)


def _assert_only_the_owner_knows_the_keys(kept: Path, settings: Path, shown: set[str]) -> None:
    """Look at the modes of files, at every command line, and at the logs."""
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (kept, kept / FILE, settings)]
    assert modes == [0o700, 0o600, 0o600]
    secrets = set(json.loads((kept / FILE).read_text()).values())
    assert len(secrets) == 3
    for program in ("batch_emulator", "azurite", "-m local start", "-m local up"):
        assert any(program in line for line in shown), program
    logs = [path.read_text() for path in (*kept.glob("*.log"), *kept.parent.glob("*.log"))]
    assert len(logs) == 4
    assert not [text for text in (*shown, *logs) for secret in secrets if secret in text]


def _on_node(batch: BatchClient, job: str) -> bytes | None:
    """Return what the task has written on its node; None if the pool has given the node back."""
    try:
        return b"".join(batch.download_task_file(job, "main", "stdout.txt"))
    except ResourceNotFoundError:
        return None


def _completed(tasks: list[BatchTask]) -> BatchTask | None:
    return next((task for task in tasks if task.state == "completed"), None)


def test_blobs_are_kept_from_one_time_to_the_next(tmp_path: Path, settings: Path) -> None:
    """What was written into the ledger is there again, and the schedule document is left alone."""
    arguments = ("--settings", str(settings), "--folder", str(tmp_path / "kept"))
    for time_, expected in enumerate(("uploaded from local/schedules.toml", "left as it was")):
        log = tmp_path / f"up{time_}.log"
        with _running("up", *arguments, log=log) as up:
            _until(lambda log=log: "make start" in log.read_text() or None, log)  # type: ignore[misc]
            assert f"schedules.toml: {expected}" in log.read_text()
            values = read_local_settings(settings)
            with open_local_storage(values["DATA_STORAGE_CONNECTION_STRING"]) as storage:
                blob = storage.get_blob_client("ledger", "schedules.toml")
                if not time_:
                    blob.upload_blob(b"# mine", overwrite=True)
                assert blob.download_blob().readall() == b"# mine"
            assert _end(up) == 0
    assert running_below(tmp_path) == []


def test_start_says_what_it_cannot_reach_and_goes_on(tmp_path: Path, settings: Path) -> None:
    """Without `make up` the timers fire, each tick fails by itself, and Ctrl-C still ends with 0."""
    log = tmp_path / "start.log"
    with _running("start", "--settings", str(settings), log=log) as start:
        _until(lambda: log.read_text().count("submit failed in") >= 1 or None, log, 60)
        assert _end(start) == 0

    text = log.read_text()
    both = r"blob storage at http://127\.0\.0\.1:\S+ and the Batch account at http://127\.0\.0\.1:\S+ do"
    assert (
        len(re.findall(rf"warning local\.host: {both} not answer: is `make up` running\?", text))
        == 1
    )
    assert re.search(rf"submit failed in .*{both} not answer", text)
    assert "Traceback" not in text
