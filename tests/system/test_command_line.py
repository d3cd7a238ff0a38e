"""The command line of a task, run by a shell as a node runs it."""

import os
import shlex
import subprocess
from pathlib import Path

import pytest

from orchestrator.decisions.job_body import command_line


def run(command: str, **environment: str) -> str:
    """Run a command line as Batch does: split into words, with no shell added."""
    words = shlex.split(command_line(command))
    return subprocess.run(
        words,
        env={"PATH": os.environ["PATH"], **environment},
        check=True,
        capture_output=True,
        text=True,
    ).stdout


@pytest.mark.parametrize(
    "command",
    [
        "echo plain",
        """echo 'single' "double" '"both"' \\$NOT""",
        "printf '%s|' a b; echo",
        "echo a &&\\\n echo b",
        "# a comment\necho after it",
        "echo ünïcödé",
    ],
)
def test_a_command_reaches_the_shell_as_it_was_written(command: str) -> None:
    """Whatever quotes it holds."""
    plain = subprocess.run(["/bin/sh", "-c", command], check=True, capture_output=True, text=True)

    assert run(command) == plain.stdout


def test_packages_are_found_without_their_version() -> None:
    """A package referenced by version has only a variable with the version in its name."""
    printed = run(
        'echo "$AZ_BATCH_APP_PACKAGE_pythonscript:$AZ_BATCH_APP_PACKAGE_my_tool:$AZ_BATCH_APP_PACKAGE_x"',
        AZ_BATCH_APP_PACKAGE_pythonscript_v0123456789ab="/with space/$HOME",
        AZ_BATCH_APP_PACKAGE_my_tool_vabcdefabcdef="/b",
        AZ_BATCH_APP_PACKAGE_x_v1="/c",
    )

    assert printed == "/with space/$HOME:/b:\n"


@pytest.mark.parametrize(
    "path", [None, "", "/nowhere", "/opt/tool/bin:$PATH", ".", "impostors", ":::"]
)
def test_packages_are_found_whatever_the_path_is(path: str | None, tmp_path: Path) -> None:
    """A schedule's own PATH is that of its command alone; it may hold other programs of those names."""
    (tmp_path / "impostors").mkdir()
    for name in ("env", "sed"):
        for folder in (tmp_path, tmp_path / "impostors"):
            (folder / name).write_text("#!/bin/sh\necho 'echo impostor'\n")
            (folder / name).chmod(0o755)
    given = {} if path is None else {"PATH": path}

    done = subprocess.run(
        shlex.split(command_line('echo "$AZ_BATCH_APP_PACKAGE_tool|${PATH-}"')),
        env={**given, "AZ_BATCH_APP_PACKAGE_tool_v0123456789ab": "/tool"},
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
    )

    (line,) = done.stdout.splitlines()  # no word of an impostor
    tool, own = line.split("|")
    assert (tool, done.stderr) == ("/tool", "")
    assert path is None or own == path
