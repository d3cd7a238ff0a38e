"""The two application packages, run for real: the start task, and a program in what it has made."""

import json
import os
import shlex
import shutil
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SETUP = ROOT / "workload" / "pythonsetup"
SAMPLE = ROOT / "workload" / "pythonscript" / "sample.py"
RUN = {
    "RECUR_SCHEDULE": "hello",
    "RECUR_RUN_ID": "hello-20261123T054200Z",
    "RECUR_ATTEMPT": "2",
    "RECUR_NOMINAL_TIME": "2026-11-23T05:42:00Z",
    "RECUR_NOMINAL_TIME_LOCAL": "2026-11-23T00:42:00-05:00",
}


def setup_in(shared: Path, *, path: str = os.environ["PATH"]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", SETUP / "setup.sh"],
        env={"PATH": path, "AZ_BATCH_NODE_SHARED_DIR": str(shared)},
        capture_output=True,
        text=True,
        check=False,
    )


def python_in(
    shared: Path, *arguments: str | Path, **environment: str
) -> subprocess.CompletedProcess[str]:
    python = shared / "recur-env" / "bin" / "python"
    return subprocess.run(
        [python, *arguments], env=environment, capture_output=True, text=True, check=False
    )


def assert_one_environment_in(shared: Path) -> None:
    """Nothing but a working environment is there, the link to it and its folder."""
    assert python_in(shared, "-c", "import recur_run").returncode == 0
    link = shared / "recur-env"
    assert sorted(path.name for path in shared.iterdir()) == ["recur-env", str(link.readlink())]


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a shared folder in which the start task has succeeded."""
    shared = tmp_path_factory.mktemp("a node's shared")
    done = setup_in(shared)
    assert (done.returncode, done.stderr) == (0, "")
    return shared


def test_the_sample_says_which_run_it_is(node: Path) -> None:
    """By the environment's own Python and module, on the node it is told."""
    said = python_in(node, SAMPLE, **RUN, AZ_BATCH_NODE_ID="tvm1", AZ_BATCH_POOL_ID="recur")

    assert (said.returncode, said.stderr) == (0, "")
    assert "schedule:     hello\n" in said.stdout
    assert "run id:       hello-20261123T054200Z (attempt 2)\n" in said.stdout
    assert "nominal time: 2026-11-23T05:42:00+00:00\n" in said.stdout
    assert " s after the nominal time\n" in said.stdout
    assert "node:         tvm1 of pool recur\n" in said.stdout
    assert str(node / "recur-env") in said.stdout


def test_the_command_in_the_documentation_runs_the_sample(node: Path) -> None:
    """As the shell of a task would run it, letter for letter."""
    readme = (ROOT / "workload" / "README.md").read_text()
    command = readme.partition("```sh")[2].partition("```")[0].strip()
    places = {
        "AZ_BATCH_NODE_SHARED_DIR": str(node),
        "AZ_BATCH_APP_PACKAGE_pythonscript": str(SAMPLE.parent),
    }

    said = subprocess.run(
        ["/bin/sh", "-c", command], env=RUN | places, capture_output=True, text=True, check=False
    )

    assert (said.returncode, said.stderr) == (0, "")
    assert "schedule:     hello\n" in said.stdout


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("RECUR_SCHEDULE", ""),
        ("RECUR_RUN_ID", ""),
        ("RECUR_NOMINAL_TIME", ""),
        ("RECUR_NOMINAL_TIME", "yesterday"),
        ("RECUR_NOMINAL_TIME", "2026-11-23T05:42:00"),
        ("RECUR_WINDOW_END", "2026-13-01T00:00:00Z"),
        ("RECUR_ATTEMPT", "first"),
    ],
)
def test_the_sample_refuses_what_is_not_a_run(node: Path, name: str, value: str) -> None:
    """The message names the variable that is missing or wrong."""
    said = python_in(node, SAMPLE, **{**RUN, name: value})

    assert said.returncode == 1
    assert said.stderr.startswith(f"sample.py: {name} ")
    assert value in said.stderr
    assert said.stdout == ""


