"""Run `recur` and `azd` from a hook: in this folder, for azd's environment, failing loudly."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parents[2]
_PYTHON = (3, 13)


def ready() -> None:
    """Go to the root of the repository, and refuse a Python that is too old for what is there."""
    os.chdir(ROOT)
    if sys.version_info < _PYTHON:
        wanted = ".".join(map(str, _PYTHON))
        stop(
            f"Python {wanted} is needed, this is {sys.version.split()[0]} ({sys.executable})",
            "make setup, activate .venv, remove infra/hooks/hooks_env, then the same azd command",
        )


def recur(*words: str) -> str:
    """Run the command line with this Python and return its stdout; its failure ends the hook."""
    return _run_command([sys.executable, "-m", "recur", *words])


def remember(name: str, value: str) -> None:
    """Keep a value in azd's environment, where infra/pool reads it."""
    azd = shutil.which("azd")
    if azd is None:
        stop("azd is not on the PATH", f"azd env set {name} '{value}'")
    # Not by default the selected environment: azd may have been called with --environment.
    environment = os.environ.get("AZURE_ENV_NAME")
    chosen = ["--environment", environment] if environment else []
    _run_command([azd, "env", "set", name, value, *chosen])


def stop(what: str, then: str) -> NoReturn:
    """End the hook, and with it azd, with words that help."""
    sys.exit(f"{what}\n  next: {then}")


def _run_command(words: list[str]) -> str:
    ended = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=False)  # noqa: S603
    if ended.returncode:
        sys.stdout.write(ended.stdout)
        sys.exit(ended.returncode)
    return ended.stdout
