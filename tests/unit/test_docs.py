"""What the documents say is so: links lead somewhere, commands exist, every reason is explained."""

import re
import subprocess
from pathlib import Path

import pytest

from orchestrator.document.parse import parse
from orchestrator.enums import BlockedReason, MissReason, Outcome, Reason, SkipReason

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    ROOT / name
    for name in subprocess.run(
        ["git", "ls-files", "*.md"],  # noqa: S607 - whichever git made this checkout
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()
)
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)")
TABLE_ROW = re.compile(r"^\| `(\w+)` \|", re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    """Within the repository, from the page's own folder."""
    missing = [link for link in LINK.findall(page.read_text()) if not (page.parent / link).exists()]

    assert missing == []


def test_every_command_of_the_readme_is_a_target() -> None:
    """Of the Makefile."""
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"make ([a-z]+)`", (ROOT / "README.md").read_text()))

    assert named
    assert named <= targets


def test_the_schedule_of_the_readme_is_valid() -> None:
    """A reader may copy it."""
    (block,) = re.findall(r"```toml\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)

    document = parse(block)

    assert document.problems == ()
    assert set(document.schedules) == {"nightly-report"}


def test_every_outcome_and_reason_is_explained() -> None:
    """In docs/alerts.md, and no other is."""
    page = (ROOT / "docs/alerts.md").read_text()

    explained = TABLE_ROW.findall(page)
    not_run = re.findall(r"^\| (?:skipped|missed) \| `(\w+)` \|", page, re.MULTILINE)

    assert sorted(explained) == sorted([*Outcome, *Reason, *BlockedReason])
    assert sorted(not_run) == sorted([*SkipReason, *MissReason])
