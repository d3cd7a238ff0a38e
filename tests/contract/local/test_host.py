"""The thin host in a process of its own, with a small function app and real blob storage."""

import json
import os
import re
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path

import azure_functions_runtime  # type: ignore[import-untyped]
import pytest
from azure.storage.blob import BlobServiceClient

from local.azurite import Azurite
from local.host.timers import ScheduleStatus
from local.keys import FILE

_ROOT = Path(__file__).resolve().parents[3]
_APP = """
import asyncio
import json
import logging
import os
from pathlib import Path

import azure.functions as func
from opentelemetry import trace

app = func.FunctionApp()


def note(**what):
    with Path(os.environ["NOTES"]).open("a") as notes:
        notes.write(json.dumps(what) + "\\n")


@app.timer_trigger(schedule="%TICK%", arg_name="timer")
async def steady(timer: func.TimerRequest, context: func.Context) -> None:
    note(
        function="steady",
        past_due=timer.past_due,
        status=timer.schedule_status,
        invocation=context.invocation_id,
        trace_parent=context.trace_context.trace_parent,
        span=f"{trace.get_current_span().get_span_context().trace_id:032x}",
        setting=os.environ["COLOUR"],
    )
    logging.getLogger("steady").info("seen", extra={"answer": 42})
    await asyncio.sleep(float(os.environ.get("TAKES", "0")))
    note(function="steady", ended=True)


@app.timer_trigger(schedule="* * * * * *", arg_name="timer", use_monitor=False)
def failing(timer: func.TimerRequest) -> None:
    note(function="failing")
    raise ValueError("the disk of the report is full")
"""


class _Host:
    """A running host and what its functions noted."""

    def __init__(self, process: subprocess.Popen[str], notes: Path) -> None:
        self.process = process
        self._notes = notes

    def notes(self, function: str) -> list[dict[str, object]]:
        text = self._notes.read_text() if self._notes.exists() else ""
        found: list[dict[str, object]] = [json.loads(line) for line in text.splitlines()]
        return [note for note in found if note["function"] == function]

    def until(self, reached: Callable[[], bool]) -> None:
        limit = time.monotonic() + 120
        while not reached():
            assert self.process.poll() is None, self.process.communicate()[1]
            assert time.monotonic() < limit
            time.sleep(0.02)

    def end(self) -> str:
        self.process.send_signal(signal.SIGTERM)
        _, log = self.process.communicate(timeout=120)
        assert self.process.returncode == 0
        return log


@contextmanager
def _host(
    folder: Path, settings: Mapping[str, str], environment: Mapping[str, str] | None = None
) -> Iterator[_Host]:
    (folder / "function_app.py").write_text(_APP)
    values = {"TICK": "* * * * * *", "COLOUR": "of the file", "NOTES": str(folder / "notes")}
    (folder / "local.settings.sample.json").write_text(
        json.dumps({"IsEncrypted": False, "Values": values | dict(settings)})
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "local", "host", "--app", str(folder)],
        cwd=_ROOT,
        env={**os.environ, **(environment or {})},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield _Host(process, folder / "notes")
    finally:
        process.kill()
        process.communicate()


def test_the_worker_library_is_the_one_this_host_was_written_for() -> None:
    """Its entry points carry no version: a new release is looked at before it is taken."""
    assert version("azure-functions-runtime") == "1.3.0"
    assert {
        "worker_init_request",
        "functions_metadata_request",
        "function_load_request",
        "invocation_request",
    } <= set(azure_functions_runtime.__all__)
    assert "invocation_request_native" not in azure_functions_runtime.__all__


