"""What the documents say is so: commands exist, every reason is explained."""

import re
from pathlib import Path

import pytest

from orchestrator.document.parse import parse
from orchestrator.enums import BlockedReason, MissReason, Outcome, OutputCode, Reason, SkipReason

ROOT = Path(__file__).parents[3]
TABLE_ROW = re.compile(r"^\| `(\w+)` \|", re.MULTILINE)


def test_every_command_of_the_readme_is_a_target() -> None:
    """Of the Makefile."""
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"make ([a-z]+)`", (ROOT / "README.md").read_text()))

    assert named
    assert named <= targets


def test_the_schedule_of_the_readme_is_valid() -> None:
    """A reader may copy it, and the commands below it name its schedule."""
    readme = (ROOT / "README.md").read_text()
    (block,) = re.findall(r"```toml\n(.*?)```", readme, re.DOTALL)

    document = parse(block)

    assert document.problems == ()
    (schedule,) = document.schedules
    assert f"recur trigger {schedule} " in readme


def test_the_commands_for_a_program_of_ones_own_are_counted() -> None:
    """A line of a block is one command; the last one ends with how the run ended."""
    _, _, after = (ROOT / "README.md").read_text().partition("\n## Run your own program\n")
    section, _, _ = after.partition("\n## ")
    commands = "".join(re.findall(r"^```sh\n(.*?)^```", section, re.MULTILINE | re.DOTALL))
    counts = ("One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight")

    assert section.lstrip().startswith(f"{counts[len(commands.splitlines()) - 1]} commands, ")
    assert re.search(r"^Hello from run (\S+)\n\1: succeeded \(exit_zero\)$", section, re.MULTILINE)


def test_the_speed_of_the_pool_is_the_default() -> None:
    """Of `make up`, which prints it."""
    options = (ROOT / "local/__main__.py").read_text()
    (speed,) = re.findall(r'"--pool-speed", type=float, default=(\d+)', options)

    assert f'"{speed} times as fast"' in (ROOT / "README.md").read_text()


def test_every_page_begins_with_what_its_reader_can_do() -> None:
    """So that nobody has to read a page to learn that it was the wrong one."""
    pages = sorted((ROOT / "docs").glob("*.md"))

    begins = {page.name: page.read_text().split("\n\n")[1] for page in pages}

    assert begins
    assert [
        name
        for name, text in begins.items()
        if not text.startswith("After reading this page, you can ")
    ] == []


def test_the_index_has_every_page() -> None:
    """A page that it lacks is not found."""
    index = (ROOT / "docs/README.md").read_text()

    assert [
        page.name
        for page in (ROOT / "docs").glob("*.md")
        if page.name != "README.md" and f"]({page.name}" not in index
    ] == []


def test_every_outcome_and_reason_is_explained() -> None:
    """In docs/alerts.md, and no other is."""
    page = (ROOT / "docs/alerts.md").read_text()

    explained = TABLE_ROW.findall(page)
    not_run = re.findall(r"^\| (?:skipped|missed) \| `(\w+)` \|", page, re.MULTILINE)

    assert sorted(explained) == sorted([*Outcome, *Reason, *BlockedReason, *OutputCode])
    assert sorted(not_run) == sorted([*SkipReason, *MissReason])


INSTALLS_FROM_THE_INDEX = re.compile(
    r"\b(?:pip|pipx|uv tool|uv pip|pipx run|uvx)(?: install| run)?(?: -\S+)* (?:recur|batch-emulator)\b"
)


def test_no_page_installs_another_project_of_the_same_name() -> None:
    """The public index has projects called like our commands: a checkout is installed, by its path."""
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]

    found = [page for page in pages if INSTALLS_FROM_THE_INDEX.search(page.read_text())]

    assert found == []
    assert ROOT / "README.md" in pages
    assert "uv tool install ." in (ROOT / "README.md").read_text()


@pytest.mark.parametrize(
    "line",
    [
        *("pip install recur", "pip install -U recur", "pipx install recur", "uvx recur"),
        *("uv tool install recur", "pipx run batch-emulator", "uv pip install recur==0.1.0"),
    ],
)
def test_a_line_that_installs_another_project_would_be_found(line: str) -> None:
    """The test above can fail."""
    assert INSTALLS_FROM_THE_INDEX.search(line)
