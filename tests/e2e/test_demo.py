"""`make demo`, as a person runs it."""

import hashlib
import itertools
import json
import os
import random
import re
import signal
import stat
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.processes import CommandLines, listening, running_below
from tests.support.breadth import everything

pytestmark = pytest.mark.e2e

_ROOT = Path(__file__).resolve().parents[2]
_COMMAND = "-m local demo"
_MOST_LINES = 50
_CHANGING = re.compile(
    r"\b(?:[0-9a-f]{64}|v[0-9a-f]{12})\b"  # digests and versions
    r"|\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d[\d:.]*(?:Z|\+00:00)?"  # times
    r"|\b\d{8}T\d{6}Z|\d{4}/\d\d/|127\.0\.0\.1:\d+"  # ids, folders of months, ports
    r"|\b\d+(?:\.\d+)? (?:s|min|bytes)\b"
)
_OF_THE_WATCH = re.compile(r"~  (?:pool|hello|broken): ")
_MOMENT = re.compile(r"(?<=, )(?:its task is \w+|exit code \d+|starting|ready|leaving)$")
"""What the watch sees of a run or a node: on a busy machine it misses some."""


def _shape(output: str) -> list[str]:
    """Return the lines of a demo, with a sign in place of what differs from run to run."""
    masked = [_CHANGING.sub("~", line).strip() for line in output.splitlines()]
    shape = [re.sub(r"(?:~ )*~", "~", line) for line in masked]
    return [_MOMENT.sub("~", line) if _OF_THE_WATCH.match(line) else line for line in shape]


def _shows_what_readme_shows(output: str) -> None:
    """Every line of README was printed, and in its order but for what runs side by side."""
    (block,) = re.findall(
        r"```sh\nmake demo\n```.*?```text\n(.*?)```", (_ROOT / "README.md").read_text(), re.DOTALL
    )
    shown, printed = _shape(block), _shape(output)

    assert [line for line in shown if line not in printed] == []
    steps = [line for line in shown if line and not _OF_THE_WATCH.match(line)]
    assert steps == sorted(steps, key=printed.index)
    assert 20 <= len(shown) <= 30


