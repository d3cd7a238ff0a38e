"""docs/emulator.md: its Python is run as it stands there, and its options are those of the command."""

import json
import re
import subprocess
import sys
from pathlib import Path

from batch_emulator.testing import running_emulator

PAGE = (Path(__file__).parents[3] / "docs/emulator.md").read_text()


def blocks(language: str) -> list[str]:
    """Return the page's blocks of one language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def test_the_options_are_those_of_the_command() -> None:
    """What the table names exists."""
    shown = subprocess.run(
        [sys.executable, "-m", "batch_emulator", "--help"],
        capture_output=True,
        text=True,
        check=True,
    )
    named = re.findall(r"^\| `(--[a-z-]+) ", PAGE, re.MULTILINE)

    assert len(named) == 9
    assert [name for name in named if name not in shown.stdout] == []


def test_the_client_in_python(tmp_path: Path) -> None:
    """It lists the pools of the account."""
    client = blocks("python")[0]
    with running_emulator(tmp_path, "--account", "devbatch") as emulator:
        ran = subprocess.run(
            [sys.executable, "-c", client],
            env=emulator.environment,
            capture_output=True,
            text=True,
            check=True,
        )

    assert ran.stdout == "[]\n"


def test_the_fixture_in_another_project(tmp_path: Path) -> None:
    """A project with the page's two files passes its test."""
    _, plugin, test = blocks("python")
    (tmp_path / "conftest.py").write_text(plugin)
    (tmp_path / "test_mine.py").write_text(test)

    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert ran.returncode == 0, ran.stdout
    assert "1 passed" in ran.stdout


def test_the_simulation_of_the_page(tmp_path: Path) -> None:
    """The emulator starts as the page says, and its clock obeys the order that stands there."""
    start, order = (block for block in blocks("sh") if "simulation" in block or "advance" in block)
    table, _, line = start.partition("\nEND\n")
    file = tmp_path / "simulation.json"
    file.write_text(table.partition("END'")[2])
    words = line.replace("\\\n", "").replace("simulation.json", str(file)).split()[1:]
    options = words[: words.index("--key-file")]
    with running_emulator(tmp_path, *options) as emulator:
        asked = order.replace("http://127.0.0.1:10100", emulator.url)
        asked = (
            asked.partition("--header")[0] + f"--header 'Authorization: Bearer {emulator.token}'"
        )
        told = subprocess.run(
            ["/bin/sh", "-c", f"curl --silent {asked.removeprefix('curl ')}"],
            capture_output=True,
            text=True,
            check=True,
        )

    assert json.loads(told.stdout)["time"].startswith("2027-01-31T00:00:00")
