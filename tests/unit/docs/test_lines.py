"""Lines of README and docs fit a terminal and a review."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PAGES = sorted([ROOT / "README.md", ROOT / "workload/README.md", *(ROOT / "docs").rglob("*.md")])
WIDTH = 100
_FENCE = re.compile(r"^\s*`{3,}(\w*)")
_OUTPUT = frozenset({"console", "text"})
"""Blocks that show what a program printed, at whatever width."""

_ONE_PIECE = re.compile(
    r"""(?:-\ |\d+\.\ )?           # perhaps the first of a list
    (?:--\S+\ )?                   # perhaps an option, with
    (?:`[^`]+`|"[^"]*"|'[^']*'|\S+|"[^"]*\$\(.*\)")   # a span, a value, a URL, a command's output
    [.,:;)]*(?:\ \\)?""",
    re.VERBOSE,
)


def too_long(text: str) -> Iterator[str]:
    """Yield the lines that could be broken and are not: tables and shown output are left out."""
    block: str | None = None
    for line in text.splitlines():
        fence = _FENCE.match(line)
        if fence:
            block = fence[1] if block is None else None
        elif len(line) > WIDTH and block not in _OUTPUT:
            in_table = block is None and line.lstrip().startswith("|")
            if not in_table and not _ONE_PIECE.fullmatch(line.strip()):
                yield line


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_lines_are_at_most_100_characters_long(page: Path) -> None:
    """Except rows of tables, shown output, and what cannot be broken."""
    assert list(too_long(page.read_text())) == []


@pytest.mark.parametrize(
    "line",
    [
        "word " * 21,
        "- " + "word " * 21,
        f"see `{'a' * 100}` there",
        f"```sh\naz --name a --query {'a' * 100}\n```",
        f"```toml\ncommand = '{'a ' * 50}'\n```",
    ],
)
def test_a_line_that_can_be_broken_is_found(line: str) -> None:
    """The test above can fail."""
    assert len(list(too_long(line))) == 1


@pytest.mark.parametrize(
    "line",
    [
        f"https://example.org/{'a' * 100}",
        f"| {'word ' * 21} |",
        f"`{'word ' * 21}`.",
        f"```console\n$ recur {'word ' * 21}\n```",
        f'```sh\naz a \\\n  --query "{"word " * 21}" \\\n  --output tsv\n```',
    ],
)
def test_a_line_that_cannot_be_broken_may_be_longer(line: str) -> None:
    """No reader gains by a rule that nobody can keep."""
    assert list(too_long(line)) == []
