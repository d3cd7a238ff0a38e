"""The command line of a task, run by a shell as a node runs it."""

import os
import shlex
import subprocess

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