def test_timers_fire_on_their_second_and_failures_stop_nothing(tmp_path: Path) -> None:
    """Settings come from the file, the environment wins, each run has its own trace and id."""
    with _host(tmp_path, {}, {"COLOUR": "of the environment"}) as host:
        host.until(lambda: len(host.notes("steady")) >= 4 and len(host.notes("failing")) >= 3)
        log = host.end()

    first, second = host.notes("steady")[0], host.notes("steady")[2]
    assert first["past_due"] is False
    assert first["status"] == {}  # more than once a minute: no status is kept
    assert first["setting"] == "of the environment"
    assert first["invocation"] != second["invocation"]
    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-01", str(first["trace_parent"]))
    assert first["trace_parent"] != second["trace_parent"]
    assert re.search(r"failing failed in .* s: ValueError: the disk of the report is full\n", log)
    assert re.search(r"^[\d:]{8}\.\d{3} info    steady: seen answer=42$", log, re.MULTILINE)
    on_time = re.findall(r"\d\d:\d\d:\d\d\.(\d{3}) info    steady: seen", log)
    assert all(int(milliseconds) < 900 for milliseconds in on_time)


def test_the_spans_of_a_function_belong_to_the_trace_of_its_invocation(tmp_path: Path) -> None:
    """With OpenTelemetry on, the worker attaches the host's trace context."""
    with _host(tmp_path, {"PYTHON_ENABLE_OPENTELEMETRY": "true"}) as host:
        host.until(lambda: bool(host.notes("steady")))
        host.end()

    noted = host.notes("steady")[0]
    assert str(noted["span"]) == str(noted["trace_parent"]).split("-")[1]


def test_a_missed_run_is_made_up_once_and_the_status_is_stored(
    tmp_path: Path, azurite: Azurite
) -> None:
    """The status blob has the real host's name and keys, and its container is made."""
    long_ago = datetime.now(UTC) - timedelta(hours=3)
    missed = long_ago.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    stored = ScheduleStatus(last=long_ago, next=missed, last_updated=long_ago)
    settings = {
        "TICK": f"0 {missed.minute} {missed.hour} {missed.day} {missed.month} *",  # once a year
        "AzureWebJobsStorage": azurite.connection_string,
        "AzureFunctionsWebHost__hostid": tmp_path.name,
    }
    with BlobServiceClient.from_connection_string(azurite.connection_string) as storage:
        blob = storage.get_blob_client(
            "azure-webjobs-hosts", f"timers/{tmp_path.name}/Host.Functions.steady/status"
        )
        with _host(tmp_path, settings) as host:  # never ran before: nothing to make up
            host.until(lambda: len(host.notes("failing")) >= 2)
            host.end()
        assert host.notes("steady") == []
        assert ScheduleStatus.from_json(blob.download_blob().readall().decode()).last is None

        blob.upload_blob(stored.to_json(), overwrite=True)
        with _host(tmp_path, settings) as host:
            host.until(lambda: len(host.notes("steady")) == 2 and len(host.notes("failing")) >= 4)
            host.end()
        after = ScheduleStatus.from_json(blob.download_blob().readall().decode())

    noted, _ = host.notes("steady")
    assert noted["past_due"] is True
    assert noted["status"] == stored.to_input()
    assert after.last is not None
    assert after.next > after.last > missed


def test_one_invocation_at_a_time_and_the_next_follows_at_once_if_it_is_due(
    tmp_path: Path,
) -> None:
    """A run that outlasts its interval is followed by one run, and the rest are dropped."""
    with _host(tmp_path, {"TAKES": "1.2"}) as host:
        host.until(lambda: len(host.notes("steady")) >= 3)
        log = host.end()

    assert ["ended" in note for note in host.notes("steady")[:4]] == [False, True, False, True]
    starts = [
        datetime.fromisoformat(f"2026-11-23T{text}")
        for text in re.findall(r"^(\S+) info    steady: seen", log, re.MULTILINE)
    ]
    between = (starts[1] - starts[0]) % timedelta(days=1)  # the log tells no date
    assert 1.1 < between.total_seconds() < 1.95


def test_a_running_invocation_ends_before_the_host_does(tmp_path: Path) -> None:
    """SIGTERM lets it finish, and the exit code is 0."""
    with _host(tmp_path, {"TAKES": "1"}) as host:
        host.until(lambda: len(host.notes("steady")) == 1)
        host.end()

    assert host.notes("steady")[-1] == {"function": "steady", "ended": True}