def test_a_program_reads_its_run_as_values(node: Path) -> None:
    """Times are aware, and what a run does not have is None."""
    program = (
        "import json, recur_run; run = recur_run.current(); print(json.dumps("
        "[run.attempt, *map(str, (run.nominal_time, run.nominal_time_local, run.previous_success,"
        " run.window_start, run.window_end, run.lateness(run.window_end)))]))"
    )
    window = {
        "RECUR_WINDOW_START": "2026-11-23T05:41:00+00:00",
        "RECUR_WINDOW_END": "2026-11-23T05:42:30Z",
    }

    said = python_in(node, "-c", program, **RUN, **window)

    assert json.loads(said.stdout) == [
        2,
        "2026-11-23 05:42:00+00:00",
        "2026-11-23 00:42:00-05:00",
        "None",
        "2026-11-23 05:41:00+00:00",
        "2026-11-23 05:42:30+00:00",
        "0:00:30",
    ]


def test_tasks_may_use_the_environment_but_not_change_it(node: Path) -> None:
    """Everything is readable by all and writable by its owner alone, whatever the package was."""
    paths = [node / "recur-env", *(node / "recur-env").resolve().rglob("*")]
    modes = {path: path.stat().st_mode for path in paths if path.exists()}

    assert len(modes) > 10
    assert [str(path) for path, mode in modes.items() if not mode & stat.S_IROTH] == []
    owned = {path: mode for path, mode in modes.items() if not path.is_symlink()}
    assert [str(path) for path, mode in owned.items() if mode & (stat.S_IWGRP | stat.S_IWOTH)] == []


def test_it_can_run_twice(tmp_path: Path) -> None:
    """A reboot runs the start task again: the new environment replaces the old one."""
    assert setup_in(tmp_path).returncode == 0
    first = (tmp_path / "recur-env").resolve()

    assert setup_in(tmp_path).returncode == 0

    assert (tmp_path / "recur-env").resolve() != first
    assert_one_environment_in(tmp_path)


def test_it_can_run_beside_itself(tmp_path: Path) -> None:
    """Four at once all succeed, and what is left works."""
    command = ["/bin/sh", str(SETUP / "setup.sh")]
    environment = {"PATH": os.environ["PATH"], "AZ_BATCH_NODE_SHARED_DIR": str(tmp_path)}
    running = [subprocess.Popen(command, env=environment, stderr=subprocess.PIPE) for _ in range(4)]
    said = [process.communicate()[1] for process in running]

    assert said == [b""] * 4
    assert [process.returncode for process in running] == [0] * 4
    assert python_in(tmp_path, SAMPLE, **RUN).returncode == 0


def interrupted(shared: Path, path: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        ["/bin/sh", SETUP / "setup.sh"],
        env={"PATH": path, "AZ_BATCH_NODE_SHARED_DIR": str(shared)},
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )


@pytest.mark.parametrize("milliseconds", [15, 50, 100, 150])
def test_it_can_run_after_it_was_cut_short(tmp_path: Path, milliseconds: int) -> None:
    """At whatever moment it dies, no half environment is in place, and the next time succeeds."""
    process = interrupted(tmp_path, os.environ["PATH"])
    time.sleep(milliseconds / 1000)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    absent = not (tmp_path / "recur-env").is_symlink()

    assert absent or python_in(tmp_path, SAMPLE, **RUN).returncode == 0
    assert setup_in(tmp_path).returncode == 0
    assert python_in(tmp_path, SAMPLE, **RUN).returncode == 0


