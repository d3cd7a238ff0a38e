"""`recur` as an operator runs it, in this process, on a deployment made of test servers."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from recur.app import app


@dataclass(frozen=True, slots=True)
class Told:
    """What a command said, as text and stdout's as bytes, and how it ended."""

    code: int
    out: str
    err: str
    raw: bytes = b""

    @property
    def json(self) -> Any:  # noqa: ANN401 - whatever JSON holds
        return json.loads(self.out)


@dataclass(frozen=True, slots=True)
class Operator:
    """Somebody at a keyboard with a settings file."""

    settings: Path

    def recur(self, *arguments: str) -> Told:
        result = CliRunner().invoke(app, ["--settings", str(self.settings), *arguments])
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Told(result.exit_code, result.stdout, result.stderr, result.stdout_bytes)


def operator(folder: Path, **values: str) -> Operator:
    """Return an operator whose settings file holds ``values``."""
    path = folder / "settings.json"
    path.write_text(json.dumps({"IsEncrypted": False, "Values": values}))
    return Operator(path)