def test_storage_that_does_not_answer_stops_no_timer(tmp_path: Path) -> None:
    """The host says so and goes on without a status."""
    closed = "DefaultEndpointsProtocol=http;AccountName=x;AccountKey=eA==;BlobEndpoint=http://127.0.0.1:1/x;"
    settings = {
        "TICK": "0 * * * * *",
        "AzureWebJobsStorage": closed,
        "DATA_STORAGE_URL": "http://127.0.0.1:1/x",
    }
    with _host(tmp_path, settings) as host:
        host.until(lambda: len(host.notes("failing")) >= 4)
        log = host.end()

    assert "blob storage at http://127.0.0.1:1/x does not answer: is `make up` running?" in log
    assert "steady: the time of its last invocation is unknown:" in log
    failed = re.findall(r"^.*failing failed in .*$", log, re.MULTILINE)
    assert failed
    for line in failed:
        assert "does not answer: is `make up` running? (ValueError: the disk of" in line
    assert "Traceback" not in log


@pytest.mark.parametrize(
    ("app", "settings", "message"),
    [
        (_APP, "{", "is not JSON"),
        (_APP, '{"Values": {}}', "'%TICK%' needs the setting TICK, which is not set"),
        ("import missing", '{"Values": {}}', "No module named 'missing'"),
        ("", '{"Values": {}}', "Could not find top level function app instances"),
    ],
)
def test_what_cannot_start_says_why(tmp_path: Path, app: str, settings: str, message: str) -> None:
    """Exit code 1 and the reason, without a traceback of the host."""
    (tmp_path / "function_app.py").write_text(app)
    (tmp_path / "local.settings.json").write_text(settings)

    ended = subprocess.run(
        [sys.executable, "-m", "local", "tick", "steady", "--app", str(tmp_path)],
        cwd=_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 1
    assert message in ended.stderr
    assert "local/__main__.py" not in ended.stderr


def test_a_tick_by_hand_tells_success_by_its_exit_code(tmp_path: Path) -> None:
    """`tick` runs one function once, through the same worker."""
    with _host(tmp_path, {}):
        pass
    command = [sys.executable, "-m", "local", "tick", "--app", str(tmp_path)]

    codes = [
        subprocess.run([*command, name], cwd=_ROOT, capture_output=True, check=False).returncode
        for name in ("steady", "failing")
    ]

    assert codes == [0, 1]


def test_the_sample_s_keys_are_made_at_first_use(tmp_path: Path) -> None:
    """Where the app has no settings of its own, they are made from the sample, for its owner only."""
    sample = (_ROOT / "local.settings.sample.json").read_text()
    (tmp_path / "function_app.py").write_text(_APP)
    (tmp_path / "local.settings.sample.json").write_text(sample)
    command = [sys.executable, "-m", "local", "tick", "failing", "--app", str(tmp_path)]
    environment = {**os.environ, "TICK": "* * * * * *", "NOTES": str(tmp_path / "notes")}

    logs = [
        subprocess.run(
            command, cwd=_ROOT, env=environment, capture_output=True, text=True, check=False
        ).stderr
        for _ in range(2)
    ]

    own, keys = tmp_path / "local.settings.json", tmp_path / ".local" / FILE
    assert [stat.S_IMODE(path.stat().st_mode) for path in (own, keys, keys.parent)] == [
        0o600,
        0o600,
        0o700,
    ]
    kept = json.loads(keys.read_text())
    values = json.loads(own.read_text())["Values"]
    assert values["BATCH_ACCOUNT_KEY"] == kept["account_key"]
    assert f"AccountKey={kept['storage_account_key']};" in values["AzureWebJobsStorage"]
    assert [f"made {own} with the keys of {keys.parent}" in log for log in logs] == [True, False]
    assert all(f"settings of {own.resolve()}" in log for log in logs)
    assert not [log for log in logs for secret in kept.values() if secret in log]