def test_it_leaves_nothing_when_it_is_asked_to_stop(tmp_path: Path) -> None:
    """A start task that is terminated in the middle of its work removes what it has begun."""
    tools = tools_without_python(tmp_path / "bin")
    (tools / "python3").write_text(
        f'#!/bin/sh\ncase $2 in venv) /bin/sleep 60;; esac\nexec {sys.executable} "$@"\n'
    )
    (tools / "python3").chmod(0o755)
    shared = tmp_path / "shared"
    shared.mkdir()
    process = interrupted(shared, str(tools))
    while not list(shared.iterdir()):
        time.sleep(0.01)
    time.sleep(0.1)

    os.killpg(process.pid, signal.SIGTERM)

    assert process.wait() != 0
    assert list(shared.iterdir()) == []


def tools_without_python(folder: Path) -> Path:
    """Make a folder for PATH with what the start task uses, but python3."""
    folder.mkdir()
    for tool in ("dirname", "mktemp", "rm", "chmod", "cp", "ln", "readlink", "basename"):
        (folder / tool).symlink_to(str(shutil.which(tool)))
    return folder


@pytest.mark.parametrize(
    ("python", "message"),
    [
        (None, "python3 is not installed"),
        ('[ "$1" = -V ] && echo Python 3.9.2; exit 1', "python3 is Python 3.9.2, but 3.11 or"),
        (
            f'case $2 in "import venv") exit 1;; esac; exec {shlex.quote(sys.executable)} "$@"',
            "python3 has no module venv",
        ),
    ],
    ids=["missing", "old", "without venv"],
)
def test_it_says_what_the_image_lacks(tmp_path: Path, python: str | None, message: str) -> None:
    """An image without a usable Python fails the start task by one clear line, leaving nothing."""
    tools = tools_without_python(tmp_path / "bin")
    if python is not None:
        (tools / "python3").write_text(f"#!/bin/sh\n{python}\n")
        (tools / "python3").chmod(0o755)
    shared = tmp_path / "shared"
    shared.mkdir()

    done = setup_in(shared, path=str(tools))

    assert done.returncode == 1
    assert done.stderr.startswith(f"setup.sh: {message}")
    assert done.stderr.count("\n") == 1
    assert list(shared.iterdir()) == []


@pytest.mark.parametrize(
    ("shared", "message"),
    [("", "AZ_BATCH_NODE_SHARED_DIR is not set"), ("/nowhere", "cannot write to /nowhere")],
)
def test_it_says_where_it_must_run(shared: str, message: str) -> None:
    """Without a node's shared folder it stops before it makes anything."""
    done = start({"AZ_BATCH_APP_PACKAGE_pythonsetup_v1": str(SETUP)} | shared_in(shared))

    assert done.returncode == 1
    assert done.stderr.startswith(f"setup.sh: {message}")


def shared_in(folder: str) -> dict[str, str]:
    return {"AZ_BATCH_NODE_SHARED_DIR": folder} if folder else {}


def start(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run the pool's start task as a node does: its command line, and no shell around it."""
    pool = json.loads((ROOT / "infra" / "pool" / "pool.json").read_text())
    return subprocess.run(
        shlex.split(pool["startTask"]["commandLine"]),
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("version", ["v0123456789ab", "1_0", "v1"])
def test_the_start_task_finds_its_package_whatever_its_version(
    tmp_path: Path, version: str
) -> None:
    """A node names a package's folder only in a variable with the version; no file is executable."""
    package = tmp_path / f"pythonsetup {version}"
    shutil.copytree(SETUP, package, copy_function=shutil.copyfile)
    (tmp_path / "shared").mkdir()

    done = start(
        {
            "AZ_BATCH_NODE_SHARED_DIR": str(tmp_path / "shared"),
            "AZ_BATCH_APP_PACKAGE_pythonscript_v1": str(tmp_path / "another"),
            f"AZ_BATCH_APP_PACKAGE_pythonsetup_{version}": str(package),
        }
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert_one_environment_in(tmp_path / "shared")


def test_the_start_task_fails_without_its_package(tmp_path: Path) -> None:
    """And says which one is missing."""
    done = start({"AZ_BATCH_NODE_SHARED_DIR": str(tmp_path)})

    assert done.returncode != 0
    assert "the node has no application package pythonsetup" in done.stderr
