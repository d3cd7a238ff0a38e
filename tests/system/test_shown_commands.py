"""Each command of a shown document starts what a package holds, or a program of the node's system."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.decisions.job_body import command_line
from orchestrator.model import Schedule
from tests.support.shown_documents import shown_schedules

SYSTEM = ("cat", "chmod", "cp", "date", "echo", "sh", "true")
"""Programs that every node has and that do no harm here."""

STAND_INS = ("curl", "docker")
"""Ubuntu has the one, the image for containers has the other; both speak to a network."""

STARTED = "started by the command"
_PROGRAMS = {".py": f"print({STARTED!r})\n", ".sh": f"echo {shlex.quote(STARTED)}\n"}
_IN_PACKAGE = re.compile(r"\bAZ_BATCH_APP_PACKAGE_(\w+)[/\\]([\w./-]+)")
_NO_COMMAND_YET = "this schedule has no command yet"
_SHOWN = dict(shown_schedules())
_EACH_COMMAND = {schedule.command: (name, schedule) for name, schedule in _SHOWN.items()}


@pytest.fixture
def node(tmp_path: Path) -> dict[str, str]:
    """Return the environment of a task whose node has little besides its packages."""
    programs, shared = tmp_path / "bin", tmp_path / "shared"
    programs.mkdir()
    for name in SYSTEM:
        (programs / name).symlink_to(shutil.which(name) or name)
    for name in STAND_INS:
        (programs / name).write_text(f"#!/bin/sh\n{_PROGRAMS['.sh']}")
        (programs / name).chmod(0o755)
    (programs / "python3").symlink_to(sys.executable)
    (shared / "recur-env/bin").mkdir(parents=True)
    (shared / "recur-env/bin/python").symlink_to(sys.executable)
    return {
        "PATH": str(programs),
        "AZ_BATCH_NODE_SHARED_DIR": str(shared),
        "RECUR_RUN_ID": "shown-20261202T070000Z",
        "RECUR_NOMINAL_TIME": "2026-12-02T07:00:00Z",
    }


def _with_packages(command: str, folder: Path) -> dict[str, str]:
    """Make each file of a package that a command names; return the variables of the packages."""
    variables = {}
    for id_, file in _IN_PACKAGE.findall(command):
        path = folder / id_ / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(_PROGRAMS.get(path.suffix, f"#!/bin/sh\n{_PROGRAMS['.sh']}"))
        variables[f"AZ_BATCH_APP_PACKAGE_{id_}_v0123456789ab"] = str(folder / id_)
    return variables


def _run(command: str, node: dict[str, str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command as a node does, in an empty folder."""
    task = folder / "task"
    task.mkdir()
    return subprocess.run(
        shlex.split(command_line(command)),
        env=node | _with_packages(command, folder),
        cwd=task,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    "schedule", [pytest.param(one, id=name) for name, one in _EACH_COMMAND.values()]
)
def test_a_shown_command_starts(schedule: Schedule, node: dict[str, str], tmp_path: Path) -> None:
    """A reader may copy it: a task's folder is empty, so nothing else can be started from it."""
    command = schedule.command
    if "%AZ_BATCH_APP_PACKAGE_" in command:
        assert _IN_PACKAGE.search(command.replace("%", ""))  # for Windows, which is not here
        return

    ended = _run(command, node, tmp_path)

    if _NO_COMMAND_YET in command:
        assert schedule.paused
        assert (ended.returncode, ended.stderr) == (1, f"{_NO_COMMAND_YET}\n")
    else:
        assert (ended.returncode, ended.stderr) == (0, "")
        own = _IN_PACKAGE.search(command) or any(name in command for name in STAND_INS)
        assert (STARTED in ended.stdout) == bool(own)


@pytest.mark.parametrize(
    "command", ["python3 import.py", "sh report.sh", "./report.sh", "dump.sh --db sales"]
)
def test_a_command_that_no_node_can_start_is_found(
    command: str, node: dict[str, str], tmp_path: Path
) -> None:
    """The test above can fail."""
    assert _run(command, node, tmp_path).returncode != 0


def test_every_kind_of_place_is_looked_at() -> None:
    """Blocks, printed documents and files."""
    places = {name.partition(": ")[0] for name in _SHOWN}

    assert places >= {
        *("README.md", "docs/schedules.md", "docs/workloads.md", "docs/costs.md"),
        *("docs/migrating.md", "docs/operations.md"),
        *("schedules.sample.toml", "local/schedules.toml"),
    }
