"""azure-cli takes every command that the documents and the messages name."""

from pathlib import Path

import pytest

from tests.peers.commands import in_page, in_repository
from tests.peers.complaints import complaints

_ROOT = Path(__file__).parents[2]


def test_every_command_is_accepted(peers: Path, quiet: dict[str, str]) -> None:
    """By the parser of azure-cli itself; what only prose names may lack arguments."""
    commands = in_repository(_ROOT, program="az")

    assert any(command.whole for command in commands)
    assert complaints(peers, quiet, commands) == []


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("az group create --nmae x --location y", "arguments are required: --name"),
        ("az group create --name x --location y --tgas a=b", "unrecognized arguments: --tgas"),
        ("az bath pool list", "'bath' is misspelled"),
        ("az group create --name x", "arguments are required: --location"),
        ("az functionapp deployment source config-zip -g x -n y --src z --remote", "unrecognized"),
    ],
)
def test_a_mistake_is_found(line: str, complaint: str, peers: Path, quiet: dict[str, str]) -> None:
    """In a page like ours, with its place."""
    commands = tuple(in_page("page.md", f"# Title\n\n```sh\n{line}\n```\n"))

    (found,) = complaints(peers, quiet, commands)

    assert found.startswith("page.md:4: az ")
    assert complaint in found
