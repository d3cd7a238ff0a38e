"""The operator of the demo: `recur`, as anybody would run it against this laptop."""

import subprocess
import sys
from pathlib import Path
from typing import Final

from local.errors import LocalError

_ROOT: Final = Path(__file__).resolve().parent.parent
_LIMIT_SECONDS: Final = 60


class Operator:
    """Runs `recur` with the settings of a laptop."""

    def __init__(self, settings: Path) -> None:
        self._settings = settings

    def recur(self, *arguments: str) -> bytes:
        """
        Run a command and return its stdout.

        Raises:
            LocalError: It failed; the message has its words.
        """
        command = [sys.executable, "-m", "recur", "--settings", str(self._settings), *arguments]
        try:
            done = subprocess.run(  # noqa: S603 - our own command line
                command, cwd=_ROOT, capture_output=True, check=False, timeout=_LIMIT_SECONDS
            )
        except subprocess.TimeoutExpired as error:
            raise LocalError(
                f"recur {arguments[0]} takes longer than {_LIMIT_SECONDS} s"
            ) from error
        if done.returncode:
            said = done.stderr.decode(errors="replace").strip()
            raise LocalError(f"recur {' '.join(arguments)} ended with {done.returncode}: {said}")
        return done.stdout
