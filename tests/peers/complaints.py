"""What azure-cli's parser has against commands."""

import json
import subprocess
from itertools import pairwise
from pathlib import Path

from tests.peers.commands import VALUE, Command

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
