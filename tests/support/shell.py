"""A shell that asks `recur` what it offers at the end of a line."""

import os
import subprocess
import sys
from pathlib import Path

AS_INSTALLED = "import sys; sys.argv[0] = 'recur'; from recur.app import main; main()"
ROOT = Path(__file__).parents[2]


def offered(folder: Path, line: str, **environment: str) -> list[str]:
    """Return what bash is told to offer at the end of a line."""
    asked = subprocess.run(
        [sys.executable, "-c", AS_INSTALLED],
        cwd=folder,
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "_RECUR_COMPLETE": "complete_bash",
            "COMP_WORDS": line,
            "COMP_CWORD": str(len(line.split(" ")) - 1),
            **environment,
        },
        capture_output=True,
        text=True,
        check=True,
    )
    assert asked.stderr == ""
    return asked.stdout.split()
