"""The Bicep compiler: where it is, and what it is asked here."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Snapshots hold the ids that a deployment to this place would have.
SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"
RESOURCE_GROUP = "recur"
LOCATION = "eastus"

_FILES = "**/*.bicep*"  # and .bicepparam
_TIMEOUT_SECONDS = 120
_VERSION = re.compile(r"\d+\.\d+\.\d+")
_READ = re.compile(r"readEnvironmentVariable\('(\w+)'")


class CompilerError(Exception):
    """The compiler refuses a file, in its own words."""


def find() -> Path | None:
    """
    Return the compiler: ``BICEP``, else the one on PATH, else the Azure CLI's own; None without one.

    Raises:
        CompilerError: ``BICEP`` names no file.
    """
    if named := os.environ.get("BICEP"):
        if not Path(named).is_file():
            raise CompilerError(f"BICEP is {named}, and there is no such file")
        return Path(named)
    if found := shutil.which("bicep"):
        return Path(found)
    own = (Path.home() / ".azure" / "bin" / name for name in ("bicep", "bicep.exe"))
    return next((path for path in own if path.is_file()), None)


@dataclass(frozen=True, slots=True)
class Compiler:
    """A compiler at a path. It reads local files and asks nothing of the network."""

    path: Path

    def version(self) -> str:
        """Return the version, such as ``0.49.2``."""
        answer = self._run(["--version"], Path.cwd())
        found = _VERSION.search(answer.stdout)
        if found is None:
            raise CompilerError(f"{self.path} --version says {answer.stdout!r}")
        return found[0]

    def lint(self, folder: Path) -> list[str]:
        """Return every diagnostic about the files in a folder, whatever its level."""
        answer = self._run(["lint", "--no-restore", "--pattern", _FILES], folder)
        found = [line for line in (answer.stdout + answer.stderr).splitlines() if line.strip()]
        if answer.returncode and not found:
            found = [f"bicep lint ended with exit code {answer.returncode}"]
        return [line.replace(str(folder), folder.name) for line in found]

    def format(self, folder: Path) -> None:
        """Rewrite the files in a folder as the formatter would have them."""
        self._must(["format", "--pattern", _FILES], folder)

    def build(self, template: Path) -> Any:  # noqa: ANN401 - JSON
        """Return the Azure Resource Manager template that a Bicep file compiles to."""
        arguments = ["build", "--no-restore", "--stdout", template.name]
        return json.loads(self._must(arguments, template.parent))

    def snapshot(self, parameters: Path, values: Mapping[str, str]) -> Any:  # noqa: ANN401 - JSON
        """
        Return what a deployment would make: resources with their values, and outputs.

        Args:
            parameters: A ``.bicepparam`` file; the compiler leaves a file beside it.
            values: Environment variables that it reads; it finds no others.
        """
        place = ["--subscription-id", SUBSCRIPTION]
        if "targetScope = 'subscription'" not in _template(parameters):
            place += ["--resource-group", RESOURCE_GROUP]
        arguments = ["snapshot", parameters.name, "--mode", "overwrite", *place]
        self._must([*arguments, "--location", LOCATION], parameters.parent, values)
        return json.loads(parameters.with_suffix(".snapshot.json").read_text(encoding="utf-8"))

    def _must(
        self, arguments: Iterable[str], folder: Path, values: Mapping[str, str] | None = None
    ) -> str:
        answer = self._run(arguments, folder, values)
        if answer.returncode:
            raise CompilerError((answer.stderr or answer.stdout).strip())
        return answer.stdout

    def _run(
        self, arguments: Iterable[str], folder: Path, values: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(  # noqa: S603 - the compiler that this machine's user chose
            [self.path, *arguments],
            cwd=folder,
            env=_process_environment(folder) | dict(values or {}),
            capture_output=True,
            text=True,
            check=False,
            timeout=_TIMEOUT_SECONDS,
        )


def _template(parameters: Path) -> str:
    """Return the text of the template beside a parameter file."""
    return (parameters.parent / "main.bicep").read_text(encoding="utf-8")


def _process_environment(folder: Path) -> dict[str, str]:
    """Return this process's variables, but for those that parameter files read."""
    read = {
        name
        for path in folder.rglob("*.bicepparam")
        for name in _READ.findall(path.read_text(encoding="utf-8"))
    }
    return {name: value for name, value in os.environ.items() if name not in read}
