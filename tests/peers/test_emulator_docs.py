"""docs/emulator.md: its ten commands, run as they stand there, from installing to a task's output."""

import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.peers.commands import in_page

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/emulator.md"
PORT = "10100"


def commands() -> str:
    """Return the page's first block of commands."""
    (block, *_) = re.findall(r"^```sh\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    return str(block)


def checkout(folder: Path) -> Path:
    """Copy what git knows of this checkout, with its changes."""
    wanted = ("batch_emulator", "orchestrator", "recur", "infra", "*.md", "*.toml")
    listed = subprocess.run(
        ["git", "ls-files", "-z", *wanted],  # noqa: S607 - whichever git made this checkout
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in ["LICENSE", *listed.stdout.strip("\0").split("\0")]:
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    return folder


def free_port() -> str:
    """Return a port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def test_there_are_ten() -> None:
    """Each is one command; the first installs, and one downloads the task's file."""
    lines = re.sub(r"\\\n\s*", "", commands()).splitlines()

    assert len(lines) == 10
    assert lines[0].startswith("uv tool install .")
    assert any(line.startswith("az batch task file download ") for line in lines)
    assert all(
        command.whole for line in lines for command in in_page("page", f"```sh\n{line}\n```")
    )


@pytest.mark.timeout(600)
def test_the_ten_commands(peers: Path, quiet: dict[str, str], tmp_path: Path) -> None:
    """They work one after another in one shell; only the port is another, since 10100 may be taken."""
    port = free_port()
    script = (
        commands().replace(PORT, port).replace("batch-emulator ", f"batch-emulator --port {port} ")
    )
    folder = checkout(tmp_path / "checkout")
    tools = tmp_path / "tools"
    path = [str(tools / "bin"), str(ROOT / ".venv/bin"), str(peers), os.environ["PATH"]]
    environment = {
        **quiet,
        "PATH": os.pathsep.join(path),
        "UV_PYTHON": str(Path(sys.executable).resolve()),  # and none is downloaded
        "UV_TOOL_DIR": str(tools),
        "UV_TOOL_BIN_DIR": str(tools / "bin"),
        "TMPDIR": str(tmp_path),
    }

    # The emulator would keep a pipe open if a command failed; the trap ends it in any case.
    with (tmp_path / "out").open("w") as out, (tmp_path / "errors").open("w") as errors:
        ran = subprocess.run(
            ["/bin/sh", "-e", "-c", f"trap 'kill $! && wait $!' EXIT\n{script}"],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=errors,
            check=False,
        )

    assert ran.returncode == 0, (tmp_path / "errors").read_text()
    last = (tmp_path / "out").read_text().splitlines()[-1]
    assert (tools / "bin/batch-emulator").exists()
    assert re.fullmatch(r"hello from tvmps_[0-9a-f]{64}_d", last)
    assert (folder / "hello.txt").read_text() == f"{last}\n"
