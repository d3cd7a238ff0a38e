"""Processes of the laptop: started, waited for, interrupted and ended."""

import logging
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from local.child import Child
from local.demo import explained
from local.errors import ChildError, LocalError, StopRequestedError
from local.host.log_lines import LineFormatter
from local.interrupt import StopRequest
from local.survivors import MARK_VARIABLE, end_survivors

_READY = re.compile("ready (.*)")


def _python(tmp_path: Path, program: str, **environment: str) -> Child:
    command = [sys.executable, "-u", "-c", program]
    return Child("the child", command, log=tmp_path / "log", environment=environment)


def test_a_child_is_waited_for_by_what_it_says_since_its_start(tmp_path: Path) -> None:
    """An earlier start's words in the same log do not count."""
    (tmp_path / "log").write_text("ready before\n")
    with _python(tmp_path, "print('ready now'); input()") as child:
        with pytest.raises(ChildError, match="ended by itself with exit code 1"):
            child.wait_for(re.compile("before"), limit_seconds=60)  # stdin is closed: input() fails
        assert child.wait_for(_READY, limit_seconds=60)[1] == "now"


def test_a_child_that_is_not_ready_in_time_is_an_error_with_its_last_words(tmp_path: Path) -> None:
    """The message names the log and shows its end."""
    program = "import time; print('still warming up'); time.sleep(60)"
    with _python(tmp_path, program) as child:
        child.wait_for(re.compile("warming up"), limit_seconds=60)
        late = r"not ready in 0\.5 s; its log is .*log(.|\n)*warming up"
        with pytest.raises(ChildError, match=late):
            child.wait_for(_READY, limit_seconds=0.5)


def test_a_child_that_ignores_the_request_is_killed_with_its_group(tmp_path: Path) -> None:
    """Nothing of it is left after the limit."""
    program = (
        "import signal, subprocess, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        "other = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']);"
        "print('ready', other.pid); time.sleep(60)"
    )
    child = _python(tmp_path, program)
    child.start()
    other = psutil.Process(int(child.wait_for(_READY, limit_seconds=60)[1]))
    child.stop(limit_seconds=0.1)

    gone, alive = psutil.wait_procs([other], timeout=60)
    assert (gone, alive) == ([other], [])
    with pytest.raises(ChildError, match="has not been started"):
        child.check()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells children of this end")
def test_a_child_ends_when_whoever_started_it_is_killed(tmp_path: Path) -> None:
    """Killed, a program cannot end what it has started."""
    program = (
        "import pathlib, sys, time; from local.child import Child;"
        f"child = Child('one', [sys.executable, '-c', 'import time; time.sleep(60)'],"
        f" log=pathlib.Path({str(tmp_path / 'inner')!r}));"
        "child.start(); print('ready', child.pid); time.sleep(60)"
    )
    with _python(tmp_path, program) as parent:
        child = psutil.Process(int(parent.wait_for(_READY, limit_seconds=60)[1]))
        os.kill(parent.pid, signal.SIGKILL)
        gone, alive = psutil.wait_procs([child], timeout=60)

    assert (gone, alive) == ([child], [])


def test_a_child_outlives_the_thread_that_has_started_it(tmp_path: Path) -> None:
    """It belongs to the process."""
    child = _python(tmp_path, "import time; print('ready on'); time.sleep(60)")
    thread = threading.Thread(target=child.start)
    thread.start()
    thread.join()
    try:
        child.wait_for(_READY, limit_seconds=60)
        time.sleep(0.1)
        child.check()
    finally:
        child.stop()


def test_an_unexpected_failure_of_the_demo_names_the_folder_of_the_logs(tmp_path: Path) -> None:
    """Its reason comes first, and its stack is with the logs."""
    expected = f"KeyError: 'outcome'\nThe logs are in {tmp_path}"
    with pytest.raises(LocalError, match=f"^{re.escape(expected)}$"), explained(tmp_path):
        raise KeyError("outcome")
    assert "Traceback" in (tmp_path / "demo.log").read_text()

    with pytest.raises(StopRequestedError, match=r"^stopped$"), explained(tmp_path):
        raise StopRequestedError("stopped")


def test_a_program_that_does_not_exist_is_an_error(tmp_path: Path) -> None:
    """Not a traceback."""
    with pytest.raises(ChildError, match=r"the child cannot be started: .*No such file"):
        Child("the child", [str(tmp_path / "missing")], log=tmp_path / "log").start()


def test_a_signal_is_noted_and_raised_where_the_program_waits() -> None:
    """Not before, once per wait, and named; afterwards the handlers are those of before."""
    before = signal.getsignal(signal.SIGTERM)
    with StopRequest() as stop:
        stop.pause(0)
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGINT)
        for _ in range(2):
            with pytest.raises(StopRequestedError, match="stopped by SIGTERM"):
                stop.pause(60)

    assert signal.getsignal(signal.SIGTERM) == before


def test_a_signal_ends_a_wait_that_has_begun() -> None:
    """At once, not at the end of the wait."""
    with StopRequest() as stop:
        signal.signal(signal.SIGALRM, lambda *_: os.kill(os.getpid(), signal.SIGHUP))
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        began = time.monotonic()
        with pytest.raises(StopRequestedError, match="stopped by SIGHUP"):
            stop.pause(60)
        assert time.monotonic() - began < 5


@pytest.mark.parametrize("trace", [MARK_VARIABLE, "AZ_BATCH_NODE_ROOT_DIR"])
def test_survivors_are_found_by_their_mark_or_their_node(tmp_path: Path, trace: str) -> None:
    """In a session of their own, they are ended all the same, and nobody else is."""
    program = "import time; print('here', flush=True); time.sleep(60)"
    value = "mine" if trace == MARK_VARIABLE else str(tmp_path / "nodes/recur/one")
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", program],
            env={trace: text},
            start_new_session=True,
            stdout=subprocess.PIPE,
        )
        for text in (value, "of somebody else")
    ]
    try:
        for process in processes:  # its environment can be read only some time after its start
            assert process.stdout
            process.stdout.readline()
        found = end_survivors("mine", tmp_path / "nodes")

        assert [text.partition(" ")[0] for text in found] == [str(processes[0].pid)]
        assert processes[0].wait(5) == -signal.SIGKILL
        assert processes[1].poll() is None
        assert end_survivors("mine", tmp_path / "nodes") == []
    finally:
        for process in processes:
            process.kill()
            process.communicate()


@pytest.mark.parametrize(
    ("extra", "expected"),
    [
        ({}, "14:56:40.500 info    recur: told"),
        ({"run": "a", "n": 1}, "14:56:40.500 info    recur: told run=a n=1"),
        (
            {"microsoft.custom_event.name": "run.finished", "run": "a"},
            "14:56:40.500 info    recur: told",
        ),
    ],
)
def test_a_log_record_is_one_line(extra: dict[str, object], expected: str) -> None:
    """Keys follow the message, unless it is an event's, which has them already."""
    record = logging.makeLogRecord(
        {"name": "recur", "levelname": "INFO", "msg": "told", "created": 1_800_025_000.5, **extra}
    )

    assert LineFormatter().format(record) == expected