def _start(folder: Path) -> subprocess.Popen[str]:
    folder.mkdir()
    return subprocess.Popen(
        [sys.executable, *_COMMAND.split()],
        cwd=_ROOT,
        env={**os.environ, "TMPDIR": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_make_runs_the_command_that_is_tested_here() -> None:
    """The recipe of `make demo` is this command, after the set-up."""
    recipes = (_ROOT / "Makefile").read_text()

    assert re.search(rf"^demo: setup.*\n\t@\$\(RUN\) {_COMMAND}$", recipes, re.MULTILINE)


def test_two_demos_at_once_both_show_two_runs(tmp_path: Path) -> None:
    """
    Each ends with exit code 0 in under a minute (where nothing else runs), with a success, a failure and an empty pool.

    A person reads at most 50 lines. Nothing is left of them: no process, no port, no file. No command line ever had a key.
    """
    began = time.monotonic()
    with CommandLines() as shown:
        demos = [_start(tmp_path / name) for name in ("one", "two")]
        secrets = [_secrets(tmp_path / name) for name in ("one", "two")]
        outputs = [demo.communicate(timeout=100)[0] for demo in demos]
    seconds = time.monotonic() - began

    assert [demo.returncode for demo in demos] == [0, 0], "\n".join(outputs)
    assert seconds < _on_this_machine(60)
    for output in outputs:
        _shows_both_runs(output)
        _shows_what_readme_shows(output)
        assert len(output.splitlines()) <= _MOST_LINES, output
        assert listening(output) == []
    assert running_below(tmp_path) == []
    assert [path.name for path in tmp_path.rglob("recur-demo-*")] == []
    assert len({*secrets[0], *secrets[1]}) == 6
    for secret in (*secrets[0], *secrets[1]):
        assert not [text for text in (*shown.seen, *outputs) if secret in text]


def _on_this_machine(seconds: float) -> float:
    """Return a limit for a machine whose processors are wanted by more than they can serve."""
    return seconds * max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


def _secrets(folder: Path) -> list[str]:
    """Wait for the settings of a demo, which only its owner can read, and return their secrets."""
    limit = time.monotonic() + 60
    while not (found := list(folder.glob("recur-demo-*/local.settings.json"))):
        assert time.monotonic() < limit
        time.sleep(0.02)
    assert stat.S_IMODE(found[0].stat().st_mode) == 0o600
    values = json.loads(found[0].read_text())["Values"]
    storage = re.search("AccountKey=([^;]+)", values["AzureWebJobsStorage"])
    assert storage
    return [storage[1], values["BATCH_ACCOUNT_KEY"], values["BATCH_ARM_TOKEN"]]


def _shows_both_runs(output: str) -> None:
    """One has succeeded, with the bytes of its record; the other has failed, with the reason."""
    blob, record, run_id, stdout, explained = re.search(
        r"The record (runs/hello/\S+\.json), in short\n(.*?)\n\n"
        r"\$ recur logs (\S+)\n(.*?\n) *\d+\.\d s  the record's sha256 .*?\n"
        r"\$ recur explain broken \S+\n(.*)",
        output,
        re.DOTALL,
    ).groups()  # type: ignore[union-attr]

    assert blob.endswith(f"/{run_id}.json")
    assert "succeeded (exit_zero), exit code 0" in record
    assert f"sha256 {hashlib.sha256(stdout.encode()).hexdigest()}" in record
    assert f"run id:       {run_id} (attempt 1)" in stdout
    assert re.search(
        r"^broken of .* failed \(exit_code\): .* exit code 1\.$", explained, re.MULTILINE
    )
    assert "cat: orders.csv: No such file or directory" in explained
    assert "note(s)" not in output
    pool = re.findall(r"pool: +(\d) nodes?", output)
    assert (pool[0], pool[-1]) == ("0", "0")
    assert "1" in pool
    assert re.search(r"^ *\d+\.\d s  everything is stopped, done$", output, re.MULTILINE)


@dataclass(frozen=True, slots=True)
class _Interrupted:
    """What a demo left that was interrupted: the programs that ran, and what remained."""

    moment: str
    ran: str
    code: int
    output: str
    left: list[object]


def _interrupt(folder: Path, moment: str, number: signal.Signals) -> _Interrupted:
    """Signal a demo up to a second after a moment of its output, twice, as impatient people do."""
    demo = _start(folder)
    assert demo.stdout
    output = ""
    while moment not in output:
        line = demo.stdout.readline()
        assert line, output
        output += line
    time.sleep(random.random())  # noqa: S311
    ran = "\n".join(running_below(folder))
    demo.send_signal(number)
    demo.send_signal(number)
    output += demo.communicate(timeout=60)[0]
    left = [*running_below(folder), *listening(output), *folder.rglob("recur-demo-*")]
    return _Interrupted(moment, ran, demo.returncode, output, left)


def test_ctrl_c_at_any_moment_leaves_nothing_behind(tmp_path: Path) -> None:
    """
    Whether it comes before anything runs or while a node works: no process, port or file.

    One moment of each program; with ``--proof`` all of them.
    """
    moments = {
        "": "",
        "Azurite 3.36.0 listens": "azurite",
        "emulator listens": "-m batch_emulator",
        "timer functions": "-m local host",
        "its task is": "-m local host",
        "1 node, starting": "-m batch_emulator",
        "the record is final": "-m local host",
    }
    if not everything():
        chosen = ("Azurite 3.36.0 listens", "timer functions", "1 node, starting")
        moments = {moment: moments[moment] for moment in chosen}
    signals = itertools.cycle([signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
    folders = [tmp_path / str(number) for number in range(len(moments))]
    with ThreadPoolExecutor(3) as pool:
        interrupted = list(pool.map(_interrupt, folders, moments, signals))

    for demo in interrupted:
        assert demo.left == [], demo
        assert demo.code != 0, demo
        assert moments[demo.moment] in demo.ran, demo  # so that the first line says something
        assert not demo.moment or "Traceback" not in demo.output, demo
    assert running_below(tmp_path) == []


def test_a_demo_that_fails_says_why_and_where_the_logs_are(tmp_path: Path) -> None:
    """Without Node there is no Azurite: exit code 1, and what to do."""
    empty = tmp_path / "bin"
    empty.mkdir()

    ended = subprocess.run(
        [sys.executable, *_COMMAND.split()],
        cwd=_ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path), "PATH": str(empty)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 1
    assert "Azurite needs Node, which is not on the PATH: run `make setup`" in ended.stderr
    logs = re.search(r"The logs are in (\S+)", ended.stderr)
    assert logs
    assert Path(logs[1]).is_dir()
