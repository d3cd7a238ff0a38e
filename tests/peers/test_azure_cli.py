"""azure-cli takes every command that the documents and the messages name."""

import json
import subprocess
from itertools import pairwise
from pathlib import Path

import pytest

from tests.peers.commands import VALUE, Command, in_page, in_repository

_ROOT = Path(__file__).parents[2]
_JUDGE = Path(__file__).with_name("azure_cli.py")
_INCOMPLETE = "the following arguments are required"
_UNKNOWN = f"'{VALUE}' is not a valid value for"


def _given(words: tuple[str, ...]) -> list[str]:
    """Return the words after ``az``; three dots stand for a value, or for all the rest."""
    return [word for before, word in pairwise(words) if word != "..." or before.startswith("--")]


def complaints(peers: Path, quiet: dict[str, str], commands: tuple[Command, ...]) -> list[str]:
    """
    Return what azure-cli's parser has against commands, each with its place.

    Complaints that a placeholder is missing from a closed list are left out.
    """
    asked = subprocess.run(
        [str(peers / "python"), str(_JUDGE)],
        input=json.dumps([_given(one.words) for one in commands]),
        env=quiet,
        capture_output=True,
        text=True,
        check=True,
    )
    return [
        f"{command}: {verdict}"
        for command, verdict in zip(commands, json.loads(asked.stdout), strict=True)
        if verdict
        and (command.whole or not verdict.startswith(_INCOMPLETE))
        and _UNKNOWN not in verdict
    ]


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
